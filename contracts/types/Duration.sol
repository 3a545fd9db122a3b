// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A span of time, in seconds.
type Duration is uint40;

/// @notice A span of time, in the 256 bits that ERC-1056 gives it.
type Duration256 is uint256;

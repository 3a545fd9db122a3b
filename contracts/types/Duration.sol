// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A span of time, in seconds.
type Duration is uint40;

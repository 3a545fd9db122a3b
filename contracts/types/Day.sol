// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A day, in days of 86,400 seconds since 1970 (UTC).
type Day is uint32;

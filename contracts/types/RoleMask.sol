// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A set of the roles of {Roles}, one bit each.
type RoleMask is uint32;

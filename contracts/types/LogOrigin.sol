// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A transparency log, by SHA-256 of its origin, as C2SP tlog-witness names logs in addresses.
/// @dev Not an id: a recorder chooses it, and could take the id of anything.
type LogOrigin is bytes32;

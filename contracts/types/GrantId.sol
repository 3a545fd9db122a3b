// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one grant: the hash of its subject, its grantee and its {Scope}.
type GrantId is bytes32;

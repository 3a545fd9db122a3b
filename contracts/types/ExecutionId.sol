// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one execution of an algorithm: the hash of its version, operator, image sets, use and output.
type ExecutionId is bytes32;

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one algorithm: the hash of its institution and its name.
type AlgorithmId is bytes32;

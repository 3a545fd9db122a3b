// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one version of an algorithm: the hash of the algorithm's id and all that is stated of the version.
type AlgorithmVersionId is bytes32;

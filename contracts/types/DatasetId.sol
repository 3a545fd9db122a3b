// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one data set: the hash of its institution, its terms and a salt.
type DatasetId is bytes32;

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies a work on a data set's images: the digest of the annotation or code.
type WorkId is bytes32;

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one demand: the hash of the acknowledgement that it shows.
type DemandId is bytes32;

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one request for a grant: the hash of who asks whom, for what and on which terms.
type RequestId is bytes32;

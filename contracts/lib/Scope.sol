// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What a grant covers, besides a course, a visit or an image set, which are named by their own digests
library Scope {
    /// @notice Everything of the subject, today's and later.
    bytes32 internal constant ALL = 0;
    /// @notice Everything of the subject, in an emergency; only breaking the glass writes it.
    bytes32 internal constant EMERGENCY = keccak256("radledger.consent.emergency");
}

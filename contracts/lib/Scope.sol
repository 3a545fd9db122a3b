// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What a grant covers, besides a course, a visit or an image set, which are named by their own digests
library Scope {
    /// @notice Everything of the subject, today's and later.
    bytes32 internal constant ALL = 0;
    /// @notice Everything of the subject, in an emergency that a clinician declared; never granted.
    bytes32 internal constant EMERGENCY = keccak256("radledger.consent.emergency");

    /// @notice Whether `custodian` may anchor under this visit and course: each is zero, or ends in its address.
    /// @dev So nobody can name a visit after another custodian's visit, course or image set, or after `EMERGENCY`, and
    /// bring its own image sets under a grant that was given for those.
    function areOf(bytes32 visit, bytes32 course, address custodian) internal pure returns (bool) {
        return (visit == 0 || address(uint160(uint256(visit))) == custodian)
            && (course == 0 || address(uint160(uint256(course))) == custodian);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a grant covers: {Scopes-ALL}, {Scopes-EMERGENCY}, or a course, a visit or an image set by its digest.
type Scope is bytes32;

using {equals as ==} for Scope global;

function equals(Scope one, Scope other) pure returns (bool) {
    return Scope.unwrap(one) == Scope.unwrap(other);
}

/// @title The scopes that are not named by a digest
library Scopes {
    /// @notice Everything of the subject, today's and later.
    Scope internal constant ALL = Scope.wrap(0);
    /// @notice Everything of the subject, in an emergency that a clinician declared; never granted.
    Scope internal constant EMERGENCY = Scope.wrap(keccak256("radledger.consent.emergency"));
}

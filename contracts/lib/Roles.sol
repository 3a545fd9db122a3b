// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RoleMask} from "../types/RoleMask.sol";

/// @title The roles that a participant can be accredited for, each a bit of one mask
/// @notice Off-chain readers decode role masks by this list, so a bit, once given, is never given another meaning.
library Roles {
    /// @notice Admits and suspends institutions. Held by vote of the governors alone, never by accreditation.
    RoleMask internal constant GOVERNOR = RoleMask.wrap(1 << 0);
    /// @notice Keeps images and anchors them: a hospital, an imaging centre.
    RoleMask internal constant CUSTODIAN = RoleMask.wrap(1 << 1);
    /// @notice Treats patients, asks for their images, may declare emergency access.
    RoleMask internal constant CLINICIAN = RoleMask.wrap(1 << 2);
    /// @notice Reads images and signs reports.
    RoleMask internal constant RADIOLOGIST = RoleMask.wrap(1 << 3);
    /// @notice Builds data sets and works on them.
    RoleMask internal constant RESEARCHER = RoleMask.wrap(1 << 4);
    /// @notice Answers for a clinical trial.
    RoleMask internal constant SPONSOR = RoleMask.wrap(1 << 5);
    /// @notice Analyses a trial's data; blinded, and independent of its sponsor.
    RoleMask internal constant ANALYST = RoleMask.wrap(1 << 6);
    /// @notice Labels and segments images.
    RoleMask internal constant ANNOTATOR = RoleMask.wrap(1 << 7);
    /// @notice Makes algorithms.
    RoleMask internal constant DEVELOPER = RoleMask.wrap(1 << 8);
    /// @notice Issues credentials to learners.
    RoleMask internal constant EDUCATOR = RoleMask.wrap(1 << 9);
    /// @notice Makes devices.
    RoleMask internal constant MANUFACTURER = RoleMask.wrap(1 << 10);
    /// @notice Inspects devices.
    RoleMask internal constant INSPECTOR = RoleMask.wrap(1 << 11);
    /// @notice Supervises devices and trials, and may recall.
    RoleMask internal constant REGULATOR = RoleMask.wrap(1 << 12);
    /// @notice Votes in a society's motions.
    RoleMask internal constant MEMBER = RoleMask.wrap(1 << 13);

    /// @notice Every role that an institution may be accredited for: all but `GOVERNOR`.
    RoleMask internal constant ACCREDITABLE = RoleMask.wrap((1 << 14) - 1 - (1 << 0));
}

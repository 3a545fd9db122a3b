// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The roles that a participant can be accredited for, each a bit of one mask
/// @notice Off-chain readers decode role masks by this list, so a bit, once given, is never given another meaning.
library Roles {
    /// @notice Admits and suspends institutions. Held by vote of the governors alone, never by accreditation.
    uint32 internal constant GOVERNOR = 1 << 0;
    /// @notice Keeps images and anchors them: a hospital, an imaging centre.
    uint32 internal constant CUSTODIAN = 1 << 1;
    /// @notice Treats patients, asks for their images, may declare emergency access.
    uint32 internal constant CLINICIAN = 1 << 2;
    /// @notice Reads images and signs reports.
    uint32 internal constant RADIOLOGIST = 1 << 3;
    /// @notice Builds data sets and works on them.
    uint32 internal constant RESEARCHER = 1 << 4;
    /// @notice Answers for a clinical trial.
    uint32 internal constant SPONSOR = 1 << 5;
    /// @notice Analyses a trial's data; blinded, and independent of its sponsor.
    uint32 internal constant ANALYST = 1 << 6;
    /// @notice Labels and segments images.
    uint32 internal constant ANNOTATOR = 1 << 7;
    /// @notice Makes algorithms.
    uint32 internal constant DEVELOPER = 1 << 8;
    /// @notice Issues credentials to learners.
    uint32 internal constant EDUCATOR = 1 << 9;
    /// @notice Makes devices.
    uint32 internal constant MANUFACTURER = 1 << 10;
    /// @notice Inspects devices.
    uint32 internal constant INSPECTOR = 1 << 11;
    /// @notice Supervises devices and trials, and may recall.
    uint32 internal constant REGULATOR = 1 << 12;
    /// @notice Votes in a society's motions.
    uint32 internal constant MEMBER = 1 << 13;

    /// @notice Every role that an institution may be accredited for: all but `GOVERNOR`.
    uint32 internal constant ACCREDITABLE = (1 << 14) - 1 - GOVERNOR;
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Authorization} from "../contracts/types/Authorization.sol";
import {Duration} from "../contracts/types/Duration.sol";
import {Time, Time32} from "../contracts/types/Time.sol";

/// @title Emergency access, and the conduct of clinicians and institutions
/// @notice A clinician declares it without a grant, a second person of the institution reviews it, and a subject may
/// forbid it where the deployment allows that. The consent registry has it beside the grants.
interface IEmergencyAccess {
    // ------------------------------------------------------------------ types

    /// @notice What the review of an emergency access found.
    enum Outcome {
        None,
        Waiting,
        Justified,
        Unjustified
    }

    /// @notice Emergency access that a clinician declared.
    /// @param institution whose second person reviews it
    /// @param until time from which it no longer holds, unless it was ended before
    /// @param reviewBy time by which it is to be reviewed: the end of the third UTC day after its own
    /// @param outcome what the review found
    /// @param ended whether the subject revoked it, or the review found it unjustified
    struct Emergency {
        address institution;
        Time until;
        Time reviewBy;
        Outcome outcome;
        bool ended;
    }

    /// @notice Emergency accesses of a clinician, or of an institution's clinicians, counted by outcome.
    /// @param declared how many there were
    /// @param justified how many were found justified
    /// @param unjustified how many were found unjustified
    /// @param waiting how many are not reviewed, and their review is not overdue
    /// @param overdue how many are not reviewed, and their review is overdue
    struct Conduct {
        uint32 declared;
        uint32 justified;
        uint32 unjustified;
        uint32 waiting;
        uint32 overdue;
    }

    // ------------------------------------------------------------------ errors

    /// @notice Emergency access cannot last 0 seconds, nor longer than 24 hours.
    /// @param duration for how long it was asked for, in seconds
    /// @param longest for how long it can last, in seconds
    error EmergencyTooLong(Duration duration, Duration longest);

    /// @notice There is no such emergency access.
    /// @param subject whose records
    /// @param clinician who declared it
    /// @param since time at which it was declared
    error EmergencyUnknown(address subject, address clinician, Time since);

    /// @notice The clinician already declared emergency access to this subject in the same second.
    /// @param subject whose records
    /// @param clinician who declared it
    /// @param since time at which it was declared
    error EmergencyAlreadyDeclared(address subject, address clinician, Time since);

    /// @notice The subject forbids emergency access.
    /// @param subject whose records
    error EmergencyForbidden(address subject);

    /// @notice The recorded choice on emergency access is the same, or may be newer; to change it, sign a new choice.
    /// @param subject whose records
    /// @param signed when the recorded choice was signed
    error EmergencyChoiceSuperseded(address subject, Time32 signed);

    /// @notice This deployment does not let subjects forbid emergency access.
    error EmergenciesNotForbiddable();

    /// @notice The emergency access was already reviewed.
    /// @param subject whose records
    /// @param clinician who declared it
    /// @param since time at which it was declared
    error EmergencyAlreadyReviewed(address subject, address clinician, Time since);

    /// @notice The reviewer is neither another active member of the clinician's institution, nor a governor after the
    /// review was due.
    /// @param reviewer who called
    /// @param clinician who declared it
    /// @param institution whose second person reviews it
    error EmergencyReviewerInvalid(address reviewer, address clinician, address institution);

    /// @notice The requester's institution has too many overdue reviews of emergency access.
    /// @param institution institution of the requester
    /// @param overdue how many reviews are overdue
    /// @param most with how many it may still request
    error EmergencyReviewsOverdue(address institution, uint256 overdue, uint256 most);

    // ------------------------------------------------------------------ events

    /// @notice A clinician declared emergency access.
    /// @param subject whose records
    /// @param clinician who declared it
    /// @param institution whose second person reviews it
    /// @param since time at which it was declared
    /// @param until time from which it no longer holds
    /// @param reviewBy time by which it is to be reviewed
    /// @param reason digest of the reason
    event EmergencyDeclared(
        address indexed subject,
        address indexed clinician,
        address indexed institution,
        Time since,
        Time until,
        Time reviewBy,
        bytes32 reason
    );

    /// @notice A second person reviewed emergency access.
    /// @param subject whose records
    /// @param clinician who declared it
    /// @param reviewer who reviewed it
    /// @param since time at which it was declared
    /// @param justified the reviewer's finding
    /// @param opinion digest of the review
    event EmergencyReviewed(
        address indexed subject,
        address indexed clinician,
        address indexed reviewer,
        Time since,
        bool justified,
        bytes32 opinion
    );

    /// @notice The subject forbids emergency access from now on, or allows it again.
    /// @param subject whose records
    /// @param forbidden whether it is forbidden from now on
    /// @param signed what {emergencyChoiceOf} then returns
    /// @param actor who acted for the subject
    event EmergenciesForbidden(address indexed subject, bool forbidden, Time32 signed, address actor);

    // ------------------------------------------------------------------ writes

    /// @notice Declares emergency access (break-the-glass): the calling clinician may use everything of the subject for
    /// clinical care, for as long as it is a clinician of the same institution. It replaces an earlier one of the same
    /// clinician and subject. While a review of the clinician's emergencies is overdue, each lasts an hour at most,
    /// whatever the duration.
    /// @param subject whose images
    /// @param duration for how long, in seconds; 24 hours at most
    /// @param reason digest of the reason
    function breakGlass(address subject, Duration duration, bytes32 reason) external;

    /// @notice Reviews emergency access, as a second person of the clinician's institution, or as a governor once the
    /// review is overdue. Access that is found unjustified ends at once.
    /// @param subject whose images
    /// @param clinician who declared it
    /// @param since time at which it was declared
    /// @param justified the reviewer's finding
    /// @param opinion digest of the review
    function review(address subject, address clinician, Time since, bool justified, bytes32 opinion) external;

    /// @notice Forbids emergency access to the subject's images, where the deployment allows that, or allows it again.
    /// Emergency access in force at that moment ends, and stays ended when it is allowed again.
    /// @param subject whose images; the caller is its owner or its delegate of type "radledger.consent"
    /// @param forbidden whether it is forbidden
    function forbidEmergencies(address subject, bool forbidden) external;

    /// @notice As {forbidEmergencies}, by signature. Where clocks leave the order of two choices in doubt, emergency
    /// access stays forbidden, unless the subject signed the permission after the prohibition was recorded on chain.
    /// @dev Typed data: `ForbidEmergencies(address subject,bool forbidden,uint32 seen,uint32 signed,uint40 deadline)`.
    /// @param subject whose images
    /// @param forbidden whether it is forbidden
    /// @param seen the `signed` that {emergencyChoiceOf} returned when this was signed
    /// @param authorization who signed, when, and the signature
    function forbidEmergenciesBySig(address subject, bool forbidden, Time32 seen, Authorization calldata authorization)
        external;

    // ------------------------------------------------------------------ views

    /// @notice Emergency access as it was written last; all zero where there is none.
    /// @param subject whose images
    /// @param clinician who declared it
    /// @param since time at which it was declared
    /// @return kept the emergency access
    function emergencyOf(address subject, address clinician, Time since) external view returns (Emergency memory kept);

    /// @notice Whether emergency access should have been reviewed by now.
    /// @param subject whose images
    /// @param clinician who declared it
    /// @param since time at which it was declared
    /// @return overdue whether its review is overdue
    function isReviewOverdue(address subject, address clinician, Time since) external view returns (bool overdue);

    /// @notice The emergency accesses that an account declared as a clinician, and those that it answers for as an
    /// institution, counted by outcome.
    /// @param account the clinician or institution
    /// @return asClinician what it declared itself
    /// @return asInstitution what it answers for
    function conductOf(address account) external view returns (Conduct memory asClinician, Conduct memory asInstitution);

    /// @notice Whether the subject forbids emergency access, and when it signed its choice; zero if it never chose.
    /// @param subject whose images
    /// @return forbidden whether it is forbidden
    /// @return signed when that was signed, in seconds since 1970
    function emergencyChoiceOf(address subject) external view returns (bool forbidden, Time32 signed);

    /// @notice The deployment's rules on emergency access.
    /// @return mayForbid whether subjects may forbid it
    /// @return mostOverdue most overdue reviews with which an institution, or its members, may still request
    function emergencyPolicy() external view returns (bool mayForbid, uint32 mostOverdue);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Roles} from "../lib/Roles.sol";
import {Scope} from "../lib/Scope.sol";
import {ConsentOracle} from "./ConsentOracle.sol";
import {GrantSlot, GrantSlotLibrary} from "./GrantSlot.sol";

/// @title Emergency access: declared by a clinician, reviewed by a colleague
abstract contract EmergencyAccess is ConsentOracle {
    uint40 private constant LONGEST_EMERGENCY = 24 hours;
    uint40 private constant REVIEW_PERIOD = 72 hours;

    // ------------------------------------------------------------------ the clinician and the reviewer

    /// @inheritdoc IConsentRegistry
    function breakGlass(address subject, uint40 duration, bytes32 reason) external {
        address institution = _participants.requireRole(msg.sender, Roles.CLINICIAN);
        if (duration == 0 || duration > LONGEST_EMERGENCY) revert ConsentEmergencyTooLong(duration, LONGEST_EMERGENCY);
        if (subject == address(0) || subject == msg.sender) revert ConsentGranteeInvalid(msg.sender);
        uint40 since = uint40(block.timestamp);
        uint40 until = since + duration;
        uint40 reviewBy = since + REVIEW_PERIOD;
        GrantSlot given = GrantSlotLibrary.pack(uint32(since), uint32(until), DataUse.CLINICAL_CARE, 0, 0);
        _writeGrant(subject, msg.sender, Scope.EMERGENCY, given, uint32(since), msg.sender);
        _emergencies[_emergencyId(subject, msg.sender, since)] = Emergency(institution, reviewBy, false);
        emit EmergencyDeclared(subject, msg.sender, institution, since, until, reviewBy, reason);
    }

    /// @inheritdoc IConsentRegistry
    function review(address subject, address clinician, uint40 since, bool justified, bytes32 opinion) external {
        Emergency storage emergency = _emergencies[_emergencyId(subject, clinician, since)];
        address institution = emergency.institution;
        if (institution == address(0)) revert ConsentNoEmergency(subject, clinician, since);
        if (emergency.reviewed) revert ConsentAlreadyReviewed(subject, clinician, since);
        (address own, bool suspended) = _participants.standing(msg.sender);
        if (msg.sender == clinician || own != institution || suspended) {
            revert ConsentReviewerInvalid(msg.sender, clinician, institution);
        }
        emergency.reviewed = true;
        emit EmergencyReviewed(subject, clinician, msg.sender, since, justified, opinion);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentRegistry
    function emergencyOf(address subject, address clinician, uint40 since) external view returns (Emergency memory) {
        return _emergencies[_emergencyId(subject, clinician, since)];
    }

    /// @inheritdoc IConsentRegistry
    function isReviewOverdue(address subject, address clinician, uint40 since) external view returns (bool) {
        Emergency memory emergency = _emergencies[_emergencyId(subject, clinician, since)];
        return emergency.institution != address(0) && !emergency.reviewed && block.timestamp >= emergency.reviewBy;
    }
}

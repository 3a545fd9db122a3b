// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {Roles} from "../lib/Roles.sol";
import {Scope} from "../lib/Scope.sol";
import {ConductSlot, ConductSlotLibrary} from "./ConductSlot.sol";
import {ConsentOracle} from "./ConsentOracle.sol";
import {EmergencySlot, EmergencySlotLibrary} from "./EmergencySlot.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title Emergency access: declared by a clinician, reviewed by a colleague, and what that says of both
abstract contract EmergencyAccess is ConsentOracle {
    /// @dev Whether a subject forbids emergency access, in one slot: when that was signed, up to when a prohibition that
    /// arrives late is one that the subject allowed over, and when it was last forbidden on chain: what was declared by
    /// then has ended.
    struct Choice {
        bool forbidden;
        uint32 signed;
        uint32 overruled;
        uint32 forbiddenAt;
    }

    uint40 private constant LONGEST_EMERGENCY = 24 hours;
    uint32 private constant LONGEST_WHILE_OVERDUE = 1 hours;

    bool private immutable _mayForbid;
    uint32 private immutable _mostOverdue;

    // The last emergency of a clinician with a subject stands under their grant id, which the next one takes over: the
    // one before then moves to an id of its own, by its time.
    mapping(bytes32 id => EmergencySlot) private _emergencies;
    // The subject's last revocation of an emergency of the pair, so that no document ends a second one.
    mapping(bytes32 grantId => uint32 signed) private _endedAt;
    mapping(address clinician => ConductSlot) private _clinicians;
    mapping(address institution => ConductSlot) private _institutions;
    mapping(address subject => Choice) private _choices;

    constructor(bool mayForbid, uint32 mostOverdue) {
        _mayForbid = mayForbid;
        _mostOverdue = mostOverdue;
    }

    // ------------------------------------------------------------------ the clinician and the reviewer

    /// @inheritdoc IEmergencyAccess
    function breakGlass(address subject, uint40 duration, bytes32 reason) external {
        address institution = _participants.requireRole(msg.sender, Roles.CLINICIAN);
        if (duration == 0 || duration > LONGEST_EMERGENCY) revert ConsentEmergencyTooLong(duration, LONGEST_EMERGENCY);
        if (subject == address(0) || subject == msg.sender) revert ConsentGranteeInvalid(msg.sender);
        if (_mayForbid && _choices[subject].forbidden) revert ConsentEmergencyForbidden(subject);
        ConductSlot conduct = _clinicians[msg.sender].today();
        // It is cut and not refused, for no clinician must lose time over it.
        if (conduct.overdue() != 0 && duration > LONGEST_WHILE_OVERDUE) duration = LONGEST_WHILE_OVERDUE;
        _clinicians[msg.sender] = conduct.declared();
        _institutions[institution] = _institutions[institution].today().declared();
        _declare(subject, institution, duration, reason);
    }

    /// @inheritdoc IEmergencyAccess
    function review(address subject, address clinician, uint40 since, bool justified, bytes32 opinion) external {
        (bytes32 id, EmergencySlot emergency) = _find(subject, clinician, since);
        address institution = emergency.institution();
        if (institution == address(0)) revert ConsentNoEmergency(subject, clinician, since);
        if (emergency.outcome() != Outcome.Waiting) revert ConsentAlreadyReviewed(subject, clinician, since);
        if (!_mayReview(msg.sender, clinician, institution, since)) {
            revert ConsentReviewerInvalid(msg.sender, clinician, institution);
        }
        _emergencies[id] = emergency.reviewed(justified);
        _clinicians[clinician] = _clinicians[clinician].today().reviewed(since, justified);
        _institutions[institution] = _institutions[institution].today().reviewed(since, justified);
        emit EmergencyReviewed(subject, clinician, msg.sender, since, justified, opinion);
        if (!justified && !emergency.isEnded() && id == _emergencyGrantId(subject, clinician)) {
            _announceRevocation(subject, clinician, Scope.EMERGENCY, uint32(block.timestamp), msg.sender);
        }
    }

    // ------------------------------------------------------------------ the subject

    /// @inheritdoc IEmergencyAccess
    function forbidEmergencies(address subject, bool forbidden) external {
        _requireMayAct(subject, msg.sender);
        _writeChoice(subject, forbidden, uint32(block.timestamp), msg.sender);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IEmergencyAccess
    function emergencyOf(address subject, address clinician, uint40 since) external view returns (Emergency memory) {
        (, EmergencySlot emergency) = _find(subject, clinician, since);
        return emergency.unpack();
    }

    /// @inheritdoc IEmergencyAccess
    function isReviewOverdue(address subject, address clinician, uint40 since) external view returns (bool) {
        (, EmergencySlot emergency) = _find(subject, clinician, since);
        return emergency.outcome() == Outcome.Waiting && block.timestamp >= ConductSlotLibrary.dueAt(since);
    }

    /// @inheritdoc IEmergencyAccess
    function conductOf(address account)
        external
        view
        returns (Conduct memory asClinician, Conduct memory asInstitution)
    {
        return (_clinicians[account].today().unpack(), _institutions[account].today().unpack());
    }

    /// @inheritdoc IEmergencyAccess
    function emergencyChoiceOf(address subject) external view returns (bool forbidden, uint32 signed) {
        return (_choices[subject].forbidden, _choices[subject].signed);
    }

    /// @inheritdoc IEmergencyAccess
    function emergencyPolicy() external view returns (bool mayForbid, uint32 mostOverdue) {
        return (_mayForbid, _mostOverdue);
    }

    // ------------------------------------------------------------------ internal

    /// @dev An emergency is its clinician's only as a clinician of the institution that answers for it: who has left that
    /// institution, though for another one, or is no clinician any more, may no longer use it.
    function _emergencyNow(address subject, address reader, address institution)
        internal
        view
        override
        returns (GrantSlot given)
    {
        EmergencySlot emergency = _emergencies[_emergencyGrantId(subject, reader)];
        if (institution == address(0) || emergency.institution() != institution) return given;
        if (!_hasRole(reader, Roles.CLINICIAN)) return given;
        uint32 since = emergency.since();
        uint32 until = emergency.until();
        if (until > since + LONGEST_WHILE_OVERDUE && _clinicians[reader].today().overdue() != 0) {
            until = since + LONGEST_WHILE_OVERDUE;
        }
        if (since <= _choices[subject].forbiddenAt) emergency = emergency.end();
        return emergency.asGrant(until);
    }

    function _emergencyAsWritten(bytes32 grantId) internal view override returns (GrantSlot) {
        EmergencySlot emergency = _emergencies[grantId];
        return emergency.asGrant(emergency.until());
    }

    /// @dev Ends the last emergency of a clinician with a subject; its review is due nevertheless.
    function _endEmergency(address subject, address clinician, uint32 signed, address actor) internal {
        bytes32 grantId = _emergencyGrantId(subject, clinician);
        EmergencySlot emergency = _emergencies[grantId];
        if (emergency.institution() == address(0) || emergency.isEnded()) {
            _refuseRevocation(subject, clinician, Scope.EMERGENCY);
        }
        _emergencies[grantId] = emergency.end();
        _endedAt[grantId] = _later(signed, _endedAt[grantId]);
        _announceRevocation(subject, clinician, Scope.EMERGENCY, signed, actor);
    }

    /// @dev Refuses a signed revocation that ended an emergency before, or is surely older than the one in force.
    function _requireEndPrevails(address subject, address clinician, uint32 signed) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        bytes32 grantId = _emergencyGrantId(subject, clinician);
        uint32 since = _emergencies[grantId].since();
        if (signed <= _endedAt[grantId] || signed + DOUBT < since) {
            _refuseLateRevocation(subject, clinician, Scope.EMERGENCY, since);
        }
    }

    /// @dev Where clocks leave the order of two choices in doubt, emergency access stays forbidden.
    function _requireChoicePrevails(address subject, bool forbidden, uint32 seen, uint32 signed) internal view {
        Choice memory choice = _choices[subject];
        uint32 last = choice.signed;
        bool superseded;
        if (forbidden) {
            _requireNotAhead(signed, CLOCK_ERROR);
            superseded = choice.forbidden
                ? signed <= last
                : signed < last && (signed + DOUBT < last || signed <= choice.overruled);
        } else {
            _requireNotAhead(signed, GRANT_AHEAD);
            superseded = !choice.forbidden || (seen != last && signed <= last + DOUBT);
        }
        if (superseded) revert ConsentEmergencyChoiceSuperseded(subject, last);
    }

    function _writeChoice(address subject, bool forbidden, uint32 signed, address actor) internal {
        if (!_mayForbid) revert ConsentEmergenciesNotForbiddable();
        Choice memory choice = _choices[subject];
        if (forbidden) choice.forbiddenAt = uint32(block.timestamp);
        else choice.overruled = choice.signed;
        choice.signed = _later(signed, choice.signed);
        choice.forbidden = forbidden;
        _choices[subject] = choice;
        emit EmergenciesForbidden(subject, forbidden, choice.signed, actor);
    }

    function _declare(address subject, address institution, uint40 duration, bytes32 reason) private {
        uint32 since = uint32(block.timestamp);
        bytes32 grantId = _emergencyGrantId(subject, msg.sender);
        EmergencySlot previous = _emergencies[grantId];
        if (previous.institution() != address(0)) {
            if (previous.since() == since) revert ConsentEmergencyExists(subject, msg.sender, since);
            _emergencies[_emergencyId(subject, msg.sender, previous.since())] = previous;
        }
        EmergencySlot emergency = EmergencySlotLibrary.pack(institution, since, duration, _withdrawalOf(subject).epoch);
        _emergencies[grantId] = emergency;
        uint32 until = emergency.until();
        _announce(subject, msg.sender, Scope.EMERGENCY, emergency.asGrant(until), msg.sender);
        emit EmergencyDeclared(subject, msg.sender, institution, since, until, ConductSlotLibrary.dueAt(since), reason);
    }

    function _find(address subject, address clinician, uint40 since)
        private
        view
        returns (bytes32 id, EmergencySlot emergency)
    {
        id = _emergencyGrantId(subject, clinician);
        if (_emergencies[id].since() != since) id = _emergencyId(subject, clinician, since);
        emergency = _emergencies[id];
    }

    /// @dev A second person of the institution; once that is overdue a governor too, so that a clinician whose institution
    /// is gone finds a reviewer.
    function _mayReview(address reviewer, address clinician, address institution, uint40 since)
        private
        view
        returns (bool)
    {
        if (reviewer == clinician) return false;
        (address own, bool suspended) = _standingOf(reviewer);
        if (own == institution && !suspended) return true;
        return block.timestamp >= ConductSlotLibrary.dueAt(since) && _hasRole(reviewer, Roles.GOVERNOR);
    }

    function _requireFewOverdue(address institution) internal view {
        ConductSlot conduct = _institutions[institution];
        if (conduct.isSettled()) return;
        uint256 overdue = conduct.today().overdue();
        if (overdue > _mostOverdue) revert ConsentReviewsOverdue(institution, overdue, _mostOverdue);
    }
}

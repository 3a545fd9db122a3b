// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {Roles} from "../lib/Roles.sol";
import {Duration} from "../types/Duration.sol";
import {GrantId} from "../types/GrantId.sol";
import {Scope, Scopes} from "../types/Scope.sol";
import {Time, Time32, time, time32} from "../types/Time.sol";
import {ChoiceSlot} from "./ChoiceSlot.sol";
import {ConductSlot, ConductSlotLibrary} from "./ConductSlot.sol";
import {ConsentOracle} from "./ConsentOracle.sol";
import {EmergencySlot, EmergencySlotLibrary} from "./EmergencySlot.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title Emergency access: declared by a clinician, reviewed by a colleague, and what that says of both
abstract contract EmergencyAccess is ConsentOracle {
    uint40 internal constant LONGEST_EMERGENCY = 24 hours;
    uint256 internal constant LONGEST_WHILE_OVERDUE = 1 hours;

    bool private immutable _mayForbid;
    uint32 private immutable _mostOverdue;

    // The last emergency of a clinician with a subject stands under their grant id, which the next one takes over: the
    // one before then moves to an id of its own, by its time.
    mapping(GrantId id => EmergencySlot) private _emergencies;
    // The subject's last revocation of an emergency of the pair, so that no document ends a second one.
    mapping(GrantId grantId => uint256 signed) private _endedAt;
    mapping(address clinician => ConductSlot) private _clinicians;
    mapping(address institution => ConductSlot) private _institutions;
    mapping(address subject => ChoiceSlot) private _choices;

    // ------------------------------------------------------------------ construction

    constructor(bool mayForbid, uint32 mostOverdue) {
        _mayForbid = mayForbid;
        _mostOverdue = mostOverdue;
    }

    // ------------------------------------------------------------------ writes, by the clinician and the reviewer

    /// @inheritdoc IEmergencyAccess
    function breakGlass(address subject, Duration duration, bytes32 reason) external {
        address institution = _participants.requireRole(msg.sender, Roles.CLINICIAN);
        if (Duration.unwrap(duration) == 0 || Duration.unwrap(duration) > LONGEST_EMERGENCY) {
            revert EmergencyTooLong(duration, Duration.wrap(LONGEST_EMERGENCY));
        }
        if (subject == address(0) || subject == msg.sender) revert ConsentGranteeInvalid(msg.sender);
        if (_mayForbid && _choices[subject].isForbidden()) revert EmergencyForbidden(subject);
        ConductSlot conduct = _clinicians[msg.sender].today();
        // It is cut and not refused, for no clinician must lose time over it.
        if (conduct.overdue() != 0 && Duration.unwrap(duration) > LONGEST_WHILE_OVERDUE) {
            duration = Duration.wrap(uint40(LONGEST_WHILE_OVERDUE));
        }
        _clinicians[msg.sender] = conduct.declared();
        _institutions[institution] = _institutions[institution].today().declared();
        _declare(subject, institution, Duration.unwrap(duration), reason);
    }

    /// @inheritdoc IEmergencyAccess
    function review(address subject, address clinician, Time since, bool justified, bytes32 opinion) external {
        (GrantId id, EmergencySlot emergency) = _find(subject, clinician, since);
        address institution = emergency.institution();
        if (institution == address(0)) revert EmergencyUnknown(subject, clinician, since);
        if (emergency.outcome() != Outcome.Waiting) revert EmergencyAlreadyReviewed(subject, clinician, since);
        if (!_mayReview(msg.sender, clinician, institution, since)) {
            revert EmergencyReviewerInvalid(msg.sender, clinician, institution);
        }
        _emergencies[id] = emergency.reviewed(justified);
        _clinicians[clinician] = _clinicians[clinician].today().reviewed(Time.unwrap(since), justified);
        _institutions[institution] = _institutions[institution].today().reviewed(Time.unwrap(since), justified);
        emit EmergencyReviewed(subject, clinician, msg.sender, since, justified, opinion);
        if (
            !justified && !emergency.isEnded()
                && GrantId.unwrap(id) == GrantId.unwrap(_emergencyGrantId(subject, clinician))
        ) {
            _announceRevocation(subject, clinician, Scopes.EMERGENCY, uint32(block.timestamp), msg.sender);
        }
    }

    // ------------------------------------------------------------------ writes, by the subject

    /// @inheritdoc IEmergencyAccess
    function forbidEmergencies(address subject, bool forbidden) external {
        _requireMayAct(subject, msg.sender);
        _writeChoice(subject, forbidden, uint32(block.timestamp), msg.sender);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IEmergencyAccess
    function emergencyOf(address subject, address clinician, Time since) external view returns (Emergency memory) {
        (, EmergencySlot emergency) = _find(subject, clinician, since);
        return emergency.unpack();
    }

    /// @inheritdoc IEmergencyAccess
    function isReviewOverdue(address subject, address clinician, Time since) external view returns (bool) {
        (, EmergencySlot emergency) = _find(subject, clinician, since);
        return emergency.outcome() == Outcome.Waiting && block.timestamp >= ConductSlotLibrary.dueAt(Time.unwrap(since));
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
    function emergencyChoiceOf(address subject) external view returns (bool forbidden, Time32 signed) {
        ChoiceSlot choice = _choices[subject];
        return (choice.isForbidden(), time32(choice.signed()));
    }

    /// @inheritdoc IEmergencyAccess
    function emergencyPolicy() external view returns (bool mayForbid, uint32 mostOverdue) {
        return (_mayForbid, _mostOverdue);
    }

    // ------------------------------------------------------------------ internal

    /// @dev The clinician may use an emergency only as a clinician of the institution that answers for it: not after
    /// leaving that institution, even for another one, or losing the role.
    function _emergencyNow(address subject, address reader, address institution)
        internal
        view
        override
        returns (GrantSlot given)
    {
        EmergencySlot emergency = _emergencies[_emergencyGrantId(subject, reader)];
        if (emergency.institution() != institution) return given;
        if (!_hasRole(reader, Roles.CLINICIAN)) return given;
        uint256 since = emergency.since();
        uint256 until = emergency.until();
        if (until > since + LONGEST_WHILE_OVERDUE && _clinicians[reader].today().overdue() != 0) {
            until = since + LONGEST_WHILE_OVERDUE;
        }
        if (since <= _choices[subject].forbiddenAt()) emergency = emergency.end();
        return emergency.asGrant(until);
    }

    function _emergencyAsWritten(GrantId grantId) internal view override returns (GrantSlot) {
        EmergencySlot emergency = _emergencies[grantId];
        return emergency.asGrant(emergency.until());
    }

    /// @dev Ends the last emergency of a clinician with a subject; its review is due nevertheless.
    function _endEmergency(address subject, address clinician, Scope scope, uint256 signed, address actor) internal {
        GrantId grantId = _grantId(subject, clinician, scope);
        EmergencySlot emergency = _emergencies[grantId];
        if (emergency.institution() == address(0) || emergency.isEnded()) {
            _refuseRevocation(subject, clinician, scope);
        }
        _emergencies[grantId] = emergency.end();
        _endedAt[grantId] = _later(signed, _endedAt[grantId]);
        _announceRevocation(subject, clinician, scope, signed, actor);
    }

    /// @dev Refuses a signed revocation that ended an emergency before, or is surely older than the one in force.
    function _requireEndPrevails(address subject, address clinician, Scope scope, uint256 signed) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        GrantId grantId = _grantId(subject, clinician, scope);
        uint256 since = _emergencies[grantId].since();
        if (signed <= _endedAt[grantId] || signed + DOUBT < since) {
            _refuseLateRevocation(subject, clinician, scope, since);
        }
    }

    /// @dev Where clocks leave the order of two choices in doubt, emergency access stays forbidden.
    function _requireChoicePrevails(address subject, bool forbidden, uint256 seen, uint256 signed) internal view {
        ChoiceSlot choice = _choices[subject];
        uint256 last = choice.signed();
        bool superseded;
        if (forbidden) {
            _requireNotAhead(signed, CLOCK_ERROR);
            superseded = choice.isForbidden()
                ? signed <= last
                : signed < last && (signed + DOUBT < last || signed <= choice.overruled());
        } else {
            _requireNotAhead(signed, GRANT_AHEAD);
            superseded = !choice.isForbidden() || (seen != last && signed <= last + DOUBT);
        }
        if (superseded) revert EmergencyChoiceSuperseded(subject, time32(last));
    }

    function _writeChoice(address subject, bool forbidden, uint256 signed, address actor) internal {
        if (!_mayForbid) revert EmergenciesNotForbiddable();
        ChoiceSlot choice = _choices[subject];
        signed = _later(signed, choice.signed());
        _choices[subject] = forbidden ? choice.forbid(signed) : choice.allow(signed);
        emit EmergenciesForbidden(subject, forbidden, time32(signed), actor);
    }

    function _declare(address subject, address institution, uint40 duration, bytes32 reason) private {
        uint256 since = uint32(block.timestamp);
        GrantId grantId = _emergencyGrantId(subject, msg.sender);
        EmergencySlot previous = _emergencies[grantId];
        if (previous.institution() != address(0)) {
            if (previous.since() == since) revert EmergencyAlreadyDeclared(subject, msg.sender, time(since));
            _emergencies[_emergencyId(subject, msg.sender, previous.since())] = previous;
        }
        EmergencySlot emergency = EmergencySlotLibrary.pack(institution, since, duration, _epochSlotOf(subject).epoch());
        _emergencies[grantId] = emergency;
        uint256 until = emergency.until();
        _announce(subject, msg.sender, Scopes.EMERGENCY, emergency.asGrant(until), msg.sender);
        emit EmergencyDeclared(
            subject, msg.sender, institution, time(since), time(until), time(ConductSlotLibrary.dueAt(since)), reason
        );
    }

    function _emergencyId(address subject, address clinician, uint256 since) private pure returns (GrantId) {
        return GrantId.wrap(keccak256(abi.encode(subject, clinician, since)));
    }

    function _find(address subject, address clinician, Time since)
        private
        view
        returns (GrantId id, EmergencySlot emergency)
    {
        id = _emergencyGrantId(subject, clinician);
        if (_emergencies[id].since() != Time.unwrap(since)) id = _emergencyId(subject, clinician, Time.unwrap(since));
        emergency = _emergencies[id];
    }

    /// @dev A second person of the institution; once the review is overdue a governor too, so that a clinician whose
    /// institution has left finds a reviewer.
    function _mayReview(address reviewer, address clinician, address institution, Time since)
        private
        view
        returns (bool)
    {
        if (reviewer == clinician) return false;
        (address own, bool suspended) = _standingOf(reviewer);
        if (own == institution && !suspended) return true;
        return block.timestamp >= ConductSlotLibrary.dueAt(Time.unwrap(since)) && _hasRole(reviewer, Roles.GOVERNOR);
    }

    function _requireFewOverdue(address institution) internal view {
        ConductSlot conduct = _institutions[institution];
        if (conduct.isSettled()) return;
        uint256 overdue = conduct.today().overdue();
        if (overdue > _mostOverdue) revert EmergencyReviewsOverdue(institution, overdue, _mostOverdue);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Scope} from "../lib/Scope.sol";
import {ImageId, ImageSet} from "../types/ImageSet.sol";
import {RoleMask} from "../types/RoleMask.sol";
import {GrantSlot} from "./GrantSlot.sol";
import {GrantStore} from "./GrantStore.sol";

/// @title The reading half of the consent registry: from grants to a decision
abstract contract ConsentOracle is GrantStore {
    /// @dev How near the grants came to permitting a use, and by which grant.
    struct Decision {
        Reason reason;
        bytes32 grantId;
        GrantSlot given;
    }

    bytes32 private constant DELEGATE_TYPE = "radledger.consent";

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry internal immutable _participants;
    IImageRegistry internal immutable _images;

    constructor(IIdentityRegistry identities, IParticipantRegistry participants, IImageRegistry images) {
        _identities = identities;
        _participants = participants;
        _images = images;
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentRegistry
    function permitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (Reason reason, bytes32 grantId)
    {
        Decision memory decision = _decide(reader, imageSet, imageSet.id(), use);
        return (decision.reason, decision.grantId);
    }

    /// @inheritdoc IConsentRegistry
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (ImageId image, bytes32 grantId)
    {
        image = imageSet.id();
        Decision memory decision = _decide(reader, imageSet, image, use);
        if (decision.reason != Reason.Permitted) _refuse(decision, reader, imageSet.patient, image, use);
        return (image, decision.grantId);
    }

    // ------------------------------------------------------------------ internal

    /// @dev The grant that the reader's last emergency with the subject is to it now, as somebody of the institution.
    function _emergencyNow(address subject, address reader, address institution)
        internal
        view
        virtual
        returns (GrantSlot);

    function _emergencyGrantId(address subject, address clinician) internal pure returns (bytes32) {
        return _grantId(subject, clinician, Scope.EMERGENCY);
    }

    function _emergencyId(address subject, address clinician, uint40 since) internal pure returns (bytes32) {
        return keccak256(abi.encode(subject, clinician, since));
    }

    // One place for each question to another contract: the code of a call takes 150 bytes.
    function _standingOf(address account) internal view returns (address institution, bool suspended) {
        return _participants.standing(account);
    }

    function _hasRole(address account, RoleMask role) internal view returns (bool) {
        return _participants.hasRole(account, role);
    }

    function _requireMayAct(address subject, address actor) internal view {
        if (!_mayAct(subject, actor)) revert ConsentNotAuthorized(subject, actor);
    }

    /// @dev Asked even about the subject itself: after a recovery its old key may no longer act.
    function _mayAct(address subject, address actor) internal view returns (bool) {
        return _identities.mayAct(subject, actor, DELEGATE_TYPE);
    }

    function _decide(address reader, ImageSet calldata imageSet, ImageId image, Use calldata use)
        private
        view
        returns (Decision memory decision)
    {
        IImageRegistry.State state = _images.stateOf(image);
        if (state != IImageRegistry.State.Anchored) return _because(decision, _unusable(state));
        address patient = imageSet.patient;
        if (reader == patient && _mayAct(patient, reader)) return _because(decision, Reason.Permitted);
        (address institution, bool suspended) = _standingOf(reader);
        if (suspended) return _because(decision, Reason.ReaderSuspended);

        decision.reason = Reason.NeverGranted;
        Withdrawal memory all = _withdrawalOf(patient);
        address group = institution == address(0) ? reader : institution;
        if (_considerScopes(decision, reader, group, imageSet, image, all, use)) return decision;
        GrantSlot emergency = _emergencyNow(patient, reader, institution);
        // In the last epoch a revocation of everything ends what was declared by then, and nothing declared after it.
        if (emergency.epoch() == LAST_EPOCH && emergency.signed() > all.signed) all.signed = 0;
        _considerGrant(decision, _emergencyGrantId(patient, reader), emergency, all, use);
    }

    /// @dev Whether a grant for everything, the course, the visit or the image set permits it.
    function _considerScopes(
        Decision memory decision,
        address reader,
        address institution,
        ImageSet calldata imageSet,
        ImageId image,
        Withdrawal memory all,
        Use calldata use
    ) private view returns (bool) {
        address patient = imageSet.patient;
        if (_consider(decision, patient, reader, institution, Scope.ALL, all, use)) return true;
        // A set without course or visit would only ask for "everything" again.
        bytes32 course = imageSet.course;
        if (course != 0 && _consider(decision, patient, reader, institution, course, all, use)) return true;
        bytes32 visit = imageSet.visit;
        if (visit != 0 && _consider(decision, patient, reader, institution, visit, all, use)) return true;
        return _consider(decision, patient, reader, institution, ImageId.unwrap(image), all, use);
    }

    /// @dev Whether a grant to the reader permits it, or one to its institution where that is somebody else.
    function _consider(
        Decision memory decision,
        address subject,
        address reader,
        address institution,
        bytes32 scope,
        Withdrawal memory all,
        Use calldata use
    ) private view returns (bool) {
        bytes32 grantId = _grantId(subject, institution, scope);
        if (_considerGrant(decision, grantId, _grants[grantId], all, use)) return true;
        if (institution == reader) return false;
        grantId = _grantId(subject, reader, scope);
        return _considerGrant(decision, grantId, _grants[grantId], all, use);
    }

    /// @dev Whether a grant permits it; of several that do not, the decision keeps the nearest.
    function _considerGrant(
        Decision memory decision,
        bytes32 grantId,
        GrantSlot given,
        Withdrawal memory all,
        Use calldata use
    ) private view returns (bool) {
        Reason reason = _judge(given, all, use);
        if (reason == Reason.Permitted || reason > decision.reason) {
            decision.reason = reason;
            decision.grantId = grantId;
            decision.given = given;
        }
        return reason == Reason.Permitted;
    }

    function _judge(GrantSlot given, Withdrawal memory all, Use calldata use) private view returns (Reason) {
        Status status = given.status();
        if (status == Status.None) return Reason.NeverGranted;
        if (status == Status.Revoked || !_survives(given, all)) return Reason.Revoked;
        if (block.timestamp >= given.until()) return Reason.Expired;
        if (block.timestamp < given.from()) return Reason.NotYet;
        bytes13 disease = use.disease;
        bool sameDisease = disease != 0 && given.disease() == disease;
        uint16 purposes = DataUse.stated(use.purposes, disease);
        if (purposes == 0 || DataUse.missing(given.purposes(), purposes, sameDisease) != 0) return Reason.Purpose;
        // Under a grant for one disease, a use that names another is not permitted, care included.
        if (given.disease() != 0 && !sameDisease && (disease != 0 || purposes & DataUse.DISEASE_RESEARCH != 0)) {
            return Reason.Disease;
        }
        if (given.conditions() & DataUse.REQUIREMENTS & ~use.fulfilled != 0) return Reason.Condition;
        return Reason.Permitted;
    }

    /// @dev Why an image set that is not anchored, or no longer, may not be used.
    function _unusable(IImageRegistry.State state) private pure returns (Reason) {
        if (state == IImageRegistry.State.Unknown) return Reason.NotAnchored;
        return state == IImageRegistry.State.Erased ? Reason.Erased : Reason.Disowned;
    }

    function _because(Decision memory decision, Reason reason) private pure returns (Decision memory) {
        decision.reason = reason;
        return decision;
    }

    function _refuse(Decision memory decision, address reader, address patient, ImageId image, Use calldata use)
        private
        pure
    {
        Reason reason = decision.reason;
        GrantSlot given = decision.given;
        if (reason == Reason.NotAnchored) revert ConsentImageNotAnchored(image);
        if (reason == Reason.Erased) revert ConsentImageErased(image);
        if (reason == Reason.Disowned) revert ConsentImageDisowned(image);
        if (reason == Reason.ReaderSuspended) revert ConsentReaderSuspended(reader);
        if (reason == Reason.Revoked) revert ConsentRevoked(patient, reader);
        if (reason == Reason.Expired) revert ConsentExpired(patient, reader, given.until());
        if (reason == Reason.NotYet) revert ConsentNotYet(patient, reader, given.from());
        if (reason == Reason.Purpose) revert ConsentPurposeNotPermitted(given.purposes(), use.purposes);
        if (reason == Reason.Disease) revert ConsentDiseaseDiffers(given.disease(), use.disease);
        if (reason == Reason.Condition) revert ConsentConditionUnmet(given.conditions(), use.fulfilled);
        revert ConsentNeverGranted(patient, reader);
    }
}

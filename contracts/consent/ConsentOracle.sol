// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentOracle} from "../../interfaces/IConsentOracle.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {GrantId} from "../types/GrantId.sol";
import {ImageId, ImageSet} from "../types/ImageSet.sol";
import {RoleMask} from "../types/RoleMask.sol";
import {Scope, Scopes} from "../types/Scope.sol";
import {Decision, DecisionLibrary} from "./Decision.sol";
import {EpochSlotLibrary} from "./EpochSlot.sol";
import {GrantSlot} from "./GrantSlot.sol";
import {GrantStore} from "./GrantStore.sol";

/// @title The reading half of the consent registry: from grants to a decision
abstract contract ConsentOracle is GrantStore {
    bytes32 private constant DELEGATE_TYPE = "radledger.consent";

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry internal immutable _participants;
    IImageRegistry private immutable _images;

    // ------------------------------------------------------------------ construction

    constructor(IIdentityRegistry identities, IParticipantRegistry participants, IImageRegistry images) {
        _identities = identities;
        _participants = participants;
        _images = images;
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentOracle
    function permitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId)
    {
        ImageId image = imageSet.id();
        uint256 state = _stateOf(image);
        if (state == uint256(IImageRegistry.State.Unknown)) return (Reason.NotAnchored, grantId);
        if (state == uint256(IImageRegistry.State.Erased)) return (Reason.Erased, grantId);
        if (state == uint256(IImageRegistry.State.Disowned)) return (Reason.Disowned, grantId);
        Decision memory decision = _decideForAll(reader, imageSet.patient, use);
        _considerImage(decision, imageSet, image, use);
        return (decision.reason, decision.grantId);
    }

    /// @inheritdoc IConsentOracle
    function permittedScope(address reader, address subject, Scope scope, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId)
    {
        Decision memory decision = _decideForAll(reader, subject, use);
        // Without a group the reader is the subject itself or suspended, and no grant is asked for.
        if (uint256(decision.reason) != uint256(Reason.Permitted) && decision.group != address(0)) {
            if (scope == Scopes.ALL || !_considerScope(decision, scope, use)) _considerEmergency(decision, use);
        }
        return (decision.reason, decision.grantId);
    }

    /// @inheritdoc IConsentOracle
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (ImageId image, GrantId grantId)
    {
        image = _requireUsable(imageSet);
        Decision memory decision = _decideForAll(reader, imageSet.patient, use);
        return (image, _requireImage(decision, imageSet, image, use));
    }

    /// @inheritdoc IConsentOracle
    function requirePermittedBatch(address reader, ImageSet[] calldata imageSets, Use calldata use)
        external
        view
        returns (ImageId[] memory images, GrantId[] memory grantIds)
    {
        images = new ImageId[](imageSets.length);
        grantIds = new GrantId[](imageSets.length);
        Decision memory forAll;
        for (uint256 i = 0; i < imageSets.length; ++i) {
            ImageSet calldata imageSet = imageSets[i];
            images[i] = _requireUsable(imageSet);
            // An image set that is anchored has a patient, so the first one begins a decision.
            if (imageSet.patient != forAll.subject) forAll = _decideForAll(reader, imageSet.patient, use);
            // What permits the use of all is not changed by what is found for one.
            Decision memory decision = uint256(forAll.reason) == uint256(Reason.Permitted) ? forAll : forAll.copy();
            grantIds[i] = _requireImage(decision, imageSet, images[i], use);
        }
    }

    // ------------------------------------------------------------------ internal

    /// @dev The grant that the reader's last emergency with the subject gives it now, as a member of the institution.
    function _emergencyNow(address subject, address reader, address institution)
        internal
        view
        virtual
        returns (GrantSlot);

    function _emergencyGrantId(address subject, address clinician) internal pure returns (GrantId) {
        return _grantId(subject, clinician, Scopes.EMERGENCY);
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

    /// @dev What a use of any record of the subject depends on: who the reader is, and the grant for everything.
    function _decideForAll(address reader, address subject, Use calldata use)
        private
        view
        returns (Decision memory decision)
    {
        decision.subject = subject;
        decision.reader = reader;
        if (reader == subject && _mayAct(subject, reader)) return decision;
        (address institution, bool suspended) = _standingOf(reader);
        if (suspended) {
            decision.reason = Reason.ReaderSuspended;
            return decision;
        }
        decision.reason = Reason.NeverGranted;
        decision.group = institution == address(0) ? reader : institution;
        decision.all = _epochSlotOf(subject);
        _considerScope(decision, Scopes.ALL, use);
    }

    /// @dev Whether it is permitted for all, or by a grant for the course, the visit or the image set, or in an emergency.
    /// A set without course or visit would only ask for everything again.
    function _considerImage(Decision memory decision, ImageSet calldata imageSet, ImageId image, Use calldata use)
        private
        view
        returns (bool)
    {
        uint256 reason = uint256(decision.reason);
        if (reason == uint256(Reason.Permitted)) return true;
        if (reason == uint256(Reason.ReaderSuspended)) return false;
        bytes32 course = imageSet.course;
        if (course != 0 && _considerScope(decision, Scope.wrap(course), use)) return true;
        bytes32 visit = imageSet.visit;
        if (visit != 0 && _considerScope(decision, Scope.wrap(visit), use)) return true;
        return _considerScope(decision, Scope.wrap(ImageId.unwrap(image)), use) || _considerEmergency(decision, use);
    }

    /// @dev Whether a grant for a scope permits it, to the reader's institution or to the reader itself.
    function _considerScope(Decision memory decision, Scope scope, Use calldata use) private view returns (bool) {
        address group = decision.group;
        if (_considerGrantTo(decision, group, scope, use)) return true;
        address reader = decision.reader;
        return group != reader && _considerGrantTo(decision, reader, scope, use);
    }

    function _considerGrantTo(Decision memory decision, address grantee, Scope scope, Use calldata use)
        private
        view
        returns (bool)
    {
        GrantId grantId = _grantId(decision.subject, grantee, scope);
        return _considerGrant(decision, grantId, _grants[grantId], use);
    }

    function _considerEmergency(Decision memory decision, Use calldata use) private view returns (bool) {
        GrantSlot emergency = _emergencyNow(decision.subject, decision.reader, decision.group);
        // In the last epoch a revocation of everything ends what was declared by then, and nothing declared after it.
        if (emergency.epoch() == LAST_EPOCH && emergency.signed() > decision.all.signed()) {
            decision.all = EpochSlotLibrary.pack(LAST_EPOCH, 0);
        }
        GrantId grantId = _emergencyGrantId(decision.subject, decision.reader);
        return _considerGrant(decision, grantId, emergency, use);
    }

    /// @dev Whether a grant permits it; of several that do not, the decision keeps the nearest.
    function _considerGrant(Decision memory decision, GrantId grantId, GrantSlot given, Use calldata use)
        private
        view
        returns (bool isPermitted)
    {
        if (!given.exists()) return false;
        Reason reason = Reason.Revoked;
        if (!given.isRevoked() && _survives(given, decision.all)) reason = DecisionLibrary.judge(given, use);
        // As numbers: each comparison of enumerations checks their range.
        isPermitted = uint256(reason) == uint256(Reason.Permitted);
        if (isPermitted || uint256(reason) > uint256(decision.reason)) {
            decision.reason = reason;
            decision.grantId = grantId;
            decision.given = given;
        }
    }

    /// @dev As a number: each comparison of enumerations checks their range.
    function _stateOf(ImageId image) private view returns (uint256) {
        return uint256(_images.stateOf(image));
    }

    function _requireUsable(ImageSet calldata imageSet) private view returns (ImageId image) {
        image = imageSet.id();
        uint256 state = _stateOf(image);
        if (state == uint256(IImageRegistry.State.Anchored)) return image;
        if (state == uint256(IImageRegistry.State.Unknown)) revert ConsentNotPermittedNotAnchored(image);
        if (state == uint256(IImageRegistry.State.Erased)) revert ConsentNotPermittedErased(image);
        revert ConsentNotPermittedDisowned(image);
    }

    /// @dev The grant that permits the use of an image set, after what is decided for all.
    function _requireImage(Decision memory decision, ImageSet calldata imageSet, ImageId image, Use calldata use)
        private
        view
        returns (GrantId)
    {
        if (!_considerImage(decision, imageSet, image, use)) decision.refuse(use);
        return decision.grantId;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {ImageId, ImageSet} from "../lib/ImageSet.sol";
import {Scope} from "../lib/Scope.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title The reading half of the consent registry: from grants to a decision
abstract contract ConsentOracle is IConsentRegistry {
    /// @dev How near the grants came to permitting a use, and by which grant.
    struct Decision {
        Reason reason;
        bytes32 grantId;
        GrantSlot given;
    }

    /// @dev One slot: nonce (64) | epoch (32).
    struct Subject {
        uint64 nonce;
        uint32 epoch;
    }

    IParticipantRegistry internal immutable _participants;
    IImageRegistry internal immutable _images;

    mapping(bytes32 grantId => GrantSlot) internal _grants;
    mapping(address subject => Subject) internal _subjects;

    constructor(IParticipantRegistry participants, IImageRegistry images) {
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
        Decision memory decision = _decide(reader, imageSet, use);
        return (decision.reason, decision.grantId);
    }

    /// @inheritdoc IConsentRegistry
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (bytes32 grantId)
    {
        Decision memory decision = _decide(reader, imageSet, use);
        if (decision.reason != Reason.Permitted) _refuse(decision, reader, imageSet, use);
        return decision.grantId;
    }

    /// @inheritdoc IConsentRegistry
    function grantOf(address subject, address grantee, bytes32 scope) external view returns (Grant memory) {
        return _grants[_grantId(subject, grantee, scope)].unpack();
    }

    /// @inheritdoc IConsentRegistry
    function grantIdOf(address subject, address grantee, bytes32 scope) external pure returns (bytes32) {
        return _grantId(subject, grantee, scope);
    }

    /// @inheritdoc IConsentRegistry
    function nonceOf(address subject) external view returns (uint64) {
        return _subjects[subject].nonce;
    }

    /// @inheritdoc IConsentRegistry
    function epochOf(address subject) external view returns (uint32) {
        return _subjects[subject].epoch;
    }

    // ------------------------------------------------------------------ internal

    function _grantId(address subject, address grantee, bytes32 scope) internal pure returns (bytes32) {
        return keccak256(abi.encode(subject, grantee, scope));
    }

    function _decide(address reader, ImageSet memory imageSet, Use calldata use)
        private
        view
        returns (Decision memory decision)
    {
        ImageId image = imageSet.id();
        IImageRegistry.State state = _images.imageOf(image).state;
        if (state == IImageRegistry.State.Unknown) return _decided(Reason.NotAnchored);
        if (state == IImageRegistry.State.Erased) return _decided(Reason.Erased);
        if (reader == imageSet.patient) return _decided(Reason.Permitted);
        (address institution, bool suspended) = _participants.standing(reader);
        if (suspended) return _decided(Reason.ReaderSuspended);

        decision = _decided(Reason.NeverGranted);
        uint32 epoch = _subjects[imageSet.patient].epoch;
        bytes32[4] memory scopes = [Scope.ALL, imageSet.course, imageSet.visit, ImageId.unwrap(image)];
        for (uint256 i = 0; i < scopes.length && decision.reason != Reason.Permitted; ++i) {
            // A set without course or visit would only ask for "everything" again.
            if (i != 0 && scopes[i] == Scope.ALL) continue;
            _consider(decision, imageSet.patient, reader, scopes[i], epoch, use);
            if (institution != address(0) && institution != reader) {
                _consider(decision, imageSet.patient, institution, scopes[i], epoch, use);
            }
        }
        _consider(decision, imageSet.patient, reader, Scope.EMERGENCY, epoch, use);
    }

    /// @dev Keeps the decision that is nearest to permission.
    function _consider(
        Decision memory decision,
        address subject,
        address grantee,
        bytes32 scope,
        uint32 epoch,
        Use calldata use
    ) private view {
        if (decision.reason == Reason.Permitted) return;
        bytes32 grantId = _grantId(subject, grantee, scope);
        GrantSlot given = _grants[grantId];
        Reason reason = _judge(given, epoch, use);
        if (reason == Reason.Permitted || reason > decision.reason) {
            decision.reason = reason;
            decision.grantId = grantId;
            decision.given = given;
        }
    }

    function _judge(GrantSlot given, uint32 epoch, Use calldata use) private view returns (Reason) {
        Status status = given.status();
        if (status == Status.None) return Reason.NeverGranted;
        if (status == Status.Revoked || given.epoch() != epoch) return Reason.Revoked;
        if (block.timestamp >= given.until()) return Reason.Expired;
        if (block.timestamp < given.from()) return Reason.NotYet;
        bytes13 disease = use.disease;
        bool sameDisease = disease != 0 && given.disease() == disease;
        uint16 purposes = use.purposes;
        if (purposes == 0 || DataUse.missing(given.purposes(), purposes, sameDisease) != 0) return Reason.Purpose;
        if (purposes & DataUse.DISEASE_RESEARCH != 0 && given.disease() != 0 && !sameDisease) return Reason.Disease;
        if (given.conditions() & DataUse.REQUIREMENTS & ~use.fulfilled != 0) return Reason.Condition;
        return Reason.Permitted;
    }

    function _decided(Reason reason) private pure returns (Decision memory decision) {
        decision.reason = reason;
    }

    function _refuse(Decision memory decision, address reader, ImageSet calldata imageSet, Use calldata use)
        private
        pure
    {
        Reason reason = decision.reason;
        GrantSlot given = decision.given;
        if (reason == Reason.NotAnchored) revert ConsentImageNotAnchored(imageSet.id());
        if (reason == Reason.Erased) revert ConsentImageErased(imageSet.id());
        if (reason == Reason.ReaderSuspended) revert ConsentReaderSuspended(reader);
        if (reason == Reason.Revoked) revert ConsentRevoked(imageSet.patient, reader);
        if (reason == Reason.Expired) revert ConsentExpired(imageSet.patient, reader, given.until());
        if (reason == Reason.NotYet) revert ConsentNotYet(imageSet.patient, reader, given.from());
        if (reason == Reason.Purpose) revert ConsentPurposeNotPermitted(given.purposes(), use.purposes);
        if (reason == Reason.Disease) revert ConsentDiseaseDiffers(given.disease(), use.disease);
        if (reason == Reason.Condition) revert ConsentConditionUnmet(given.conditions(), use.fulfilled);
        revert ConsentNeverGranted(imageSet.patient, reader);
    }
}

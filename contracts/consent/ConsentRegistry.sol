// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Scope} from "../lib/Scope.sol";
import {Signatures} from "../lib/Signatures.sol";
import {Authorization} from "../types/Authorization.sol";
import {ConsentMessages} from "./ConsentMessages.sol";
import {ConsentOracle} from "./ConsentOracle.sol";
import {EmergencyAccess} from "./EmergencyAccess.sol";
import {GrantSlot, GrantSlotLibrary} from "./GrantSlot.sol";

/// @title ConsentRegistry
/// @notice The writing half of consent: grants, signatures and requests. See {IConsentRegistry}.
contract ConsentRegistry is EmergencyAccess, EIP712 {
    // Zero when the request was never made or has been answered.
    mapping(bytes32 request => uint256 requestedAt) private _requests;

    /// @param identities registry of identities, their delegates and recoveries
    /// @param participants registry of accredited participants
    /// @param images registry of image sets
    /// @param mayForbidEmergencies whether subjects may forbid emergency access
    /// @param mostOverdueReviews with how many overdue reviews an institution may still request
    constructor(
        IIdentityRegistry identities,
        IParticipantRegistry participants,
        IImageRegistry images,
        bool mayForbidEmergencies,
        uint32 mostOverdueReviews
    )
        ConsentOracle(identities, participants, images)
        EmergencyAccess(mayForbidEmergencies, mostOverdueReviews)
        EIP712("RadLedger Consent", "1")
    {}

    // ------------------------------------------------------------------ the subject

    /// @inheritdoc IConsentRegistry
    function grant(address subject, address grantee, bytes32 scope, Terms calldata terms) external {
        _requireMayAct(subject, msg.sender);
        _grant(subject, grantee, scope, GrantSlotLibrary.pack(terms), uint32(block.timestamp), msg.sender);
    }

    /// @inheritdoc IConsentRegistry
    function grantBySig(
        address subject,
        address grantee,
        bytes32 scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external {
        bytes32 message = ConsentMessages.grant(subject, grantee, scope, terms, basis, authorization);
        _requireSigned(subject, authorization, message);
        _requireGrantPrevails(subject, grantee, scope, authorization.signed, basis);
        _grant(subject, grantee, scope, GrantSlotLibrary.pack(terms), authorization.signed, authorization.signer);
    }

    /// @inheritdoc IConsentRegistry
    function revoke(address subject, address grantee, bytes32 scope) external {
        _requireMayAct(subject, msg.sender);
        uint32 signed = uint32(block.timestamp);
        if (scope == Scope.EMERGENCY) _endEmergency(subject, grantee, signed, msg.sender);
        else _writeRevocation(subject, grantee, scope, signed, msg.sender);
    }

    /// @inheritdoc IConsentRegistry
    function revokeBySig(address subject, address grantee, bytes32 scope, Authorization calldata authorization)
        external
    {
        _requireSigned(subject, authorization, ConsentMessages.revoke(subject, grantee, scope, authorization));
        if (scope == Scope.EMERGENCY) {
            _requireEndPrevails(subject, grantee, authorization.signed);
            _endEmergency(subject, grantee, authorization.signed, authorization.signer);
        } else {
            _requireRevocationPrevails(subject, grantee, scope, authorization.signed);
            _writeRevocation(subject, grantee, scope, authorization.signed, authorization.signer);
        }
    }

    /// @inheritdoc IConsentRegistry
    function revokeAll(address subject) external {
        _requireMayAct(subject, msg.sender);
        _writeRevocationOfAll(subject, uint32(block.timestamp), msg.sender);
    }

    /// @inheritdoc IConsentRegistry
    function revokeAllBySig(address subject, uint16 epoch, Authorization calldata authorization) external {
        _requireSigned(subject, authorization, ConsentMessages.revokeAll(subject, epoch, authorization));
        _requireRevocationOfAllPrevails(subject, authorization.signed, epoch);
        _writeRevocationOfAll(subject, authorization.signed, authorization.signer);
    }

    /// @inheritdoc IEmergencyAccess
    function forbidEmergenciesBySig(address subject, bool forbidden, uint32 seen, Authorization calldata authorization)
        external
    {
        bytes32 message = ConsentMessages.forbidEmergencies(subject, forbidden, seen, authorization);
        _requireSigned(subject, authorization, message);
        _requireChoicePrevails(subject, forbidden, seen, authorization.signed);
        _writeChoice(subject, forbidden, authorization.signed, authorization.signer);
    }

    // ------------------------------------------------------------------ requests

    /// @inheritdoc IConsentRegistry
    function request(address subject, address grantee, bytes32 scope, Terms calldata terms)
        external
        returns (bytes32 id)
    {
        (address institution, bool suspended) = _standingOf(msg.sender);
        if (institution == address(0) || suspended) revert ConsentRequesterNotAccredited(msg.sender);
        if (grantee != msg.sender && grantee != institution) revert ConsentRequesterNotGrantee(msg.sender, grantee);
        _requireFewOverdue(institution);
        GrantSlot asked = GrantSlotLibrary.pack(terms);
        id = _requestId(msg.sender, subject, grantee, scope, asked);
        if (_requests[id] != 0) revert ConsentAlreadyRequested(id);
        _requests[id] = block.timestamp;
        emit ConsentRequested(subject, msg.sender, grantee, scope, asked);
    }

    /// @inheritdoc IConsentRegistry
    function approve(address requester, address subject, address grantee, bytes32 scope, Terms calldata terms)
        external
    {
        _requireMayAct(subject, msg.sender);
        _approve(requester, subject, grantee, scope, terms, uint32(block.timestamp), msg.sender);
    }

    /// @inheritdoc IConsentRegistry
    function approveBySig(
        address requester,
        address subject,
        address grantee,
        bytes32 scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external {
        bytes32 message = ConsentMessages.approve(requester, subject, grantee, scope, terms, basis, authorization);
        _requireSigned(subject, authorization, message);
        _requireGrantPrevails(subject, grantee, scope, authorization.signed, basis);
        _approve(requester, subject, grantee, scope, terms, authorization.signed, authorization.signer);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentRegistry
    function requestIdOf(address requester, address subject, address grantee, bytes32 scope, Terms calldata terms)
        external
        pure
        returns (bytes32)
    {
        return _requestId(requester, subject, grantee, scope, GrantSlotLibrary.pack(terms));
    }

    /// @inheritdoc IConsentRegistry
    function requestedAt(bytes32 id) external view returns (uint256) {
        return _requests[id];
    }

    // ------------------------------------------------------------------ internal

    function _grant(address subject, address grantee, bytes32 scope, GrantSlot asked, uint32 signed, address actor)
        private
    {
        if (grantee == address(0) || grantee == subject) revert ConsentGranteeInvalid(grantee);
        if (scope == Scope.EMERGENCY) revert ConsentScopeReserved(scope);
        if (asked.until() <= asked.from() || asked.until() <= block.timestamp) {
            revert ConsentPeriodInvalid(asked.from(), asked.until());
        }
        uint16 purposes = DataUse.expand(asked.purposes(), asked.conditions());
        if (purposes == 0 || asked.purposes() > DataUse.ALL_PURPOSES) {
            revert ConsentPurposesInvalid(asked.purposes(), asked.conditions());
        }
        if (DataUse.namesDisease(purposes) != (asked.disease() != 0)) {
            revert ConsentDiseaseInvalid(purposes, asked.disease());
        }
        _writeGrant(subject, grantee, scope, asked.expanded(purposes), signed, actor);
    }

    /// @dev Answers the request for these terms, and grants them.
    function _approve(
        address requester,
        address subject,
        address grantee,
        bytes32 scope,
        Terms calldata terms,
        uint32 signed,
        address actor
    ) private {
        GrantSlot asked = GrantSlotLibrary.pack(terms);
        bytes32 id = _requestId(requester, subject, grantee, scope, asked);
        if (_requests[id] == 0) revert ConsentNotRequested(id);
        _requests[id] = 0;
        emit ConsentRequestApproved(id);
        _grant(subject, grantee, scope, asked, signed, actor);
    }

    /// @dev That somebody who may act for the subject signed a message, and its deadline has not passed.
    function _requireSigned(address subject, Authorization calldata authorization, bytes32 message) private view {
        if (block.timestamp > authorization.deadline) revert ConsentSignatureExpired(authorization.deadline);
        address signer = authorization.signer;
        if (!Signatures.isSignedBy(signer, _hashTypedDataV4(message), authorization.signature)) {
            revert ConsentBadSignature(signer);
        }
        _requireMayAct(subject, signer);
    }

    function _requestId(address requester, address subject, address grantee, bytes32 scope, GrantSlot asked)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(requester, subject, grantee, scope, asked));
    }
}

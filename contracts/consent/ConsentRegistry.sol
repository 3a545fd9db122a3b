// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IConsentGrants} from "../../interfaces/IConsentGrants.sol";
import {IConsentRequests} from "../../interfaces/IConsentRequests.sol";
import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {ShortDomain} from "../lib/ShortDomain.sol";
import {Signatures} from "../lib/Signatures.sol";
import {Authorization} from "../types/Authorization.sol";
import {Conditions} from "../types/Conditions.sol";
import {Purposes} from "../types/Purposes.sol";
import {RequestId} from "../types/RequestId.sol";
import {Scope, Scopes} from "../types/Scope.sol";
import {Time, Time256, Time32, time32} from "../types/Time.sol";
import {ConsentMessages} from "./ConsentMessages.sol";
import {ConsentOracle} from "./ConsentOracle.sol";
import {EmergencyAccess} from "./EmergencyAccess.sol";
import {GrantSlot, GrantSlotLibrary} from "./GrantSlot.sol";

/// @title ConsentRegistry
/// @notice The writing half of consent: grants, signatures and requests. See {IConsentRegistry}.
contract ConsentRegistry is EmergencyAccess, ShortDomain {
    /// @dev A struct, so that its place is computed once where it is read and written.
    /// @param at zero when the request was never made or has been answered
    struct Request {
        uint256 at;
    }

    string private constant NAME = "RadLedger Consent";
    string private constant VERSION = "1";

    mapping(RequestId request => Request) private _requests;

    // ------------------------------------------------------------------ construction

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
        EIP712(NAME, VERSION)
    {}

    // ------------------------------------------------------------------ writes, by the subject

    /// @inheritdoc IConsentGrants
    function grant(address subject, address grantee, Scope scope, Terms calldata terms) external {
        _requireMayAct(subject, msg.sender);
        _grant(subject, grantee, scope, GrantSlotLibrary.pack(terms), block.timestamp, msg.sender);
    }

    /// @inheritdoc IConsentGrants
    function grantBySig(
        address subject,
        address grantee,
        Scope scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external {
        GrantSlot asked = GrantSlotLibrary.pack(terms);
        bytes32 message = ConsentMessages.grant(subject, grantee, scope, asked, basis, authorization);
        uint256 signed = _requireSigned(subject, authorization, message);
        _requireGrantPrevails(subject, grantee, scope, signed, basis);
        _grant(subject, grantee, scope, asked, signed, authorization.signer);
    }

    /// @inheritdoc IConsentGrants
    function revoke(address subject, address grantee, Scope scope) external {
        _requireMayAct(subject, msg.sender);
        uint256 signed = block.timestamp;
        if (scope == Scopes.EMERGENCY) _endEmergency(subject, grantee, scope, signed, msg.sender);
        else _writeRevocation(subject, grantee, scope, signed, msg.sender);
    }

    /// @inheritdoc IConsentGrants
    function revokeBySig(address subject, address grantee, Scope scope, Authorization calldata authorization) external {
        bytes32 message = ConsentMessages.revoke(subject, grantee, scope, authorization);
        uint256 signed = _requireSigned(subject, authorization, message);
        if (scope == Scopes.EMERGENCY) {
            _requireEndPrevails(subject, grantee, scope, signed);
            _endEmergency(subject, grantee, scope, signed, authorization.signer);
        } else {
            _requireRevocationPrevails(subject, grantee, scope, signed);
            _writeRevocation(subject, grantee, scope, signed, authorization.signer);
        }
    }

    /// @inheritdoc IConsentGrants
    function revokeAll(address subject) external {
        _requireMayAct(subject, msg.sender);
        _writeRevocationOfAll(subject, block.timestamp, msg.sender);
    }

    /// @inheritdoc IConsentGrants
    function revokeAllBySig(address subject, uint16 epoch, Authorization calldata authorization) external {
        bytes32 message = ConsentMessages.revokeAll(subject, epoch, authorization);
        uint256 signed = _requireSigned(subject, authorization, message);
        _requireRevocationOfAllPrevails(subject, signed, epoch);
        _writeRevocationOfAll(subject, signed, authorization.signer);
    }

    /// @inheritdoc IEmergencyAccess
    function forbidEmergenciesBySig(address subject, bool forbidden, Time32 seen, Authorization calldata authorization)
        external
    {
        bytes32 message = ConsentMessages.forbidEmergencies(subject, forbidden, seen, authorization);
        uint256 signed = _requireSigned(subject, authorization, message);
        _requireChoicePrevails(subject, forbidden, Time32.unwrap(seen), signed);
        _writeChoice(subject, forbidden, signed, authorization.signer);
    }

    // ------------------------------------------------------------------ writes, on request

    /// @inheritdoc IConsentRequests
    function request(address subject, address grantee, Scope scope, Terms calldata terms)
        external
        returns (RequestId id)
    {
        (address institution, bool suspended) = _standingOf(msg.sender);
        if (institution == address(0) || suspended) revert ConsentRequesterNotAccredited(msg.sender);
        if (grantee != msg.sender && grantee != institution) revert ConsentRequesterNotGrantee(msg.sender, grantee);
        _requireFewOverdue(institution);
        GrantSlot asked = GrantSlotLibrary.pack(terms);
        id = _requestId(msg.sender, subject, grantee, scope, asked);
        Request storage pending = _requests[id];
        if (pending.at != 0) revert ConsentAlreadyRequested(id);
        pending.at = block.timestamp;
        emit ConsentRequested(subject, msg.sender, grantee, scope, asked);
    }

    /// @inheritdoc IConsentRequests
    function approve(address requester, address subject, address grantee, Scope scope, Terms calldata terms) external {
        _requireMayAct(subject, msg.sender);
        _approve(requester, subject, grantee, scope, GrantSlotLibrary.pack(terms), block.timestamp, msg.sender);
    }

    /// @inheritdoc IConsentRequests
    function approveBySig(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external {
        GrantSlot asked = GrantSlotLibrary.pack(terms);
        bytes32 message = ConsentMessages.approve(requester, subject, grantee, scope, asked, basis, authorization);
        uint256 signed = _requireSigned(subject, authorization, message);
        _requireGrantPrevails(subject, grantee, scope, signed, basis);
        _approve(requester, subject, grantee, scope, asked, signed, authorization.signer);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentRequests
    function requestIdOf(address requester, address subject, address grantee, Scope scope, Terms calldata terms)
        external
        pure
        returns (RequestId)
    {
        return _requestId(requester, subject, grantee, scope, GrantSlotLibrary.pack(terms));
    }

    /// @inheritdoc IConsentRequests
    function requestedAt(RequestId id) external view returns (Time256) {
        return Time256.wrap(_requests[id].at);
    }

    // ------------------------------------------------------------------ internal

    function _domain() internal pure override returns (string memory name, string memory version) {
        return (NAME, VERSION);
    }

    function _grant(address subject, address grantee, Scope scope, GrantSlot asked, uint256 signed, address actor)
        private
    {
        if (grantee == address(0) || grantee == subject) revert ConsentGranteeInvalid(grantee);
        if (scope == Scopes.EMERGENCY) revert ConsentScopeReserved(scope);
        if (asked.until() <= asked.from() || asked.until() <= block.timestamp) {
            revert ConsentPeriodInvalid(time32(asked.from()), time32(asked.until()));
        }
        uint16 purposes = DataUse.expand(asked.purposes(), asked.conditions());
        if (purposes == 0 || asked.purposes() > DataUse.ALL_PURPOSES) {
            revert ConsentPurposesInvalid(Purposes.wrap(asked.purposes()), Conditions.wrap(asked.conditions()));
        }
        if (DataUse.namesDisease(purposes) != (asked.diseaseBits() != 0)) {
            revert ConsentDiseaseInvalid(Purposes.wrap(purposes), asked.disease());
        }
        _writeGrant(subject, grantee, scope, asked.expanded(purposes), signed, actor);
    }

    /// @dev Answers the request for these terms, and grants them.
    function _approve(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        GrantSlot asked,
        uint256 signed,
        address actor
    ) private {
        RequestId id = _requestId(requester, subject, grantee, scope, asked);
        Request storage pending = _requests[id];
        if (pending.at == 0) revert ConsentNotRequested(id);
        pending.at = 0;
        emit ConsentRequestApproved(id);
        _grant(subject, grantee, scope, asked, signed, actor);
    }

    /// @dev Reverts unless an account that may act for the subject signed the message, and its deadline has not passed.
    function _requireSigned(address subject, Authorization calldata authorization, bytes32 message)
        private
        view
        returns (uint256 signed)
    {
        Time deadline = authorization.deadline;
        if (block.timestamp > Time.unwrap(deadline)) revert ConsentSignatureExpired(deadline);
        address signer = authorization.signer;
        if (!Signatures.isSignedBy(signer, _hashTypedDataV4(message), authorization.signature)) {
            revert ConsentBadSignature(signer);
        }
        _requireMayAct(subject, signer);
        return Time32.unwrap(authorization.signed);
    }

    function _requestId(address requester, address subject, address grantee, Scope scope, GrantSlot asked)
        private
        pure
        returns (RequestId)
    {
        return RequestId.wrap(keccak256(abi.encode(requester, subject, grantee, scope, asked)));
    }
}

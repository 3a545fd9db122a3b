// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {GrantSlot} from "../contracts/consent/GrantSlot.sol";
import {Authorization} from "../contracts/types/Authorization.sol";
import {RequestId} from "../contracts/types/RequestId.sol";
import {Scope} from "../contracts/types/Scope.sol";
import {Time256} from "../contracts/types/Time.sol";
import {IConsentGrants} from "./IConsentGrants.sol";

/// @title Requests: what a participant asks a subject for, and the subject grants as it was asked
/// @notice A request is pending until it is approved. The consent registry has this beside the grants.
interface IConsentRequests {
    // ------------------------------------------------------------------ errors

    /// @notice The grantee is neither the requester nor its institution.
    /// @param requester who asked
    /// @param grantee to whom it is granted
    error ConsentRequesterNotGrantee(address requester, address grantee);

    /// @notice The requester is not an active accredited participant.
    /// @param requester who asked
    error ConsentRequesterNotAccredited(address requester);

    /// @notice The same request is already pending.
    /// @param request id of the request
    error ConsentAlreadyRequested(RequestId request);

    /// @notice No such request is pending.
    /// @param request id of the request
    error ConsentNotRequested(RequestId request);

    // ------------------------------------------------------------------ events

    /// @notice A participant asked the subject for a grant.
    /// @param subject who grants, or whose records they are
    /// @param requester who asked
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param asked the terms, in one word of which all else is zero
    event ConsentRequested(
        address indexed subject, address indexed requester, address grantee, Scope scope, GrantSlot asked
    );

    /// @notice The subject granted what was requested.
    /// @param request the id that {requestIdOf} computes
    event ConsentRequestApproved(RequestId indexed request);

    // ------------------------------------------------------------------ writes

    /// @notice Asks a subject for a grant.
    /// @param subject whose images
    /// @param grantee the caller or its institution
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    /// @return id id of the request
    function request(address subject, address grantee, Scope scope, IConsentGrants.Terms calldata terms)
        external
        returns (RequestId id);

    /// @notice Grants exactly what was requested; to grant less, use {IConsentGrants-grant}.
    /// @param requester who asked
    /// @param subject whose images; the caller is its owner or its delegate of type "radledger.consent"
    /// @param grantee person, or institution with its active members
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    function approve(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        IConsentGrants.Terms calldata terms
    ) external;

    /// @notice As {approve}, by signature, and under the rules of {IConsentGrants-grantBySig}.
    /// @dev Typed data, with the words of {DataUseWords}: `Approve(address requester,address subject,address grantee,
    /// bytes32 scope,uint32 from,uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,
    /// uint16 epoch,uint32 signed,uint40 deadline)`.
    /// @param requester who asked
    /// @param subject whose images
    /// @param grantee person, or institution with its active members
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    /// @param basis what stood on chain when the subject signed
    /// @param authorization who signed, when, and the signature
    function approveBySig(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        IConsentGrants.Terms calldata terms,
        IConsentGrants.Basis calldata basis,
        Authorization calldata authorization
    ) external;

    // ------------------------------------------------------------------ views

    /// @notice The id of a request.
    /// @param requester who asked
    /// @param subject whose images
    /// @param grantee person, or institution with its active members
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    /// @return id the hash of the five
    function requestIdOf(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        IConsentGrants.Terms calldata terms
    ) external pure returns (RequestId id);

    /// @notice When a pending request was made; zero when there is none.
    /// @param id id of the request
    /// @return requested seconds since 1970
    function requestedAt(RequestId id) external view returns (Time256 requested);
}

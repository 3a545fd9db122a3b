// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {GrantSlot} from "../contracts/consent/GrantSlot.sol";
import {Authorization} from "../contracts/types/Authorization.sol";
import {Conditions} from "../contracts/types/Conditions.sol";
import {Disease} from "../contracts/types/Disease.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {Purposes} from "../contracts/types/Purposes.sol";
import {Scope} from "../contracts/types/Scope.sol";
import {Time, Time32} from "../contracts/types/Time.sol";

/// @title Grants: what a subject permits, and takes back
/// @notice A subject grants and revokes itself or by signature; what it signed last prevails, in whichever order it
/// arrives. The consent registry has this beside requests, emergency access and the oracle.
interface IConsentGrants {
    // ------------------------------------------------------------------ types

    /// @notice Whether a grant stands.
    enum Status {
        None,
        Granted,
        Revoked
    }

    /// @notice What a grant permits.
    /// @param from time from which it holds, in seconds since 1970
    /// @param until time from which it no longer holds; the largest, 2^32 - 1, stands for "until revoked"
    /// @param purposes bits of {DataUse}
    /// @param conditions bits of {DataUse}
    /// @param disease code of the one disease for disease-specific research, as "MONDO:0004992"; else empty
    struct Terms {
        Time32 from;
        Time32 until;
        Purposes purposes;
        Conditions conditions;
        Disease disease;
    }

    /// @notice A grant as the chain keeps it: its terms, DUO's inheritance applied, in one slot.
    /// @param from time from which it holds, in seconds since 1970
    /// @param until time from which it no longer holds
    /// @param signed time at which the subject's last decision was signed, in seconds since 1970; each change raises it
    /// @param purposes bits of {DataUse}
    /// @param conditions bits of {DataUse}
    /// @param disease the one disease for disease-specific research; else zero
    /// @param epoch how often the subject had revoked all grants
    /// @param status whether the last decision granted or revoked it
    struct Grant {
        Time32 from;
        Time32 until;
        Time32 signed;
        Purposes purposes;
        Conditions conditions;
        Disease disease;
        uint16 epoch;
        Status status;
    }

    /// @notice What stood on chain when the subject signed a grant.
    /// @param seen the `signed` that {grantOf} returned for the grantee and scope; zero when there was no grant
    /// @param epoch the subject's epoch, as {epochOf} returned it
    struct Basis {
        Time32 seen;
        uint16 epoch;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The caller or signer may not act for the subject.
    /// @param subject who grants, or whose records they are
    /// @param actor who called or signed
    error ConsentNotAuthorized(address subject, address actor);

    /// @notice The signature is not the signer's, for this chain, contract and message.
    /// @param signer who is said to have signed
    error ConsentBadSignature(address signer);

    /// @notice The document is dated ahead of the chain; set the clock of the device, then sign it again.
    /// @param signed when it was signed, in seconds since 1970
    /// @param latest latest time that the chain takes
    error ConsentSignedAhead(Time32 signed, Time32 latest);

    /// @notice The document refers to a state that this chain does not have; sign it again.
    /// @param seen the `signed` that the document names
    /// @param signed the `signed` that the chain has
    /// @param epoch the epoch that the document names
    /// @param current the subject's epoch
    error ConsentBasisUnknown(Time32 seen, Time32 signed, uint16 epoch, uint16 current);

    /// @notice This grant, or one that was signed later, is already recorded for this grantee and scope.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param signed when the grant that is recorded was signed
    error ConsentSuperseded(address subject, address grantee, Scope scope, Time32 signed);

    /// @notice The grant may be older than a recorded revocation; to grant again, sign a new grant.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param signed when the revocation that is recorded was signed
    error ConsentRevokedSince(address subject, address grantee, Scope scope, Time32 signed);

    /// @notice The grant may be older than a recorded revocation of all grants; to grant again, sign a new grant.
    /// @param subject who grants, or whose records they are
    /// @param signed when the revocation that is recorded was signed
    error ConsentAllRevokedSince(address subject, Time32 signed);

    /// @notice The revocation was signed before the latest grant or emergency access, or no later than a recorded
    /// revocation; to end what is in force, sign a new revocation.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param signed when what is in force was signed
    error ConsentGrantedSince(address subject, address grantee, Scope scope, Time32 signed);

    /// @notice All grants were already revoked, by this document or a later one.
    /// @param subject who grants, or whose records they are
    /// @param signed when the revocation that is recorded was signed
    error ConsentAllRevokedAlready(address subject, Time32 signed);

    /// @notice The deadline of the signature has passed.
    /// @param deadline time after which the signature is void
    error ConsentSignatureExpired(Time deadline);

    /// @notice The grantee is the subject itself, or either is the zero address.
    /// @param grantee to whom it is granted
    error ConsentGranteeInvalid(address grantee);

    /// @notice This scope is reserved for emergency access, which is not granted.
    /// @param scope what the grant covers
    error ConsentScopeReserved(Scope scope);

    /// @notice The period is empty or over.
    /// @param from time from which it holds
    /// @param until time from which it no longer holds
    error ConsentPeriodInvalid(Time32 from, Time32 until);

    /// @notice No purpose is given, a purpose is unknown, or the conditions exclude them all.
    /// @param purposes the purposes
    /// @param conditions the conditions
    error ConsentPurposesInvalid(Purposes purposes, Conditions conditions);

    /// @notice A disease is missing for disease-specific research, or given for purposes that are not specific to one.
    /// @param purposes the purposes
    /// @param disease the disease, or zero
    error ConsentDiseaseInvalid(Purposes purposes, Disease disease);

    /// @notice There is nothing to revoke: access was never given, or it was already revoked or ended.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    error ConsentNothingToRevoke(address subject, address grantee, Scope scope);

    // ------------------------------------------------------------------ events

    /// @notice A grant was written.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param given what {grantOf} then returns, in one word
    /// @param actor who acted for the subject
    event ConsentGranted(
        address indexed subject, address indexed grantee, Scope indexed scope, GrantSlot given, address actor
    );

    /// @notice A grant was revoked, or will not count when it arrives. For the scope of emergencies: an emergency access
    /// was ended.
    /// @param subject who grants, or whose records they are
    /// @param grantee to whom it is granted
    /// @param scope what the grant covers
    /// @param signed what {grantOf} then returns; for the scope of emergencies, when the end was signed
    /// @param actor who acted for the subject
    event ConsentRevoked(
        address indexed subject, address indexed grantee, Scope indexed scope, Time32 signed, address actor
    );

    /// @notice All grants before this epoch were revoked.
    /// @param subject who grants, or whose records they are
    /// @param epoch the epoch that begins
    /// @param signed what {revokedAllAt} then returns
    /// @param actor who acted for the subject
    event ConsentRevokedAll(address indexed subject, uint16 epoch, Time32 signed, address actor);

    // ------------------------------------------------------------------ writes

    /// @notice Grants the use of the subject's images. A grant for the same grantee and scope is replaced.
    /// @param subject whose images; the caller is its owner or its delegate of type "radledger.consent"
    /// @param grantee person, or institution with its active members
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    function grant(address subject, address grantee, Scope scope, Terms calldata terms) external;

    /// @notice As {grant}, by signature; anyone may submit it, in any order with the subject's other documents.
    /// @dev Over what the subject saw when it signed, a grant always counts. Else it counts if it was signed later than
    /// a grant that stands, and by more than two days later than a revocation: devices' clocks are trusted to a day. It
    /// is signed five minutes ahead of the block at most, and counts once.
    /// Typed data, with the words of {DataUseWords}: `Grant(address subject,address grantee,bytes32 scope,uint32 from,
    /// uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,
    /// uint40 deadline)`.
    /// @param subject whose images
    /// @param grantee person, or institution with its active members
    /// @param scope everything, a course, a visit or an image set
    /// @param terms for what, under which conditions, how long
    /// @param basis what stood on chain when the subject signed
    /// @param authorization who signed, when, and the signature
    function grantBySig(
        address subject,
        address grantee,
        Scope scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external;

    /// @notice Revokes a grant, and every one for this grantee and scope that was signed before. For the scope of
    /// emergencies, ends the grantee's latest emergency access.
    /// @param subject whose grant; the caller is its owner or its delegate of type "radledger.consent"
    /// @param grantee to whom it was given
    /// @param scope for what it was given
    function revoke(address subject, address grantee, Scope scope) external;

    /// @notice As {revoke}, by signature.
    /// @dev Counts against what was signed before or up to two days after it, but for a grant that was given in
    /// knowledge of it or of a later revocation. It is signed a day ahead of the block at most.
    /// Typed data: `Revoke(address subject,address grantee,bytes32 scope,uint32 signed,uint40 deadline)`.
    /// @param subject whose grant
    /// @param grantee to whom it was given
    /// @param scope for what it was given
    /// @param authorization who signed, when, and the signature
    function revokeBySig(address subject, address grantee, Scope scope, Authorization calldata authorization) external;

    /// @notice Revokes every grant of the subject, and every one that was signed before. The cost does not depend on their
    /// number.
    /// @dev It begins an epoch, up to 65,535. After so many it is not refused either, but times alone tell what it covers:
    /// grants that were signed up to two days after it, and emergency access that was declared by then. Until those two
    /// days are over, only direct calls grant again.
    /// @param subject whose grants; the caller is its owner or its delegate of type "radledger.consent"
    function revokeAll(address subject) external;

    /// @notice As {revokeAll}, by signature.
    /// @dev Leaves what was signed more than two days after it. It is signed a day ahead of the block at most, and names
    /// no later epoch than the chain's.
    /// Typed data: `RevokeAll(address subject,uint16 epoch,uint32 signed,uint40 deadline)`.
    /// @param subject whose grants
    /// @param epoch the subject's epoch, as {epochOf} returned it when the subject signed
    /// @param authorization who signed, when, and the signature
    function revokeAllBySig(address subject, uint16 epoch, Authorization calldata authorization) external;

    // ------------------------------------------------------------------ views

    /// @notice A grant as it was written last; whether it still holds depends on its status, epoch and time.
    /// @param subject whose grant
    /// @param grantee to whom it was given
    /// @param scope for what it was given
    /// @return kept the grant; all zero where there is none
    function grantOf(address subject, address grantee, Scope scope) external view returns (Grant memory kept);

    /// @notice The id of a grant.
    /// @param subject whose grant
    /// @param grantee to whom it is given
    /// @param scope for what it is given
    /// @return grantId the hash of the three
    function grantIdOf(address subject, address grantee, Scope scope) external pure returns (GrantId grantId);

    /// @notice How often the subject revoked all grants, at most 65,535; grants of earlier epochs are revoked, but for
    /// those that were signed more than two days after {revokedAllAt}.
    /// @param subject whose epoch
    /// @return epoch the epoch
    function epochOf(address subject) external view returns (uint16 epoch);

    /// @notice When the subject last revoked all grants; zero if never.
    /// @param subject whose grants
    /// @return signed when that was signed, in seconds since 1970
    function revokedAllAt(address subject) external view returns (Time32 signed);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {GrantSlot} from "../contracts/consent/GrantSlot.sol";
import {Authorization} from "../contracts/types/Authorization.sol";
import {Conditions} from "../contracts/types/Conditions.sol";
import {Disease} from "../contracts/types/Disease.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Purposes} from "../contracts/types/Purposes.sol";
import {RequestId} from "../contracts/types/RequestId.sol";
import {Scope} from "../contracts/types/Scope.sol";
import {Time, Time32} from "../contracts/types/Time.sol";
import {IEmergencyAccess} from "./IEmergencyAccess.sol";

/// @title Consent: who may use whose images for what, now
/// @notice The one oracle of permission. A subject (a patient, as in FHIR R5 Consent) grants a person or an
/// institution the use of an image set, a visit, a course or everything, for purposes, under conditions, for a time.
/// @dev What this contract trusts, and with what:
/// - the identity registry: who may act for a subject, so that after a recovery the old key neither grants nor reads;
/// - the participant registry: to which institution a reader belongs, and whether either is suspended;
/// - the image registry: whether an image set is anchored, and neither erased nor disowned;
/// - a reader: that the use it states is the use it makes. The statement is signed, and kept by the key service.
/// Grants add up: a use is permitted when any one grant permits it.
interface IConsentRegistry is IEmergencyAccess {
    /// @notice Whether a grant stands.
    enum Status {
        None,
        Granted,
        Revoked
    }

    /// @notice Why a use is permitted or not; where several grants refuse it, the reason is that of the closest one.
    enum Reason {
        Permitted,
        NeverGranted,
        Revoked,
        Expired,
        NotYet,
        Purpose,
        Disease,
        Condition,
        ReaderSuspended,
        NotAnchored,
        Erased,
        Disowned
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

    /// @notice What a reader wants to do.
    /// @param purposes bits of {DataUse}, all of which must be permitted
    /// @param fulfilled conditions of {DataUse} that the use fulfils
    /// @param disease code of the disease under research, or empty; a use that names one is research on it, unless it is
    /// care or teaching alone
    struct Use {
        Purposes purposes;
        Conditions fulfilled;
        Disease disease;
    }

    /// @notice A grant as the chain keeps it: its terms, DUO's inheritance applied, in one slot.
    /// @param signed time at which the subject's last decision was signed, in seconds since 1970; each change raises it
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

    /// @notice The caller or signer may not act for the subject.
    error ConsentNotAuthorized(address subject, address actor);
    /// @notice The signature is not the signer's, for this chain, contract and message.
    error ConsentBadSignature(address signer);
    /// @notice The document is dated ahead of the chain; set the clock of the device, then sign it again.
    error ConsentSignedAhead(Time32 signed, Time32 latest);
    /// @notice The document refers to a state that this chain does not have; sign it again.
    error ConsentBasisUnknown(Time32 seen, Time32 signed, uint16 epoch, uint16 current);
    /// @notice This grant, or one that was signed later, is already recorded for this grantee and scope.
    error ConsentSuperseded(address subject, address grantee, Scope scope, Time32 signed);
    /// @notice The grant may be older than a recorded revocation; to grant again, sign a new grant.
    error ConsentRevokedSince(address subject, address grantee, Scope scope, Time32 signed);
    /// @notice The grant may be older than a recorded revocation of all grants; to grant again, sign a new grant.
    error ConsentAllRevokedSince(address subject, Time32 signed);
    /// @notice The revocation was signed before the latest grant or emergency access, or no later than a recorded
    /// revocation; to end what is in force, sign a new revocation.
    error ConsentGrantedSince(address subject, address grantee, Scope scope, Time32 signed);
    /// @notice All grants were already revoked, by this document or a later one.
    error ConsentAllRevokedAlready(address subject, Time32 signed);
    /// @notice The deadline of the signature has passed.
    error ConsentSignatureExpired(Time deadline);
    /// @notice The grantee is the subject itself, or either is the zero address.
    error ConsentGranteeInvalid(address grantee);
    /// @notice This scope is reserved for emergency access, which is not granted.
    error ConsentScopeReserved(Scope scope);
    /// @notice The period is empty or over.
    error ConsentPeriodInvalid(Time32 from, Time32 until);
    /// @notice No purpose is given, a purpose is unknown, or the conditions exclude them all.
    error ConsentPurposesInvalid(Purposes purposes, Conditions conditions);
    /// @notice A disease is missing for disease-specific research, or given for purposes that are not specific to one.
    error ConsentDiseaseInvalid(Purposes purposes, Disease disease);
    /// @notice There is nothing to revoke: access was never given, or it was already revoked or ended.
    error ConsentNothingToRevoke(address subject, address grantee, Scope scope);
    /// @notice The grantee is neither the requester nor its institution.
    error ConsentRequesterNotGrantee(address requester, address grantee);
    /// @notice The requester is not an active accredited participant.
    error ConsentRequesterNotAccredited(address requester);
    /// @notice The same request is already pending.
    error ConsentAlreadyRequested(RequestId request);
    /// @notice No such request is pending.
    error ConsentNotRequested(RequestId request);

    /// @notice The use is not permitted: nothing was granted.
    error ConsentNeverGranted(address subject, address reader);
    /// @notice The use is not permitted: the grant was revoked, or the emergency access was ended.
    error ConsentRevoked(address subject, address reader);
    /// @notice The use is not permitted: the grant or emergency access has expired.
    error ConsentExpired(address subject, address reader, Time32 until);
    /// @notice The use is not permitted: the grant has not begun.
    error ConsentNotYet(address subject, address reader, Time32 from);
    /// @notice The use is not permitted: not all of its purposes are granted.
    error ConsentPurposeNotPermitted(Purposes granted, Purposes used);
    /// @notice The use is not permitted: the grant is for one disease, which the use does not name.
    error ConsentDiseaseDiffers(Disease granted, Disease used);
    /// @notice The use is not permitted: a condition is not fulfilled.
    error ConsentConditionUnmet(Conditions required, Conditions fulfilled);
    /// @notice The use is not permitted: the reader or its institution is suspended.
    error ConsentReaderSuspended(address reader);
    /// @notice The use is not permitted: no such image set is anchored.
    error ConsentImageNotAnchored(ImageId image);
    /// @notice The use is not permitted: the image set was erased.
    error ConsentImageErased(ImageId image);
    /// @notice The use is not permitted: the patient has disowned the image set.
    error ConsentImageDisowned(ImageId image);

    /// @notice A grant was written; `given` is what {grantOf} then returns, `actor` acted for the subject.
    event ConsentGranted(
        address indexed subject, address indexed grantee, Scope indexed scope, GrantSlot given, address actor
    );
    /// @notice A grant was revoked, or will not count when it arrives; `signed` is what {grantOf} then returns. For the
    /// scope of emergencies: an emergency access was ended, and `signed` says when.
    event ConsentWithdrawn(
        address indexed subject, address indexed grantee, Scope indexed scope, Time32 signed, address actor
    );
    /// @notice All grants before this epoch were revoked; `signed` is what {revokedAllAt} then returns.
    event ConsentWithdrawnAll(address indexed subject, uint16 epoch, Time32 signed, address actor);
    /// @notice A participant asks the subject for a grant; `asked` holds the terms, all else in it is zero.
    event ConsentRequested(
        address indexed subject, address indexed requester, address grantee, Scope scope, GrantSlot asked
    );
    /// @notice The subject granted what was asked; `request` is the id that {requestIdOf} computes.
    event ConsentRequestApproved(RequestId indexed request);

    /// @notice Grants the use of the subject's images. A grant for the same grantee and scope is replaced.
    /// @param subject whose images; the caller is its owner or its delegate of type "radledger.consent"
    /// @param grantee person, or institution with its active members
    /// @param scope zero for everything, or a course, a visit or an image id
    /// @param terms for what, under which conditions, how long
    function grant(address subject, address grantee, Scope scope, Terms calldata terms) external;

    /// @notice As {grant}, by signature; anyone may submit it, in any order with the subject's other documents.
    /// @dev Over what the subject saw when it signed, a grant always counts. Else it counts if it was signed later than
    /// a grant that stands, and by more than two days later than a revocation: devices' clocks are trusted to a day. It
    /// is signed five minutes ahead of the block at most, and counts once.
    /// Typed data, with the words of {DataUseWords}: `Grant(address subject,address grantee,bytes32 scope,uint32 from,
    /// uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,
    /// uint40 deadline)`.
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
    /// @param subject whose grant
    /// @param grantee to whom it was given
    /// @param scope for what it was given
    function revoke(address subject, address grantee, Scope scope) external;

    /// @notice As {revoke}, by signature.
    /// @dev Counts against what was signed before or up to two days after it, but for a grant that was given in
    /// knowledge of it or of a later revocation. It is signed a day ahead of the block at most.
    /// Typed data: `Revoke(address subject,address grantee,bytes32 scope,uint32 signed,uint40 deadline)`.
    function revokeBySig(address subject, address grantee, Scope scope, Authorization calldata authorization) external;

    /// @notice Revokes every grant of the subject, and every one that was signed before. The cost does not depend on their
    /// number.
    /// @dev It begins an epoch, up to 65,535. After so many it is not refused either, but times alone tell what it covers:
    /// grants that were signed up to two days after it, and emergency access that was declared by then. Until those two
    /// days are over, only direct calls grant again.
    /// @param subject whose grants
    function revokeAll(address subject) external;

    /// @notice As {revokeAll}, by signature.
    /// @dev Leaves what was signed more than two days after it. It is signed a day ahead of the block at most, and names
    /// no later epoch than the chain's.
    /// Typed data: `RevokeAll(address subject,uint16 epoch,uint32 signed,uint40 deadline)`.
    /// @param epoch the subject's epoch, as {epochOf} returned it when the subject signed
    function revokeAllBySig(address subject, uint16 epoch, Authorization calldata authorization) external;

    /// @notice Asks a subject for a grant.
    /// @param subject whose images
    /// @param grantee the caller or its institution
    /// @param scope zero for everything, or a course, a visit or an image id
    /// @param terms for what, under which conditions, how long
    /// @return id of the request
    function request(address subject, address grantee, Scope scope, Terms calldata terms)
        external
        returns (RequestId id);

    /// @notice Grants exactly what was requested; to grant less, use {grant}.
    /// @param requester who asked
    function approve(address requester, address subject, address grantee, Scope scope, Terms calldata terms) external;

    /// @notice As {approve}, by signature, and under the rules of {grantBySig}.
    /// @dev Typed data, with the words of {DataUseWords}: `Approve(address requester,address subject,address grantee,
    /// bytes32 scope,uint32 from,uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,
    /// uint16 epoch,uint32 signed,uint40 deadline)`.
    function approveBySig(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        Terms calldata terms,
        Basis calldata basis,
        Authorization calldata authorization
    ) external;

    /// @notice Whether a reader may use an image set, now.
    /// @param reader account that wants to use the images
    /// @param imageSet the image set
    /// @param use what the images are used for
    /// @return reason `Permitted`, or why not
    /// @return grantId the grant that permits it; zero for the patient's own images
    function permitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId);

    /// @notice Reverts with the reason unless the reader may use the image set, now.
    /// @return image id of the image set
    /// @return grantId the grant that permits it; zero for the patient's own images
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (ImageId image, GrantId grantId);

    /// @notice Whether a reader may use a subject's records that are not images, now.
    /// @param reader account that wants to use the records
    /// @param subject whose records
    /// @param scope under which scope the subject grants their use; a grant for everything covers them too
    /// @param use what the records are used for
    /// @return reason `Permitted`, or why not
    /// @return grantId the grant that permits it; zero for the subject's own records
    function permittedScope(address reader, address subject, Scope scope, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId);

    /// @notice As {requirePermitted}, for several image sets. What does not depend on the image set is asked once for
    /// all that follow one another and are of the same patient.
    /// @param reader account that wants to use the images
    /// @param imageSets the image sets
    /// @param use what the images are used for
    /// @return images ids of the image sets
    /// @return grantIds for each, the grant that permits it; zero for the patient's own images
    function requirePermittedBatch(address reader, ImageSet[] calldata imageSets, Use calldata use)
        external
        view
        returns (ImageId[] memory images, GrantId[] memory grantIds);

    /// @notice A grant as it was written last; whether it still holds depends on its status, epoch and time.
    function grantOf(address subject, address grantee, Scope scope) external view returns (Grant memory);

    /// @notice The id of a grant.
    function grantIdOf(address subject, address grantee, Scope scope) external pure returns (GrantId);

    /// @notice The id of a request.
    function requestIdOf(address requester, address subject, address grantee, Scope scope, Terms calldata terms)
        external
        pure
        returns (RequestId);

    /// @notice Time of a pending request; zero when there is none.
    function requestedAt(RequestId id) external view returns (uint256);

    /// @notice How often the subject revoked all grants, at most 65,535; grants of earlier epochs are revoked, but for
    /// those that were signed more than two days after {revokedAllAt}.
    function epochOf(address subject) external view returns (uint16);

    /// @notice When the subject last revoked all grants, in seconds since 1970; zero if never.
    function revokedAllAt(address subject) external view returns (Time32);
}

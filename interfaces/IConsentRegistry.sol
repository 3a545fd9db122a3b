// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {GrantSlot} from "../contracts/consent/GrantSlot.sol";
import {ImageId, ImageSet} from "../contracts/lib/ImageSet.sol";

/// @title Consent: who may use whose images for what, now
/// @notice The one oracle of permission. A subject (a patient, as in FHIR R5 Consent) grants a person or an
/// institution the use of an image set, a visit, a course or everything, for purposes, under conditions, for a time.
/// @dev What this contract trusts, and with what:
/// - the identity registry: who may act for a subject, so that after a recovery the old key neither grants nor reads;
/// - the participant registry: to which institution a reader belongs, and whether either is suspended;
/// - the image registry: whether an image set is anchored and not erased;
/// - a reader: that the use it states is the use it makes. The statement is signed and kept by who releases.
/// Grants add up: a use is permitted when any one grant permits it.
interface IConsentRegistry {
    /// @notice Whether a grant stands.
    enum Status {
        None,
        Granted,
        Revoked
    }

    /// @notice Why a use is permitted or not; of several grants, the one that came nearest gives the reason.
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
        Erased
    }

    /// @notice What a grant permits.
    /// @param from time from which it holds, in seconds since 1970
    /// @param until time from which it no longer holds
    /// @param purposes bits of {DataUse}
    /// @param conditions bits of {DataUse}
    /// @param disease code of the one disease for disease specific research, as "MONDO:0004992"; else empty
    struct Terms {
        uint40 from;
        uint40 until;
        uint16 purposes;
        uint16 conditions;
        bytes13 disease;
    }

    /// @notice What a reader wants to do.
    /// @param purposes bits of {DataUse}, all of which must be permitted
    /// @param fulfilled conditions of {DataUse} that the use fulfils
    /// @param disease code of the disease under research, or empty; a use that names one is research on it
    struct Use {
        uint16 purposes;
        uint16 fulfilled;
        bytes13 disease;
    }

    /// @notice A grant as the chain keeps it: its terms, DUO's inheritance applied, in one slot.
    struct Grant {
        uint40 from;
        uint40 until;
        uint16 purposes;
        uint16 conditions;
        bytes13 disease;
        uint32 epoch;
        Status status;
    }

    /// @notice A signature over typed data (EIP-712).
    /// @param signer who signed: the subject's owner or a consent delegate; a contract answers by ERC-1271
    /// @param nonce the subject's nonce, as `nonceOf` tells it
    /// @param deadline time after which the signature is void
    /// @param signature 65 bytes, or what the contract understands
    struct Authorization {
        address signer;
        uint64 nonce;
        uint40 deadline;
        bytes signature;
    }

    /// @notice A glass that was broken.
    /// @param institution whose second person reviews it
    /// @param reviewBy time by which it is to be reviewed
    /// @param reviewed whether it has been
    struct Emergency {
        address institution;
        uint40 reviewBy;
        bool reviewed;
    }

    /// @notice The caller or signer may not act for the subject.
    error ConsentNotAuthorized(address subject, address actor);
    /// @notice The signature is not the signer's, for this chain, contract and message.
    error ConsentBadSignature(address signer);
    /// @notice The nonce was used before, or is not yet due.
    error ConsentBadNonce(address subject, uint64 nonce, uint64 expected);
    /// @notice The signature is void since its deadline.
    error ConsentSignatureExpired(uint40 deadline);
    /// @notice A subject grants to somebody else, who has an address.
    error ConsentGranteeInvalid(address grantee);
    /// @notice Only breaking the glass writes this scope.
    error ConsentScopeReserved(bytes32 scope);
    /// @notice The period is empty or over.
    error ConsentPeriodInvalid(uint40 from, uint40 until);
    /// @notice The purposes are none, unknown, or all taken away by the conditions.
    error ConsentPurposesInvalid(uint16 purposes, uint16 conditions);
    /// @notice Disease specific research names a disease, and nothing else does.
    error ConsentDiseaseInvalid(uint16 purposes, bytes13 disease);
    /// @notice There is no such grant to revoke.
    error ConsentNothingToRevoke(address subject, address grantee, bytes32 scope);
    /// @notice A participant requests for itself or for its institution.
    error ConsentRequesterNotGrantee(address requester, address grantee);
    /// @notice The requester is no active accredited participant.
    error ConsentRequesterNotAccredited(address requester);
    /// @notice The same request waits for its answer.
    error ConsentAlreadyRequested(bytes32 request);
    /// @notice No such request waits for an answer.
    error ConsentNotRequested(bytes32 request);
    /// @notice The glass is broken for a second at least and 24 hours at most.
    error ConsentEmergencyTooLong(uint40 duration, uint40 longest);
    /// @notice No such glass was broken.
    error ConsentNoEmergency(address subject, address clinician, uint40 since);
    /// @notice It has been reviewed.
    error ConsentAlreadyReviewed(address subject, address clinician, uint40 since);
    /// @notice A second, active person of the clinician's institution reviews.
    error ConsentReviewerInvalid(address reviewer, address clinician, address institution);

    /// @notice The use is not permitted: nothing was granted.
    error ConsentNeverGranted(address subject, address reader);
    /// @notice The use is not permitted: the grant was revoked.
    error ConsentRevoked(address subject, address reader);
    /// @notice The use is not permitted: the grant is over.
    error ConsentExpired(address subject, address reader, uint40 until);
    /// @notice The use is not permitted: the grant has not begun.
    error ConsentNotYet(address subject, address reader, uint40 from);
    /// @notice The use is not permitted: a purpose is not.
    error ConsentPurposeNotPermitted(uint16 granted, uint16 used);
    /// @notice The use is not permitted: the grant is for research on another disease.
    error ConsentDiseaseDiffers(bytes13 granted, bytes13 used);
    /// @notice The use is not permitted: a condition is not fulfilled.
    error ConsentConditionUnmet(uint16 required, uint16 fulfilled);
    /// @notice The use is not permitted: the reader or its institution is suspended.
    error ConsentReaderSuspended(address reader);
    /// @notice The use is not permitted: there is no such image set.
    error ConsentImageNotAnchored(ImageId image);
    /// @notice The use is not permitted: the image set was erased.
    error ConsentImageErased(ImageId image);

    /// @notice A grant was written; `given` is what {grantOf} then tells, `actor` acted for the subject.
    event ConsentGranted(
        address indexed subject, address indexed grantee, bytes32 indexed scope, GrantSlot given, address actor
    );
    /// @notice A grant was revoked.
    event ConsentWithdrawn(address indexed subject, address indexed grantee, bytes32 indexed scope, address actor);
    /// @notice All grants before this epoch were revoked.
    event ConsentWithdrawnAll(address indexed subject, uint32 epoch, address actor);
    /// @notice A participant asks the subject for a grant; `asked` holds the terms, its epoch and status are zero.
    event ConsentRequested(
        address indexed subject, address indexed requester, address grantee, bytes32 scope, GrantSlot asked
    );
    /// @notice The subject granted what was asked; `request` is the id that {requestIdOf} computes.
    event ConsentRequestApproved(bytes32 indexed request);
    /// @notice A signature was used.
    event ConsentNonceUsed(address indexed subject, uint64 nonce);
    /// @notice A clinician broke the glass; `reason` is a digest.
    event EmergencyDeclared(
        address indexed subject,
        address indexed clinician,
        address indexed institution,
        uint40 since,
        uint40 until,
        uint40 reviewBy,
        bytes32 reason
    );
    /// @notice A second person reviewed it; `opinion` is a digest.
    event EmergencyReviewed(
        address indexed subject,
        address indexed clinician,
        address indexed reviewer,
        uint40 since,
        bool justified,
        bytes32 opinion
    );

    /// @notice Grants the use of the subject's images. A grant for the same grantee and scope is replaced.
    /// @param subject whose images; the caller is its owner or its delegate of type "radledger.consent"
    /// @param grantee person, or institution with its active members
    /// @param scope zero for everything, or a course, a visit or an image id
    /// @param terms for what, under which conditions, how long
    function grant(address subject, address grantee, bytes32 scope, Terms calldata terms) external;

    /// @notice As {grant}, by signature; anyone may submit it.
    /// @dev Typed data: `Grant(address subject,address grantee,bytes32 scope,uint40 from,uint40 until,
    /// uint16 purposes,uint16 conditions,bytes13 disease,uint64 nonce,uint40 deadline)`.
    function grantBySig(
        address subject,
        address grantee,
        bytes32 scope,
        Terms calldata terms,
        Authorization calldata authorization
    ) external;

    /// @notice Takes a grant back.
    /// @param subject whose grant
    /// @param grantee to whom it was given
    /// @param scope for what it was given
    function revoke(address subject, address grantee, bytes32 scope) external;

    /// @notice As {revoke}, by signature.
    /// @dev Typed data: `Revoke(address subject,address grantee,bytes32 scope,uint64 nonce,uint40 deadline)`.
    function revokeBySig(address subject, address grantee, bytes32 scope, Authorization calldata authorization) external;

    /// @notice Takes every grant of the subject back, at a cost that does not depend on their number. What was signed
    /// before and not yet submitted is void.
    /// @param subject whose grants
    function revokeAll(address subject) external;

    /// @notice As {revokeAll}, by signature.
    /// @dev Typed data: `RevokeAll(address subject,uint64 nonce,uint40 deadline)`.
    function revokeAllBySig(address subject, Authorization calldata authorization) external;

    /// @notice Asks a subject for a grant.
    /// @param subject whose images
    /// @param grantee the caller or its institution
    /// @param scope zero for everything, or a course, a visit or an image id
    /// @param terms for what, under which conditions, how long
    /// @return id of the request
    function request(address subject, address grantee, bytes32 scope, Terms calldata terms)
        external
        returns (bytes32 id);

    /// @notice Grants what was requested, to the letter; for anything less, {grant} it.
    /// @param requester who asked
    function approve(address requester, address subject, address grantee, bytes32 scope, Terms calldata terms) external;

    /// @notice As {approve}, by signature.
    /// @dev Typed data: `Approve(address requester,address subject,address grantee,bytes32 scope,uint40 from,
    /// uint40 until,uint16 purposes,uint16 conditions,bytes13 disease,uint64 nonce,uint40 deadline)`.
    function approveBySig(
        address requester,
        address subject,
        address grantee,
        bytes32 scope,
        Terms calldata terms,
        Authorization calldata authorization
    ) external;

    /// @notice Breaks the glass: the calling clinician may use everything of the subject for clinical care, for as long as
    /// it is a clinician of the same institution.
    /// @param subject whose images
    /// @param duration for how long, in seconds; 24 hours at most
    /// @param reason digest of the reason
    function breakGlass(address subject, uint40 duration, bytes32 reason) external;

    /// @notice Reviews a broken glass, as a second person of the clinician's institution.
    /// @param subject whose images
    /// @param clinician who broke the glass
    /// @param since time at which it was broken
    /// @param justified the reviewer's finding
    /// @param opinion digest of the review
    function review(address subject, address clinician, uint40 since, bool justified, bytes32 opinion) external;

    /// @notice Whether a reader may use an image set, now.
    /// @param reader who wants to
    /// @param imageSet what
    /// @param use for what
    /// @return reason `Permitted`, or why not
    /// @return grantId the grant that permits it; zero for the patient's own images
    function permitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (Reason reason, bytes32 grantId);

    /// @notice Reverts with the reason unless the reader may use the image set, now.
    /// @return image id of the image set
    /// @return grantId the grant that permits it; zero for the patient's own images
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (ImageId image, bytes32 grantId);

    /// @notice A grant as it was written last; whether it still holds depends on its status, epoch and time.
    function grantOf(address subject, address grantee, bytes32 scope) external view returns (Grant memory);

    /// @notice The id of a grant.
    function grantIdOf(address subject, address grantee, bytes32 scope) external pure returns (bytes32);

    /// @notice The id of a request.
    function requestIdOf(address requester, address subject, address grantee, bytes32 scope, Terms calldata terms)
        external
        pure
        returns (bytes32);

    /// @notice Time of a request that waits for its answer; zero when there is none.
    function requestedAt(bytes32 id) external view returns (uint256);

    /// @notice The nonce that the subject's next signature needs; each epoch begins with its number times 2^32.
    function nonceOf(address subject) external view returns (uint64);

    /// @notice The subject's epoch; grants of earlier ones are revoked.
    function epochOf(address subject) external view returns (uint32);

    /// @notice A broken glass; all zero when there is none.
    function emergencyOf(address subject, address clinician, uint40 since) external view returns (Emergency memory);

    /// @notice Whether a broken glass should have been reviewed by now.
    function isReviewOverdue(address subject, address clinician, uint40 since) external view returns (bool);
}

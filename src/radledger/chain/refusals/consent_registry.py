"""Custom errors of ConsentRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "ConsentAllRevokedAlready",
    "ConsentAllRevokedSince",
    "ConsentAlreadyRequested",
    "ConsentAlreadyReviewed",
    "ConsentBadSignature",
    "ConsentBasisUnknown",
    "ConsentConditionUnmet",
    "ConsentDiseaseDiffers",
    "ConsentDiseaseInvalid",
    "ConsentEmergenciesNotForbiddable",
    "ConsentEmergencyChoiceSuperseded",
    "ConsentEmergencyExists",
    "ConsentEmergencyForbidden",
    "ConsentEmergencyTooLong",
    "ConsentExpired",
    "ConsentGrantedSince",
    "ConsentGranteeInvalid",
    "ConsentImageDisowned",
    "ConsentImageErased",
    "ConsentImageNotAnchored",
    "ConsentNeverGranted",
    "ConsentNoEmergency",
    "ConsentNotAuthorized",
    "ConsentNotRequested",
    "ConsentNotYet",
    "ConsentNothingToRevoke",
    "ConsentPeriodInvalid",
    "ConsentPurposeNotPermitted",
    "ConsentPurposesInvalid",
    "ConsentReaderSuspended",
    "ConsentRequesterNotAccredited",
    "ConsentRequesterNotGrantee",
    "ConsentReviewerInvalid",
    "ConsentReviewsOverdue",
    "ConsentRevoked",
    "ConsentRevokedSince",
    "ConsentScopeReserved",
    "ConsentSignatureExpired",
    "ConsentSignedAhead",
    "ConsentSuperseded",
]


class ConsentAllRevokedAlready(ContractError):
    """All grants were already revoked, by this document or a later one."""

    selector = "c859ec2c"
    parameters = (("subject", "address", "address"), ("signed", "uint32", "Time32"))


class ConsentAllRevokedSince(ContractError):
    """The grant may be older than a recorded revocation of all grants; to grant again, sign a new
    grant."""

    selector = "b6e64a79"
    parameters = (("subject", "address", "address"), ("signed", "uint32", "Time32"))


class ConsentAlreadyRequested(ContractError):
    """The same request is already pending."""

    selector = "eca4389a"
    parameters = (("request", "bytes32", "RequestId"),)


class ConsentAlreadyReviewed(ContractError):
    """The emergency access was already reviewed."""

    selector = "0c3fba6b"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )


class ConsentBadSignature(ContractError):
    """The signature is not the signer's, for this chain, contract and message."""

    selector = "3e450d88"
    parameters = (("signer", "address", "address"),)


class ConsentBasisUnknown(ContractError):
    """The document refers to a state that this chain does not have; sign it again."""

    selector = "6ae4a898"
    parameters = (
        ("seen", "uint32", "Time32"),
        ("signed", "uint32", "Time32"),
        ("epoch", "uint16", "uint16"),
        ("current", "uint16", "uint16"),
    )


class ConsentConditionUnmet(ContractError):
    """The use is not permitted: a condition is not fulfilled."""

    selector = "c7e1e0a6"
    parameters = (("required", "uint16", "Conditions"), ("fulfilled", "uint16", "Conditions"))


class ConsentDiseaseDiffers(ContractError):
    """The use is not permitted: the grant is for one disease, which the use does not name."""

    selector = "4bb3ff7c"
    parameters = (("granted", "bytes13", "Disease"), ("used", "bytes13", "Disease"))


class ConsentDiseaseInvalid(ContractError):
    """A disease is missing for disease-specific research, or given for purposes that are not
    specific to one."""

    selector = "24ddd89c"
    parameters = (("purposes", "uint16", "Purposes"), ("disease", "bytes13", "Disease"))


class ConsentEmergenciesNotForbiddable(ContractError):
    """This deployment does not let subjects forbid emergency access."""

    selector = "32fea7a2"
    parameters = ()


class ConsentEmergencyChoiceSuperseded(ContractError):
    """The recorded choice on emergency access is the same, or may be newer; to change it, sign a
    new choice."""

    selector = "1ca24a24"
    parameters = (("subject", "address", "address"), ("signed", "uint32", "Time32"))


class ConsentEmergencyExists(ContractError):
    """The clinician already declared emergency access to this subject in the same second."""

    selector = "9542249d"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )


class ConsentEmergencyForbidden(ContractError):
    """The subject forbids emergency access."""

    selector = "04649b29"
    parameters = (("subject", "address", "address"),)


class ConsentEmergencyTooLong(ContractError):
    """Emergency access cannot last 0 seconds, nor longer than 24 hours."""

    selector = "d8b45184"
    parameters = (("duration", "uint40", "Duration"), ("longest", "uint40", "Duration"))


class ConsentExpired(ContractError):
    """The use is not permitted: the grant or emergency access has expired."""

    selector = "8fd9ab07"
    parameters = (
        ("subject", "address", "address"),
        ("reader", "address", "address"),
        ("until", "uint32", "Time32"),
    )


class ConsentGrantedSince(ContractError):
    """The revocation was signed before the latest grant or emergency access, or no later than a
    recorded revocation; to end what is in force, sign a new revocation."""

    selector = "8bc92e00"
    parameters = (
        ("subject", "address", "address"),
        ("grantee", "address", "address"),
        ("scope", "bytes32", "Scope"),
        ("signed", "uint32", "Time32"),
    )


class ConsentGranteeInvalid(ContractError):
    """The grantee is the subject itself, or either is the zero address."""

    selector = "777424bc"
    parameters = (("grantee", "address", "address"),)


class ConsentImageDisowned(ContractError):
    """The use is not permitted: the patient has disowned the image set."""

    selector = "c8b31518"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentImageErased(ContractError):
    """The use is not permitted: the image set was erased."""

    selector = "aa16d0a2"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentImageNotAnchored(ContractError):
    """The use is not permitted: no such image set is anchored."""

    selector = "ae90a124"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentNeverGranted(ContractError):
    """The use is not permitted: nothing was granted."""

    selector = "f4ba8524"
    parameters = (("subject", "address", "address"), ("reader", "address", "address"))


class ConsentNoEmergency(ContractError):
    """There is no such emergency access."""

    selector = "29994e52"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )


class ConsentNotAuthorized(ContractError):
    """The caller or signer may not act for the subject."""

    selector = "d0f58256"
    parameters = (("subject", "address", "address"), ("actor", "address", "address"))


class ConsentNotRequested(ContractError):
    """No such request is pending."""

    selector = "8c44c70d"
    parameters = (("request", "bytes32", "RequestId"),)


class ConsentNotYet(ContractError):
    """The use is not permitted: the grant has not begun."""

    selector = "67c6e7f8"
    parameters = (
        ("subject", "address", "address"),
        ("reader", "address", "address"),
        ("from", "uint32", "Time32"),
    )


class ConsentNothingToRevoke(ContractError):
    """There is nothing to revoke: access was never given, or it was already revoked or ended."""

    selector = "6be19aa7"
    parameters = (
        ("subject", "address", "address"),
        ("grantee", "address", "address"),
        ("scope", "bytes32", "Scope"),
    )


class ConsentPeriodInvalid(ContractError):
    """The period is empty or over."""

    selector = "70d34a99"
    parameters = (("from", "uint32", "Time32"), ("until", "uint32", "Time32"))


class ConsentPurposeNotPermitted(ContractError):
    """The use is not permitted: not all of its purposes are granted."""

    selector = "faaf52ce"
    parameters = (("granted", "uint16", "Purposes"), ("used", "uint16", "Purposes"))


class ConsentPurposesInvalid(ContractError):
    """No purpose is given, a purpose is unknown, or the conditions exclude them all."""

    selector = "f7174db8"
    parameters = (("purposes", "uint16", "Purposes"), ("conditions", "uint16", "Conditions"))


class ConsentReaderSuspended(ContractError):
    """The use is not permitted: the reader or its institution is suspended."""

    selector = "4e90c1c9"
    parameters = (("reader", "address", "address"),)


class ConsentRequesterNotAccredited(ContractError):
    """The requester is not an active accredited participant."""

    selector = "30179dd8"
    parameters = (("requester", "address", "address"),)


class ConsentRequesterNotGrantee(ContractError):
    """The grantee is neither the requester nor its institution."""

    selector = "967a8426"
    parameters = (("requester", "address", "address"), ("grantee", "address", "address"))


class ConsentReviewerInvalid(ContractError):
    """The reviewer is neither another active member of the clinician's institution, nor a governor
    after the review was due."""

    selector = "c9982327"
    parameters = (
        ("reviewer", "address", "address"),
        ("clinician", "address", "address"),
        ("institution", "address", "address"),
    )


class ConsentReviewsOverdue(ContractError):
    """The requester's institution has too many overdue reviews of emergency access."""

    selector = "51888948"
    parameters = (
        ("institution", "address", "address"),
        ("overdue", "uint256", "uint256"),
        ("most", "uint256", "uint256"),
    )


class ConsentRevoked(ContractError):
    """The use is not permitted: the grant was revoked, or the emergency access was ended."""

    selector = "ebecee2d"
    parameters = (("subject", "address", "address"), ("reader", "address", "address"))


class ConsentRevokedSince(ContractError):
    """The grant may be older than a recorded revocation; to grant again, sign a new grant."""

    selector = "9165b5bf"
    parameters = (
        ("subject", "address", "address"),
        ("grantee", "address", "address"),
        ("scope", "bytes32", "Scope"),
        ("signed", "uint32", "Time32"),
    )


class ConsentScopeReserved(ContractError):
    """This scope is reserved for emergency access, which is not granted."""

    selector = "92c139dd"
    parameters = (("scope", "bytes32", "Scope"),)


class ConsentSignatureExpired(ContractError):
    """The deadline of the signature has passed."""

    selector = "c25568bb"
    parameters = (("deadline", "uint40", "Time"),)


class ConsentSignedAhead(ContractError):
    """The document is dated ahead of the chain; set the clock of the device, then sign it again."""

    selector = "4a7ebd0a"
    parameters = (("signed", "uint32", "Time32"), ("latest", "uint32", "Time32"))


class ConsentSuperseded(ContractError):
    """This grant, or one that was signed later, is already recorded for this grantee and scope."""

    selector = "4abb62cd"
    parameters = (
        ("subject", "address", "address"),
        ("grantee", "address", "address"),
        ("scope", "bytes32", "Scope"),
        ("signed", "uint32", "Time32"),
    )

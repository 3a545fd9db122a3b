"""Custom errors of ConsentRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "ConsentAllRevokedAlready",
    "ConsentAllRevokedSince",
    "ConsentAlreadyRequested",
    "ConsentBadSignature",
    "ConsentBasisUnknown",
    "ConsentDiseaseInvalid",
    "ConsentGrantedSince",
    "ConsentGranteeInvalid",
    "ConsentNotAuthorized",
    "ConsentNotPermittedCondition",
    "ConsentNotPermittedDisease",
    "ConsentNotPermittedDisowned",
    "ConsentNotPermittedErased",
    "ConsentNotPermittedExpired",
    "ConsentNotPermittedNeverGranted",
    "ConsentNotPermittedNotAnchored",
    "ConsentNotPermittedNotYet",
    "ConsentNotPermittedPurpose",
    "ConsentNotPermittedReaderSuspended",
    "ConsentNotPermittedRevoked",
    "ConsentNotRequested",
    "ConsentNothingToRevoke",
    "ConsentPeriodInvalid",
    "ConsentPurposesInvalid",
    "ConsentRequesterNotAccredited",
    "ConsentRequesterNotGrantee",
    "ConsentRevokedSince",
    "ConsentScopeReserved",
    "ConsentSignatureExpired",
    "ConsentSignedAhead",
    "ConsentSuperseded",
    "EmergenciesNotForbiddable",
    "EmergencyAlreadyDeclared",
    "EmergencyAlreadyReviewed",
    "EmergencyChoiceSuperseded",
    "EmergencyForbidden",
    "EmergencyReviewerInvalid",
    "EmergencyReviewsOverdue",
    "EmergencyTooLong",
    "EmergencyUnknown",
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


class ConsentDiseaseInvalid(ContractError):
    """A disease is missing for disease-specific research, or given for purposes that are not
    specific to one."""

    selector = "24ddd89c"
    parameters = (("purposes", "uint16", "Purposes"), ("disease", "bytes13", "Disease"))


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


class ConsentNotAuthorized(ContractError):
    """The caller or signer may not act for the subject."""

    selector = "d0f58256"
    parameters = (("subject", "address", "address"), ("actor", "address", "address"))


class ConsentNotPermittedCondition(ContractError):
    """The use is not permitted: a condition is not fulfilled."""

    selector = "7cad2311"
    parameters = (("required", "uint16", "Conditions"), ("fulfilled", "uint16", "Conditions"))


class ConsentNotPermittedDisease(ContractError):
    """The use is not permitted: the grant is for one disease, which the use does not name."""

    selector = "2f94c073"
    parameters = (("granted", "bytes13", "Disease"), ("used", "bytes13", "Disease"))


class ConsentNotPermittedDisowned(ContractError):
    """The use is not permitted: the patient has disowned the image set."""

    selector = "c8e08a30"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentNotPermittedErased(ContractError):
    """The use is not permitted: the image set was erased."""

    selector = "07202911"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentNotPermittedExpired(ContractError):
    """The use is not permitted: the grant or emergency access has expired."""

    selector = "5c715975"
    parameters = (
        ("subject", "address", "address"),
        ("reader", "address", "address"),
        ("until", "uint32", "Time32"),
    )


class ConsentNotPermittedNeverGranted(ContractError):
    """The use is not permitted: nothing was granted."""

    selector = "02301125"
    parameters = (("subject", "address", "address"), ("reader", "address", "address"))


class ConsentNotPermittedNotAnchored(ContractError):
    """The use is not permitted: no such image set is anchored."""

    selector = "9dc69b62"
    parameters = (("image", "bytes32", "ImageId"),)


class ConsentNotPermittedNotYet(ContractError):
    """The use is not permitted: the grant has not begun."""

    selector = "a97e2b4b"
    parameters = (
        ("subject", "address", "address"),
        ("reader", "address", "address"),
        ("from", "uint32", "Time32"),
    )


class ConsentNotPermittedPurpose(ContractError):
    """The use is not permitted: not all of its purposes are granted."""

    selector = "ceb0509e"
    parameters = (("granted", "uint16", "Purposes"), ("used", "uint16", "Purposes"))


class ConsentNotPermittedReaderSuspended(ContractError):
    """The use is not permitted: the reader or its institution is suspended."""

    selector = "bc37254b"
    parameters = (("reader", "address", "address"),)


class ConsentNotPermittedRevoked(ContractError):
    """The use is not permitted: the grant was revoked, or the emergency access was ended."""

    selector = "f2b75d64"
    parameters = (("subject", "address", "address"), ("reader", "address", "address"))


class ConsentNotRequested(ContractError):
    """No such request is pending."""

    selector = "8c44c70d"
    parameters = (("request", "bytes32", "RequestId"),)


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


class ConsentPurposesInvalid(ContractError):
    """No purpose is given, a purpose is unknown, or the conditions exclude them all."""

    selector = "f7174db8"
    parameters = (("purposes", "uint16", "Purposes"), ("conditions", "uint16", "Conditions"))


class ConsentRequesterNotAccredited(ContractError):
    """The requester is not an active accredited participant."""

    selector = "30179dd8"
    parameters = (("requester", "address", "address"),)


class ConsentRequesterNotGrantee(ContractError):
    """The grantee is neither the requester nor its institution."""

    selector = "967a8426"
    parameters = (("requester", "address", "address"), ("grantee", "address", "address"))


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


class EmergenciesNotForbiddable(ContractError):
    """This deployment does not let subjects forbid emergency access."""

    selector = "3091a68f"
    parameters = ()


class EmergencyAlreadyDeclared(ContractError):
    """The clinician already declared emergency access to this subject in the same second."""

    selector = "8e4f1d39"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )


class EmergencyAlreadyReviewed(ContractError):
    """The emergency access was already reviewed."""

    selector = "690bbfa9"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )


class EmergencyChoiceSuperseded(ContractError):
    """The recorded choice on emergency access is the same, or may be newer; to change it, sign a
    new choice."""

    selector = "c33b3eac"
    parameters = (("subject", "address", "address"), ("signed", "uint32", "Time32"))


class EmergencyForbidden(ContractError):
    """The subject forbids emergency access."""

    selector = "dcd94f04"
    parameters = (("subject", "address", "address"),)


class EmergencyReviewerInvalid(ContractError):
    """The reviewer is neither another active member of the clinician's institution, nor a governor
    after the review was due."""

    selector = "f7f87d68"
    parameters = (
        ("reviewer", "address", "address"),
        ("clinician", "address", "address"),
        ("institution", "address", "address"),
    )


class EmergencyReviewsOverdue(ContractError):
    """The requester's institution has too many overdue reviews of emergency access."""

    selector = "82fd011e"
    parameters = (
        ("institution", "address", "address"),
        ("overdue", "uint256", "uint256"),
        ("most", "uint256", "uint256"),
    )


class EmergencyTooLong(ContractError):
    """Emergency access cannot last 0 seconds, nor longer than 24 hours."""

    selector = "5f29ec7d"
    parameters = (("duration", "uint40", "Duration"), ("longest", "uint40", "Duration"))


class EmergencyUnknown(ContractError):
    """There is no such emergency access."""

    selector = "d30a74ed"
    parameters = (
        ("subject", "address", "address"),
        ("clinician", "address", "address"),
        ("since", "uint40", "Time"),
    )

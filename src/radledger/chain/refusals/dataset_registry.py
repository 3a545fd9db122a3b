"""Custom errors of DatasetRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "DatasetAlreadyContributed",
    "DatasetAlreadyCreated",
    "DatasetAmountInvalid",
    "DatasetBadSignature",
    "DatasetClassInvalid",
    "DatasetFreeUnchanged",
    "DatasetHasNoContributors",
    "DatasetIdentityChangedHands",
    "DatasetInstancesInvalid",
    "DatasetNotAuthorized",
    "DatasetNotContributed",
    "DatasetNotCurator",
    "DatasetNotGranted",
    "DatasetNotSuspended",
    "DatasetNothingDue",
    "DatasetSharesInvalid",
    "DatasetSignatureExpired",
    "DatasetStillConsented",
    "DatasetTokenInvalid",
    "DatasetUnknown",
    "DatasetUseInvalid",
    "DatasetVersionEmpty",
    "DatasetWeightInvalid",
    "DatasetWeightsChanged",
]


class DatasetAlreadyContributed(ContractError):
    """The item was contributed before; a withdrawn one does not come back."""

    selector = "8ea403cc"
    parameters = (("dataset", "bytes32", "DatasetId"), ("item", "bytes32", "bytes32"))


class DatasetAlreadyCreated(ContractError):
    """The data set already exists."""

    selector = "2d762af1"
    parameters = (("dataset", "bytes32", "DatasetId"),)


class DatasetAmountInvalid(ContractError):
    """The vault received nothing, or more than can be shared out."""

    selector = "53fea94e"
    parameters = (("received", "uint256", "uint256"),)


class DatasetBadSignature(ContractError):
    """The signature is not the curator's, for this chain, contract and message."""

    selector = "b6756c62"
    parameters = (("curator", "address", "address"),)


class DatasetClassInvalid(ContractError):
    """This class does not accept this kind of contribution."""

    selector = "7b34fd39"
    parameters = (("class", "uint8", "enum IDatasetTreasury.Class"),)


class DatasetFreeUnchanged(ContractError):
    """The contributor already chose this."""

    selector = "b4ae95ea"
    parameters = (("free", "bool", "bool"),)


class DatasetHasNoContributors(ContractError):
    """No class with a share has a contributor, so the payment would reach no account."""

    selector = "52c35202"
    parameters = (("dataset", "bytes32", "DatasetId"),)


class DatasetIdentityChangedHands(ContractError):
    """The beneficiary's identity changed hands; only its present owner may act for it."""

    selector = "67f60d27"
    parameters = (("beneficiary", "address", "address"),)


class DatasetInstancesInvalid(ContractError):
    """The limit of instances is missing, or is given although the weight rule does not count
    instances."""

    selector = "6da89eea"
    parameters = (
        ("rule", "uint8", "enum IDatasetContributions.WeightRule"),
        ("mostInstances", "uint32", "uint32"),
    )


class DatasetNotAuthorized(ContractError):
    """The caller may not act for the beneficiary."""

    selector = "3267b758"
    parameters = (("beneficiary", "address", "address"), ("actor", "address", "address"))


class DatasetNotContributed(ContractError):
    """There is no such contribution, or it was already withdrawn or suspended."""

    selector = "fb04421c"
    parameters = (("dataset", "bytes32", "DatasetId"), ("item", "bytes32", "bytes32"))


class DatasetNotCurator(ContractError):
    """The curator is not a researcher of the data set's institution."""

    selector = "ad50ed64"
    parameters = (("dataset", "bytes32", "DatasetId"), ("institution", "address", "address"))


class DatasetNotGranted(ContractError):
    """No grant of the patient covers the image set: its institution is the patient."""

    selector = "18558aaf"
    parameters = (("patient", "address", "address"),)


class DatasetNotSuspended(ContractError):
    """The contribution is not suspended, or was suspended for so long that it has ended."""

    selector = "fa2cf762"
    parameters = (("dataset", "bytes32", "DatasetId"), ("item", "bytes32", "bytes32"))


class DatasetNothingDue(ContractError):
    """Nothing is due."""

    selector = "91656d17"
    parameters = (
        ("dataset", "bytes32", "DatasetId"),
        ("class", "uint8", "enum IDatasetTreasury.Class"),
        ("beneficiary", "address", "address"),
    )


class DatasetSharesInvalid(ContractError):
    """The shares do not add up to 10,000 basis points."""

    selector = "39ea04bd"
    parameters = (("sum", "uint256", "uint256"),)


class DatasetSignatureExpired(ContractError):
    """The deadline of the signature has passed."""

    selector = "7f3b1dbb"
    parameters = (("deadline", "uint40", "Time"),)


class DatasetStillConsented(ContractError):
    """Consent is in force, or cannot be judged while the institution is suspended."""

    selector = "9f5297b9"
    parameters = (("actor", "address", "address"),)


class DatasetTokenInvalid(ContractError):
    """There is no contract at the token's address."""

    selector = "bfff6b50"
    parameters = (("token", "address", "address"),)


class DatasetUnknown(ContractError):
    """No such data set."""

    selector = "59f0374b"
    parameters = (("dataset", "bytes32", "DatasetId"),)


class DatasetUseInvalid(ContractError):
    """No use is declared, or it is clinical care alone, or it names a disease without being
    research on it."""

    selector = "665a7e6e"
    parameters = (("purposes", "uint16", "Purposes"), ("disease", "bytes13", "Disease"))


class DatasetVersionEmpty(ContractError):
    """The version has no root or no contributions."""

    selector = "2849e090"
    parameters = ()


class DatasetWeightInvalid(ContractError):
    """The weight is zero, or not the one that the terms give the image set."""

    selector = "fa7f520e"
    parameters = (
        ("rule", "uint8", "enum IDatasetContributions.WeightRule"),
        ("weight", "uint32", "uint32"),
    )


class DatasetWeightsChanged(ContractError):
    """The weight of a class is not the one that the funder named."""

    selector = "fb0d232a"
    parameters = (
        ("dataset", "bytes32", "DatasetId"),
        ("class", "uint8", "enum IDatasetTreasury.Class"),
        ("named", "uint64", "uint64"),
        ("weight", "uint64", "uint64"),
    )

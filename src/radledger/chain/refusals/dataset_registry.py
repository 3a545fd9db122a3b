"""Custom errors of DatasetRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "DatasetAlreadyContributed",
    "DatasetAlreadyCreated",
    "DatasetAmountInvalid",
    "DatasetChoiceUnchanged",
    "DatasetClassInvalid",
    "DatasetHasNoContributors",
    "DatasetIdentityChangedHands",
    "DatasetNotAuthorized",
    "DatasetNotContributed",
    "DatasetNotCurator",
    "DatasetNothingDue",
    "DatasetScoreInvalid",
    "DatasetSharesInvalid",
    "DatasetStillConsented",
    "DatasetTokenInvalid",
    "DatasetUnknown",
    "DatasetUseInvalid",
    "DatasetVersionEmpty",
]


class DatasetAlreadyContributed(ContractError):
    """The contribution was made before; a withdrawn one does not come back."""

    selector = "49c6fa08"
    parameters = (("dataset", "bytes32"), ("class", "uint8"), ("item", "bytes32"))


class DatasetAlreadyCreated(ContractError):
    """The data set exists."""

    selector = "2d762af1"
    parameters = (("dataset", "bytes32"),)


class DatasetAmountInvalid(ContractError):
    """The vault received nothing, or more than can be shared out."""

    selector = "53fea94e"
    parameters = (("received", "uint256"),)


class DatasetChoiceUnchanged(ContractError):
    """The choice stands already."""

    selector = "561b330e"
    parameters = (("free", "bool"),)


class DatasetClassInvalid(ContractError):
    """Image sets contribute data and custody; works contribute annotation and development."""

    selector = "7b34fd39"
    parameters = (("class", "uint8"),)


class DatasetHasNoContributors(ContractError):
    """Nobody has a weight yet, so the money would reach nobody."""

    selector = "52c35202"
    parameters = (("dataset", "bytes32"),)


class DatasetIdentityChangedHands(ContractError):
    """The beneficiary's identity changed hands; its owner collects."""

    selector = "67f60d27"
    parameters = (("beneficiary", "address"),)


class DatasetNotAuthorized(ContractError):
    """The caller may not act for the beneficiary."""

    selector = "3267b758"
    parameters = (("beneficiary", "address"), ("actor", "address"))


class DatasetNotContributed(ContractError):
    """There is no such contribution that counts."""

    selector = "4c9dc2d3"
    parameters = (("dataset", "bytes32"), ("class", "uint8"), ("item", "bytes32"))


class DatasetNotCurator(ContractError):
    """The caller is no researcher of the data set's institution."""

    selector = "ad50ed64"
    parameters = (("dataset", "bytes32"), ("institution", "address"))


class DatasetNothingDue(ContractError):
    """Nothing is due."""

    selector = "91656d17"
    parameters = (("dataset", "bytes32"), ("class", "uint8"), ("beneficiary", "address"))


class DatasetScoreInvalid(ContractError):
    """The score is zero, or the terms say that image sets are not scored."""

    selector = "c8368fc7"
    parameters = (("rule", "uint8"), ("score", "uint32"))


class DatasetSharesInvalid(ContractError):
    """The shares are not 10,000 basis points in all."""

    selector = "39ea04bd"
    parameters = (("sum", "uint256"),)


class DatasetStillConsented(ContractError):
    """While the consent holds, only who contributed withdraws, and the owner of the patient's
    identity."""

    selector = "9f5297b9"
    parameters = (("actor", "address"),)


class DatasetTokenInvalid(ContractError):
    """The token is no contract."""

    selector = "bfff6b50"
    parameters = (("token", "address"),)


class DatasetUnknown(ContractError):
    """No such data set."""

    selector = "59f0374b"
    parameters = (("dataset", "bytes32"),)


class DatasetUseInvalid(ContractError):
    """The declared use is none, clinical care alone, or names a disease without being research on
    it."""

    selector = "665a7e6e"
    parameters = (("purposes", "uint16"), ("disease", "bytes13"))


class DatasetVersionEmpty(ContractError):
    """A version has a root."""

    selector = "2849e090"
    parameters = ()

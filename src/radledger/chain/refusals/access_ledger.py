"""Custom errors of AccessLedger.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "AccessAlreadyAnswered",
    "AccessAlreadyDemanded",
    "AccessAnswerLate",
    "AccessBadSignature",
    "AccessDayNotOpen",
    "AccessLogNotGrown",
    "AccessNotAcknowledged",
    "AccessNotDemandable",
    "AccessNotDemanded",
    "AccessProofInvalid",
    "AccessRecorderAlreadyAppointed",
    "AccessRecorderMissing",
    "AccessRecorderNotAppointed",
    "AccessRootMissing",
]


class AccessAlreadyAnswered(ContractError):
    """The demand has already been answered."""

    selector = "074a899b"
    parameters = (("demand", "bytes32", "DemandId"),)


class AccessAlreadyDemanded(ContractError):
    """The receipt has already been demanded by this acknowledgement."""

    selector = "ac478cd4"
    parameters = (("demand", "bytes32", "DemandId"),)


class AccessAnswerLate(ContractError):
    """The time to answer the demand ended at `due`."""

    selector = "df6304aa"
    parameters = (("demand", "bytes32", "DemandId"), ("due", "uint40", "Time"))


class AccessBadSignature(ContractError):
    """`signer` did not sign this receipt."""

    selector = "ea18c5d4"
    parameters = (("signer", "address", "address"),)


class AccessDayNotOpen(ContractError):
    """The root of `day` cannot be anchored on `today`: that day has not begun, or ended more than
    two days ago."""

    selector = "e3f81de1"
    parameters = (("day", "uint32", "Day"), ("today", "uint32", "Day"))


class AccessLogNotGrown(ContractError):
    """The log `log` has `anchored` entries on the chain already, and `size` are not more."""

    selector = "2cc0e0ba"
    parameters = (
        ("log", "bytes32", "LogOrigin"),
        ("size", "uint40", "uint40"),
        ("anchored", "uint40", "uint40"),
    )


class AccessNotAcknowledged(ContractError):
    """The acknowledgement for `day` is not signed by a recorder of `institution`, but by
    `signer`."""

    selector = "a74b7793"
    parameters = (
        ("institution", "address", "address"),
        ("day", "uint32", "Day"),
        ("signer", "address", "address"),
    )


class AccessNotDemandable(ContractError):
    """A receipt of `day` cannot be demanded on `today`: that day is not closed yet, or was more
    than eight weeks ago."""

    selector = "92b0fe6d"
    parameters = (("day", "uint32", "Day"), ("today", "uint32", "Day"))


class AccessNotDemanded(ContractError):
    """The receipt has not been demanded by this acknowledgement."""

    selector = "64340472"
    parameters = (("demand", "bytes32", "DemandId"),)


class AccessProofInvalid(ContractError):
    """The proof does not lead to the root that `institution` anchored for `day`."""

    selector = "7c7eebee"
    parameters = (
        ("institution", "address", "address"),
        ("day", "uint32", "Day"),
        ("root", "bytes32", "bytes32"),
    )


class AccessRecorderAlreadyAppointed(ContractError):
    """`recorder` is or was a recorder of `institution`; appoint another key."""

    selector = "69c45377"
    parameters = (("institution", "address", "address"), ("recorder", "address", "address"))


class AccessRecorderMissing(ContractError):
    """The zero address cannot be a recorder."""

    selector = "548215af"
    parameters = ()


class AccessRecorderNotAppointed(ContractError):
    """`recorder` is not a recorder of `institution`, or was dismissed."""

    selector = "9845db3e"
    parameters = (("institution", "address", "address"), ("recorder", "address", "address"))


class AccessRootMissing(ContractError):
    """The root of the day is empty."""

    selector = "a1c10c8c"
    parameters = ()

"""Custom errors of IdentityRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "IdentityAlreadyApproved",
    "IdentityBadSignature",
    "IdentityDeactivated",
    "IdentityDelayTooLong",
    "IdentityDelayTooShort",
    "IdentityGuardianIsSelf",
    "IdentityGuardiansMismatch",
    "IdentityGuardiansNotAscending",
    "IdentityNewOwnerInvalid",
    "IdentityNoApproval",
    "IdentityNoRecovery",
    "IdentityNotGuardian",
    "IdentityNotOwner",
    "IdentityRecoveryNotApproved",
    "IdentityRecoveryNotReady",
    "IdentityThresholdOutOfRange",
    "IdentityTooManyGuardians",
    "IdentityValidityTooLong",
]


class IdentityAlreadyApproved(ContractError):
    """`guardian` already approved this recovery."""

    selector = "1b5cbcfe"
    parameters = (
        ("identity", "address", "address"),
        ("newOwner", "address", "address"),
        ("guardian", "address", "address"),
    )


class IdentityBadSignature(ContractError):
    """The signature is not by `owner`, who acts as the owner of `identity`: it is by `signer`, or
    malformed if that is zero."""

    selector = "0b7b127f"
    parameters = (
        ("identity", "address", "address"),
        ("owner", "address", "address"),
        ("signer", "address", "address"),
    )


class IdentityDeactivated(ContractError):
    """`identity` was deactivated for good."""

    selector = "9ef8527b"
    parameters = (("identity", "address", "address"),)


class IdentityDelayTooLong(ContractError):
    """A recovery delay of `delay` seconds outlasts the guardians' approvals; the maximum is
    `longest`."""

    selector = "167b9429"
    parameters = (("delay", "uint256", "Duration256"), ("longest", "uint256", "Duration256"))


class IdentityDelayTooShort(ContractError):
    """A recovery delay of `delay` seconds leaves an owner too little time; the minimum is
    `least`."""

    selector = "ae128bfa"
    parameters = (("delay", "uint256", "Duration256"), ("least", "uint256", "Duration256"))


class IdentityGuardianIsSelf(ContractError):
    """`guardian` is `identity` itself or its owner, and cannot be its guardian."""

    selector = "0d50ba1b"
    parameters = (("identity", "address", "address"), ("guardian", "address", "address"))


class IdentityGuardiansMismatch(ContractError):
    """These are not the guardians and threshold of `identity`, whose hash is `expected`."""

    selector = "85f79def"
    parameters = (
        ("identity", "address", "address"),
        ("given", "bytes32", "bytes32"),
        ("expected", "bytes32", "bytes32"),
    )


class IdentityGuardiansNotAscending(ContractError):
    """The guardians are not in ascending order, each once: `guardian` comes after `previous`."""

    selector = "b5b59788"
    parameters = (("previous", "address", "address"), ("guardian", "address", "address"))


class IdentityNewOwnerInvalid(ContractError):
    """`newOwner` cannot become the owner of `identity` by recovery: it is zero, or already the
    owner."""

    selector = "a99cf887"
    parameters = (("identity", "address", "address"), ("newOwner", "address", "address"))


class IdentityNoApproval(ContractError):
    """`guardian` has not approved the recovery of `identity` to `newOwner`, or the approval no
    longer counts."""

    selector = "48a9d989"
    parameters = (
        ("identity", "address", "address"),
        ("newOwner", "address", "address"),
        ("guardian", "address", "address"),
    )


class IdentityNoRecovery(ContractError):
    """No recovery of `identity` is under way."""

    selector = "2ea20b64"
    parameters = (("identity", "address", "address"),)


class IdentityNotGuardian(ContractError):
    """`guardian` is not a guardian of `identity`."""

    selector = "00686bcf"
    parameters = (("identity", "address", "address"), ("guardian", "address", "address"))


class IdentityNotOwner(ContractError):
    """`actor` does not act as the owner of `identity`."""

    selector = "c3b2f75b"
    parameters = (("identity", "address", "address"), ("actor", "address", "address"))


class IdentityRecoveryNotApproved(ContractError):
    """Too few guardians have approved the recovery of `identity` to `newOwner`."""

    selector = "9a16a32b"
    parameters = (
        ("identity", "address", "address"),
        ("newOwner", "address", "address"),
        ("approvals", "uint256", "uint256"),
    )


class IdentityRecoveryNotReady(ContractError):
    """The recovery cannot be executed before `readyAt` (Unix time)."""

    selector = "466ca477"
    parameters = (("readyAt", "uint40", "Time"),)


class IdentityThresholdOutOfRange(ContractError):
    """The threshold `threshold` is not between 1 and the number of guardians, `guardians`."""

    selector = "407d7250"
    parameters = (("threshold", "uint256", "uint256"), ("guardians", "uint256", "uint256"))


class IdentityTooManyGuardians(ContractError):
    """`guardians` guardians are over the limit of `most`."""

    selector = "2405cc35"
    parameters = (("guardians", "uint256", "uint256"), ("most", "uint256", "uint256"))


class IdentityValidityTooLong(ContractError):
    """A validity of `validity` seconds is over the limit of `longest`."""

    selector = "a7e293f6"
    parameters = (("validity", "uint256", "Duration256"), ("longest", "uint256", "Duration256"))

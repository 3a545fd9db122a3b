"""Custom errors of ParticipantRegistry.

Written by ``tools/generate_refusals.py``; edit the contracts instead.
"""

from __future__ import annotations

from radledger.chain.refusals.base import ContractError

__all__ = [
    "ParticipantAlreadyGovernor",
    "ParticipantAlreadySuspended",
    "ParticipantAlreadyVoted",
    "ParticipantBelongsTo",
    "ParticipantIsInstitution",
    "ParticipantIsSuspended",
    "ParticipantLacksRole",
    "ParticipantLastGovernor",
    "ParticipantNoAuthority",
    "ParticipantNoGovernors",
    "ParticipantNotAccredited",
    "ParticipantNotGovernor",
    "ParticipantNotInstitution",
    "ParticipantNotSuspended",
    "ParticipantRolesNotPermitted",
    "ParticipantZeroAddress",
]


class ParticipantAlreadyGovernor(ContractError):
    """`account` is a governor already."""

    selector = "bceeca78"
    parameters = (("account", "address"),)


class ParticipantAlreadySuspended(ContractError):
    """`account` is suspended already by the authority of `actor`."""

    selector = "43cae11c"
    parameters = (("account", "address"), ("actor", "address"))


class ParticipantAlreadyVoted(ContractError):
    """`governor` has voted on this change already."""

    selector = "f1fc61f2"
    parameters = (("governor", "address"), ("account", "address"), ("add", "bool"))


class ParticipantBelongsTo(ContractError):
    """`account` belongs to `institution` until it leaves."""

    selector = "b6a1ea02"
    parameters = (("account", "address"), ("institution", "address"))


class ParticipantIsInstitution(ContractError):
    """`account` is an institution: it cannot be a member of one, nor leave."""

    selector = "d5234281"
    parameters = (("account", "address"),)


class ParticipantIsSuspended(ContractError):
    """`account`, or `institution` to which it belongs, is suspended."""

    selector = "93f937b1"
    parameters = (("account", "address"), ("institution", "address"))


class ParticipantLacksRole(ContractError):
    """`account` holds the roles `held`, and `role` is not among them."""

    selector = "f49bc076"
    parameters = (("account", "address"), ("role", "uint32"), ("held", "uint32"))


class ParticipantLastGovernor(ContractError):
    """`account` is the last governor, who cannot be removed."""

    selector = "71e3a1ea"
    parameters = (("account", "address"),)


class ParticipantNoAuthority(ContractError):
    """`actor` is neither a governor nor the institution of `account`."""

    selector = "da8ae04b"
    parameters = (("account", "address"), ("actor", "address"))


class ParticipantNoGovernors(ContractError):
    """No governor is given; a registry starts with at least one."""

    selector = "bf88eccd"
    parameters = ()


class ParticipantNotAccredited(ContractError):
    """`account` belongs to no institution."""

    selector = "07bf7cdc"
    parameters = (("account", "address"),)


class ParticipantNotGovernor(ContractError):
    """`account` is not a governor."""

    selector = "7a81ab4d"
    parameters = (("account", "address"),)


class ParticipantNotInstitution(ContractError):
    """`account` is not an accredited institution."""

    selector = "bda585ca"
    parameters = (("account", "address"),)


class ParticipantNotSuspended(ContractError):
    """No suspension of `account` is one that `actor` may lift."""

    selector = "c2e96fc9"
    parameters = (("account", "address"), ("actor", "address"))


class ParticipantRolesNotPermitted(ContractError):
    """`roles` is empty or holds a bit that is not among `permitted`."""

    selector = "aca70457"
    parameters = (("roles", "uint32"), ("permitted", "uint32"))


class ParticipantZeroAddress(ContractError):
    """The zero address cannot be a participant."""

    selector = "3f65ccdf"
    parameters = ()

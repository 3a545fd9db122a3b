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
    """`account` is already a governor."""

    selector = "bceeca78"
    parameters = (("account", "address", "address"),)


class ParticipantAlreadySuspended(ContractError):
    """`account` is already suspended by the authority of `actor`."""

    selector = "43cae11c"
    parameters = (("account", "address", "address"), ("actor", "address", "address"))


class ParticipantAlreadyVoted(ContractError):
    """`governor` already voted on this change."""

    selector = "f1fc61f2"
    parameters = (
        ("governor", "address", "address"),
        ("account", "address", "address"),
        ("add", "bool", "bool"),
    )


class ParticipantBelongsTo(ContractError):
    """`account` still belongs to `institution`; it must leave first."""

    selector = "b6a1ea02"
    parameters = (("account", "address", "address"), ("institution", "address", "address"))


class ParticipantIsInstitution(ContractError):
    """`account` is an institution: it can neither be a member of one nor leave."""

    selector = "d5234281"
    parameters = (("account", "address", "address"),)


class ParticipantIsSuspended(ContractError):
    """`account`, or its institution `institution`, is suspended."""

    selector = "93f937b1"
    parameters = (("account", "address", "address"), ("institution", "address", "address"))


class ParticipantLacksRole(ContractError):
    """`account` lacks the role `role`; it holds `held`."""

    selector = "f49bc076"
    parameters = (
        ("account", "address", "address"),
        ("role", "uint32", "RoleMask"),
        ("held", "uint32", "RoleMask"),
    )


class ParticipantLastGovernor(ContractError):
    """`account` is the last governor and cannot be removed."""

    selector = "71e3a1ea"
    parameters = (("account", "address", "address"),)


class ParticipantNoAuthority(ContractError):
    """`actor` is neither a governor nor the institution of `account`."""

    selector = "da8ae04b"
    parameters = (("account", "address", "address"), ("actor", "address", "address"))


class ParticipantNoGovernors(ContractError):
    """No governor is given."""

    selector = "bf88eccd"
    parameters = ()


class ParticipantNotAccredited(ContractError):
    """`account` belongs to no institution."""

    selector = "07bf7cdc"
    parameters = (("account", "address", "address"),)


class ParticipantNotGovernor(ContractError):
    """`account` is not a governor."""

    selector = "7a81ab4d"
    parameters = (("account", "address", "address"),)


class ParticipantNotInstitution(ContractError):
    """`account` is not an accredited institution."""

    selector = "bda585ca"
    parameters = (("account", "address", "address"),)


class ParticipantNotSuspended(ContractError):
    """`account` is not suspended in a way that `actor` may lift."""

    selector = "c2e96fc9"
    parameters = (("account", "address", "address"), ("actor", "address", "address"))


class ParticipantRolesNotPermitted(ContractError):
    """`roles` is empty, or has a role that is not among `permitted`."""

    selector = "aca70457"
    parameters = (("roles", "uint32", "RoleMask"), ("permitted", "uint32", "RoleMask"))


class ParticipantZeroAddress(ContractError):
    """The zero address cannot be a participant."""

    selector = "3f65ccdf"
    parameters = ()

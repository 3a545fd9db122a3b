"""The roles that a participant can be accredited for, by name and by bit."""

from __future__ import annotations

from collections.abc import Iterable

from radledger.identity.bindings import Roles
from radledger.identity.errors import UnknownRole

__all__ = ["ROLES", "role_bits", "role_names"]

ROLES = {
    "governor": Roles.GOVERNOR,
    "custodian": Roles.CUSTODIAN,
    "clinician": Roles.CLINICIAN,
    "radiologist": Roles.RADIOLOGIST,
    "researcher": Roles.RESEARCHER,
    "sponsor": Roles.SPONSOR,
    "analyst": Roles.ANALYST,
    "annotator": Roles.ANNOTATOR,
    "developer": Roles.DEVELOPER,
    "educator": Roles.EDUCATOR,
    "manufacturer": Roles.MANUFACTURER,
    "inspector": Roles.INSPECTOR,
    "regulator": Roles.REGULATOR,
    "member": Roles.MEMBER,
}
"""Bit of each role; what each may do is said in ``contracts/lib/Roles.sol``."""


def role_bits(names: Iterable[str]) -> int:
    """Mask of roles given by name, in any case.

    Raises
    ------
    UnknownRole
        If a name is not that of a role, or none is given.

    Examples
    --------
    >>> role_bits(["custodian", "Radiologist"])
    10
    """
    mask = 0
    for name in names:
        if name.lower() not in ROLES:
            raise UnknownRole(f"{name!r} is not a role; give {', '.join(ROLES)}", role=name)
        mask |= ROLES[name.lower()]
    if not mask:
        raise UnknownRole("no role was given; give at least one, such as radiologist", role=None)
    return mask


def role_names(mask: int) -> tuple[str, ...]:
    """Names of the roles in a mask, in the order of their bits.

    Examples
    --------
    >>> role_names(10)
    ('custodian', 'radiologist')
    """
    return tuple(name for name, bit in ROLES.items() if mask & bit)

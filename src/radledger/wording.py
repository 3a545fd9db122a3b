"""Messages of refusals: values in words by their Solidity types, and what to do next.

A refusal's own message has the numbers that the contract gave, and its values have them too; to
read them takes what several packages know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from radledger.areas import AREAS
from radledger.chain.enumerations import ENUMERATIONS
from radledger.chain.refusals.base import ContractError
from radledger.consent.diseases import decode_disease
from radledger.consent.duo import condition_names, purpose_names
from radledger.consent.model import UNTIL_REVOKED
from radledger.consent.scope import scope_name
from radledger.errors import RadLedgerError
from radledger.identity.roles import role_names

__all__ = ["humanize"]

# The last second that has a date; later ones stand for no end.
_LAST = 253_402_300_799
# Where the contract's notice with its values in place does not read well.
_SENTENCES = {
    "IdentityThresholdOutOfRange": (
        "{threshold} of {guardians} guardians cannot be asked for; give at least one, and no more "
        "than there are"
    ),
    "ParticipantIsInstitution": (
        "{account} is an institution, or would be its own: it cannot be a member, nor leave"
    ),
    "ParticipantRolesNotPermitted": (
        "Roles that can be given here are {permitted}; asked for: {roles}"
    ),
}
_NEXT = {name: hint for area in AREAS for name, hint in area.hints.items()}


def humanize(error: RadLedgerError) -> str:
    """The message of an error; that of a contract's refusal with its values in words.

    Examples
    --------
    >>> from radledger.chain.refusals import ConsentNotPermittedPurpose
    >>> humanize(ConsentNotPermittedPurpose.of({"granted": 32, "used": 4}))[:73]
    'The use is not permitted: not all of its purposes are granted (granted CC'
    """
    if not isinstance(error, ContractError):
        return error.message
    try:
        return _sentence(error)
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        return error.message  # a relayer's word for it, with values of its own


def _sentence(error: ContractError) -> str:
    types = {name: internal_type for name, _, internal_type in error.parameters}
    words = {name: _word(types[name], value) for name, value in error.values.items()}
    if error.name in _SENTENCES and words.keys() == types.keys():
        return _SENTENCES[error.name].format(**words) + "."
    # What is a date now needs no unit.
    message = type(error).of(words).message.replace(" (Unix time)", "")
    hint = _NEXT.get(error.name)
    return f"{message.rstrip('.')}; {hint}" if hint else message


def _word(internal_type: str, value: Any) -> Any:
    """A value by its Solidity type; counts, amounts, ids and addresses stay as they are."""
    if internal_type in ENUMERATIONS:
        return ENUMERATIONS[internal_type][value]
    return _WORDS[internal_type](value) if internal_type in _WORDS else value


def _date(time: int) -> str:
    if time > _LAST:
        return "no end"
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _day(number: int) -> str:
    seconds = number * 86_400
    return "no end" if seconds > _LAST else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _short_date(time: int) -> str:
    return "no end" if time == UNTIL_REVOKED else _date(time)


def _listed(names: Callable[[int], tuple[str, ...]]) -> Callable[[int], str]:
    """The names of a mask's bits, and whether it has others."""

    def listed(mask: int) -> str:
        known = names(mask)
        unknown = ("unknown",) if len(known) < mask.bit_count() else ()
        return ", ".join((*known, *unknown)) or "none"

    return listed


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "Conditions": _listed(condition_names),
    "Day": _day,
    "Disease": lambda digest: decode_disease(bytes.fromhex(digest[2:])) or "none",
    "Duration": lambda seconds: f"{seconds} s",
    "Duration256": lambda seconds: f"{seconds} s",
    "Purposes": _listed(purpose_names),
    "RoleMask": _listed(role_names),
    "Scope": lambda scope: scope_name(bytes.fromhex(scope[2:])),
    "Time": _date,
    "Time256": _date,
    "Time32": _short_date,
    "bool": {True: "yes", False: "no"}.__getitem__,
}

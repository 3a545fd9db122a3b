"""De-identification profiles: DICOM PS3.15 Annex E, Table E.1-1, as one action for each tag.

Edition 2026c throughout.  The column of the Basic Profile comes from dicom-anonymizer, which
generates it from the standard; those of the options are in `radledger.dicom.options`.  Where the
Basic Profile offers a choice, the action is one that keeps every object conformant: a dummy for
Z/D, X/D and X/Z/D, an empty value for X/Z.  Where one option keeps what another cleans, it is
cleaned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from radledger.dicom.options import (
    CHARACTERISTICS_CLEANED,
    CHARACTERISTICS_KEPT,
    DATES_NOT_MODIFIED,
    DATES_OF_OTHER_VR,
    DESCRIPTORS_CLEANED,
    DEVICE_CLEANED,
    DEVICE_KEPT,
)
from radledger.errors import UsageError

__all__ = ["BASIC", "OPTIONS", "Action", "Profile"]


class Action(Enum):
    """What happens to an element: the action codes of Table E.1-1a."""

    KEEP = "K"
    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    CLEAN = "C"
    DATE = "shift"


BASIC = "basic"
LONGITUDINAL = "retain-longitudinal-modified-dates"
DESCRIPTORS = "clean-descriptors"
DEVICE = "retain-device-identity"
CHARACTERISTICS = "retain-patient-characteristics"

OPTIONS: Mapping[str, tuple[str, str]] = {
    BASIC: ("113100", "Basic Application Confidentiality Profile"),
    DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    LONGITUDINAL: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option"),
    DEVICE: ("113109", "Retain Device Identity Option"),
}
"""Name of each profile or option: its code (PS3.16 CID 7050) and meaning."""

_TABLE = (
    (table.D_TAGS, Action.DUMMY),
    (table.Z_TAGS, Action.EMPTY),
    (table.X_TAGS, Action.REMOVE),
    (table.U_TAGS, Action.UID),
    (table.Z_D_TAGS, Action.DUMMY),
    (table.X_Z_TAGS, Action.EMPTY),
    (table.X_D_TAGS, Action.DUMMY),
    (table.X_Z_D_TAGS, Action.DUMMY),
    # references between images: kept, with the UIDs in them replaced
    (table.X_Z_U_STAR_TAGS, Action.KEEP),
)

_TIMES = frozenset({"DA", "DT", "TM"})


@dataclass(frozen=True)
class Profile:
    """The Basic Profile with options; make one with `parse`.

    Attributes
    ----------
    options
        Names of `OPTIONS`, ``basic`` first, in the order of their codes.
    """

    options: tuple[str, ...] = field(default=(BASIC,))

    @classmethod
    def parse(cls, *names: str) -> Profile:
        """A profile from names, each of which may join several with ``+``.

        ``basic`` is always part of it, since the options only modify it (PS3.15 E.1.1).

        Raises
        ------
        UsageError
            For a name that is none of `OPTIONS`.

        Examples
        --------
        >>> Profile.parse("basic+clean-descriptors", "retain-device-identity").name
        'basic+clean-descriptors+retain-device-identity'
        """
        asked = {part.strip() for name in names for part in name.split("+")} | {BASIC}
        for name in sorted(asked - set(OPTIONS)):
            raise UsageError(
                f"there is no de-identification profile {name!r}; choose from {', '.join(OPTIONS)}",
                profile=name,
                profiles=list(OPTIONS),
            )
        return cls(tuple(name for name in OPTIONS if name in asked))

    @property
    def name(self) -> str:
        """The names joined by ``+``, as `parse` takes them."""
        return "+".join(self.options)

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Code value and meaning of each, for De-identification Method Code Sequence."""
        return [OPTIONS[option] for option in self.options]

    @property
    def shifts_dates(self) -> bool:
        """Whether dates are moved instead of removed."""
        return LONGITUDINAL in self.options

    @cached_property
    def actions(self) -> Mapping[int, Action]:
        """The action for each tag that the table or an option names."""
        actions = dict(_basic())
        if DEVICE in self.options:
            actions |= _each(DEVICE_KEPT, Action.KEEP)
            actions |= _each(DEVICE_CLEANED, Action.CLEAN)
        if CHARACTERISTICS in self.options:
            actions |= _each(CHARACTERISTICS_KEPT, Action.KEEP)
            actions |= _each(CHARACTERISTICS_CLEANED, Action.CLEAN)
        if DESCRIPTORS in self.options:
            actions |= _each(DESCRIPTORS_CLEANED, Action.CLEAN)
        if self.shifts_dates:
            actions |= _each(_dates(), Action.DATE)
        return actions


def _each(keys: Iterable[int], action: Action) -> dict[int, Action]:
    return dict.fromkeys(keys, action)


@cache
def _dates() -> frozenset[int]:
    times = {tag for tag in _basic() if dictionary_has_tag(tag) and dictionary_VR(tag) in _TIMES}
    return frozenset(times | DATES_OF_OTHER_VR) - DATES_NOT_MODIFIED


@cache
def _basic() -> Mapping[int, Action]:
    # the table's four-number entries are groups 50xx and 60xx, which go as a whole
    return {
        entry[0] << 16 | entry[1]: action
        for entries, action in _TABLE
        for entry in entries
        if len(entry) == 2
    }

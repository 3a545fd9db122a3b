"""What a search asks for: PS3.18 section 8.3.4, matching as in PS3.4 section C.2.2.2."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from radledger.gateway.dicomweb.json_model import BINARY, tags_of
from radledger.gateway.errors import QueryInvalid
from radledger.texts import quoted

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

__all__ = ["INSTANCE", "MODALITIES", "SERIES", "STUDY", "Search", "parsed", "search_for"]

Row = Mapping[str, Mapping[str, Any]]
"""Attributes in the DICOM JSON Model."""

(MODALITIES,) = tags_of("ModalitiesInStudy")
STUDY = tags_of(
    *("StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName"),
    *("StudyDescription", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate"),
    *("PatientSex", "StudyInstanceUID", "StudyID"),
)
SERIES = tags_of(
    *("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "SeriesDate"),
    *("SeriesTime", "BodyPartExamined", "ProtocolName", "Laterality"),
    *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
)
INSTANCE = tags_of(
    *("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated"),
    *("NumberOfFrames", "ContentDate", "ContentTime"),
)
_FUZZY = "fuzzymatching"
_RESERVED = frozenset({"limit", "offset", "includefield", _FUZZY, "accept"})
_NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_PAGE, _MOST = 1000, 1 << 31


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks for.

    Attributes
    ----------
    filters
        Values by tag, all of which have to match.
    include
        Tags to answer with beside those that are always there; `None` for all of the level.
    offset, limit
        Which of the matches; over HTTP, 1,000 at most.
    fuzzy
        Whether names were to match by their sound, which they do not.
    """

    filters: Mapping[str, str]
    include: frozenset[str] | None
    offset: int
    limit: int
    fuzzy: bool

    def matches(self, row: Row, tags: Iterable[str] | None = None) -> bool:
        """Whether a row has the values that are asked for; of some tags, or of all."""
        wanted = self.filters if tags is None else self.filters.keys() & set(tags)
        return all(_matches(tag, self.filters[tag], row.get(tag, {})) for tag in wanted)

    def of_page(self, rows: Iterable[Any]) -> tuple[list[Any], bool]:
        """The matches that are asked for, and whether there are more; no others are made."""
        found = list(islice(rows, self.offset, self.offset + self.limit + 1))
        return found[: self.limit], len(found) > self.limit


def parsed(parameters: QueryParams, keys: Sequence[str]) -> Search:
    """What the parameters of a search ask for.

    Parameters
    ----------
    parameters
        Of the URL: attributes by keyword or tag, ``includefield``, ``limit``, ``offset`` and
        ``fuzzymatching``.
    keys
        Tags of the attributes that can be matched.

    Raises
    ------
    QueryInvalid
        If one is unknown, or its value is not valid.  It is not left out: the answer would have
        more than was asked for.
    """
    filters: dict[str, str] = {}
    include: set[str] = set()
    everything = False
    for name, value in parameters.multi_items():
        if name == "includefield":
            fields = [each.strip() for each in value.split(",") if each.strip()]
            everything |= "all" in fields
            include |= {_tag(field) for field in fields if field != "all"}
        elif name not in _RESERVED:
            tag = _tag(name)
            if tag not in keys:
                raise QueryInvalid(
                    f"{quoted(name)} cannot be matched here; match "
                    f"{', '.join(keyword_for_tag(int(key, 16)) for key in keys)}",
                    parameter=name,
                )
            if filters.setdefault(tag, value) != value:
                raise QueryInvalid(f"{quoted(name)} is given twice; give one value", parameter=name)
            _require_valid(name, tag, value)
    fuzzy = parameters.get(_FUZZY, "false")
    if fuzzy not in ("true", "false"):
        raise QueryInvalid.of(_FUZZY, fuzzy, "true or false")
    return Search(
        {tag: value for tag, value in filters.items() if value},  # none matches all
        None if everything else frozenset(include),
        _count(parameters, "offset", 0),
        min(_count(parameters, "limit", _PAGE), _PAGE),
        fuzzy == "true",
    )


def search_for(filters: Mapping[str, str]) -> Search:
    """A search by values alone, with all attributes of what matches.

    Parameters
    ----------
    filters
        Values by tag; one that is empty matches all.

    Raises
    ------
    QueryInvalid
        If a value is not valid.
    """
    for tag, value in filters.items():
        _require_valid(keyword_for_tag(int(tag, 16)), tag, value)
    wanted = {tag: value for tag, value in filters.items() if value}
    return Search(wanted, include=None, offset=0, limit=_MOST, fuzzy=False)


def _tag(name: str) -> str:
    if re.fullmatch(r"[0-9a-fA-F]{8}", name):
        return name.upper()
    tag = tag_for_keyword(name)
    if tag is None:
        raise QueryInvalid(
            f"{quoted(name)} is not an attribute; name it by keyword or by its tag of 8 digits",
            parameter=name,
        )
    return f"{tag:08X}"


def _count(parameters: QueryParams, name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise QueryInvalid.of(name, text, "a number")
    return int(text)


def _require_valid(name: str, tag: str, value: str) -> None:
    vr = _vr(tag)
    if not value:
        return
    if vr == "DA" and not re.fullmatch(r"\d{8}|\d{8}-(\d{8})?|-\d{8}", value):
        raise QueryInvalid.of(
            name, value, "a date such as 20261130, or a range such as 20261101-20261130"
        )
    if vr == "TM" and not re.fullmatch(r"(?=.)([\d.]{2,13})?(-([\d.]{2,13})?)?", value):
        raise QueryInvalid.of(name, value, "a time such as 093000, or a range such as 0900-1200")
    if vr in _NUMBERS and not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        raise QueryInvalid.of(name, value, "a number")


def _vr(tag: str) -> str:
    return dictionary_VR(int(tag, 16))


def _matches(tag: str, wanted: str, found: Mapping[str, Any]) -> bool:
    vr, values = _vr(tag), found.get("Value", ())
    if vr in BINARY or vr == "SQ":
        return False
    if vr == "PN":
        return any(_like(wanted.rstrip("^"), name, fold=True) for name in _names(values))
    if vr == "UI" or tag == MODALITIES:
        return not set(re.split(r"[,\\]", wanted)).isdisjoint(values)
    if vr in _NUMBERS:
        return any(float(each) == float(wanted) for each in values if each is not None)
    if vr in ("DA", "TM"):
        return any(_within(wanted, str(each), vr) for each in values if each)
    return any(_like(wanted, str(each)) for each in values if each is not None)


def _names(values: Iterable[Mapping[str, str]]) -> Iterable[str]:
    return (name.rstrip("^") for each in values if each for name in each.values())


def _like(wanted: str, found: str, *, fold: bool = False) -> bool:
    """Whether a text matches one with wildcards, in time that many wildcards do not multiply."""
    wanted, found = wanted.strip().replace("[", "[[]"), found.strip()
    if fold:
        wanted, found = wanted.casefold(), found.casefold()
    return re.match(fnmatch.translate(wanted), found) is not None


def _within(wanted: str, found: str, vr: str) -> bool:
    first, dash, last = wanted.partition("-")
    low = _padded(first, vr, "0")
    if not dash:
        return low <= _padded(found, vr, "0") <= _padded(first, vr, "9")
    return (not first or low <= _padded(found, vr, "0")) and (
        not last or _padded(found, vr, "0") <= _padded(last, vr, "9")
    )


def _padded(text: str, vr: str, digit: str) -> str:
    """A date or time in full, so that texts compare as times do: ``09`` begins at ``090000``."""
    if vr == "DA":
        return text.replace(".", "")
    whole, _, fraction = text.replace(":", "").partition(".")
    return whole.ljust(6, digit) + fraction.ljust(6, digit)

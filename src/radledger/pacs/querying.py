"""What a C-FIND asks for, and its answers: PS3.4 sections C.2.2 and C.4.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from radledger.gateway.dicomweb.instances import PYDICOM
from radledger.gateway.dicomweb.json_model import BINARY, entry, tags_of
from radledger.gateway.dicomweb.matching import INSTANCE, SERIES, STUDY, search_for
from radledger.gateway.dicomweb.rows import STUDY_UID, instance_rows, series_rows, study_rows
from radledger.gateway.errors import QueryInvalid

if TYPE_CHECKING:
    from radledger.gateway.dicomweb.matching import Search
    from radledger.gateway.dicomweb.view import View

__all__ = ["LEVELS", "IdentifierInvalid", "Query", "level_of", "understanding"]


LEVELS = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
"""The levels of a query from the top, and the attribute by which each is known."""

_PATIENT = tags_of(
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"
)
_WHOSE = tags_of("PatientID", "IssuerOfPatientID")
_KEYS = {
    "PATIENT": _PATIENT,
    "STUDY": STUDY,
    "SERIES": (*STUDY, *SERIES),
    "IMAGE": (*STUDY, *SERIES, *INSTANCE),
}
# Said of the answer itself.
_CHARACTER_SET, _LEVEL, _TITLE = tags_of(
    "SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle"
)
_OF_ANSWER = {_CHARACTER_SET, _LEVEL, _TITLE, *tags_of("TimezoneOffsetFromUTC", "RetrieveURL")}
_Row = Mapping[str, Mapping[str, Any]]


class IdentifierInvalid(Exception):
    """The identifier of a request is not one of its information model."""


@contextmanager
def understanding() -> Iterator[None]:
    """Read what a peer has sent: values that are not valid are not warned of, as that shows them.

    Raises
    ------
    IdentifierInvalid
        If pydicom fails with it.
    """
    with PYDICOM, disable_value_validation():
        try:
            yield
        except IdentifierInvalid:
            raise
        except QueryInvalid as error:
            raise IdentifierInvalid(error.message) from error
        except Exception as error:  # pydicom raises what values provoke
            raise IdentifierInvalid("a value cannot be understood") from error


def level_of(identifier: Dataset, *, patient_root: bool) -> str:
    """The level of what a request looks for.

    Raises
    ------
    IdentifierInvalid
        If it is not one of the information model.
    """
    level = str(identifier.get("QueryRetrieveLevel", ""))
    if level not in LEVELS or (level == "PATIENT" and not patient_root):
        raise IdentifierInvalid("Query/Retrieve Level is not one of the model")
    return level


@dataclass(frozen=True, slots=True)
class Query:
    """What a C-FIND asks for.

    Attributes
    ----------
    level
        Of what is looked for.
    wanted
        Tags of the attributes to answer with.
    search
        What has to match.
    complete
        Whether all that was to be matched is; keys that are not supported are left out.
    """

    level: str
    wanted: tuple[str, ...]
    search: Search
    complete: bool

    @classmethod
    def of(cls, identifier: Dataset, *, patient_root: bool) -> Query:
        """From the identifier of a request.

        Parameters
        ----------
        identifier
            As it was sent.
        patient_root
            Whether the information model is that of the patient root.

        Raises
        ------
        IdentifierInvalid
            If its level is not one of the model, or a value cannot be understood.
        """
        with understanding():
            return cls._of(identifier, level_of(identifier, patient_root=patient_root))

    @classmethod
    def _of(cls, identifier: Dataset, level: str) -> Query:
        wanted, filters, complete = [], {}, True
        for key in sorted(identifier.keys()):
            tag = f"{key:08X}"
            if key.is_private or not key.element or tag in _OF_ANSWER:
                continue
            wanted.append(tag)
            if not identifier.get_item(key, keep_deferred=True).value:
                continue  # not converted: some of pydicom's converters fail for nothing
            element = identifier[key]
            if element.VR == "SQ":
                complete &= not any(len(item) for item in element.value)
            elif value := "" if element.VR in BINARY else _text(element.value):
                if tag in _KEYS[level]:
                    filters[tag] = value
                else:
                    complete = False
        return cls(level, tuple(wanted), search_for(filters), complete)

    @property
    def studies(self) -> list[str]:
        """UIDs of the studies that are asked for; none if it is not by these."""
        return [uid for uid in self.search.filters.get(STUDY_UID, "").split("\\") if uid]

    def answers(self, view: View, title: str) -> Iterator[Dataset]:
        """The identifiers of what a view shows and matches.

        Parameters
        ----------
        view
            What may be found.
        title
            From which application entity it can be retrieved.
        """
        for row in self._rows(view):
            yield self._answer(row, title)

    def _rows(self, view: View) -> Iterator[_Row]:
        if self.level == "IMAGE":
            yield from instance_rows(view, self.search, ())
        elif self.level == "SERIES":
            yield from filter(self.search.matches, series_rows(view, None).values())
        elif self.level == "STUDY":
            yield from filter(self.search.matches, study_rows(view))
        else:
            patients = {str([row.get(tag) for tag in _WHOSE]): row for row in study_rows(view)}
            yield from filter(self.search.matches, patients.values())

    def _answer(self, row: _Row, title: str) -> Dataset:
        answer = Dataset()
        with PYDICOM, disable_value_validation():
            for tag in self.wanted:
                answer.update(_element(tag, row.get(tag, {})))
        answer.SpecificCharacterSet = "ISO_IR 192"
        answer.QueryRetrieveLevel = self.level
        answer.RetrieveAETitle = title
        return answer


def _text(value: Any) -> str:
    values = value if isinstance(value, MultiValue | list) else [value]
    return "\\".join("" if each is None else str(each).strip() for each in values)


def _element(tag: str, found: Mapping[str, Any]) -> Dataset:
    """An attribute of an answer; without a value if it is long or nested, or cannot be written."""
    try:
        vr = dictionary_VR(int(tag, 16)).split(" ")[0]  # of several, the first
    except KeyError:
        return Dataset()
    said = entry(found["vr"], *found["Value"]) if "Value" in found else entry(vr)
    try:
        return Dataset.from_json({tag: entry(vr) if vr == "SQ" else said})
    except Exception:  # pydicom raises what values provoke
        return Dataset.from_json({tag: entry(vr)})

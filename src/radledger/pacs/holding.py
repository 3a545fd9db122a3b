"""Whether an instance is held in the inbox, by the same rules however it arrives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.dicom.errors import DicomError
from radledger.dicom.read import DicomHeader, read_header
from radledger.dicom.values import value_of
from radledger.errors import DatabaseUnavailable
from radledger.pacs.errors import InvalidPatientList
from radledger.pacs.inbox import DuplicateInstance, Held
from radledger.texts import visible

if TYPE_CHECKING:
    from radledger.pacs.inbox import Inbox
    from radledger.pacs.patients import PatientList

__all__ = ["Holder", "Outcome"]

_LOGGER = logging.getLogger(__name__)

# PS3.4 table B.2-1, PS3.7 annex C, and PS3.18 table I.2-2
_SUCCESS = 0x0000
_DUPLICATE = 0x0111
_NOT_AUTHORIZED = 0x0124
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an instance.

    Attributes
    ----------
    status
        0 if it is held, now or before; else why not.
    comment
        The reason in words.
    header
        Of the instance; none if it cannot be read.
    """

    status: int
    comment: str = ""
    header: DicomHeader | None = None


class Holder:
    """Holds instances of the patients of a list.

    Parameters
    ----------
    inbox
        Where.
    patients
        Whose images are taken.
    clock
        Unix time.
    """

    def __init__(
        self, inbox: Inbox, patients: PatientList, clock: Callable[[], float] = time.time
    ) -> None:
        self._inbox = inbox
        self._patients = patients
        self._clock = clock

    def hold(self, path: Path, refuse: Callable[[DicomHeader], tuple[int, str] | None]) -> Outcome:
        """Take a file over, or say why not; the file stays where it is then.

        Parameters
        ----------
        path
            On the file system of the inbox.
        refuse
            Gives status and comment for an instance that is not what its sender said.
        """
        header: DicomHeader | None = None
        try:
            header = read_header(path)
            status, comment = refuse(header) or self._held(path, header)
        except DicomError as error:
            status, comment = _CANNOT_UNDERSTAND, error.message
        except (InvalidPatientList, DatabaseUnavailable, OSError) as error:
            _LOGGER.warning(f"an instance was refused: {visible(str(error))}")
            status, comment = _OUT_OF_RESOURCES, "the receiver cannot hold instances now"
        except Exception as error:
            _LOGGER.error("an instance was refused by a fault of the receiver", exc_info=error)
            status, comment = _CANNOT_UNDERSTAND, "a fault of the receiver"
        return Outcome(status, comment, header)

    def _held(self, path: Path, header: DicomHeader) -> tuple[int, str]:
        patient = self._patients.find(
            _text(header, "PatientID"), _text(header, "IssuerOfPatientID")
        )
        if patient is None:
            return _NOT_AUTHORIZED, "the Patient ID is not in the receiver's list"
        held = Held(patient, header.study, header.sop_instance, self._clock())
        try:
            self._inbox.hold(path, held)
        except DuplicateInstance:
            return _DUPLICATE, "another instance with this UID is held"
        return _SUCCESS, ""


def _text(header: DicomHeader, keyword: str) -> str:
    return str(value_of(header.dataset, keyword) or "").strip()

"""Whose images arrive: a list from Patient IDs to patients of the chain."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from radledger.errors import UsageError
from radledger.pacs.errors import InvalidPatientList

__all__ = ["PatientList"]

_NEEDED, _ALLOWED = {"patient_id", "patient"}, {"patient_id", "issuer", "patient"}
_LIST = (
    "a list of patients is a CSV file: its first line is patient_id,patient or "
    "patient_id,issuer,patient, and each line after it names a Patient ID and its patient, such as "
    "4711,alice"
)

# Patient ID and its issuer, or no issuer, to an address.
_Patients = Mapping[tuple[str, str], str]


class PatientList:
    r"""A CSV file with the columns ``patient_id``, ``patient`` and, if wanted, ``issuer``.

    It is read again when it was written to.  A list that can no longer be understood is an error
    for each instance until it is corrected; the former one does not count any more.

    Parameters
    ----------
    file
        The list.
    address
        The address of a patient, given as such or by the name of an account.

    Raises
    ------
    InvalidPatientList
        If the file cannot be read, is not such a list, or names two patients for one Patient ID.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "patients.csv"
    >>> _ = file.write_text("patient_id,patient\n4711,alice\n")
    >>> PatientList(file, {"alice": "0xA11CE"}.__getitem__).find("4711", "ANY HOSPITAL")
    '0xA11CE'
    """

    def __init__(self, file: Path, address: Callable[[str], str]) -> None:
        self._file = file
        self._address = address
        self._lock = Lock()
        self._version: tuple[int, int, int] | None = None
        self._patients: _Patients = {}
        self.find("", "")

    def find(self, patient_id: str, issuer: str) -> str | None:
        """The address of a patient; None if the list does not name them.

        Parameters
        ----------
        patient_id, issuer
            As in an instance: (0010,0020) and (0010,0021).  A line without an issuer is for any.

        Raises
        ------
        InvalidPatientList
            If the file was changed, and is not a list any more.
        """
        with self._lock:
            patients = self._current()
        return patients.get((patient_id, issuer)) or patients.get((patient_id, ""))

    def _current(self) -> _Patients:
        try:
            status = self._file.stat()
            version = status.st_ino, status.st_mtime_ns, status.st_size
            if version != self._version:
                self._version, self._patients = None, self._read()
                self._version = version
        except OSError as error:
            raise InvalidPatientList(
                f"{self._file} cannot be read: {error.strerror}; {_LIST}", file=str(self._file)
            ) from error
        return self._patients

    def _read(self) -> _Patients:
        patients: dict[tuple[str, str], str] = {}
        with self._file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            try:
                columns = set(reader.fieldnames or ())
                if not _NEEDED <= columns <= _ALLOWED:
                    raise self._invalid(1, f"its columns are not those of a list; {_LIST}")
                for row in reader:
                    if not row["patient_id"] or not row["patient"] or None in row:
                        reason = "it lacks a Patient ID or a patient, or has too many columns"
                        raise self._invalid(reader.line_num, f"{reason}; {_LIST}")
                    key = row["patient_id"].strip(), (row.get("issuer") or "").strip()
                    try:
                        patient = self._address(row["patient"])
                    except UsageError as error:
                        raise self._invalid(reader.line_num, error.message) from error
                    if patients.setdefault(key, patient) != patient:
                        reason = f"Patient ID {key[0]} has another patient above; leave one"
                        raise self._invalid(reader.line_num, reason)
            except UnicodeDecodeError as error:
                raise self._invalid(
                    reader.line_num + 1, "it is not text in UTF-8; save it as such"
                ) from error
            except csv.Error as error:
                raise self._invalid(reader.reader.line_num, f"{error}; {_LIST}") from error
        return patients

    def _invalid(self, line: int, reason: str) -> InvalidPatientList:
        return InvalidPatientList(
            f"{self._file}, line {line}: {reason}", file=str(self._file), line=line
        )

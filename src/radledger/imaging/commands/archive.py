"""Lists of an archive's files, and reports of what was left out."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from radledger.cli.output import plain
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.imaging.model import Added, Addition

__all__ = ["Account", "Archive", "accounting"]

_NEEDED, _ALLOWED = {"path", "patient"}, {"path", "patient", "visit", "course"}
_REASONS = 10
_LIST = (
    "a list is a CSV file: its first line is path,patient or path,patient,visit,course, and each "
    "line after it names a file or folder and its patient, such as ct/1.dcm,alice"
)


class ArchiveInvalid(UsageError):
    """A list of what to add that cannot be understood."""


@dataclass(frozen=True)
class Archive:
    """A CSV file with the columns ``path``, ``patient`` and, if wanted, ``visit`` and ``course``.

    It is read again each time, a line at a time.

    Attributes
    ----------
    file
        The list.
    address
        The address of a patient, given as such or by the name of an account.
    """

    file: Path
    address: Callable[[str], str]

    def __iter__(self) -> Iterator[Addition]:
        """What each line asks for.

        Raises
        ------
        ArchiveInvalid
            If the file is not such a list.
        """
        from radledger.imaging.model import Addition

        with self.file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            try:
                columns = set(reader.fieldnames or ())
                if not _NEEDED <= columns <= _ALLOWED:
                    raise self._invalid(1, f"its columns are not those of a list; {_LIST}")
                for row in reader:
                    if not row["path"] or not row["patient"] or None in row:
                        reason = "it lacks a path or a patient, or has too many columns"
                        raise self._invalid(reader.line_num, f"{reason}; {_LIST}")
                    try:
                        patient = self.address(row["patient"])
                    except UsageError as error:
                        raise self._invalid(reader.line_num, error.message) from error
                    visit, course = row.get("visit") or None, row.get("course") or None
                    yield Addition((Path(row["path"]),), patient, visit, course)
            except UnicodeDecodeError as error:
                raise self._invalid(
                    reader.line_num + 1, "it is not text in UTF-8; save it as such"
                ) from error
            except csv.Error as error:
                raise self._invalid(reader.line_num, f"{error}; {_LIST}") from error

    def _invalid(self, line: int, reason: str) -> ArchiveInvalid:
        return ArchiveInvalid(f"{self.file}, line {line}: {reason}", file=str(self.file), line=line)


@dataclass
class Account:
    """What was added, and how often what was not, for which reason."""

    report: IO[str] | None
    image_sets: int = 0
    added: int = 0
    instances: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, added: Added) -> None:
        """Count an addition, and write down what was not taken."""
        for result in added.results:
            self.image_sets += 1
            self.added += result.added
            self.instances += result.instances
            self._note(result.skipped, result.image_id)
        self._note(added.skipped, None)

    def _note(self, skipped: Any, image_id: str | None) -> None:
        for each in skipped:
            self.reasons[each.reason] += 1
            if self.report is not None:
                line = {**plain(each), "image_id": image_id}
                self.report.write(json.dumps(line) + "\n")

    def summary(self) -> dict[str, Any]:
        """Totals, and the most frequent reasons."""
        return {
            "image_sets": self.image_sets,
            "added": self.added,
            "instances": self.instances,
            "skipped": self.reasons.total(),
            "reasons": [
                {"files": files, "reason": reason}
                for reason, files in self.reasons.most_common(_REASONS)
            ],
        }


@contextmanager
def accounting(report: Path | None) -> Iterator[Account]:
    """An account whose lines go to a file, if one is named."""
    if report is None:
        yield Account(None)
        return
    with report.open("w", encoding="utf-8", buffering=1) as file:
        yield Account(file)

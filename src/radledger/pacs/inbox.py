"""Instances that were received and are not anchored yet.

::

    home/pacs/<chain id>-<chain and contract>/
      inbox.sqlite3   what is held, for whom, since when, and why it was left out
      held/           the files, as they were sent
      receiving/      files under way; emptied when a receiver starts
      storing/        the same of a gateway that takes instances

A file is on the disk before its row is, and its row before its sender is answered.  A file without
a row was not acknowledged, so it is removed at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.databases import SqliteDatabase
from radledger.files import private_folder, synchronise
from radledger.pacs.errors import StudyNotHeld

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment

__all__ = ["DuplicateInstance", "Held", "HeldStudy", "Inbox", "inbox_folder"]

_SCHEMA = (
    """
CREATE TABLE instances (
    name TEXT PRIMARY KEY,
    patient TEXT NOT NULL,
    study TEXT NOT NULL,
    sop_instance TEXT NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    received REAL NOT NULL,
    reason TEXT,
    UNIQUE (patient, study, sop_instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX instances_by_study ON instances (study);
CREATE INDEX instances_by_uid ON instances (sop_instance);
CREATE TABLE commitments (
    title TEXT NOT NULL,
    uid TEXT NOT NULL,
    instances TEXT NOT NULL,
    asked REAL NOT NULL,
    PRIMARY KEY (title, uid)
) STRICT, WITHOUT ROWID;
""",
)
_KEY = "patient = ? AND study = ? AND sop_instance = ?"


class DuplicateInstance(Exception):
    """Another instance with the same UID and other content is held."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of an instance that is to be held.

    Attributes
    ----------
    patient
        Address of whose it is.
    study, sop_instance
        UIDs.
    received
        Unix time.
    """

    patient: str
    study: str
    sop_instance: str
    received: float


@dataclass(frozen=True, slots=True)
class HeldStudy:
    """A study in the inbox.

    Attributes
    ----------
    patient
        Address of whose it is.
    study
        Study Instance UID.
    instances, size
        How many are held, and their bytes.
    last_received
        Unix time of the last; 0 once the study was closed on request.
    left_out
        How many files were left out by each reason; they stay until they are closed again or
        discarded.
    """

    patient: str
    study: str
    instances: int
    size: int
    last_received: float
    left_out: Mapping[str, int]


class Inbox:
    """What is held for one deployment.

    Parameters
    ----------
    folder
        Where; see `inbox_folder`.
    """

    def __init__(self, folder: Path) -> None:
        self._files = private_folder(private_folder(folder) / "held")
        self._database = SqliteDatabase(folder / "inbox.sqlite3", _SCHEMA)
        self._database.open()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def hold(self, file: Path, held: Held) -> bool:
        """Take a file over; it is on the disk, and its row too, when this returns.

        Parameters
        ----------
        file
            On the file system of the inbox; it is moved, or left where it is held already.
        held
            What it is.

        Returns
        -------
        bool
            Whether it was not held before.

        Raises
        ------
        DuplicateInstance
            If one with its UID and other content is held.
        """
        digest, size = _digested(file)
        if self._is_held(held, digest):
            return False
        name = f"{secrets.token_hex(16)}.dcm"
        path = self._files / name
        file.rename(path)
        try:
            # In its place first: most file systems put the name on the disk with the content.
            synchronise(path)
            synchronise(self._files)
            with self._database.writing() as write:
                write(
                    "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                    *(name, held.patient, held.study, held.sop_instance),
                    *(digest, size, held.received),
                )
        except sqlite3.IntegrityError:  # another association was faster with it
            path.unlink()
            if not self._is_held(held, digest):  # it is anchored by now, with which content?
                raise DuplicateInstance from None
            return False
        except BaseException:
            path.unlink()
            raise
        return True

    def due(self, before: float) -> Sequence[tuple[str, str]]:
        """Patient and study of which no instance was received since a time, oldest first."""
        rows = self._database.rows(
            "SELECT patient, study FROM instances WHERE reason IS NULL GROUP BY patient, study "
            "HAVING MAX(received) <= ? ORDER BY MAX(received)",
            before,
        )
        return [(patient, study) for patient, study in rows]

    def files(self, patient: str, study: str) -> Sequence[Path]:
        """The files of a study that are to be added."""
        rows = self._database.rows(
            "SELECT name FROM instances WHERE patient = ? AND study = ? AND reason IS NULL "
            "ORDER BY sop_instance",
            *(patient, study),
        )
        return [self._files / name for (name,) in rows]

    def release(self, files: Iterable[Path]) -> None:
        """Remove files that are in image sets on the chain, or are discarded, and what was noted.

        Their digests would tell of an image set that was erased later what it had been.
        """
        paths = list(files)
        with self._database.writing() as write:
            for path in paths:
                write("DELETE FROM instances WHERE name = ?", path.name)
        for path in paths:
            path.unlink(missing_ok=True)
        self._database.forget()

    def leave_out(self, reasons: Mapping[Path, str]) -> None:
        """Keep files that cannot be added, and why."""
        with self._database.writing() as write:
            for path, reason in reasons.items():
                write("UPDATE instances SET reason = ? WHERE name = ?", reason, path.name)

    def studies(self) -> Sequence[HeldStudy]:
        """What is held, oldest first."""
        studies: dict[tuple[str, str], HeldStudy] = {}
        for patient, study, reason, count, size, last in self._database.rows(
            "SELECT patient, study, reason, COUNT(*), SUM(size), MAX(received) FROM instances "
            "GROUP BY patient, study, reason ORDER BY MAX(received)"
        ):
            found = studies.get((patient, study), HeldStudy(patient, study, 0, 0, 0, {}))
            studies[patient, study] = HeldStudy(
                patient,
                study,
                found.instances + count,
                found.size + size,
                max(found.last_received, last),
                found.left_out if reason is None else {**found.left_out, reason: count},
            )
        return list(studies.values())

    def close_study(self, study: str) -> None:
        """Have a study added now, and what was left out of it tried again.

        Raises
        ------
        StudyNotHeld
            If nothing of it is held.
        """
        self._require(study)
        with self._database.writing() as write:
            write("UPDATE instances SET received = 0, reason = NULL WHERE study = ?", study)

    def discard(self, study: str) -> int:
        """Delete what was left out of a study; how many files that were.

        Raises
        ------
        StudyNotHeld
            If nothing of it was left out.
        """
        found = self._require(study, " AND reason IS NOT NULL", " that was left out")
        self.release(self._files / name for name in found)
        return len(found)

    def ask(self, title: str, transaction: str, instances: str, asked: float) -> None:
        """Keep a request for storage commitment: who asks, its UID, and which instances."""
        with self._database.writing() as write:
            write(
                "INSERT OR IGNORE INTO commitments VALUES (?, ?, ?, ?)",
                *(title, transaction, instances, asked),
            )

    def asked(self) -> Sequence[tuple[str, str, str, float]]:
        """Requests that are not answered yet, oldest first: as `ask` was given them."""
        return self._database.rows("SELECT * FROM commitments ORDER BY asked")

    def answered(self, title: str, transaction: str) -> None:
        """Forget a request."""
        with self._database.writing() as write:
            write("DELETE FROM commitments WHERE title = ? AND uid = ?", title, transaction)

    def close_studies_of(self, instances: Iterable[str]) -> None:
        """Have the studies to which instances belong added now."""
        with self._database.writing() as write:
            for instance in instances:
                write(
                    "UPDATE instances SET received = 0 WHERE reason IS NULL AND (patient, study) "
                    "IN (SELECT patient, study FROM instances WHERE sop_instance = ?)",
                    instance,
                )

    def states(self, instances: Iterable[str]) -> Mapping[str, str]:
        """``waits`` or ``left out`` for each of some instances that is held."""
        states: dict[str, str] = {}
        for instance in instances:
            for (reason,) in self._database.rows(
                "SELECT reason FROM instances WHERE sop_instance = ?", instance
            ):
                if states.get(instance) != "waits":
                    states[instance] = "waits" if reason is None else "left out"
        return states

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Take instances while the block runs, as other processes may.

        Unless another one does, files without a row are removed first.
        """
        with (self._files.parent / "receivers.lock").open("w") as receivers:
            try:
                fcntl.flock(receivers, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.remove_unacknowledged()
            except BlockingIOError:
                pass
            fcntl.flock(receivers, fcntl.LOCK_SH)
            yield

    def remove_unacknowledged(self) -> None:
        """Remove files without a row; only while nothing is received."""
        held = {name for (name,) in self._database.rows("SELECT name FROM instances")}
        for path in self._files.iterdir():
            if path.name not in held:
                path.unlink()

    def _require(self, study: str, which: str = "", what: str = "") -> list[str]:
        query = f"SELECT name FROM instances WHERE study = ?{which}"  # noqa: S608 - of this module
        names = [name for (name,) in self._database.rows(query, study)]
        if not names:
            raise StudyNotHeld(
                f"the inbox holds no instance of study {study}{what}; `radledger pacs list` shows "
                "what it holds",
                study=study,
            )
        return names

    def _is_held(self, held: Held, digest: bytes) -> bool:
        key = held.patient, held.study, held.sop_instance
        found = self._database.rows(f"SELECT digest FROM instances WHERE {_KEY}", *key)  # noqa: S608
        if found and found[0][0] != digest:
            raise DuplicateInstance
        return bool(found)


def inbox_folder(home: Path, deployment: Deployment) -> Path:
    """The folder of one deployment's inbox."""
    return home / "pacs" / deployment.slug


def _digested(path: Path) -> tuple[bytes, int]:
    """SHA-256 and size of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest(), file.tell()

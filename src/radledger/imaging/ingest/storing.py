"""From files to their stored ciphertext: what a worker process does.

One pass reads, de-identifies and digests, another encrypts into the store.  Memory does not grow
with the file.  The plain copy of a de-identified file lives in the journal's folder, unless it
is small, and is deleted once the file is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any, cast

from radledger.crypto import envelope
from radledger.dicom.deidentify import deidentify
from radledger.dicom.digest import image_digest_of, undecoded_digest_of
from radledger.dicom.errors import DicomError, PixelsUnreadable
from radledger.dicom.limits import bounded
from radledger.dicom.profiles import Profile
from radledger.dicom.read import DicomHeader, header_of
from radledger.dicom.source import DicomSource, open_dicom, open_regular
from radledger.dicom.values import value_of
from radledger.imaging.ciphertext import IN_MEMORY, encrypted
from radledger.imaging.ingest.isolation import NeedsIsolation, limited, require_isolation
from radledger.imaging.ingest.original import OriginalFile, source_digest
from radledger.imaging.ingest.workers import WorkerContext
from radledger.imaging.journal.homekey import recipient_of
from radledger.imaging.journal.identifiers import identifiers_of
from radledger.imaging.journal.tables import FileRow, IdentifierRow, Purpose
from radledger.imaging.model import NONE
from radledger.storage.cid import cid_of
from radledger.texts import one_line

__all__ = [
    "Allowed",
    "FileOutcome",
    "StoredFile",
    "Task",
    "store_files",
]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of another image set: its ciphertext, the secret that opens it, and its bytes."""

    cid: str
    secret: str
    size: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which files are accepted although something speaks against them.

    Attributes
    ----------
    burned_in
        Those whose pixels may show text.
    mixed_patient_ids
        Those of a study or series in which others have other Patient IDs.
    unchecked
        Those whose pixels cannot be checked.
    """

    burned_in: bool = False
    mixed_patient_ids: bool = False
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One file to store.

    Attributes
    ----------
    source
        Where it is.
    name
        What to call it when it is left out, in printable characters.
    size
        Its bytes, as far as known.
    purpose
        For whom, and by which profile.
    visit, course
        Their digests; a visit of `None` is that of the study.
    allowed
        Which faults are accepted.
    addition, number
        With which others it belongs, and which of them it is, as who hands it out counts them.
    pseudonym_key, public_key
        The patient's, and the home's for secrets of new image sets, from who hands it out.
    """

    source: Path | StoredFile
    name: str
    size: int
    purpose: Purpose
    visit: str | None
    course: str
    allowed: Allowed = Allowed()
    addition: int = 0
    number: int = 0
    pseudonym_key: bytes = b""
    public_key: bytes = b""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: it is in a set, now or already, or was left out for a reason."""

    task: Task
    set_id: int | None = None
    new: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Plain:
    """A file as it will be encrypted, and what is known of it.

    The SHA-256 of one that is taken as it is becomes known as its stream is read.
    """

    header: DicomHeader
    patient_id: str
    study: str
    series: str
    sop_instance: str
    sop_class: str
    file_digest: bytes | None
    image_digest: bytes
    size: int
    stream: IO[bytes]


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """A file whose ciphertext goes into the store with others, and has to be written down then."""

    task: Task
    series: tuple[Purpose, str, str, str, str]
    row: FileRow
    identifiers: list[IdentifierRow]
    ciphertext: IO[bytes]


def store_files(worker: WorkerContext, tasks: Sequence[Task]) -> list[FileOutcome]:
    """Store a chunk of files; those that only an isolated process may read are deferred.

    What is wrong with a file is its outcome.

    Raises
    ------
    StorageError, JournalUnavailable, OSError
        What is wrong with the store, the journal or the disk.
    """
    chunk = _Chunk(worker)
    for task in tasks:
        chunk.encrypt(task)
    chunk.store()
    return [chunk.outcomes[task] for task in tasks if task in chunk.outcomes]


class _Chunk:
    """Files that are stored together, and what became of each.

    The journal's answers that are the same for most files are kept for one chunk, no longer: a set
    may be sealed meanwhile, or a patient erased.
    """

    def __init__(self, worker: WorkerContext) -> None:
        self.outcomes: dict[Task, FileOutcome] = {}
        self._worker = worker
        self._journal = worker.journal
        self._group = cache(worker.journal.group)
        self._open_set = cache(worker.journal.open_set)
        self._encrypted: list[_Encrypted] = []

    def encrypt(self, task: Task) -> None:
        """Read and encrypt a file, unless it is stored already, or has to be left out."""
        try:
            with _located(self._worker, task.source) as path:
                self._read(task, path)
        except NeedsIsolation:
            self._worker.deferred.append(task)
        except DicomError as error:
            self._left_out(task, None, error.message)

    def store(self) -> None:
        """Store what was encrypted, and write down that it is."""
        files = self._encrypted
        if not files:
            return
        self._journal.storing([file.row.cid for file in files], "adding")
        with ExitStack() as stack:
            contents = [(stack.enter_context(file.ciphertext), file.row.cid) for file in files]
            self._worker.storage.put_all(contents)
        identifiers = [row for file in files for row in file.identifiers]
        added = self._journal.add_files([file.row for file in files], identifiers)
        for file, done in zip(files, added, strict=True):
            if done:
                self._is_in(file.task, file.row.set_id, new=True)
            else:
                self._not_added(file)

    def _read(self, task: Task, path: Path) -> None:
        digest = source_digest(path)
        known = self._journal.known(task.purpose, digest)
        if known is not None:
            if known.state != "open" or not self._worker.storage.missing([known.cid]):
                self._is_in(task, known.set_id)
                return
            self._journal.forget(known)
        with SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(self._worker.folder)) as copy:
            plain = _examined(self._worker, task, path, cast(IO[bytes], copy))
            with plain.stream:
                self._encrypt(task, digest, plain)

    def _encrypt(self, task: Task, digest: bytes, plain: _Plain) -> None:
        header = plain.header
        visit = task.visit or self._group(task.purpose, "visit", header.study)
        series = (task.purpose, visit, task.course, plain.study, plain.series)
        twin = self._journal.instance_of(*series, plain.sop_instance)
        if twin is not None and twin[1] != digest:
            self._left_out(task, twin[0], _TWIN)
            return
        row = self._open_set(*series, header.modality, task.public_key)
        ciphertext = encrypted(plain.stream, recipient_of(row.secret or ""), self._worker.folder)
        file_digest = plain.file_digest or cast(OriginalFile, plain.stream).file_digest(digest)
        file = FileRow(
            set_id=row.set_id,
            source_digest=digest,
            sop_instance=plain.sop_instance,
            sop_class=plain.sop_class,
            transfer_syntax=header.transfer_syntax,
            number=header.instance_number,
            salt=secrets.token_bytes(32),
            file_digest=file_digest,
            image_digest=plain.image_digest,
            cid=cid_of(ciphertext),
            size=plain.size,
        )
        ciphertext.seek(0)
        identifiers = _identifiers(task, row.set_id, plain)
        self._encrypted.append(_Encrypted(task, series, file, identifiers, ciphertext))

    def _not_added(self, file: _Encrypted) -> None:
        """Another worker was faster with the file, or with another one of the same instance."""
        self._worker.storage.unpin(file.row.cid)
        if self._journal.known(file.task.purpose, file.row.source_digest) is not None:
            self._is_in(file.task, file.row.set_id)
            return
        twin = self._journal.instance_of(*file.series, file.row.sop_instance)
        self._left_out(file.task, file.row.set_id, _SEALED if twin is None else _TWIN)

    def _is_in(self, task: Task, set_id: int, *, new: bool = False) -> None:
        self.outcomes[task] = FileOutcome(task, set_id, new)

    def _left_out(self, task: Task, set_id: int | None, reason: str) -> None:
        self.outcomes[task] = FileOutcome(task, set_id, reason=reason)


_TWIN = "another file of the series has the same SOP Instance UID and other content"
_SEALED = "the series was sealed at that moment; add the file again"


def _identifiers(task: Task, set_id: int, plain: _Plain) -> list[IdentifierRow]:
    """Which Patient ID a file's study and series have; those of another set were looked at then."""
    if task.purpose.parent != NONE:
        return []
    units = (plain.header.study, plain.header.series)
    return identifiers_of(task.pseudonym_key, set_id, units, plain.patient_id)


def _examined(worker: WorkerContext, task: Task, path: Path, copy: IO[bytes]) -> _Plain:
    """Read a file: its header, its image digest, and its plain bytes as they will be encrypted."""

    def examine() -> _Plain:
        with open_dicom(path) as source:
            header = header_of(source, path)
            require_isolation(source, isolated=worker.isolated)
            patient_id = str(value_of(source.dataset, "PatientID") or "")
            if task.purpose.profile:
                return _deidentified(task, source, header, patient_id, copy)
            image_digest = _digest(task, source, header)
        return _Plain(
            header=header,
            patient_id=patient_id,
            study=header.study,
            series=header.series,
            sop_instance=header.sop_instance,
            sop_class=header.sop_class,
            file_digest=None,
            image_digest=image_digest,
            size=header.size,
            stream=OriginalFile(open_regular(path)),
        )

    try:
        with limited(path.stat().st_size, isolated=worker.isolated):
            return bounded(examine)
    except (DicomError, NeedsIsolation, OSError):
        raise
    except Exception as error:
        # Whatever a hostile file provokes in pydicom or a codec is the file's fault.
        reason = f"{type(error).__name__}: {one_line(error, 100)}"
        raise DicomError(f"reading the file failed ({reason}); leave it out") from error


def _digest(task: Task, source: DicomSource, header: DicomHeader) -> bytes:
    """The image digest of a file that is taken as it is."""
    try:
        return image_digest_of(source, header)
    except PixelsUnreadable:
        if not task.allowed.unchecked:
            raise
    return undecoded_digest_of(source, header)


def _deidentified(
    task: Task,
    source: DicomSource,
    header: DicomHeader,
    patient_id: str,
    copy: IO[bytes],
) -> _Plain:
    done = deidentify(
        source,
        header,
        cast(Any, copy),
        _profile(task.purpose.profile),
        task.pseudonym_key,
        patient=task.purpose.patient,
        allow_burned_in=task.allowed.burned_in,
        allow_unchecked=task.allowed.unchecked,
    )
    copy.seek(0)
    return _Plain(
        header=header,
        patient_id=patient_id,
        study=done.study,
        series=done.series,
        sop_instance=done.sop_instance,
        sop_class=done.sop_class,
        file_digest=done.file_digest,
        image_digest=done.image_digest,
        size=done.size,
        stream=copy,
    )


@cache
def _profile(name: str) -> Profile:
    """A profile, whose table takes milliseconds to make."""
    return Profile.parse(name)


@contextmanager
def _located(worker: WorkerContext, source: Path | StoredFile) -> Iterator[Path]:
    """The path of a file, which is decrypted aside first where it is another set's."""
    if isinstance(source, Path):
        yield source
        return
    with TemporaryDirectory(dir=worker.folder) as folder:
        path = Path(folder) / "plain"
        with worker.storage.get(source.cid, envelope.longest_ciphertext(source.size)) as ciphertext:
            envelope.decrypt(ciphertext, path, source.secret, source.size)
        yield path

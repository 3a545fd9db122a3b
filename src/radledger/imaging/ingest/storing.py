"""From one file to its stored ciphertext: what a worker process does.

One pass reads, de-identifies and digests, another encrypts into the store.  Memory does not grow
with the file.  The plain copy of a de-identified file lives in the journal's folder, unless it
is small, and is deleted once the file is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any, Generic, TypeVar, cast

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
from radledger.imaging.ingest.isolation import limited
from radledger.imaging.ingest.original import OriginalFile, source_digest
from radledger.imaging.journal.homekey import recipient_of
from radledger.imaging.journal.identifiers import identifiers_of
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.tables import FileRow, IdentifierRow, Purpose
from radledger.imaging.model import NONE
from radledger.storage import Storage
from radledger.storage.cid import cid_of
from radledger.texts import one_line

__all__ = [
    "Outcome",
    "Rest",
    "StoredFile",
    "Task",
    "WorkerContext",
    "store_file",
]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of another image set: its ciphertext, the secret that opens it, and its bytes."""

    cid: str
    secret: str
    size: int


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
    allow_burned_in
        Take it although its pixels may show text.
    mixed_patient_ids
        Take it although files of its study or series have other Patient IDs.
    allow_unchecked
        Take it although its pixels cannot be checked.
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
    allow_burned_in: bool = False
    mixed_patient_ids: bool = False
    allow_unchecked: bool = False
    addition: int = 0
    number: int = 0
    pseudonym_key: bytes = b""
    public_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: it is in a set, now or already, or was left out for a reason."""

    task: Task
    set_id: int | None = None
    new: bool = False
    reason: str | None = None


class JournalCache:
    """What a journal is asked for each file and says the same for most, remembered.

    For the files of one chunk, no longer: a set may be sealed meanwhile, or a patient erased.
    """

    def __init__(self, journal: Journal) -> None:
        self.group = cache(journal.group)
        self.open_set = cache(journal.open_set)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a worker works with, on one chunk of files.

    Attributes
    ----------
    journal, storage, folder
        Where secrets are, where ciphertext goes, and a folder for temporary files.
    isolated
        Whether this process may be lost: only then are compressed pixels decoded in it.
    recalled
        What the journal said already.
    """

    journal: Journal
    storage: Storage
    folder: Path
    isolated: bool
    recalled: JournalCache = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "recalled", JournalCache(self.journal))


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


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Rest(Generic[R]):
    """What is left of a task; the rests of several tasks are done together.

    Attributes
    ----------
    content
        What `finish` needs to know of the task.
    finish
        Called with the contents of several rests of the same function; gives their results.
    """

    content: Any
    finish: Callable[[WorkerContext, Sequence[Any]], list[R]]


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """A file whose ciphertext goes into the store with others, and has to be written down then."""

    task: Task
    series: tuple[Purpose, str, str, str, str]
    row: FileRow
    identifiers: list[IdentifierRow]
    ciphertext: IO[bytes]


class _NeedsIsolation(Exception):
    """The file has compressed pixels, which only a process that may be lost decodes."""


def store_file(bench: WorkerContext, task: Task) -> Outcome | Rest[Outcome] | None:
    """Store one file; `None` where only an isolated process may read it.

    What is wrong with the file is an outcome.

    Raises
    ------
    StorageError, JournalUnavailable, OSError
        What is wrong with the store, the journal or the disk.
    """
    try:
        with _located(bench, task.source) as path:
            return _store(bench, task, path)
    except _NeedsIsolation:
        return None
    except DicomError as error:
        return Outcome(task, reason=error.message)


def _store(bench: WorkerContext, task: Task, path: Path) -> Outcome | Rest[Outcome]:
    digest = source_digest(path)
    known = bench.journal.known(task.purpose, digest)
    if known is not None:
        if known.state != "open" or not bench.storage.missing([known.cid]):
            return Outcome(task, known.set_id)
        bench.journal.forget(known)
    with SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(bench.folder)) as copy:
        plain = _examined(bench, task, path, cast(IO[bytes], copy))
        with plain.stream:
            return _encrypted(bench, task, digest, plain)


def _encrypted(
    bench: WorkerContext, task: Task, digest: bytes, plain: _Plain
) -> Outcome | Rest[Outcome]:
    journal, header = bench.journal, plain.header
    visit = task.visit or bench.recalled.group(task.purpose, "visit", header.study)
    series = (task.purpose, visit, task.course, plain.study, plain.series)
    twin = journal.instance_of(*series, plain.sop_instance)
    if twin is not None and twin[1] != digest:
        return Outcome(task, twin[0], reason=_TWIN)
    row = bench.recalled.open_set(*series, header.modality, task.public_key)
    ciphertext = encrypted(plain.stream, recipient_of(row.secret or ""), bench.folder)
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
    return Rest(_Encrypted(task, series, file, identifiers, ciphertext), _stored)


def _identifiers(task: Task, set_id: int, plain: _Plain) -> list[IdentifierRow]:
    """Which Patient ID a file's study and series have; those of another set were looked at then."""
    if task.purpose.parent != NONE:
        return []
    units = (plain.header.study, plain.header.series)
    return identifiers_of(task.pseudonym_key, set_id, units, plain.patient_id)


def _stored(bench: WorkerContext, files: Sequence[_Encrypted]) -> list[Outcome]:
    """Store ciphertexts, and write down that they are."""
    bench.journal.storing([file.row.cid for file in files], "adding")
    with ExitStack() as stack:
        contents = [(stack.enter_context(file.ciphertext), file.row.cid) for file in files]
        bench.storage.put_all(contents)
    identifiers = [row for file in files for row in file.identifiers]
    added = bench.journal.add_files([file.row for file in files], identifiers)
    return [
        Outcome(file.task, file.row.set_id, new=True) if done else _not_added(bench, file)
        for file, done in zip(files, added, strict=True)
    ]


def _not_added(bench: WorkerContext, file: _Encrypted) -> Outcome:
    """Another worker was faster with the same file, or with another one of the same instance."""
    bench.storage.unpin(file.row.cid)
    if bench.journal.known(file.task.purpose, file.row.source_digest) is not None:
        return Outcome(file.task, file.row.set_id)
    twin = bench.journal.instance_of(*file.series, file.row.sop_instance)
    return Outcome(file.task, file.row.set_id, reason=_SEALED if twin is None else _TWIN)


_TWIN = "another file of the series has the same SOP Instance UID and other content"
_SEALED = "the series was sealed at that moment; add the file again"


def _examined(bench: WorkerContext, task: Task, path: Path, copy: IO[bytes]) -> _Plain:
    """Read a file: its header, its image digest, and its plain bytes as they will be encrypted."""

    def examine() -> _Plain:
        with open_dicom(path) as source:
            header = header_of(source, path)
            if not (bench.isolated or source.native or source.pixels is None):
                raise _NeedsIsolation
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
        with limited(path.stat().st_size, isolated=bench.isolated):
            return bounded(examine)
    except (DicomError, _NeedsIsolation, OSError):
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
        if not task.allow_unchecked:
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
        allow_burned_in=task.allow_burned_in,
        allow_unchecked=task.allow_unchecked,
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
def _located(bench: WorkerContext, source: Path | StoredFile) -> Iterator[Path]:
    """The path of a file, which is decrypted aside first where it is another set's."""
    if isinstance(source, Path):
        yield source
        return
    with TemporaryDirectory(dir=bench.folder) as folder:
        path = Path(folder) / "plain"
        with bench.storage.get(source.cid, envelope.longest_ciphertext(source.size)) as ciphertext:
            envelope.decrypt(ciphertext, path, source.secret, source.size)
        yield path

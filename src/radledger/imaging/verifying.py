"""Compare files with an image set: identical, re-encoded, changed, undecided or unknown.

A file is judged by its digests.  One that is an instance of the set with another image is then
compared with the stored original, if that is compressed with loss: it may have been decompressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radledger.dicom.decompressed import Comparison, compared
from radledger.dicom.digest import file_digest, image_digest_of
from radledger.dicom.errors import DicomError, PixelsUnreadable
from radledger.dicom.limits import bounded
from radledger.dicom.read import header_of
from radledger.dicom.scan import Candidate, printable, scan
from radledger.dicom.source import NATIVE, dicom_in, open_dicom
from radledger.errors import RadLedgerError
from radledger.imaging.ciphertext import open_instance
from radledger.imaging.ingest.isolation import NeedsIsolation, limited, require_isolation
from radledger.imaging.ingest.workers import WorkerContext, WorkerPool
from radledger.imaging.manifest import Instance, Manifest
from radledger.imaging.model import Verdict, VerifyResult
from radledger.texts import one_line

__all__ = ["Doubt", "Examination", "Question", "examine", "judge", "settle", "verify_paths"]

_VERDICTS: dict[str, Verdict] = {
    "same": "reencoded",
    "changed": "changed",
    "undecided": "undecided",
}


def verify_paths(
    pool: WorkerPool, manifest: Manifest, secret: str, paths: Iterable[Path]
) -> list[VerifyResult]:
    """Compare all files under some paths, in the order in which they are found.

    Parameters
    ----------
    pool
        By which files are read, and in whose store the originals are.
    manifest, secret
        Of the image set.
    paths
        Files and folders.
    """
    results: dict[Path, VerifyResult] = {}
    originals = {each.sop_instance: each for each in manifest.instances}
    doubtful = []
    questions = []
    for found in scan(paths):
        # holds the place; files are examined in any order
        results[found.path] = VerifyResult(printable(found.path), "unknown", None)
        if isinstance(found, Candidate):
            questions.append(Question(found.path, printable(found.path), found.size))
        else:
            results[found.path] = VerifyResult(found.name, "unknown", None, found.reason)
    for examination in pool.run(examine, questions, _crashed):
        result = judge(manifest, examination)
        results[examination.question.path] = result
        original = originals.get(result.instance or "")
        readable = result.verdict == "changed" and not result.reason
        if original and readable and original.transfer_syntax not in NATIVE:
            doubtful.append(Doubt(examination.question, original, secret))
    for question, result in pool.run(settle, doubtful, _unsettled):
        results[question.path] = result
    return list(results.values())


@dataclass(frozen=True, slots=True)
class Question:
    """One file to examine."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Examination:
    """What a file is; digests as ``0x…``, `None` as far as it could not be read."""

    question: Question
    file_digest: str | None = None
    image_digest: str | None = None
    sop_instance: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A file that may have been decompressed, and the original with which to compare it."""

    question: Question
    original: Instance
    secret: str = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of both."""
        return self.question.size + self.original.size


Settled = tuple[Question, VerifyResult]


def settle(worker: WorkerContext, doubts: Sequence[Doubt]) -> list[Settled]:
    """Compare files with their originals; only an isolated process does, others defer it."""
    if not worker.isolated:
        worker.deferred.extend(doubts)
        return []
    return [_settled(worker, doubt) for doubt in doubts]


def _settled(worker: WorkerContext, doubt: Doubt) -> Settled:
    try:
        with limited(doubt.size, isolated=worker.isolated):
            found = bounded(_comparing(worker, doubt))
    except RadLedgerError as error:
        return _unsettled(doubt, f"its original cannot be compared: {error.message}")
    except Exception as error:
        # Whatever a hostile file provokes in pydicom or a codec is the file's fault.
        return _unsettled(doubt, f"it cannot be compared: {type(error).__name__}")
    verdict = _VERDICTS[found.outcome]
    name, instance = doubt.question.name, doubt.original.sop_instance
    return doubt.question, VerifyResult(name, verdict, instance, found.reason)


def _comparing(worker: WorkerContext, doubt: Doubt) -> Callable[[], Comparison]:
    def compare() -> Comparison:
        path = doubt.question.path
        with (
            open_instance(worker.storage, doubt.original, doubt.secret) as file,
            dicom_in(file) as original,
            open_dicom(path) as copy,
        ):
            ours, theirs = (header_of(each, path).pixels for each in (original, copy))
            if ours is None or theirs is None:
                return Comparison("changed", "one of them has no pixels")
            return compared(original, ours, copy, theirs)

    return compare


def _unsettled(doubt: Doubt, reason: str) -> Settled:
    name, instance = doubt.question.name, doubt.original.sop_instance
    return doubt.question, VerifyResult(name, "undecided", instance, reason)


def examine(worker: WorkerContext, questions: Sequence[Question]) -> list[Examination]:
    """Digest files; those that only an isolated process may read are deferred elsewhere."""
    examinations = []
    for question in questions:
        try:
            examinations.append(_examined(question, isolated=worker.isolated))
        except NeedsIsolation:
            worker.deferred.append(question)
    return examinations


def _examined(question: Question, *, isolated: bool) -> Examination:
    path, digest = question.path, None
    try:
        digest = "0x" + file_digest(path).hex()
        with limited(question.size, isolated=isolated):
            found = bounded(_reading(path, isolated=isolated))
    except NeedsIsolation:
        raise
    except (DicomError, OSError) as error:
        return Examination(question, digest, reason=str(error))
    except Exception as error:
        # Whatever a hostile file provokes in pydicom or a codec is the file's fault.
        return Examination(
            question, digest, reason=f"{type(error).__name__}: {one_line(error, 100)}"
        )
    return Examination(question, digest, *found)


def judge(manifest: Manifest, examination: Examination) -> VerifyResult:
    """Compare an examined file with the leaves of a manifest, whose root has been checked.

    The instance with the file's SOP Instance UID is preferred where several have its image, as
    blank slices do.
    """
    same = sorted(
        manifest.instances, key=lambda each: each.sop_instance != examination.sop_instance
    )
    for instance in same:
        if instance.file_digest == examination.file_digest:
            return VerifyResult(
                examination.question.name, "identical", instance.sop_instance, examination.reason
            )
    for instance in same:
        if instance.image_digest == examination.image_digest:
            return VerifyResult(examination.question.name, "reencoded", instance.sop_instance)
    if same and same[0].sop_instance == examination.sop_instance:
        return VerifyResult(
            examination.question.name, "changed", same[0].sop_instance, examination.reason
        )
    return VerifyResult(examination.question.name, "unknown", None, examination.reason)


def _reading(path: Path, *, isolated: bool) -> Callable[[], tuple[str | None, str, str | None]]:
    """Reads a file's image digest, SOP Instance UID, and why it has no image digest."""

    def read() -> tuple[str | None, str, str | None]:
        with open_dicom(path) as source:
            header = header_of(source, path)
            require_isolation(source, isolated=isolated)
            try:
                image_digest = "0x" + image_digest_of(source, header).hex()
            except PixelsUnreadable as error:
                return None, header.sop_instance, error.message
            return image_digest, header.sop_instance, None

    return read


def _crashed(question: Question, reason: str) -> Examination:
    return Examination(question, reason=reason)

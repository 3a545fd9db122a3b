"""Compare files with an image set: identical, re-encoded, changed or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radledger.dicom.digest import file_digest, image_digest_of
from radledger.dicom.errors import DicomError, PixelsUnreadable
from radledger.dicom.limits import bounded
from radledger.dicom.read import header_of
from radledger.dicom.scan import Candidate, printable, scan
from radledger.dicom.source import open_dicom
from radledger.imaging.ingest.isolation import NeedsIsolation, limited, require_isolation
from radledger.imaging.ingest.workers import WorkerContext, WorkerPool
from radledger.imaging.manifest import Manifest
from radledger.imaging.model import VerifyResult
from radledger.texts import one_line

__all__ = ["Examination", "Question", "examine", "judge", "verify_paths"]


def verify_paths(pool: WorkerPool, manifest: Manifest, paths: Iterable[Path]) -> list[VerifyResult]:
    """Compare all files under some paths, in the order in which they are found."""
    results: dict[Path, VerifyResult] = {}
    questions = []
    for found in scan(paths):
        # holds the place; files are examined in any order
        results[found.path] = VerifyResult(printable(found.path), "unknown", None)
        if isinstance(found, Candidate):
            questions.append(Question(found.path, printable(found.path), found.size))
        else:
            results[found.path] = VerifyResult(found.name, "unknown", None, found.reason)
    for examination in pool.run(examine, questions, _crashed):
        results[examination.question.path] = judge(manifest, examination)
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

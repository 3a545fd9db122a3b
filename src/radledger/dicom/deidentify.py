"""Remove who the patient is from DICOM files: PS3.15 Annex E, with nothing left by default.

The profile's table decides for the attributes that it names, at every depth.  For all others
the value representation does, so that an attribute which the table has not heard of cannot
carry a name out:

====================================  ====================================================
private, unknown, groups 50xx, 60xx   removed, with all that is in them
LO LT SH ST UC UT                     cleaned to words of imaging, but `TECHNICAL_TEXT`
codes                                 kept if of a public scheme, their meaning cleaned
UI                                    replaced, but those that PS3.6 Annex A registers
DA DT TM AE AS PN UR                  emptied; dates and times are moved by the profile
                                      that retains them, if all of a value is one
CS DS IS                              kept if they are written as their VR demands, terms if
                                      they have no six digits in a row
OB UN, what is not of its VR          removed, but pixels and waveforms
ICC profile                           kept without its texts and device's data
other numbers                         kept
====================================  ====================================================

What a profile cleans but nothing is left of goes as the Basic Profile says: removed, emptied or
replaced by a dummy.  Values in a wrong VR, or as people write them, are put in their right form
first (`radledger.dicom.spelling`).  The preamble and the file meta information are replaced, and
elements after the pixel data are dropped.

Of the pixel data only what is picture is copied, in flat memory: bits beside the stored ones are
zero, and codestreams have no comments, application data and bytes after their end.  In JPEG
nothing stays after the last code of an entropy-coded segment, and no table that no scan uses; in
JPEG-LS and JPEG 2000 entropy-coded data is copied as a whole, where its decoder accepts it.
The copy is read again and compared with the original (`radledger.dicom.fidelity`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from radledger.dicom.burned_in import burned_in_risk
from radledger.dicom.digest import image_digest_of
from radledger.dicom.elements import Deidentifier
from radledger.dicom.errors import BurnedInAnnotation, DicomError, MalformedDicom, UncheckedData
from radledger.dicom.fidelity import Meaning, same_image
from radledger.dicom.limits import bounded
from radledger.dicom.pixels import stored_bytes
from radledger.dicom.profiles import Profile
from radledger.dicom.pseudonyms import Pseudonyms
from radledger.dicom.read import DicomHeader, header_of
from radledger.dicom.source import DicomSource, open_dicom
from radledger.dicom.values import value_of
from radledger.dicom.video import is_video, unchecked_data
from radledger.dicom.write import write_instance
from radledger.texts import one_line

__all__ = ["DeidentifiedInstance", "deidentify", "deidentify_file"]


@dataclass(frozen=True, slots=True)
class DeidentifiedInstance:
    """What was written.

    Attributes
    ----------
    study, series, sop_instance
        The new UIDs.
    sop_class
        As it was, if the standard has it; a private one is replaced like other UIDs.
    transfer_syntax
        As it was.
    patient
        The pseudonym that now stands for Patient ID and Patient's Name.
    profile
        Name of the profile.
    burned_in_risk
        Why the pixels may still show the patient's identity; None if they do not seem to.
    size, file_digest
        Bytes and SHA-256 of the new file.
    image_digest
        Of the new file; that of the original too where there are pixels.
    """

    study: str
    series: str
    sop_instance: str
    sop_class: str
    transfer_syntax: str
    patient: str
    profile: str
    burned_in_risk: str | None
    size: int
    file_digest: bytes
    image_digest: bytes


def deidentify_file(
    source: Path,
    target: Path | BinaryIO,
    profile: Profile,
    key: bytes,
    *,
    patient: str | None = None,
    allow_burned_in: bool = False,
    allow_unchecked: bool = False,
) -> DeidentifiedInstance:
    """Write a de-identified copy of one file, in the same transfer syntax.

    Parameters
    ----------
    source
        A file that `radledger.dicom.read.read_header` accepts.
    target
        Where to write: a path, which appears only when the copy is complete and was read again,
        or an empty stream that can be read as well.
    profile
        What to remove and what to retain.
    key
        Secret of 16 bytes or more.  Under the same key, files of one patient have one pseudonym,
        and their dates move by the same number of days; under the same key and profile, files of
        one study or series still belong together.
    patient
        Identifier of the patient, the same for all of the patient's files; default: Patient ID
        with its issuer, as they are written.
    allow_burned_in
        Take files whose pixels may show text; the caller has looked at them.
    allow_unchecked
        Take videos that may hold texts beside their pictures; they are not removed.

    Returns
    -------
    DeidentifiedInstance

    Raises
    ------
    BurnedInAnnotation
        When the pixels may show the patient's identity and that is not allowed.
    UncheckedData
        When a video may hold texts beside its pictures and that is not allowed.
    ImageChanged
        When the copy would not be the same image; values hold the attribute's name.
    PixelsUnreadable
        When no decoder reads the pixels.
    DicomError
        What `read_header` raises.
    UsageError
        When the key is too short.

    Examples
    --------
    >>> from io import BytesIO
    >>> from pydicom.data import get_testdata_file
    >>> path = Path(get_testdata_file("CT_small.dcm", download=False))
    >>> done = deidentify_file(path, BytesIO(), Profile.parse("basic"), b"secret" * 6)
    >>> done.study.startswith("2.25."), done.patient[:3], done.burned_in_risk
    (True, 'RL-', None)
    """

    def deidentify_opened() -> DeidentifiedInstance:
        with open_dicom(Path(source)) as opened:
            header = header_of(opened, Path(source))
            return deidentify(
                opened,
                header,
                target,
                profile,
                key,
                patient=patient,
                allow_burned_in=allow_burned_in,
                allow_unchecked=allow_unchecked,
            )

    return bounded(deidentify_opened)


def deidentify(
    source: DicomSource,
    header: DicomHeader,
    target: Path | BinaryIO,
    profile: Profile,
    key: bytes,
    *,
    patient: str | None = None,
    allow_burned_in: bool = False,
    allow_unchecked: bool = False,
) -> DeidentifiedInstance:
    """`deidentify_file` of a file that is open already; ``source.dataset`` is the new one then.

    What it returns and raises is the same, but for what reading the header raises.
    """
    risk = burned_in_risk(header)
    if risk is not None and not allow_burned_in:
        raise BurnedInAnnotation(
            f"the pixels may show who the patient is ({risk}); look at them, "
            "then allow burned-in annotations or leave the file out",
            risk=risk,
            modality=header.modality,
        )
    if is_video(source.transfer_syntax) and not allow_unchecked:
        _check_video(source)
    people, pseudonyms = Pseudonyms(key), Pseudonyms(_key_of_uids(key, profile))
    dataset = source.dataset
    with disable_value_validation(), _opened(target) as stream:
        before = Meaning.of(source, header.pixels) if header.pixels else None
        try:
            whose = _patient(dataset, header) if patient is None else patient
            _deidentifier(profile, key, people.days(whose)).apply(dataset)
        except (MemoryError, RecursionError, DicomError):
            raise
        except Exception as error:  # pydicom's conversions raise what values provoke
            raise MalformedDicom(
                f"an attribute cannot be read: {one_line(error)}; export the file again",
                cause=one_line(error),
            ) from error
        pseudonym = people.patient(whose)
        burned_in = str(value_of(dataset, "BurnedInAnnotation") or "").strip() == "YES"
        dataset.update(_statement(profile, pseudonym, removed=not burned_in))
        sop_class = _sop_class(dataset)
        sop_instance = pseudonyms.uid(header.sop_instance)
        written = write_instance(source, header, sop_class, sop_instance, stream)
        digest = (
            same_image(before, source, header, stream)
            if before
            else image_digest_of(source, header)
        )
    return DeidentifiedInstance(
        study=pseudonyms.uid(header.study),
        series=pseudonyms.uid(header.series),
        sop_instance=sop_instance,
        sop_class=sop_class,
        transfer_syntax=header.transfer_syntax,
        patient=pseudonym,
        profile=profile.name,
        burned_in_risk=risk,
        size=written.size,
        file_digest=written.digest,
        image_digest=digest,
    )


def _sop_class(dataset: Dataset) -> str:
    stated = value_of(dataset, "SOPClassUID")
    if not stated:
        raise MalformedDicom(
            "SOPClassUID holds no UID; correct it and export the file again",
            attribute="SOPClassUID",
        )
    return str(stated)


def _check_video(source: DicomSource) -> None:
    found = unchecked_data(stored_bytes(source), source.transfer_syntax)
    if found is not None:
        raise UncheckedData(
            f"the video holds {found}, which may say who the patient is and is not removed; "
            "remove it, or take it with --allow-unchecked",
            found=found,
        )


@contextmanager
def _opened(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, Path):
        yield target
        return
    part = target.with_name(f".{target.name[:200]}.part")
    try:
        with part.open("w+b") as stream:
            yield stream
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@lru_cache(maxsize=8)
def _deidentifier(profile: Profile, key: bytes, days: int) -> Deidentifier:
    """One for all files of a patient, which have most elements in common."""
    return Deidentifier(profile, Pseudonyms(_key_of_uids(key, profile)), days)


def _key_of_uids(key: bytes, profile: Profile) -> bytes:
    """The same instance under two profiles is two instances: their UIDs must differ."""
    return hashlib.sha256(key + profile.name.encode()).digest()


def _patient(dataset: Dataset, header: DicomHeader) -> str:
    """Who the patient is: the identifier and its issuer, or the study where there is none."""
    identifier = str(value_of(dataset, "PatientID") or "").strip()
    issuer = str(value_of(dataset, "IssuerOfPatientID") or "").strip()
    return f"{issuer}\0{identifier}" if identifier else f"\0\0{header.study}"


@lru_cache(maxsize=8)
def _statement(profile: Profile, pseudonym: str, *, removed: bool) -> Dataset:
    """What says what was done: PS3.15 E.1.1 and PS3.3 C.7.1.1, C.12.1."""
    statement = Dataset()
    statement.PatientName = pseudonym
    statement.PatientID = pseudonym
    statement.PatientIdentityRemoved = "YES" if removed else "NO"
    statement.DeidentificationMethod = "DICOM PS3.15 2026c Annex E by RadLedger"
    statement.LongitudinalTemporalInformationModified = (
        "MODIFIED" if profile.shifts_dates else "REMOVED"
    )
    codes = []
    for value, meaning in profile.codes:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    statement.DeidentificationMethodCodeSequence = codes
    return statement

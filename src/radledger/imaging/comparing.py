"""What makes image sets comparable: modality, body region, and when they were taken."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

    from radledger.imaging.model import ImageRecord
    from radledger.imaging.service import Images
    from radledger.storage import Storage

__all__ = ["Description", "describe"]

_HEADER = 1 << 20
"""Bytes in which a file has said what is asked here."""
_TAGS = ["AnatomicRegionSequence", "BodyPartExamined", "StudyDate"]


@dataclass(frozen=True, slots=True)
class Description:
    """An image set as far as it can be compared with others.

    Attributes
    ----------
    image_id, study, modality
        Its id, the UID of its study and its modality.
    region
        Body Part Examined, else the meaning of the Anatomic Region, in upper case; empty if the
        files do not say.
    taken_on
        Study Date (``YYYYMMDD``); None where it was removed.
    anchored_at, block
        When it was anchored, Unix time, and in which block.
    """

    image_id: str
    study: str
    modality: str
    region: str
    taken_on: str | None
    anchored_at: int
    block: int

    def is_prior_to(self, other: Description) -> bool:
        """Whether it is of an earlier study with the same modality and body region.

        Where one of them does not have its date, the one that was anchored first is the earlier.
        """
        if not self.region or self.study == other.study:
            return False
        if (self.modality, self.region) != (other.modality, other.region):
            return False
        if self.taken_on and other.taken_on:
            return self.taken_on < other.taken_on
        return self.block < other.block


def describe(images: Images, storage: Storage, record: ImageRecord, secret: str) -> Description:
    """Describe an image set by its manifest and the header of its first instance.

    Parameters
    ----------
    images, storage
        Those of the home.
    record, secret
        The set, and its secret.

    Raises
    ------
    ContentNotFound, ContentMismatch, DecryptionFailed, CommitmentMismatch, ManifestInvalid
        If what is stored is missing, or not what was anchored.
    """
    from radledger.imaging.ciphertext import open_instance

    manifest = images.contents(record.image_id, secret=secret)
    with open_instance(storage, manifest.instances[0], secret) as file:
        header = _header(file.read(_HEADER))
    region = _text(header, "BodyPartExamined")
    for item in header.get("AnatomicRegionSequence") or ():
        region = region or _text(item, "CodeMeaning")
    return Description(
        record.image_id,
        manifest.study,
        manifest.modality,
        region.upper(),
        _text(header, "StudyDate") or None,
        record.anchored_at,
        record.block,
    )


def _header(beginning: bytes) -> Dataset:
    """What a file says; nothing if it cannot be read, which then is comparable to nothing."""
    from pydicom import Dataset, dcmread

    try:
        return dcmread(io.BytesIO(beginning), stop_before_pixels=True, specific_tags=_TAGS)
    except Exception:  # of another house, and pydicom raises whatever it meets
        return Dataset()


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()

"""Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
"""

from __future__ import annotations

from typing import NamedTuple

from radledger.chain.enumeration import Enumeration

__all__ = [
    "Image",
    "ImageSet",
    "Kind",
    "NewImageSet",
    "State",
]


class Kind(Enumeration):
    """How an image set came about."""

    ORIGINAL = "original"
    DEIDENTIFIED = "deidentified"
    DERIVED = "derived"
    SEGMENTATION = "segmentation"
    CORRECTED = "corrected"


class ImageSet(NamedTuple):
    """What an image set is made of; who shows these five values proves each of them to a
    contract."""

    custodian: str
    patient: str
    root: bytes
    visit: bytes
    course: bytes


class NewImageSet(NamedTuple):
    """What a custodian states about a new image set."""

    patient: str
    root: bytes
    manifest: bytes
    visit: bytes
    course: bytes
    instances: int
    kind: int


class Image(NamedTuple):
    """What the chain keeps of an image set."""

    patient: str
    anchored_at: int
    instances: int
    state: int


class State(Enumeration):
    """Whether an image set may be used."""

    UNKNOWN = "unknown"
    ANCHORED = "anchored"
    ERASED = "erased"
    DISOWNED = "disowned"

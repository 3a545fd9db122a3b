"""Image sets, and the results of :class:`~.service.Images`.

Addresses are EIP-55 texts; ids and digests are ``0x`` and 64 lower-case hexadecimal digits;
times are Unix seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from eth_hash.auto import keccak

from radledger.area.fold import NOTHING
from radledger.imaging import bindings
from radledger.imaging.bindings import Kind, State
from radledger.imaging.errors import NothingToAdd

__all__ = [
    "NONE",
    "AddResult",
    "Added",
    "Addition",
    "EraseResult",
    "FetchResult",
    "FetchedFile",
    "ImageRecord",
    "ImageSet",
    "Kind",
    "RekeyResult",
    "SkippedFile",
    "State",
    "Verdict",
    "VerifyResult",
    "group_digest",
]

NONE = NOTHING
"""The id or digest of nothing: no course of treatment, no parent, no grant."""


def group_digest(custodian: str, salt: bytes, name: str) -> str:
    """What the chain holds of a visit or course: the salted digest of its name, and whose it is.

    The first 12 bytes of SHA-256 of salt and name, then the custodian's address: the contract lets
    a custodian anchor under its own visits and courses alone.

    Examples
    --------
    >>> group_digest("0x" + "11" * 20, bytes(32), "follow-up")[-40:] == "11" * 20
    True
    """
    digest = hashlib.sha256(salt + name.encode()).hexdigest()
    return f"0x{digest[:24]}{custodian[2:].lower()}"


@dataclass(frozen=True)
class ImageSet:
    """The five values of which an image set's id is the hash.

    Attributes
    ----------
    custodian
        Address of the institution that holds the images.
    patient
        Address that decides about them.
    root
        Root of the salted Merkle tree over the instances.
    visit
        The visit, from :func:`group_digest`.
    course
        The course of treatment, as well; `NONE` without one.

    Examples
    --------
    >>> image_set = ImageSet("0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 32, NONE, NONE)
    >>> image_set.image_id[:10]
    '0xf8c7e97e'
    """

    custodian: str
    patient: str
    root: str
    visit: str
    course: str = NONE

    @property
    def struct(self) -> bindings.ImageSet:
        """As the contracts take it."""
        digests = (bytes.fromhex(value[2:]) for value in (self.root, self.visit, self.course))
        return bindings.ImageSet(self.custodian, self.patient, *digests)

    @cached_property
    def image_id(self) -> str:
        """``keccak256(abi.encode(custodian, patient, root, visit, course))``, as on the chain."""
        words = (self.custodian, self.patient, self.root, self.visit, self.course)
        return "0x" + keccak(b"".join(bytes.fromhex(w[2:]).rjust(32, b"\0") for w in words)).hex()


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """The record of an image set on chain.

    Attributes
    ----------
    image_id, image_set
        The id, and the five values that it is the hash of.
    kind, parent
        How the set came about, and the id of the set that it came from (`None` for an original).
    instances
        Number of DICOM instances.
    state
        Whether it may be used.
    manifest
        Digest of the stored manifest that counts now, the last of the anchoring and re-keyings.
    keyed_in_block
        Number of the block that says so: a permission that ended in a later block has seen
        the present secret.
    anchored_at, block, transaction
        When and where it was anchored.
    certificate
        Digest of the erasure certificate; `None` unless erased.
    """

    image_id: str
    image_set: ImageSet
    kind: Kind
    parent: str | None
    instances: int
    state: State
    manifest: str
    keyed_in_block: int
    anchored_at: int
    block: int
    transaction: str
    certificate: str | None


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A skipped path, in printable characters, and the reason."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddResult:
    """One image set that an addition made, finished, or found to be there already.

    Attributes
    ----------
    image_id, root, manifest_cid
        Its id, Merkle root, and the CID of its manifest.
    instances
        How many instances it has.
    skipped
        Paths of this series that were not taken; those of no series are in the first result
        of `Images.add`.
    transaction, gas
        Which transaction anchored it, and its share of that transaction's gas.
    added
        Whether this addition anchored it; false if it was there before.
    """

    image_id: str
    root: str
    manifest_cid: str
    instances: int
    skipped: tuple[SkippedFile, ...]
    transaction: str
    gas: int
    added: bool


@dataclass(frozen=True, slots=True)
class Addition:
    """Files of one patient that are added together: a study, or all that there is.

    Attributes
    ----------
    paths
        Files and folders, any mix.
    patient
        Address of who will decide about them.
    visit, course
        What to call the visit (default: the study's UID) and the course of treatment, if any.
    """

    paths: tuple[Path, ...]
    patient: str
    visit: str | None = None
    course: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The outcome of an addition.

    Attributes
    ----------
    results
        One for each image set that its files are in; none if no file could be taken.
    skipped
        Paths that belong to none of these sets, and why each was not taken.
    """

    results: tuple[AddResult, ...]
    skipped: tuple[SkippedFile, ...]

    def require_results(self) -> list[AddResult]:
        """The results, the first of which names the paths that belong to none of the sets as well.

        Raises
        ------
        NothingToAdd
            If there are none.
        """
        if not self.results:
            raise NothingToAdd(
                "none of the files could be taken; the reason is given for each",
                skipped=[{"path": each.path, "reason": each.reason} for each in self.skipped],
            )
        first, *others = self.results
        return [replace(first, skipped=first.skipped + self.skipped), *others]


Verdict = Literal["identical", "reencoded", "changed", "undecided", "unknown"]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The result of comparing one file with an image set.

    Attributes
    ----------
    path
        In printable characters.
    verdict
        ``identical``: byte for byte the file that was anchored.  ``reencoded``: the same image,
        written differently.  ``changed``: an instance of the set with another image.
        ``undecided``: one that may have been decompressed from a lossy original, or changed.
        ``unknown``: none of the set's, or no readable DICOM file.
    instance
        SOP Instance UID, as it is in the set, of the instance that the verdict is about.
    reason
        Why a file, or its pixels, could not be read; such a file was not compared as an image.  Of
        a file that was compared with a lossy original, by how much they differ.
    """

    path: str
    verdict: Verdict
    instance: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """One file that was fetched, checked and written."""

    path: Path
    instance: str
    size: int


@dataclass(frozen=True, slots=True)
class FetchResult:
    """An image set that was fetched; every file was checked against the root on the chain.

    ``block_age`` is how many seconds before the release the block was made that decided; none where
    nothing was released, as to the custodian.
    """

    image_id: str
    folder: Path
    files: tuple[FetchedFile, ...]
    block_age: int | None = None


@dataclass(frozen=True, slots=True)
class RekeyResult:
    """An image set that was re-encrypted; its root, and so its id, stay."""

    image_id: str
    manifest_cid: str
    transaction: str
    gas: int


@dataclass(frozen=True, slots=True)
class EraseResult:
    """An erased image set."""

    image_id: str
    certificate: Path
    digest: str
    transaction: str
    gas: int

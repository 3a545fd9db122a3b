"""Copies of an image set's ciphertext: who holds them, their repair, and a partner's own copy.

A custodian's journal lists the contents of an image set in the store.  Everyone else reads them
from the manifest, which only the set's secret opens, so keeping a copy needs a grant.  A partner's
home records what it pins::

    home/imaging/<chain>/pinned/<image id>.json      CIDs that are pinned for nothing else, and
                                                     how many bytes of each there are at most
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.crypto.envelope import longest_ciphertext
from radledger.errors import StorageError
from radledger.files import write_atomically
from radledger.imaging import reading, records
from radledger.imaging.errors import CopiesMissing, SecretUnknown
from radledger.imaging.home import ImagingHome
from radledger.imaging.manifest import LONGEST_MANIFEST
from radledger.imaging.model import ImageRecord, State
from radledger.storage import candidates
from radledger.storage.errors import ContentNotFound, StorageUnavailable
from radledger.storage.protocol import Holding

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.imaging.journal.tables import FileRow
    from radledger.imaging.manifest import Instance
    from radledger.storage import Storage

__all__ = ["ContentCopies", "Copies", "CopiesStatus", "PinResult", "RepairResult", "UnpinResult"]

_AT_ONCE = 16
_LONGEST = 1 << 36
"""Bytes of a content at most whose manifest cannot be read."""


@dataclass(frozen=True, slots=True)
class ContentCopies:
    """One content of an image set, and what each node has of it.

    Attributes
    ----------
    cid
        Its name in the store.
    instance
        SOP Instance UID of the instance whose ciphertext it is; None for the manifest, and where
        it is not known any more.
    copies
        How many nodes keep it.
    nodes
        What each node has, by its name: ``kept``, ``cached`` until it is collected, ``missing``,
        or ``unreachable``.
    """

    cid: str
    instance: str | None
    copies: int
    nodes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Content:
    """The instance whose ciphertext a content is, if any, and how many bytes it has at most."""

    instance: str | None
    most: int


@dataclass(frozen=True, slots=True)
class CopiesStatus:
    """Who holds which content of an image set.

    Attributes
    ----------
    image_id, state
        The set, and whether it is anchored, disowned or erased.
    copies
        How many the store's policy requires; None for an erased set.
    missing
        How many contents have fewer copies.
    contents
        Each of them; of an erased set, those that are still pinned here.
    """

    image_id: str
    state: State
    copies: int
    missing: int
    contents: tuple[ContentCopies, ...]


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The result of a repair: the contents that were copied, and how many there are in all."""

    image_id: str
    repaired: tuple[str, ...]
    contents: int


@dataclass(frozen=True, slots=True)
class PinResult:
    """What a partner has pinned of an image set.

    Attributes
    ----------
    image_id, contents
        The set, and how many contents it consists of.
    pinned
        How many of them are kept for this; less than all where the store keeps them anyway.
    unpinned
        How many of an earlier encryption were unpinned.
    """

    image_id: str
    contents: int
    pinned: int
    unpinned: int


@dataclass(frozen=True, slots=True)
class UnpinResult:
    """How many contents of an image set a partner unpinned."""

    image_id: str
    unpinned: int


class Copies:
    """The copies of image sets in one home's store.

    Parameters
    ----------
    ledger
        The connected chain.
    storage
        The store; a :class:`~radledger.storage.replicated.ReplicatedStore` says how many copies
        there are to be, any other store is one node that is to have one.
    home
        Folder with the journal, and with the notes of what is pinned.
    journal
        URL of a PostgreSQL database that has the journal instead.

    Examples
    --------
    >>> copies = Copies(ledger, storage, home)                              # doctest: +SKIP
    >>> copies.status(image_id).contents[0].nodes                           # doctest: +SKIP
    {'hospital': 'pinned', 'clinic': 'missing'}
    >>> len(copies.repair(image_id).repaired)  # a manifest and two files   # doctest: +SKIP
    3
    """

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self._home = ImagingHome(ledger, storage, home, journal)

    def status(self, image_id: str, *, secret: str | None = None) -> CopiesStatus:
        """Who holds which content of an image set.

        Parameters
        ----------
        image_id
            The set.
        secret
            As it was released; not needed by the custodian, nor for what is pinned here.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        SecretUnknown
            If this home does not know what it consists of.
        """
        record = records.image_record(self._home.ledger, image_id)
        copies = self._held(self._contents(record, secret))
        wanted = self._home.storage.copies if record.state is not State.ERASED else 0
        missing = sum(each.copies < wanted for each in copies)
        return CopiesStatus(record.image_id, record.state, wanted, missing, copies)

    def repair(self, image_id: str, *, secret: str | None = None) -> RepairResult:
        """Create the missing copies of an image set's contents.

        Raises
        ------
        CopiesMissing
            If some could not be made, because nodes are unavailable or none has the content;
            those that could were.
        ImageUnknown, ImageIsErased
            If there is no such set, or it was erased.
        SecretUnknown
            If this home does not know what it consists of.
        """
        record = self._home.usable(image_id)
        contents = self._contents(record, secret)
        repaired, failures = [], {}
        for content in self._held(contents):
            if content.copies < self._home.storage.copies:
                try:
                    self._home.storage.pin(content.cid, contents[content.cid].most)
                    repaired.append(content.cid)
                except StorageError as error:
                    failures[content.cid] = error.message
        if failures:
            raise CopiesMissing(
                f"{len(failures)} of {len(contents)} contents have fewer than "
                f"{self._home.storage.copies} copies still: {next(iter(failures.values()))}",
                image=record.image_id,
                repaired=repaired,
                missing=failures,
            )
        return RepairResult(record.image_id, tuple(repaired), len(contents))

    def pin(self, image_id: str, *, secret: str) -> PinResult:
        """Pin a copy of an image set in this home's store; this needs permission to read it.

        Done again after the set was re-encrypted, it pins the new ciphertext and unpins the
        old.

        Parameters
        ----------
        image_id
            The set.
        secret
            As it was released.

        Raises
        ------
        ImageIsErased
            If the set was erased.
        ContentNotFound, StorageUnavailable
            If the store cannot get it; run it again to resume.
        ContentMismatch
            If a content is longer than the manifest says.
        """
        record = self._home.usable(image_id)
        contents = self._contents_of_manifest(record, secret)
        earlier = self._pinned(record)
        # What is kept already, as custodian for instance, is not this pin's to remove.
        held = self._held(contents)
        own = [each.cid for each in held if each.cid in earlier or each.copies == 0]
        most = {cid: contents[cid].most for cid in own}
        self._note(record, earlier | most)
        for cid in own:
            self._home.storage.pin(cid, most[cid])
        stale = [cid for cid in earlier if cid not in contents]
        self._unpin(stale)
        self._note(record, most)
        return PinResult(record.image_id, len(contents), len(own), len(stale))

    def unpin(self, image_id: str) -> UnpinResult:
        """Unpin what :meth:`pin` keeps, after an erasure for instance; the store deletes it."""
        record = records.image_record(self._home.ledger, image_id)
        unpinned = self._pinned(record)
        self._unpin(unpinned)
        self._note(record, {})
        return UnpinResult(record.image_id, len(unpinned))

    def noted(self) -> list[str]:
        """Ids of the image sets that :meth:`pin` keeps a copy of."""
        return sorted(path.stem for path in (self._home.folder / "pinned").glob("*.json"))

    # ------------------------------------------------------------------------------- internals

    def _held(self, contents: Mapping[str, _Content]) -> tuple[ContentCopies, ...]:
        """Who has what of some contents; the nodes are asked about several at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            instances = (each.instance for each in contents.values())
            return tuple(pool.map(self._copies, contents, instances))

    def _copies(self, cid: str, instance: str | None) -> ContentCopies:
        found = self._home.storage.holdings(cid)
        kept = sum(each is Holding.PINNED for each in found.values())
        return ContentCopies(
            cid, instance, kept, {name: each.value for name, each in found.items()}
        )

    def _contents(self, record: ImageRecord, secret: str | None) -> dict[str, _Content]:
        """A set's manifest and instances, by their CIDs."""
        if record.state is not State.ERASED:
            known = self._contents_of_journal(record)
            if known:
                return known
            if secret is not None:
                return self._contents_of_manifest(record, secret)
        pinned = self._pinned(record)
        if not pinned and record.state is not State.ERASED:
            raise SecretUnknown(
                "what the image set consists of is known to its custodian, and to whom it was "
                "released; act as one who may read it",
                image=record.image_id,
            )
        return {cid: _Content(None, most) for cid, most in pinned.items()}

    def _contents_of_journal(self, record: ImageRecord) -> dict[str, _Content]:
        row = self._home.journal.find(record.image_id)
        if row is None or row.manifest_cid is None:
            return {}
        return _of_set(row.manifest_cid, self._home.journal.files(row.set_id))

    def _contents_of_manifest(self, record: ImageRecord, secret: str) -> dict[str, _Content]:
        manifest = reading.open_manifest(self._home.storage, record, secret)
        return _of_set(self._manifest_cid(record), manifest.instances)

    def _manifest_cid(self, record: ImageRecord) -> str:
        """The CID of a manifest that was just read, of which the chain knows the digest."""
        large, small = candidates(bytes.fromhex(record.manifest[2:]))
        try:
            self._home.storage.stat(large)
        except (ContentNotFound, StorageUnavailable):
            return small
        return large

    def _unpin(self, cids: Iterable[str]) -> None:
        for cid in (cids := list(cids)):
            self._home.storage.unpin(cid)
        if cids:
            self._home.storage.collect()

    def _note_path(self, record: ImageRecord) -> Path:
        return self._home.folder / "pinned" / f"{record.image_id}.json"

    def _pinned(self, record: ImageRecord) -> dict[str, int]:
        """What is noted as pinned, and how many bytes of each there are at most."""
        path = self._note_path(record)
        noted = json.loads(path.read_text("utf-8")) if path.exists() else {}
        # Earlier releases noted the CIDs alone.
        return dict.fromkeys(noted, _LONGEST) if isinstance(noted, list) else dict(noted)

    def _note(self, record: ImageRecord, most: Mapping[str, int]) -> None:
        path = self._note_path(record)
        if most:
            write_atomically(path, json.dumps(most, indent=1) + "\n")
        else:
            path.unlink(missing_ok=True)


def _of_set(manifest_cid: str, files: Iterable[FileRow | Instance]) -> dict[str, _Content]:
    instances = {
        each.cid: _Content(each.sop_instance, longest_ciphertext(each.size)) for each in files
    }
    return {manifest_cid: _Content(None, LONGEST_MANIFEST), **instances}

"""A log in a folder: its entries in order, and the files by which others read it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from radledger.databases import SqliteDatabase
from radledger.files import locked, synchronise
from radledger.tlog.errors import EntryPending, EntryUnknown, LogDiffers, LogUnreadable
from radledger.tlog.signer import LogSigner
from radledger.tlog.sources import FolderSource
from radledger.tlog.tiles import WIDTH, TiledTree, entry_bundle, root_of, tile_name, tree_hash
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import (
    Checkpoint,
    Proof,
    base64_of,
    read_checkpoint,
    signed_at,
)
from radledger.verify.logged.tree import leaf_hash

__all__ = ["Draft", "Log", "Sequenced"]

_SCHEMA = (
    """
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    entry BLOB NOT NULL UNIQUE,
    origin INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_origin ON entries (origin);
CREATE TRIGGER no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'an entry is kept as it is'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'an entry is kept'); END;
""",
)
_CHECKPOINT = "checkpoint"
_AT_ONCE = WIDTH * WIDTH  # entries whose tiles are written in one go


class Sequenced(NamedTuple):
    """The last entry of a log: its number from 0, what it is, and its number at its origin."""

    number: int
    entry: bytes
    origin: int


class Draft(NamedTuple):
    """A checkpoint that its log has signed and not published.

    `completed` has the full tiles that are new, whose partial ones are of no use once it is.
    """

    checkpoint: Checkpoint
    completed: list[str]


class Log:
    """A log of which each entry is on the disk before it is published, once and for good.

    The database in the folder decides the order.  What is in ``public/`` is derived from it: tiles
    first, then the checkpoint, each written as a whole, so a crash leaves the last checkpoint with
    all its tiles, and the next publication continues from there.  Any number of processes may
    append; they take turns to publish.

    Parameters
    ----------
    folder
        Where it is kept; ``public/`` in it is for any static server.
    signer
        The log's key.

    Examples
    --------
    >>> import tempfile
    >>> log = Log(Path(tempfile.mkdtemp()), LogSigner.new("example.com/log"))
    >>> log.append([(1, b"one"), (2, b"two"), (1, b"one")]), log.size
    (2, 2)
    >>> with log.publishing() as draft:
    ...     log.publish(draft)
    >>> log.prove(b"two").index
    1
    """

    def __init__(self, folder: Path, signer: LogSigner) -> None:
        self._folder = folder
        self._public = folder / "public"
        self._signer = signer
        self._database = SqliteDatabase(folder / "entries.sqlite3", _SCHEMA)
        self._source = FolderSource(self._public)

    @property
    def source(self) -> FolderSource:
        """The files of the log, as others read them."""
        return self._source

    @property
    def size(self) -> int:
        """How many entries it has, published or not."""
        last = self.last()
        return 0 if last is None else last.number + 1

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # --- entries --------------------------------------------------------------------------------

    def last(self) -> Sequenced | None:
        """The last entry; none in an empty log."""
        rows = self._database.rows(
            "SELECT number, entry, origin FROM entries ORDER BY number DESC LIMIT 1"
        )
        return Sequenced(*rows[0]) if rows else None

    def append(self, entries: Iterable[tuple[int, bytes]]) -> int:
        """Add entries, in one transaction that is on the disk when this returns.

        Parameters
        ----------
        entries
            Of each its number where it comes from, and what it is: at most 65,535 bytes.  One that
            the log has is left out.

        Returns
        -------
        int
            How many were added.
        """
        with self._database.lock, self._database.writing() as write:
            first = number = self.size
            for origin, entry in entries:
                added = write(
                    "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (entry) DO NOTHING",
                    *(number, entry, origin),
                )
                number += added.rowcount
        return number - first

    # --- publication ----------------------------------------------------------------------------

    def published(self) -> Checkpoint | None:
        """The checkpoint that others read; none before the first.

        Raises
        ------
        LogDiffers
            If it is not of this log, or signed with another key.
        """
        try:
            note = self._source.read(_CHECKPOINT)
        except LogUnreadable:
            return None
        try:
            checkpoint = read_checkpoint(note)
            signed = signed_at(checkpoint, self._signer.key)
        except Invalid:
            signed = None
        if signed is None or checkpoint.origin != self._signer.key.name:
            raise LogDiffers(
                f"{self._public / _CHECKPOINT} is not signed with the key of this log; restore the "
                "key, or the folder, from a backup",
                path=str(self._public / _CHECKPOINT),
            )
        return checkpoint

    @contextmanager
    def publishing(self) -> Iterator[Draft]:
        """A checkpoint over all entries, to be published; others wait until the block ends.

        The tiles of its tree are on the disk, so witnesses may be given it.

        Raises
        ------
        LogDiffers
            If the entries here are not those that the log published: it would be a fork.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / "publishing.lock"):
            yield self._draft()

    def publish(self, draft: Draft, cosignatures: str = "") -> None:
        """Let others read a checkpoint, with lines of cosignatures."""
        checkpoint = draft.checkpoint
        note = (checkpoint.note + cosignatures).encode()
        self._write({_CHECKPOINT: note})
        for name in draft.completed:
            shutil.rmtree(self._public / f"{name}.p", ignore_errors=True)

    def find(self, entry: bytes) -> int:
        """The number of an entry.

        Raises
        ------
        EntryUnknown
            If the log does not have it.
        """
        rows = self._database.rows("SELECT number FROM entries WHERE entry = ?", entry)
        if not rows:
            raise EntryUnknown("the log does not have this entry", log=self._signer.key.name)
        return int(rows[0][0])

    def prove(self, entry: bytes, extra: bytes = b"", under: Checkpoint | None = None) -> Proof:
        """Prove that an entry is under the published checkpoint.

        Parameters
        ----------
        entry
            What it is.
        extra
            Goes into the proof as it is.
        under
            An earlier checkpoint of this log, instead of the published one.

        Raises
        ------
        EntryUnknown
            If the log does not have it.
        EntryPending
            If no published checkpoint covers it yet.
        LogUnreadable
            If tiles are missing.
        """
        index, checkpoint = self.find(entry), self.published()
        if checkpoint is None or index >= checkpoint.size:
            raise EntryPending(
                f"entry {index} of the log is not published yet; publish the log first",
                log=self._signer.key.name,
                index=index,
                published=0 if checkpoint is None else checkpoint.size,
            )
        under = under or checkpoint
        hashes = TiledTree(self._source, checkpoint.size).inclusion(index, under.size)
        return Proof(index, hashes, under, extra)

    # --- internal -------------------------------------------------------------------------------

    def _draft(self) -> Draft:
        size, before = self.size, self._checked()
        completed: list[str] = []
        while before < size:
            end = min(size, before - before % _AT_ONCE + _AT_ONCE)
            completed += self._write_tiles(before, end)
            before = end
        root = TiledTree(self._source, size).root()
        text = f"{self._signer.key.name}\n{size}\n{base64_of(root)}\n"
        note = f"{text}\n{self._signer.sign(text)}"
        return Draft(Checkpoint(self._signer.key.name, size, root, text, note), completed)

    def _checked(self) -> int:
        """How many entries have tiles that give the published root; 0: write all tiles again."""
        published = self.published()
        if published is None:
            return 0
        here = self.size
        if published.size <= here and self._continues(published):
            return published.size
        leaves = map(leaf_hash, self._entries(0, published.size))
        if published.size > here or root_of(leaves) != published.root:
            raise LogDiffers(
                f"the log has published {published.size} entries, and the {here} here do not "
                "give its root; restore its entries.sqlite3 as it was last, or begin a log of "
                "another origin",
                log=published.origin,
                published=published.size,
                here=here,
            )
        return 0

    def _continues(self, published: Checkpoint) -> bool:
        """Whether the tiles give the published root, and end with the entries here."""
        tree, tile = TiledTree(self._source, published.size), (published.size - 1) // WIDTH
        try:
            if tree.root() != published.root:
                return False
            known = tree.hashes(0, tile) if published.size else []
        except LogUnreadable:
            return False
        entries = self._entries(WIDTH * tile, published.size)
        return known == [leaf_hash(entry) for entry in entries]

    def _entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries from a number to another, in constant memory."""
        query = "SELECT entry FROM entries WHERE number >= ? AND number < ? ORDER BY number"
        for first in range(start, end, _AT_ONCE):
            rows = self._database.rows(query, first, min(end, first + _AT_ONCE))
            yield from (row[0] for row in rows)

    def _write_tiles(self, start: int, end: int) -> list[str]:
        """Write what the tree of `end` entries has more than that of `start`; names of full tiles.

        `end` is at most `_AT_ONCE` entries further, and not in the next such span.
        """
        files: dict[str, bytes] = {}
        completed: list[str] = []
        first = start - start % WIDTH
        entries = list(self._entries(first, end))
        for index in range(first // WIDTH, -(-end // WIDTH)):
            at = WIDTH * index - first
            bundle = entries[at : at + WIDTH]
            files[tile_name("entries", index, len(bundle))] = entry_bundle(bundle)
            if len(bundle) == WIDTH:
                completed.append(tile_name("entries", index))
        old = TiledTree(self._source, start)
        level, hashes = 0, [leaf_hash(entry) for entry in entries[start - first :]]
        while hashes:
            index, offset = divmod(start >> 8 * level, WIDTH)
            known = old.hashes(level, index) if offset else []
            hashes, above = known + hashes, []
            for at in range(0, len(hashes), WIDTH):
                tile = hashes[at : at + WIDTH]
                files[tile_name(level, index, len(tile))] = b"".join(tile)
                if len(tile) == WIDTH:
                    completed.append(tile_name(level, index))
                    above.append(tree_hash(tile))
                index += 1
            level, hashes = level + 1, above
        self._write(files)
        return completed

    def _write(self, files: dict[str, bytes]) -> None:
        """Write files, each as a whole, and have them and their folders on the disk."""
        folders = set()
        for name, content in files.items():
            path = self._public / name
            for folder in reversed([path.parent, *path.parent.parents]):
                if not folder.exists():
                    folder.mkdir(exist_ok=True)
                    folders.add(folder.parent)
            folders.add(path.parent)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new.")
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        for folder in folders:
            synchronise(folder)

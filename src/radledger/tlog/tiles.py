"""A log's tree by its tiles, and the proofs that they give (C2SP tlog-tiles, RFC 6962)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from radledger.tlog.errors import LogUnreadable
from radledger.tlog.sources import Source
from radledger.verify.logged.tree import EMPTY, node_hash

__all__ = [
    "WIDTH",
    "Range",
    "TiledTree",
    "entries_of",
    "entry_bundle",
    "root_of",
    "tile_name",
    "tree_hash",
]

WIDTH = 256
"""Hashes of a full tile."""
_HASH = 32


def tile_name(level: int | str, index: int, width: int = WIDTH) -> str:
    """The name of a tile; of a bundle of entries if the level is ``entries``.

    Examples
    --------
    >>> tile_name(0, 1_234_067)
    'tile/0/x001/x234/067'
    >>> tile_name("entries", 5, 17)
    'tile/entries/005.p/17'
    """
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(parts)}{partial}"


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle has them, each after its length.

    Examples
    --------
    >>> entry_bundle([b"one", b""])
    b'\\x00\\x03one\\x00\\x00'
    """
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(bundle: bytes) -> list[bytes]:
    """The entries in a bundle.

    Raises
    ------
    ValueError
        If it ends within one.

    Examples
    --------
    >>> entries_of(entry_bundle([b"one", b""]))
    [b'one', b'']
    """
    found, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle) or at + 2 > len(bundle):
            raise ValueError("ends within an entry")
        found.append(bundle[at + 2 : end])
        at = end
    return found


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """Root over the hashes of a full subtree, whose number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


class Range:
    """The full subtrees of a tree from the left, from which it can grow: the memory of one path.

    Parameters
    ----------
    subtrees
        Their sizes and roots, as `subtrees` has them.

    Examples
    --------
    >>> tree = Range()
    >>> tree.size, tree.root == EMPTY
    (0, True)
    >>> for number in range(7):
    ...     tree.append(bytes([number] * 32))
    >>> [size for size, _ in tree.subtrees]
    [4, 2, 1]
    """

    def __init__(self, subtrees: Iterable[tuple[int, bytes]] = ()) -> None:
        self.subtrees = list(subtrees)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return sum(size for size, _ in self.subtrees)

    @property
    def root(self) -> bytes:
        """Its root."""
        if not self.subtrees:
            return EMPTY
        *others, (_, root) = self.subtrees
        for _, node in reversed(others):
            root = node_hash(node, root)
        return root

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        size, node = 1, leaf
        while self.subtrees and self.subtrees[-1][0] == size:
            node = node_hash(self.subtrees.pop()[1], node)
            size *= 2
        self.subtrees.append((size, node))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over the hashes of any number of leaves.

    Examples
    --------
    >>> root_of([]) == EMPTY
    True
    """
    tree = Range()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root


class TiledTree:
    """The tree of a log at one size, read by as few tiles as a proof takes.

    What it computes is as true as the tiles: check it against a checkpoint.

    Parameters
    ----------
    source
        Where the tiles are.
    size
        How many entries the tree has.
    """

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """Its root; or that which it had at a smaller size."""
        size = self._size if size is None else size
        return self._subtree(0, size) if size else EMPTY

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """What proves that an entry is in the tree (RFC 6962, section 2.1.1).

        With a smaller size, that it was in the tree of that size.
        """
        return tuple(self._inclusion(index, 0, self._size if size is None else size))

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """What proves that the tree grew from one of that size (RFC 6962, section 2.1.2)."""
        if not 0 < old_size < self._size:
            return ()
        return tuple(self._consistency(old_size, 0, self._size, whole=True))

    def bundle(self, index: int) -> list[bytes]:
        """The entries of one bundle, of 256 or, at the end, fewer.

        Raises
        ------
        LogUnreadable
            If it cannot be read, or has another number of them.
        """
        width = min(WIDTH, self._size - WIDTH * index)
        name, data = self._read("entries", index, width)
        try:
            entries = entries_of(data)
        except ValueError:
            entries = []
        if len(entries) < width:
            raise _short(name, len(entries), width, "entries")
        return entries[:width]

    def find(self, entry: bytes) -> int | None:
        """The place of an entry, by reading all bundles; none if it is not there."""
        for index in range(-(-self._size // WIDTH)):
            entries = self.bundle(index)
            if entry in entries:
                return WIDTH * index + entries.index(entry)
        return None

    def _inclusion(self, index: int, start: int, end: int) -> Iterator[bytes]:
        if end - start == 1:
            return
        middle = start + _left(end - start)
        if index < middle:
            yield from self._inclusion(index, start, middle)
            yield self._subtree(middle, end)
        else:
            yield from self._inclusion(index, middle, end)
            yield self._subtree(start, middle)

    def _consistency(self, old_size: int, start: int, end: int, *, whole: bool) -> Iterator[bytes]:
        """Of the old tree's part in a subtree; `whole` if that is all of the old tree."""
        if old_size == end:
            if not whole:
                yield self._subtree(start, end)
            return
        middle = start + _left(end - start)
        if old_size <= middle:
            yield from self._consistency(old_size, start, middle, whole=whole)
            yield self._subtree(middle, end)
        else:
            yield from self._consistency(old_size, middle, end, whole=False)
            yield self._subtree(start, middle)

    def _subtree(self, start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1) or start % size:
            middle = start + _left(size)
            return node_hash(self._subtree(start, middle), self._subtree(middle, end))
        level, height = divmod(size.bit_length() - 1, 8)
        index, offset = divmod(start >> 8 * level, WIDTH)
        return tree_hash(self.hashes(level, index)[offset : offset + (1 << height)])

    def hashes(self, level: int, index: int) -> list[bytes]:
        """The hashes of one tile."""
        tile = self._tile(level, index)
        return [tile[at : at + _HASH] for at in range(0, len(tile), _HASH)]

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._tiles:
            width = min(WIDTH, (self._size >> 8 * level) - WIDTH * index)
            name, data = self._read(level, index, width)
            if len(data) < _HASH * width:
                raise _short(name, len(data), _HASH * width, "bytes")
            self._tiles[level, index] = data[: _HASH * width]
        return self._tiles[level, index]

    def _read(self, level: int | str, index: int, width: int) -> tuple[str, bytes]:
        """A tile's name and content; where the partial one has been removed, those of the full."""
        name, full = tile_name(level, index, width), tile_name(level, index)
        try:
            return name, self._source.read(name)
        except LogUnreadable:
            if name == full:
                raise
            try:
                return full, self._source.read(full)
            except LogUnreadable:
                pass
            raise


def _left(size: int) -> int:
    """How many of so many leaves are in the left subtree: the largest power of two below."""
    return 1 << (size - 1).bit_length() - 1


def _short(name: str, found: int, needed: int, what: str) -> LogUnreadable:
    return LogUnreadable(
        f"the log's file {name} has {found} {what} where {needed} are needed; have the log's "
        "operator restore it",
        file=name,
        found=found,
        needed=needed,
    )

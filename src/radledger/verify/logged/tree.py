"""The tree of a transparency log, and what proves that it has an entry, or that it only grew.

RFC 6962, section 2.1, says how it is hashed and which hashes a proof has.
"""

import hashlib
from collections.abc import Sequence

from radledger.verify.form import Invalid

__all__ = ["EMPTY", "consistent", "included", "leaf_hash", "node_hash"]

EMPTY = hashlib.sha256(b"").digest()
"""Root of the tree without entries."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node from those of its children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def included(index: int, size: int, leaf: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Refuse a proof that does not lead from a leaf's hash to the root; raises `Invalid`."""
    if not 0 <= index < size:
        raise Invalid("proof", f"is of entry {index} in a tree of {size}")
    inner, border = _parts(index, size)
    _require_hashes(inner + border, leaf, *proof)
    if _up(_up(leaf, proof[:inner], index), proof[inner:]) != root:
        raise Invalid("proof", f"of entry {index} does not lead to the root")


def consistent(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Refuse a proof that does not show that a tree only grew; raises `Invalid`."""
    if not 0 < old_size <= size:
        raise Invalid("consistency", f"cannot be shown from {old_size} entries to {size}")
    if old_size == size:
        if proof or old_root != root:
            raise Invalid("consistency", f"of two trees of {size} does not hold")
        return
    # The proof begins with the largest full subtree at the right end of the old tree, unless that
    # is all of it.
    shift = (old_size & -old_size).bit_length() - 1
    first, *rest = [old_root, *proof] if old_size == 1 << shift else proof or [b""]
    inner, border = _parts(old_size - 1, size)
    inner, index = inner - shift, old_size - 1 >> shift
    _require_hashes(inner + border, first, *rest)
    before = first
    for height, sibling in enumerate(rest[:inner]):
        if index >> height & 1:
            before = node_hash(sibling, before)
    before, after = (_up(before, rest[inner:]), _up(_up(first, rest[:inner], index), rest[inner:]))
    if (before, after) != (old_root, root):
        raise Invalid("consistency", f"of the trees of {old_size} and {size} does not hold")


def _parts(index: int, size: int) -> tuple[int, int]:
    """How many siblings lie within the subtree whose end is the tree's, and to the left of it."""
    inner = (index ^ size - 1).bit_length()
    return inner, (index >> inner).bit_count()


def _up(node: bytes, siblings: Sequence[bytes], index: int = -1) -> bytes:
    """The hash above a node; default: all its siblings are at the left."""
    for height, sibling in enumerate(siblings):
        left = index >> height & 1
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
    return node


def _require_hashes(number: int, node: bytes, *siblings: bytes) -> None:
    if len(siblings) != number or any(len(each) != 32 for each in (node, *siblings)):
        raise Invalid("proof", f"does not have {number} hashes of 32 bytes")

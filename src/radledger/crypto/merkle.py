"""Merkle trees exactly as OpenZeppelin's ``StandardMerkleTree`` builds them.

A leaf is hashed twice, so that no inner node can pass for a leaf; leaves are sorted by their
hash; a node hashes its two children in ascending order, so that a proof needs no directions.
Solidity verifies the proofs with ``MerkleProof.verify``, JavaScript with
``@openzeppelin/merkle-tree``.

References
----------
.. [1] OpenZeppelin, merkle-tree, "Standard Merkle Trees",
   https://github.com/OpenZeppelin/merkle-tree#standard-merkle-trees
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import SupportsBytes

from eth_hash.auto import keccak

from radledger.crypto.errors import EmptyTree, InvalidLeaf, NoSuchLeaf

__all__ = ["Leaf", "MerkleTree", "leaf_hash", "verify"]

_WORD = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """One instance (file) of an image set; ``bytes(leaf)`` is its ABI encoding.

    Parameters
    ----------
    salt
        32 random bytes: without them a guessed file could be recognised by its digest.
    file_digest
        SHA-256 of the exact file, 32 bytes.
    image_digest
        Digest of the decoded pixels with their geometry, 32 bytes.

    Raises
    ------
    InvalidLeaf
        If a field is not 32 bytes long.

    Examples
    --------
    >>> len(bytes(Leaf(salt=bytes(32), file_digest=bytes(32), image_digest=bytes(32))))
    96
    """

    salt: bytes
    file_digest: bytes
    image_digest: bytes

    def __post_init__(self) -> None:
        for name in ("salt", "file_digest", "image_digest"):
            length = len(getattr(self, name))
            if length != _WORD:
                raise InvalidLeaf(
                    f"{name} of a leaf has {length} bytes; give 32", field=name, length=length
                )

    def __bytes__(self) -> bytes:
        """``abi.encode(salt, fileDigest, imageDigest)``: three words, one after the other."""
        return self.salt + self.file_digest + self.image_digest


def leaf_hash(leaf: SupportsBytes) -> bytes:
    """Hash of a leaf, ``keccak256(keccak256(encoding))``, 32 bytes.

    Examples
    --------
    >>> leaf_hash(bytes(96)).hex()[:8]
    'd5fd4d0e'
    """
    return keccak(keccak(bytes(leaf)))


def _node(a: bytes, b: bytes) -> bytes:
    return keccak(a + b if a < b else b + a)


class MerkleTree:
    """A tree over leaves that know their ABI encoding.

    Parameters
    ----------
    leaves
        In any order, at least one: :class:`Leaf`, or the ABI encoding itself as ``bytes``.

    Raises
    ------
    EmptyTree
        If there is no leaf.

    Examples
    --------
    >>> leaves = [Leaf(bytes([n]) * 32, bytes(32), bytes(32)) for n in range(3)]
    >>> tree = MerkleTree(leaves)
    >>> len(tree), len(tree.proof(0))
    (3, 2)
    >>> verify(tree.root, leaves[0], tree.proof(0))
    True
    >>> verify(tree.root, leaves[1], tree.proof(0))
    False
    """

    def __init__(self, leaves: Iterable[SupportsBytes]) -> None:
        hashes = [leaf_hash(leaf) for leaf in leaves]
        if not hashes:
            raise EmptyTree("a Merkle tree needs at least one leaf; give one")
        # The root is the first node, the children of node i are 2i+1 and 2i+2, and the sorted
        # leaves fill the array from its end.
        last = 2 * len(hashes) - 2
        self._nodes = [b""] * (last + 1)
        self._positions = [0] * len(hashes)
        for rank, index in enumerate(sorted(range(len(hashes)), key=hashes.__getitem__)):
            self._nodes[last - rank] = hashes[index]
            self._positions[index] = last - rank
        for i in reversed(range(len(hashes) - 1)):
            self._nodes[i] = _node(self._nodes[2 * i + 1], self._nodes[2 * i + 2])

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self._nodes[0]

    def proof(self, index: int) -> list[bytes]:
        """Siblings from the leaf up to the root.

        Parameters
        ----------
        index
            Position of the leaf in the order in which the leaves were given.

        Raises
        ------
        NoSuchLeaf
            If ``index`` is negative or past the last leaf.
        """
        if not 0 <= index < len(self):
            raise NoSuchLeaf(
                f"no leaf {index} in a tree of {len(self)}; count from 0",
                index=index,
                leaves=len(self),
            )
        position = self._positions[index]
        siblings = []
        while position:
            siblings.append(self._nodes[position + 1 if position % 2 else position - 1])
            position = (position - 1) // 2
        return siblings


def verify(root: bytes, leaf: SupportsBytes, proof: Sequence[bytes]) -> bool:
    """Whether ``leaf`` is in the tree of ``root``; depends only on its arguments.

    A sibling that is not 32 bytes long makes the proof false: joined differently, the same bytes
    could otherwise prove another tree.
    """
    node = leaf_hash(leaf)
    for sibling in proof:
        if len(sibling) != _WORD:
            return False
        node = _node(node, sibling)
    return node == root

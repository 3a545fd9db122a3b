"""A Clique chain and an image set on it, made of nothing but the standards' own encodings.

What RadLedger exports from real nodes is tested beside ``imaging``; here every part is built by
hand, so that each can be wrong in its own way.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import rlp
from eth_abi import encode
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from trie import HexaryTrie

from radledger.crypto.merkle import Leaf, MerkleTree

ANCHORED = (
    "ImageAnchored(bytes32,address,address,bytes32,bytes32,bytes32,bytes32,uint32,uint8,bytes32)"
)
REKEYED = "ImageRekeyed(bytes32,bytes32)"
ERASED = "ImageErased(bytes32,bytes32)"
NONE = bytes(32)


def write(bundle: dict[str, Any]) -> bytes:
    """The one form of a bundle."""
    line = json.dumps(
        bundle, sort_keys=True, separators=(",", ":"), default=lambda value: "0x" + value.hex()
    )
    return line.encode() + b"\n"


def word(name: str) -> bytes:
    """32 bytes that differ by name."""
    return keccak(name.encode())


def address(name: str) -> bytes:
    """20 bytes that differ by name."""
    return word(name)[12:]


VALIDATORS = [PrivateKey(word(f"validator {n}")) for n in range(4)]
ADDRESSES = [key.public_key.to_canonical_address() for key in VALIDATORS]
REGISTRY = address("registry")


@dataclass(frozen=True)
class ImageSetOf:
    """An image set of some files, as the registry would record it."""

    files: tuple[bytes, ...]
    parent: bytes = NONE
    kind: int = 1

    @cached_property
    def leaves(self) -> list[Leaf]:
        return [
            Leaf(word(f"salt {n}"), hashlib.sha256(file).digest(), word(f"image {n}"))
            for n, file in enumerate(self.files)
        ]

    @cached_property
    def tree(self) -> MerkleTree:
        return MerkleTree(self.leaves)

    @property
    def preimage(self) -> bytes:
        kinds = ["address", "address", "bytes32", "bytes32", "bytes32"]
        values = [address("hospital"), address("patient"), self.tree.root, word("visit"), NONE]
        return encode(kinds, values)

    @property
    def image(self) -> bytes:
        return keccak(self.preimage)

    @property
    def anchored(self) -> list[Any]:
        """The log that anchors it: address, topics, data."""
        people = [bytes(12) + address(name) for name in ("hospital", "patient")]
        data = encode(
            ["bytes32", "bytes32", "bytes32", "bytes32", "uint32", "uint8", "bytes32"],
            [
                self.tree.root,
                word("manifest"),
                word("visit"),
                NONE,
                len(self.files),
                self.kind,
                self.parent,
            ],
        )
        return [REGISTRY, [keccak(ANCHORED.encode()), self.image, *people], data]

    def later(self, event: str, value: bytes) -> list[Any]:
        """The log of a re-keying or an erasure."""
        return [REGISTRY, [keccak(event.encode()), self.image], value]

    def bundled_leaves(self) -> list[dict[str, Any]]:
        return [
            {
                "fileDigest": leaf.file_digest,
                "imageDigest": leaf.image_digest,
                "proof": self.tree.proof(n),
                "salt": leaf.salt,
            }
            for n, leaf in enumerate(self.leaves)
        ]


@dataclass(frozen=True)
class Block:
    """A block with one transaction of each list of logs, and who seals it and those above it.

    The transaction that is proven is at ``position``; the others belong to other accounts.
    """

    logs: list[Any]
    sealers: tuple[int, ...] = (0, 1, 2, 3)
    position: int = 5
    transactions: int = 20
    typed: bool = True
    number: int = 77
    extra_fields: tuple[bytes, ...] = (b"\x07",)

    def _receipt(self, position: int) -> bytes:
        logs = self.logs if position == self.position else [[address("token"), [], b""]]
        encoded = rlp.encode([b"\x01", 50_000 * (position + 1), bytes(256), logs])
        return (b"\x02" if self.typed else b"") + encoded

    @cached_property
    def trie(self) -> HexaryTrie:
        trie = HexaryTrie({})
        for position in range(self.transactions):
            trie.set(rlp.encode(position), self._receipt(position))
        return trie

    @cached_property
    def headers(self) -> list[bytes]:
        """The sealed headers: of the block itself, then of those above it."""
        made: list[bytes] = []
        parent, root = word("genesis"), self.trie.root_hash
        for offset, sealer in enumerate(self.sealers):
            fields = [
                *(parent, keccak(rlp.encode([])), bytes(20), word("state"), word("transactions")),
                *(root, bytes(256), 2, self.number + offset, 30_000_000, 1_000_000),
                *(1_795_000_000 + offset, b"vanity".ljust(32, b"\0"), bytes(32), bytes(8)),
                *self.extra_fields,
            ]
            made.append(rlp.encode(seal(fields, VALIDATORS[sealer])))
            parent, root = keccak(made[-1]), word("empty")
        return made

    def event(self, name: str) -> dict[str, Any]:
        key = rlp.encode(self.position)
        return {
            "event": name,
            "headers": self.headers,
            "receipt": [rlp.encode(node) for node in self.trie.get_proof(key)],
            "transaction": key,
        }


def seal(fields: list[Any], key: PrivateKey) -> list[Any]:
    """Seal a header as a Clique validator does (EIP-225)."""
    signature = key.sign_msg_hash(keccak(rlp.encode(fields))).to_bytes()
    return [*fields[:12], fields[12] + signature, *fields[13:]]


FILES = (b"first slice", b"second slice", b"third slice")
ORIGINAL = ImageSetOf((b"as it came from the scanner",), kind=0)
DERIVED = ImageSetOf(FILES, parent=ORIGINAL.image)


def bundle_of(image_set: ImageSetOf = DERIVED, **block: Any) -> dict[str, Any]:
    """A bundle with all kinds of events: anchored from another set, re-keyed and erased."""
    events = [
        ("ImageAnchored", image_set.anchored),
        ("ImageRekeyed", image_set.later(REKEYED, word("new manifest"))),
        ("ImageErased", image_set.later(ERASED, word("certificate"))),
        ("ImageAnchored", ORIGINAL.anchored),
    ]
    return {
        "contract": REGISTRY,
        "events": [
            replace(Block([log], number=77 + 10 * n), **block).event(name)
            for n, (name, log) in enumerate(events)
        ],
        "format": "radledger-bundle/1",
        "image": image_set.image,
        "leaves": image_set.bundled_leaves(),
    }

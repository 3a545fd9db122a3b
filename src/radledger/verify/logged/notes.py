"""What transparency logs and their witnesses sign, and the files of their proofs.

The forms are those of C2SP: signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof.
"""

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from radledger.verify.form import Invalid

__all__ = [
    "ED25519",
    "ED25519_COSIGNATURE",
    "MLDSA44_COSIGNATURE",
    "Checkpoint",
    "Key",
    "Proof",
    "base64_of",
    "cosigned_message",
    "proof_text",
    "read_checkpoint",
    "read_key",
    "read_proof",
    "read_signatures",
    "require_name",
    "signed_at",
]

ED25519, ED25519_COSIGNATURE, MLDSA44_COSIGNATURE = 0x01, 0x04, 0x06
_PUBLIC = {ED25519: 32, ED25519_COSIGNATURE: 32, MLDSA44_COSIGNATURE: 1312}  # bytes of a key
_MOST_BYTES, _MOST_SIGNATURES = 1 << 20, 100
_FIRST = "c2sp.org/tlog-proof@v1"
_SIZE = re.compile("0|[1-9][0-9]{0,17}")
_SIGNATURE = re.compile("\u2014 ([^ ]+) ([^ ]+)")
_NAME = re.compile(r"[^\s+]+")


class Key(NamedTuple):
    """A key that signs notes: whose it is, the type of its signatures, and its public half."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that a signature names it by."""
        of = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(of).digest()[:4]

    @property
    def vkey(self) -> str:
        """Its text, as others are given it."""
        return f"{self.name}+{self.id.hex()}+{base64_of(bytes([self.kind]) + self.public)}"


class Checkpoint(NamedTuple):
    """What a log signs of its tree; `note` is it with its signatures, `text` what they are of."""

    origin: str
    size: int
    root: bytes
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A ``.tlog-proof``: the hashes from an entry up to the root of a checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint
    extra: bytes


def base64_of(data: bytes) -> str:
    """Bytes in Base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def require_name(name: str) -> str:
    """A key's name or a log's origin; raises `Invalid`."""
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise Invalid("name", f"{name[:80]!r} is empty, or has spaces, plus or control characters")
    return name


def read_key(vkey: str) -> Key:
    """A key from its text, such as ``example.com/log+530d903a+AekyeRrm…``; raises `Invalid`."""
    name, _, rest = vkey.partition("+")
    identifier, _, encoded = rest.partition("+")
    data = _decoded(encoded, "key")
    key = Key(require_name(name), data[0] if data else 0, data[1:])
    if len(key.public) != _PUBLIC.get(key.kind):
        raise Invalid("key", f"{vkey[:80]!r} is not an Ed25519 or ML-DSA-44 key of notes")
    if key.id.hex() != identifier:
        raise Invalid("key", f"{vkey[:80]!r} has the id {key.id.hex()}; it was not copied whole")
    return key


def read_checkpoint(note: bytes) -> Checkpoint:
    """A checkpoint with its signatures, which are not checked here; raises `Invalid`."""
    text, signatures = _split(note)
    if not signatures:
        raise Invalid("checkpoint", "has no signature")
    lines = text.split("\n")
    if len(lines) < 4 or "" in lines[:-1]:
        raise Invalid("checkpoint", "does not have origin, size and root on three lines")
    root = _decoded(lines[2], "checkpoint")
    if len(root) != 32:
        raise Invalid("checkpoint", "has a root that is not of 32 bytes")
    return Checkpoint(lines[0], _size(lines[1], "checkpoint"), root, text, note.decode())


def read_signatures(lines: str) -> list[tuple[str, bytes, bytes]]:
    """Name, key's id and signature of each line; raises `Invalid`."""
    found = []
    for line in lines.removesuffix("\n").split("\n"):
        if not (match := _SIGNATURE.fullmatch(line)):
            raise Invalid("signature", f"{line[:80]!r} is not a line of a name and a signature")
        data = _decoded(match[2], "signature")
        if len(data) < 5:
            raise Invalid("signature", f"of {match[1][:80]!r} is too short")
        found.append((require_name(match[1]), data[:4], data[4:]))
    if len(found) > _MOST_SIGNATURES:
        raise Invalid("signature", f"lines are more than {_MOST_SIGNATURES}")
    return found


def signed_at(checkpoint: Checkpoint, key: Key) -> int | None:
    """When a key signed a checkpoint, 0 for the log's own; None if it did not; raises `Invalid`."""
    times = [
        _verified(checkpoint, key, data)
        for name, identifier, data in _split(checkpoint.note.encode())[1]
        if (name, identifier) == (key.name, key.id)
    ]
    return max(times, default=None)


def cosigned_message(checkpoint: Checkpoint, key: Key, time: int) -> bytes:
    """What a witness signs of a checkpoint (tlog-cosignature); raises `Invalid`."""
    if key.kind == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{checkpoint.text}".encode()
    names = [name.encode() for name in (key.name, checkpoint.origin)]
    if max(map(len, names)) > 255:
        raise Invalid("signature", f"of {key.name[:80]} is over names of more than 255 bytes")
    cosigner, origin = (bytes([len(name)]) + name for name in names)
    tree = struct.pack(">QQ", 0, checkpoint.size) + checkpoint.root
    return b"subtree/v1\n\0" + cosigner + struct.pack(">Q", time) + origin + tree


def _verified(checkpoint: Checkpoint, key: Key, data: bytes) -> int:
    time, signature, message = 0, data, checkpoint.text.encode()
    if key.kind != ED25519:
        time, signature = int.from_bytes(data[:8], "big"), data[8:]
        if not 0 < time < 1 << 63:
            raise Invalid("signature", f"of {key.name} has no time")
        message = cosigned_message(checkpoint, key, time)
    of = MLDSA44PublicKey if key.kind == MLDSA44_COSIGNATURE else Ed25519PublicKey
    try:
        of.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Invalid("signature", f"of {key.name} is not valid") from None
    return time


def read_proof(data: bytes) -> Proof:
    """A ``.tlog-proof``, of which nothing is checked here but its form; raises `Invalid`."""
    if len(data) > _MOST_BYTES:
        raise Invalid("proof", f"has more than {_MOST_BYTES:,} bytes")
    head, _, note = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    if first != _FIRST:
        raise Invalid("proof", f"does not begin with {_FIRST}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _decoded(lines.pop(0)[6:], "extra")
    if not lines or not lines[0].startswith("index "):
        raise Invalid("proof", "has no line with the index")
    hashes = tuple(_decoded(line, "proof") for line in lines[1:])
    index = _size(lines[0][6:], "proof")
    return Proof(index, hashes, read_checkpoint(note), extra)


def proof_text(proof: Proof) -> str:
    """A ``.tlog-proof`` as it is written to a file."""
    extra = [f"extra {base64_of(proof.extra)}"] if proof.extra else []
    lines = [_FIRST, *extra, f"index {proof.index}", *map(base64_of, proof.hashes), ""]
    return "\n".join([*lines, proof.checkpoint.note])


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a note, and its signatures."""
    if len(note) > _MOST_BYTES:
        raise Invalid("note", f"has more than {_MOST_BYTES:,} bytes")
    try:
        content = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("note", "is not text in UTF-8") from None
    text, blank, signatures = content.rpartition("\n\n")
    if not blank or not signatures.endswith("\n") or re.search(r"[\0-\x09\x0b-\x1f]", content):
        raise Invalid("note", "is not text, a blank line and lines of signatures")
    return text + "\n", read_signatures(signatures)


def _size(text: str, where: str) -> int:
    if not _SIZE.fullmatch(text):
        raise Invalid(where, f"has {text[:30]!r} for a number")
    return int(text)


def _decoded(text: str, where: str) -> bytes:
    """Of Base64 that can be written in one way only."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64_of(data) != text:
        raise Invalid(where, f"has {text[:80]!r} for Base64")
    return data

"""Keys of a log and of witnesses for tests, and checkpoints that they sign."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from radledger.tlog import Log
from radledger.verify.logged.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    Checkpoint,
    Key,
    base64_of,
    cosigned_message,
    read_checkpoint,
)

ROOT = hashlib.sha256(b"a root").digest()


class Cosigner:
    """A key with its private half, which cosigns what it is shown without looking at it."""

    def __init__(self, name: str, kind: int) -> None:
        seed = hashlib.sha256(name.encode()).digest()
        self._private: Any = (
            MLDSA44PrivateKey.from_seed_bytes(seed)
            if kind == MLDSA44_COSIGNATURE
            else Ed25519PrivateKey.from_private_bytes(seed)
        )
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key = Key(name, kind, public)
        self.vkey = self.key.vkey

    def line(self, checkpoint: Checkpoint, time: int) -> str:
        """The line of its signature, of a time or of a log's own without one."""
        if self.key.kind == ED25519:
            data = self._private.sign(checkpoint.text.encode())
        else:
            message = cosigned_message(checkpoint, self.key, time)
            data = time.to_bytes(8, "big") + self._private.sign(message)
        return f"\u2014 {self.key.name} {base64_of(self.key.id + data)}\n"


LOG = Cosigner("gateway.hospital.example/log", ED25519)
WITNESS = Cosigner("witness.patients.example", ED25519_COSIGNATURE)
MLDSA = Cosigner("witness.clinic.example", MLDSA44_COSIGNATURE)


def checkpoint(
    size: int,
    root: bytes = ROOT,
    signers: tuple[tuple[Cosigner, int], ...] = ((LOG, 0),),
    extension: str = "",
) -> Checkpoint:
    """A checkpoint of the log, signed as given."""
    text = f"{LOG.key.name}\n{size}\n{base64_of(root)}\n{extension}"
    unsigned = Checkpoint(LOG.key.name, size, root, text, "")
    lines = "".join(signer.line(unsigned, time) for signer, time in signers)
    return read_checkpoint(f"{text}\n{lines}".encode())


def entry(number: int) -> bytes:
    """The entry that tests append at a number."""
    return hashlib.sha256(b"entry %d" % number).digest()


def fill(log: Log, size: int) -> None:
    """Append entries until the log has so many."""
    log.append((number, entry(number)) for number in range(log.size, size))


def publish(log: Log, size: int | None = None) -> Checkpoint:
    """Publish the log, filled to a size."""
    fill(log, size or log.size)
    with log.publishing() as draft:
        log.publish(draft)
    published = log.published()
    assert published is not None
    return published


def reference(size: int, first: int = 0) -> bytes:
    """Root over the entries of tests, as RFC 6962, section 2.1, defines it."""
    if size == 0:
        return hashlib.sha256(b"").digest()
    if size == 1:
        return hashlib.sha256(b"\0" + entry(first)).digest()
    left = 1
    while 2 * left < size:
        left *= 2
    return hashlib.sha256(
        b"\1" + reference(left, first) + reference(size - left, first + left)
    ).digest()

"""Encryption of an image set's files in the age format, under one identity for the set.

age adds a fixed number of bytes to a content, so the length of a ciphertext would tell the exact
length of the file, and the lengths of a study's files which study it is.  Contents are padded
with zeros to a length of few significant bits (Padmé [2]_), at a cost of at most 12 %.

Any age implementation opens the files, and ``head`` cuts the padding off at the size that the
manifest has: ``age --decrypt --identity secret.txt file.age | head --bytes SIZE``.

References
----------
.. [1] The age file encryption format, https://age-encryption.org/v1
.. [2] Nikitin, Barman, Lueks, Underwood, Hubaux, Ford, "Reducing Metadata Leakage from Encrypted
   Files and Communication with PURBs", PoPETs 2019 (4), section 4
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pyrage

from radledger.crypto.errors import DecryptionFailed, InvalidRecipient, InvalidSecret

__all__ = [
    "commitment",
    "decrypt",
    "encrypt",
    "longest_ciphertext",
    "new_secret",
    "padded",
    "recipient",
]

_BUFFER = 1 << 20
# Bytes of an age header with room for stanzas that say nothing, and of the nonce behind it.
_HEADER = 4096
_CHUNK, _TAG = 1 << 16, 16
_COMMITMENT_DOMAIN = b"RadLedger image set secret, version 1\0"


def new_secret() -> str:
    """Make the secret of a new image set: an age X25519 identity, as ``age-keygen`` writes it.

    Examples
    --------
    >>> new_secret().startswith("AGE-SECRET-KEY-1")
    True
    """
    return str(pyrage.x25519.Identity.generate())


def recipient(secret: str) -> str:
    """Public half of a secret, to which files are encrypted.

    Raises
    ------
    InvalidSecret
        If ``secret`` is not an age X25519 identity.

    Examples
    --------
    >>> recipient(new_secret()).startswith("age1")
    True
    """
    return str(_identity(secret).to_public())


def commitment(secret: str) -> bytes:
    """32 bytes that bind their publisher to ``secret`` and reveal nothing about it.

    It is the SHA-256 of a fixed label and the recipient.  Two secrets with one commitment would
    be a collision of SHA-256, or share a recipient and so open the same files.  The recipient
    alone would bind as well, but an ephemeral age header and a published recipient are all that
    a future quantum computer needs to open a file; behind the hash it stays unknown.

    Raises
    ------
    InvalidSecret
        If ``secret`` is not an age X25519 identity.

    Examples
    --------
    >>> secret = new_secret()
    >>> commitment(secret) == commitment(secret), commitment(secret) == commitment(new_secret())
    (True, False)
    """
    return hashlib.sha256(_COMMITMENT_DOMAIN + recipient(secret).encode()).digest()


def padded(size: int) -> int:
    """The length to which a content of `size` bytes is padded (Padmé).

    Of a length of *n* bits only as many leading bits differ from zero as *n* itself has bits.

    Examples
    --------
    >>> [padded(size) for size in (0, 1, 9, 527_000, 536_870_913)]
    [0, 1, 10, 540672, 553648128]
    """
    exponent = size.bit_length() - 1
    if exponent < 1:
        return size
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def longest_ciphertext(size: int) -> int:
    """Bytes that the ciphertext of a content of `size` bytes has at most.

    Examples
    --------
    >>> longest_ciphertext(100_000)
    104480
    """
    length = padded(size)
    return _HEADER + length + _TAG * (length // _CHUNK + 1)


def encrypt(source: IO[bytes], target: IO[bytes], recipient: str) -> None:
    """Pad and encrypt a stream in constant memory.

    Parameters
    ----------
    source
        Read to its end.
    target
        Written to, neither flushed to the disk nor closed.
    recipient
        From :func:`recipient`.

    Raises
    ------
    InvalidRecipient
        If ``recipient`` is not an age X25519 recipient.
    OSError
        What reading or writing raised; ``target`` is incomplete then.

    Examples
    --------
    >>> import io
    >>> target = io.BytesIO()
    >>> encrypt(io.BytesIO(b"pixels"), target, recipient(new_secret()))
    >>> target.getvalue().splitlines()[0]
    b'age-encryption.org/v1'
    """
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise InvalidRecipient(
            f"not an age recipient ({error}); take it from `recipient(secret)`",
            recipient=recipient,
        ) from None
    failure = _run(pyrage.encrypt_io, cast(IO[bytes], _Padded(source)), target, to)
    if failure is not None:
        raise failure


def decrypt(source: IO[bytes], target: Path, secret: str, size: int | None = None) -> None:
    """Decrypt a stream to a file in constant memory; the file appears whole or not at all.

    An existing ``target`` is replaced on success and left alone on failure.

    Parameters
    ----------
    source
        Ciphertext, read to its end.
    target
        File to write, readable by its owner alone.
    secret
        From :func:`new_secret`.
    size
        Bytes of the content, behind which the padding is cut off; by default it stays.

    Raises
    ------
    InvalidSecret
        If ``secret`` is not an age X25519 identity.
    DecryptionFailed
        If the ciphertext was changed, cut short or extended, or is for another secret.
    OSError
        What reading or writing raised.
    """
    identity = _identity(secret)
    descriptor, name = tempfile.mkstemp(prefix=".radledger-", dir=target.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
            failure = _run(pyrage.decrypt_io, source, file, identity)
            if failure is not None:
                raise DecryptionFailed(
                    f"the ciphertext does not open ({failure}); it was changed or cut short, or "
                    "is for another secret: fetch it again",
                    reason=str(failure),
                )
            if size is not None and size < file.tell():
                file.truncate(size)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except BaseException:
        aside.unlink()
        raise


def _identity(secret: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(secret)
    except pyrage.IdentityError:
        raise InvalidSecret(
            "not an age identity; it is one line that starts with AGE-SECRET-KEY-1"
        ) from None


def _run(
    operation: Callable[..., None], source: IO[bytes], target: IO[bytes], key: object
) -> Exception | None:
    """Run one of pyrage's operations; raise what a stream raised, return what age refused."""
    reading, writing = _Recorder(source), _Recorder(target)
    failure: Exception | None = None
    try:
        operation(reading, writing, [key])
    except (pyrage.EncryptError, pyrage.DecryptError, OSError) as error:
        failure = error
    for stream in (reading, writing):
        if stream.error is not None:
            raise stream.error
    return failure


class _Padded:
    """A stream with zeros behind it, up to the length that :func:`padded` gives."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._size = 0
        self._left: int | None = None  # zeros to come, once the source is at its end

    def read(self, size: int) -> bytes:
        if self._left is None:
            data = self._source.read(size)
            self._size += len(data)
            if data:
                return data
            self._left = padded(self._size) - self._size
        zeros = bytes(min(size, self._left))
        self._left -= len(zeros)
        return zeros


class _Recorder:
    """A stream that remembers what it raised: pyrage loses the error of a last write."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except BaseException as error:
            self.error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._stream.write(data)
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Nothing: the stream's owner flushes it."""

"""Read any part of an encrypted file without decrypting what is before it.

age divides a content into chunks of 64 KiB, each encrypted and authenticated by itself, so that a
frame in the middle of a large file costs the chunks that it lies in.  pyrage reads a file from its
beginning to its end only.  What :mod:`radledger.crypto.envelope` encrypts is read here: one
X25519 recipient, and padding behind the content.

References
----------
.. [1] The age file encryption format, https://age-encryption.org/v1
"""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import os
from typing import IO, TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from radledger.crypto.envelope import recipient
from radledger.crypto.errors import DecryptionFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["open_decrypted"]

_VERSION = b"age-encryption.org/v1\n"
_STANZA = b"X25519"
_LONGEST_HEADER = 4096
_CHUNK, _TAG = 1 << 16, 16
_KEY, _FILE_KEY = 32, 16
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM = 6  # characters of Bech32


def open_decrypted(source: IO[bytes], secret: str, size: int) -> BinaryIO:
    """Open an encrypted content for reading at any place; no plaintext is on the disk.

    Parameters
    ----------
    source
        The ciphertext, seekable; closed with what is returned.
    secret
        From :func:`radledger.crypto.envelope.new_secret`.
    size
        Bytes of the content, behind which the padding is cut off.

    Returns
    -------
    file
        A seekable file for one thread at a time.  Reading it raises `DecryptionFailed` at a chunk
        that was changed.

    Raises
    ------
    InvalidSecret
        If ``secret`` is not an age X25519 identity.
    DecryptionFailed
        If the header or the end was changed, cut short or extended, or is for another secret.

    Examples
    --------
    >>> from radledger.crypto.envelope import encrypt, new_secret
    >>> secret, ciphertext = new_secret(), io.BytesIO()
    >>> encrypt(io.BytesIO(b"pixels"), ciphertext, recipient(secret))
    >>> with open_decrypted(ciphertext, secret, 6) as file:
    ...     file.seek(2), file.read()
    (2, b'xels')
    """
    recipient(secret)  # refuses what is not a secret
    source.seek(0)
    file_key, end = _file_key(source.read(_LONGEST_HEADER), _private_key(secret))
    source.seek(end)
    payload_key = _derived(file_key, source.read(16), b"payload", _KEY)
    return io.BufferedReader(_Decrypted(source, end + 16, payload_key, size), _CHUNK)


class _Decrypted(io.RawIOBase):
    """The content behind an age header; the last chunk that was decrypted is kept."""

    def __init__(self, source: IO[bytes], start: int, key: bytes, size: int) -> None:
        self._source, self._start, self._size = source, start, size
        self._cipher = ChaCha20Poly1305(key)
        self._position = 0
        length = source.seek(0, os.SEEK_END) - start
        self._last = max(0, -(-length // (_CHUNK + _TAG)) - 1)
        self._number, self._chunk = -1, b""
        # The last chunk says that it is the last: what was cut short is found before it is read.
        self._decrypt(self._last)
        if self._last * _CHUNK + len(self._chunk) < size:
            raise _failed("it is shorter than the content")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        number, offset = divmod(self._position, _CHUNK)
        count = min(len(target), _CHUNK - offset, max(0, self._size - self._position))
        if count:
            self._decrypt(number)
            target[:count] = self._chunk[offset : offset + count]
            self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _decrypt(self, number: int) -> None:
        if number == self._number:
            return
        self._source.seek(self._start + number * (_CHUNK + _TAG))
        encrypted = self._source.read(_CHUNK + _TAG)
        nonce = number.to_bytes(11, "big") + bytes([number == self._last])
        try:
            chunk = self._cipher.decrypt(nonce, encrypted, None)
        except InvalidTag:
            raise _failed(f"chunk {number + 1} of {self._last + 1} was changed") from None
        if number and not chunk:
            raise _failed("it ends with an empty chunk")
        self._number, self._chunk = number, chunk


def _file_key(head: bytes, private_key: X25519PrivateKey) -> tuple[bytes, int]:
    """The key of a file, and where its header ends."""
    begin = head.find(b"\n--- ")
    end = head.find(b"\n", begin + 1)
    if not head.startswith(_VERSION) or begin < 0 or end < 0:
        raise _failed("it has no header of age")
    signed, mac = head[: begin + 4], _decoded(head[begin + 5 : end])
    for stanza in head[len(_VERSION) : begin].removeprefix(b"-> ").split(b"\n-> "):
        arguments, *body = stanza.split(b"\n")
        kind, *values = arguments.split(b" ")
        if kind == _STANZA and len(values) == 1:
            file_key = _unwrapped(_decoded(values[0]), _decoded(b"".join(body)), private_key)
            if file_key is not None:
                break
    else:
        raise _failed("it is for another secret")
    expected = hmac.digest(_derived(file_key, b"", b"header", _KEY), signed, "sha256")
    if not hmac.compare_digest(expected, mac):
        raise _failed("its header was changed")
    return file_key, end + 1


def _unwrapped(share: bytes, body: bytes, private_key: X25519PrivateKey) -> bytes | None:
    """The file key in a stanza, if it is for this private key."""
    try:
        shared = private_key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:  # of another length, or a point that gives any key the same secret
        raise _failed("its header is not valid") from None
    public = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = _derived(shared, share + public, _VERSION.strip() + b"/X25519", _KEY)
    try:
        file_key = ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None
    if len(file_key) != _FILE_KEY:
        raise _failed("its header is not valid")
    return file_key


def _derived(secret: bytes, salt: bytes, label: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, label).derive(secret)


def _decoded(text: bytes) -> bytes:
    """Base64 without its padding, as age writes it."""
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise _failed("its header is not valid") from None


def _private_key(secret: str) -> X25519PrivateKey:
    """The key in an identity that pyrage has read: Bech32, of which the checksum was right."""
    digits = secret.strip().lower().rpartition("1")[2][:-_CHECKSUM]
    number = 0
    for digit in digits:
        number = number << 5 | _BECH32.index(digit)
    # 52 digits of 5 bits, of which 256 bits are the key
    return X25519PrivateKey.from_private_bytes((number >> 4).to_bytes(_KEY, "big"))


def _failed(reason: str) -> DecryptionFailed:
    return DecryptionFailed(
        f"the ciphertext does not open ({reason}): fetch it again", reason=reason
    )

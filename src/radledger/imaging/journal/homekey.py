"""The key of a custodian's journal, which only the custodian's home has.

Workers write to the journal, and those of a cluster reach all of it.  What the home relies on
later on is therefore authenticated with this key (HMAC-SHA256, RFC 2104), and what workers need
not read is encrypted with it: the secrets of image sets by HPKE, so that a worker that begins a
set can put its secret away with the public half alone, and the keys of pseudonyms by
ChaCha20-Poly1305 (RFC 8439), so that only the home can write them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from radledger.crypto import envelope, keys
from radledger.crypto.errors import InvalidSecret, UnwrapFailed
from radledger.files import synchronise
from radledger.imaging.errors import JournalAltered, JournalKeyMissing

__all__ = ["HomeKey", "recipient_of", "seal_secret"]

_LENGTH = 32
_NONCE = 12


def seal_secret(secret: str, public_key: bytes, context: bytes) -> str:
    """Seal a secret for the journal: its age recipient, and the secret encrypted to the home.

    Parameters
    ----------
    secret
        From :func:`radledger.crypto.envelope.new_secret`.
    public_key
        Of the home's key.
    context
        Identifies the image set; the secret does not open in the context of another set.

    Examples
    --------
    >>> key, secret = HomeKey.new(), envelope.new_secret()
    >>> kept = seal_secret(secret, key.public_key, b"a series")
    >>> recipient_of(kept) == envelope.recipient(secret), secret in kept
    (True, False)
    >>> key.secret(kept, b"a series") == secret
    True
    """
    wrapped = keys.wrap(secret, keys.PublicKey(keys.Kem.X25519, public_key), context)
    return f"{envelope.recipient(secret)} {base64.b64encode(wrapped.data).decode('ascii')}"


def recipient_of(kept: str) -> str:
    """The age recipient of a sealed secret, to which files are encrypted."""
    return kept.partition(" ")[0]


class HomeKey:
    """The key, from its 32 bytes.

    Attributes
    ----------
    public_key
        Its public half, an X25519 key.
    """

    def __init__(self, key: bytes) -> None:
        def derived(purpose: bytes) -> bytes:
            return hmac.digest(key, b"RadLedger journal, version 1\0" + purpose, "sha256")

        self._private = keys.PrivateKey(x25519=derived(b"secrets"))
        self._authentication = derived(b"rows")
        self._cipher = ChaCha20Poly1305(derived(b"pseudonyms"))
        self.public_key = keys.public_key(self._private).raw

    @classmethod
    def new(cls) -> HomeKey:
        """A random key that is not in a file."""
        return cls(secrets.token_bytes(_LENGTH))

    @classmethod
    def made(cls, path: Path) -> HomeKey:
        """The key in a file, made with it if there is none, or part of one.

        The file is readable by its owner alone, and on the disk when this returns.
        """
        with suppress(FileNotFoundError, JournalKeyMissing):
            return cls.read(path)
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_LENGTH) + "\n")
            file.flush()
            os.fsync(file.fileno())
        synchronise(path.parent)
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> HomeKey:
        """The key in a file.

        Raises
        ------
        JournalKeyMissing
            If the file holds none.
        """
        try:
            key = bytes.fromhex(path.read_text("ascii"))
        except ValueError:
            key = b""
        if len(key) != _LENGTH:
            raise JournalKeyMissing(
                f"{path} is not the key of a journal, 64 hexadecimal digits; restore it from a "
                "backup",
                path=str(path),
            )
        return cls(key)

    def secret(self, kept: str, context: bytes) -> str:
        """The secret that :func:`seal_secret` sealed.

        Raises
        ------
        JournalAltered
            If it is another image set's, or does not belong to the recipient beside it.
        """
        recipient, _, wrapped = kept.partition(" ")
        try:
            data = keys.Wrapped(keys.Kem.X25519, base64.b64decode(wrapped, validate=True))
            secret = keys.unwrap(data, self._private, context)
            if envelope.recipient(secret) == recipient:
                return secret
        except (binascii.Error, UnwrapFailed, InvalidSecret):
            pass
        raise JournalAltered(
            "the secret of an image set in the journal was replaced; restore the journal from a "
            "backup",
            recipient=recipient,
        )

    def mac(self, *fields: str | int | None) -> bytes:
        """A code that proves that the home wrote some values."""
        return hmac.digest(self._authentication, json.dumps(fields).encode("ascii"), "sha256")

    def encrypt(self, content: bytes, context: bytes) -> bytes:
        """Encrypt what the home alone reads and writes."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, context)

    def decrypt(self, content: bytes, context: bytes) -> bytes:
        """What :meth:`encrypt` encrypted.

        Raises
        ------
        JournalAltered
            If it was changed, or encrypted in another context or with another key.

        Examples
        --------
        >>> key = HomeKey.new()
        >>> key.decrypt(key.encrypt(b"a patient's key", b"a patient"), b"a patient")
        b"a patient's key"
        """
        try:
            return self._cipher.decrypt(content[:_NONCE], content[_NONCE:], context)
        except (InvalidTag, ValueError):
            raise JournalAltered(
                "the key of a patient's pseudonyms in the journal was replaced; restore the "
                "journal from a backup",
                context=context.decode("ascii"),
            ) from None

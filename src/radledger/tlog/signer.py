"""The key with which a log signs its checkpoints."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from radledger.tlog.errors import InvalidLogKey, InvalidOrigin
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import ED25519, Key, base64_of, require_name

__all__ = ["LogSigner"]

_PREFIX = "PRIVATE+KEY+"


class LogSigner:
    """An Ed25519 key and its name, which is the origin of its log.

    Attributes
    ----------
    key
        The public half; ``key.vkey`` is the text that verifiers are given.

    Examples
    --------
    >>> signer = LogSigner.new("gateway.hospital.example/log")
    >>> signer.key.vkey
    'gateway.hospital.example/log+...'
    >>> LogSigner.from_text(signer.text).key == signer.key
    True
    """

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = Key(name, ED25519, private.public_key().public_bytes_raw())

    @classmethod
    def new(cls, name: str) -> LogSigner:
        """A random key.

        Parameters
        ----------
        name
            The log's origin, a URL without its scheme, such as ``gateway.hospital.example/log``.

        Raises
        ------
        InvalidOrigin
            If it is empty, or has white space, plus or control characters.
        """
        try:
            require_name(name)
        except Invalid as error:
            raise InvalidOrigin(
                f"the origin {error.args[1]}; give one such as gateway.hospital.example/log",
                origin=name,
            ) from None
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> LogSigner:
        """The key that `text` says, in the form of ``golang.org/x/mod/sumdb/note``.

        Raises
        ------
        ValueError
            If it does not.
        """
        name, _, rest = text.removeprefix(_PREFIX).partition("+")
        identifier, _, encoded = rest.partition("+")
        try:
            data = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            data = b""
        if not text.startswith(_PREFIX) or len(data) != 33 or data[0] != ED25519:
            raise ValueError("not the private Ed25519 key of a log")
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(data[1:]))
        if signer.key.id.hex() != identifier:
            raise ValueError("not copied whole")
        return signer

    @classmethod
    def read(cls, path: Path) -> LogSigner:
        """The key in a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        InvalidLogKey
            If it holds something else.
        """
        try:
            return cls.from_text(path.read_text("utf-8").strip())
        except ValueError:
            raise InvalidLogKey(
                f"{path} is not the private key of a log; restore it from a backup",
                path=str(path),
            ) from None

    @property
    def text(self) -> str:
        """The private key, for its file."""
        data = bytes([ED25519]) + self._private.private_bytes_raw()
        return f"{_PREFIX}{self.key.name}+{self.key.id.hex()}+{base64_of(data)}"

    def write(self, path: Path) -> None:
        """Write the key to a new file that its owner alone can read.

        Raises
        ------
        FileExistsError
            If there is a file.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(self.text + "\n")
            file.flush()
            os.fsync(file.fileno())

    def sign(self, text: str) -> str:
        """The line of the signature of a checkpoint's text."""
        signature = self._private.sign(text.encode())
        return f"\N{EM DASH} {self.key.name} {base64_of(self.key.id + signature)}\n"

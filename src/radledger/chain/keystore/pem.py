"""Encryption keys in PKCS#8 files, under a passphrase or none.

A hybrid key is two keys, one after the other in the same file: that of ML-KEM-768, as its seed,
and that of X25519.

References
----------
.. [1] RFC 7468, Textual Encodings of PKIX, PKCS, and CMS Structures, section 11
.. [2] RFC 9935, ML-KEM in the X.509 Public Key Infrastructure, section 6 (seeds)
.. [3] RFC 8410, Ed25519, Ed448, X25519 and X448 in the X.509 Public Key Infrastructure, section 7
"""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

__all__ = ["HYBRID", "X25519", "Kinds", "WrongPassphrase", "new_keys", "read_keys"]

Kinds = tuple[type[MLKEM768PrivateKey] | type[X25519PrivateKey], ...]
"""What is in a file, in this order."""
HYBRID: Kinds = (MLKEM768PrivateKey, X25519PrivateKey)
X25519: Kinds = (X25519PrivateKey,)

_BLOCK = re.compile(rb"-----BEGIN .*?-----END [^\n]*-----\n?", re.DOTALL)


class WrongPassphrase(ValueError):
    """A file does not open with this passphrase."""


def read_keys(content: bytes, kinds: Kinds, passphrase: bytes | None) -> bytes:
    """The raw private keys in a file, one after the other.

    Raises
    ------
    WrongPassphrase
        If the file is encrypted, and does not open.
    ValueError
        If the file does not hold keys of these kinds.
    """
    found: list[MLKEM768PrivateKey | X25519PrivateKey] = []
    for block in _BLOCK.findall(content):
        try:
            found.append(load_pem_private_key(block, passphrase))  # type: ignore[arg-type]
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            if b"ENCRYPTED" in block:
                raise WrongPassphrase from error
            raise ValueError("not a private key") from error
    if len(found) != len(kinds) or not all(map(isinstance, found, kinds)):
        raise ValueError("keys of another kind")
    return b"".join(key.private_bytes_raw() for key in found)


def new_keys(kinds: Kinds, passphrase: bytes | None) -> str:
    """New private keys, as a file holds them."""
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return "".join(
        kind.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
        for kind in kinds
    )

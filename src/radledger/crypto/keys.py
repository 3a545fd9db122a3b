"""Encryption keys of participants, and secrets wrapped to them by HPKE.

A participant registers the raw 32-byte X25519 public key as an attribute of its identity
(ERC-1056).  Wrapping is HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
ChaCha20-Poly1305, the primitives of age.  The context, a grant's id for instance, goes into
HPKE's ``info``, from which the key is derived: a secret wrapped for one grant does not open as
another's.

References
----------
.. [1] RFC 9180, Hybrid Public Key Encryption, section 6.1 (single-shot encryption)
.. [2] RFC 7748, Elliptic Curves for Security, section 6.1 (all-zero shared secrets)
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from radledger.crypto.errors import InvalidPrivateKey, InvalidPublicKey, UnwrapFailed

__all__ = ["new_private_key", "public_key", "unwrap", "wrap"]

_KEY_LENGTH = 32
_INFO_DOMAIN = b"RadLedger wrapped secret, version 1\0"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def new_private_key() -> bytes:
    """Make an X25519 private key, 32 raw bytes.

    Examples
    --------
    >>> len(new_private_key()), len(public_key(new_private_key()))
    (32, 32)
    """
    return X25519PrivateKey.generate().private_bytes_raw()


def public_key(private_key: bytes) -> bytes:
    """Public half of a private key: the 32 raw bytes that a participant registers.

    Raises
    ------
    InvalidPrivateKey
        If ``private_key`` is not 32 bytes long.
    """
    return _private(private_key).public_key().public_bytes_raw()


def wrap(secret: str, public_key: bytes, context: bytes) -> bytes:
    """Encrypt a secret so that only the holder of ``public_key`` opens it, in ``context`` alone.

    Parameters
    ----------
    secret
        An image set's secret, from :func:`radledger.crypto.envelope.new_secret`.
    public_key
        The reader's registered key, 32 raw bytes.
    context
        What the secret is released under, such as the grant's id.

    Returns
    -------
    bytes
        The encapsulated key (32 bytes), the ciphertext, its tag (16 bytes).

    Raises
    ------
    InvalidPublicKey
        If the key is not 32 bytes long, or of low order, so that anyone could open the result.

    Examples
    --------
    >>> reader = new_private_key()
    >>> wrapped = wrap("AGE-SECRET-KEY-1...", public_key(reader), context=b"grant 7")
    >>> unwrap(wrapped, reader, context=b"grant 7")
    'AGE-SECRET-KEY-1...'
    """
    if len(public_key) != _KEY_LENGTH:
        raise InvalidPublicKey(
            f"an X25519 public key has 32 bytes, not {len(public_key)}; register another",
            public_key=public_key.hex(),
        )
    try:
        return _SUITE.encrypt(
            secret.encode(), X25519PublicKey.from_public_bytes(public_key), _INFO_DOMAIN + context
        )
    except ValueError:
        raise InvalidPublicKey(
            "the public key is of low order, so anyone could open what is wrapped to it; "
            "register another",
            public_key=public_key.hex(),
        ) from None


def unwrap(wrapped: bytes, private_key: bytes, context: bytes) -> str:
    """Open what :func:`wrap` made for this key and context.

    Raises
    ------
    InvalidPrivateKey
        If ``private_key`` is not 32 bytes long.
    UnwrapFailed
        If ``wrapped`` was changed, or is for another key or another context.
    """
    key = _private(private_key)
    try:
        return _SUITE.decrypt(wrapped, key, _INFO_DOMAIN + context).decode()
    except (InvalidTag, ValueError):
        raise UnwrapFailed(
            "the wrapped secret does not open: it was changed, or is for another key or grant; "
            "ask for it again",
            context=context.hex(),
        ) from None


def _private(private_key: bytes) -> X25519PrivateKey:
    if len(private_key) != _KEY_LENGTH:
        raise InvalidPrivateKey(
            f"an X25519 private key has 32 bytes, not {len(private_key)}; load the right file",
            length=len(private_key),
        )
    return X25519PrivateKey.from_private_bytes(private_key)

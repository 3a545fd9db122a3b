"""Encryption keys of participants, and secrets wrapped to them by HPKE.

Secrets are wrapped to a hybrid key, ML-KEM-768 with X25519: it stays closed as long as one of the
two holds, so that who keeps a wrapped secret today gains nothing by a quantum computer later.  A
participant that has registered no hybrid key is wrapped to by X25519 alone, as all were before.

Wrapping is HPKE in base mode with HKDF-SHA256 and ChaCha20-Poly1305, the primitives of age.  The
context, a grant's id for instance, goes into HPKE's ``info``, from which the key is derived: a
secret wrapped for one grant does not open as another's.

References
----------
.. [1] RFC 9180, Hybrid Public Key Encryption, section 6.1 (single-shot encryption)
.. [2] RFC 7748, Elliptic Curves for Security, section 6.1 (all-zero shared secrets)
.. [3] FIPS 203, Module-Lattice-Based Key-Encapsulation Mechanism Standard, section 7.2
.. [4] draft-ietf-hpke-pq, section 4 (MLKEM768-X25519, KEM 0x647a), the same KEM as X-Wing,
   draft-connolly-cfrg-xwing-kem
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from radledger.crypto.errors import InvalidPrivateKey, InvalidPublicKey, UnwrapFailed

__all__ = [
    "Kem",
    "PrivateKey",
    "PublicKey",
    "Wrapped",
    "new_private_key",
    "public_key",
    "unwrap",
    "wrap",
]

_INFO_DOMAIN = b"RadLedger wrapped secret, version 1\0"
# Bytes of ML-KEM-768's half, before that of X25519: of a seed, and of a public key.
_SEED, _PUBLIC = 64, 1184


class Kem(StrEnum):
    """How a key is encapsulated, by the names of IANA's registry for HPKE."""

    X25519 = "X25519"
    """DHKEM(X25519, HKDF-SHA256), which a quantum computer breaks."""
    HYBRID = "MLKEM768-X25519"
    """ML-KEM-768 and X25519; both have to be broken."""


_LENGTHS = {Kem.X25519: 32, Kem.HYBRID: _PUBLIC + 32}
_SUITES = {
    kem: Suite(of_library, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    for kem, of_library in ((Kem.X25519, KEM.X25519), (Kem.HYBRID, KEM.MLKEM768_X25519))
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to which secrets can be wrapped, as a participant registers it.

    Attributes
    ----------
    kem
        What it is for.
    raw
        As HPKE serialises it: 32 bytes of X25519; of the hybrid 1,184 bytes of ML-KEM-768 before
        them.

    Raises
    ------
    InvalidPublicKey
        If the key has another length, or nothing can be wrapped to it: of ML-KEM not in range, of
        X25519 of low order, so that anyone could open the result.

    Examples
    --------
    >>> PublicKey(Kem.X25519, bytes(32))
    Traceback (most recent call last):
        ...
    radledger.crypto.errors.InvalidPublicKey: not a usable X25519 public key: nothing can be ...
    """

    kem: Kem
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _LENGTHS[self.kem]:
            raise self._unusable(f"it has {len(self.raw)} bytes, not {_LENGTHS[self.kem]}")
        try:
            _SUITES[self.kem].encrypt(b"", _loaded_public(self))
        except ValueError:
            reason = "nothing can be wrapped to it, as it is out of range or of low order"
            raise self._unusable(reason) from None

    def _unusable(self, reason: str) -> InvalidPublicKey:
        return InvalidPublicKey(
            f"not a usable {self.kem} public key: {reason}; register another",
            kem=self.kem.value,
            public_key=self.raw.hex(),
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What opens the secrets that were wrapped to a participant.

    Attributes
    ----------
    hybrid
        Seed of ML-KEM-768, 64 bytes, and the X25519 key that goes with it, 32 bytes; None for a
        participant that has only the other one.
    x25519
        The key of X25519 alone, for what was wrapped before there was a hybrid key; 32 bytes.

    Raises
    ------
    InvalidPrivateKey
        If one of them has another length, or both are missing.
    """

    hybrid: bytes | None = field(default=None, repr=False)
    x25519: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        lengths = [None if raw is None else len(raw) for raw in (self.hybrid, self.x25519)]
        if lengths not in ([96, None], [None, 32], [96, 32]):
            raise InvalidPrivateKey(
                "not a private key: a hybrid one has 96 bytes, one of X25519 has 32; load the "
                "right file",
                lengths=lengths,
            )


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret that one participant can open.

    Attributes
    ----------
    kem
        Of the key to which it was wrapped.
    data
        The encapsulated key (32 bytes; hybrid 1,120), the ciphertext, its tag (16 bytes).
    """

    kem: Kem
    data: bytes


def new_private_key() -> PrivateKey:
    """Make a hybrid private key.

    Examples
    --------
    >>> len(public_key(new_private_key()).raw)
    1216
    """
    halves = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return PrivateKey(hybrid=b"".join(half.private_bytes_raw() for half in halves))


def public_key(private_key: PrivateKey) -> PublicKey:
    """Public half of a private key, of the hybrid one if there is one: what is registered."""
    if private_key.hybrid is None:
        x25519 = X25519PrivateKey.from_private_bytes(private_key.x25519 or b"")
        return PublicKey(Kem.X25519, x25519.public_key().public_bytes_raw())
    halves = (half.public_key() for half in _halves(private_key.hybrid))
    return PublicKey(Kem.HYBRID, b"".join(half.public_bytes_raw() for half in halves))


def wrap(secret: str, public_key: PublicKey, context: bytes) -> Wrapped:
    """Encrypt a secret so that only the holder of ``public_key`` opens it, in ``context`` alone.

    Parameters
    ----------
    secret
        An image set's secret, from :func:`radledger.crypto.envelope.new_secret`.
    public_key
        The reader's registered key.
    context
        What the secret is released under, such as the grant's id.

    Examples
    --------
    >>> reader = new_private_key()
    >>> wrapped = wrap("AGE-SECRET-KEY-1...", public_key(reader), context=b"grant 7")
    >>> unwrap(wrapped, reader, context=b"grant 7")
    'AGE-SECRET-KEY-1...'
    """
    kem, key = public_key.kem, _loaded_public(public_key)
    return Wrapped(kem, _SUITES[kem].encrypt(secret.encode(), key, _INFO_DOMAIN + context))


def unwrap(wrapped: Wrapped, private_key: PrivateKey, context: bytes) -> str:
    """Open what :func:`wrap` made for this key and context.

    Raises
    ------
    UnwrapFailed
        If ``wrapped`` was changed, or is for another key or another context.
    """
    key = _loaded_private(private_key, wrapped.kem)
    if key is None:
        raise UnwrapFailed(
            f"the secret is wrapped to a key of {wrapped.kem}, which is not here; restore it",
            context=context.hex(),
        )
    try:
        return _SUITES[wrapped.kem].decrypt(wrapped.data, key, _INFO_DOMAIN + context).decode()
    except (InvalidTag, ValueError):
        raise UnwrapFailed(
            "the wrapped secret does not open: it was changed, or is for another key or grant; "
            "ask for it again",
            context=context.hex(),
        ) from None


def _halves(hybrid: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    return (
        MLKEM768PrivateKey.from_seed_bytes(hybrid[:_SEED]),
        X25519PrivateKey.from_private_bytes(hybrid[_SEED:]),
    )


def _loaded_private(
    private_key: PrivateKey, kem: Kem
) -> MLKEM768X25519PrivateKey | X25519PrivateKey | None:
    if kem is Kem.HYBRID and private_key.hybrid is not None:
        return MLKEM768X25519PrivateKey(*_halves(private_key.hybrid))
    if kem is Kem.X25519 and private_key.x25519 is not None:
        return X25519PrivateKey.from_private_bytes(private_key.x25519)
    return None


def _loaded_public(public_key: PublicKey) -> MLKEM768X25519PublicKey | X25519PublicKey:
    raw = public_key.raw
    if public_key.kem is Kem.X25519:
        return X25519PublicKey.from_public_bytes(raw)
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:_PUBLIC]),
        X25519PublicKey.from_public_bytes(raw[_PUBLIC:]),
    )

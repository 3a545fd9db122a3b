"""HPKE with MLKEM768-X25519, written from the specifications over ML-KEM, X25519 and ChaCha20.

RFC 9180, sections 4 and 5, in base mode with HKDF-SHA256 and ChaCha20-Poly1305;
draft-ietf-hpke-pq, section 4; draft-connolly-cfrg-xwing-kem, sections 5.3 (combiner) and 5.5.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_SUITE = b"HPKE" + bytes.fromhex("647a00010003")
_LABEL = b"\\.//^\\"


class Context(NamedTuple):
    """The key and nonce of a sender's and a receiver's first message."""

    key: bytes
    nonce: bytes

    def seal(self, plain: bytes, aad: bytes = b"") -> bytes:
        return ChaCha20Poly1305(self.key).encrypt(self.nonce, plain, aad)

    def open(self, ciphertext: bytes, aad: bytes = b"") -> bytes:
        return ChaCha20Poly1305(self.key).decrypt(self.nonce, ciphertext, aad)


def expanded(seed: bytes) -> bytes:
    """The seed of ML-KEM (64 bytes) and the X25519 key of a decapsulation key of 32 bytes."""
    return hashlib.shake_256(seed).digest(96)


def public(private: bytes) -> bytes:
    pq, x25519 = _loaded(private)
    return pq.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def encapsulate(to: bytes) -> tuple[bytes, bytes]:
    """A shared secret, and what it is encapsulated in."""
    of_pq, pq = MLKEM768PublicKey.from_public_bytes(to[:1184]).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    of_x25519 = ephemeral.exchange(X25519PublicKey.from_public_bytes(to[1184:]))
    x25519 = ephemeral.public_key().public_bytes_raw()
    return _combined(of_pq, of_x25519, x25519, to[1184:]), pq + x25519


def decapsulate(encapsulated: bytes, private: bytes) -> bytes:
    pq, x25519 = _loaded(private)
    ephemeral = encapsulated[1088:]
    of_x25519 = x25519.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    of_pq = pq.decapsulate(encapsulated[:1088])
    return _combined(of_pq, of_x25519, ephemeral, x25519.public_key().public_bytes_raw())


def context(shared_secret: bytes, info: bytes) -> Context:
    """KeySchedule of mode base."""
    hashes = _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared_secret, b"secret", b"")
    key, nonce = (
        _expand(secret, label, b"\0" + hashes, length)
        for label, length in ((b"key", 32), (b"base_nonce", 12))
    )
    return Context(key, nonce)


def _loaded(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    return (
        MLKEM768PrivateKey.from_seed_bytes(private[:64]),
        X25519PrivateKey.from_private_bytes(private[64:]),
    )


def _combined(of_pq: bytes, of_x25519: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return hashlib.sha3_256(of_pq + of_x25519 + ephemeral + public + _LABEL).digest()


def _extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + _SUITE + label + ikm, "sha256")


def _expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + _SUITE + label + info
    return hmac.digest(key, labelled + b"\1", "sha256")[:length]

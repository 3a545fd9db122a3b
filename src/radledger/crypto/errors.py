"""Errors of :mod:`radledger.crypto`.

::

    CryptoError
    ├── InvalidLeaf           a Merkle leaf or node of the wrong length
    ├── EmptyTree             a Merkle tree of nothing
    ├── NoSuchLeaf            a proof was asked for a leaf outside the tree
    ├── InvalidSecret         not an age identity
    ├── InvalidRecipient      not an age recipient
    ├── DecryptionFailed      ciphertext changed, cut short, or another secret's
    ├── InvalidPublicKey      not a usable public key
    ├── InvalidPrivateKey     not a private key
    └── UnwrapFailed          a wrapped secret changed, or another key's or context's
"""

from __future__ import annotations

from radledger.errors import CryptoError

__all__ = [
    "DecryptionFailed",
    "EmptyTree",
    "InvalidLeaf",
    "InvalidPrivateKey",
    "InvalidPublicKey",
    "InvalidRecipient",
    "InvalidSecret",
    "NoSuchLeaf",
    "UnwrapFailed",
]


class InvalidLeaf(CryptoError):
    """A field of a Merkle leaf has the wrong length."""


class EmptyTree(CryptoError):
    """A Merkle tree was asked for over no leaf."""


class NoSuchLeaf(CryptoError):
    """A proof was asked for a leaf that the tree does not have."""


class InvalidSecret(CryptoError):
    """What should be an age identity is not one; the text itself is never part of the error."""


class InvalidRecipient(CryptoError):
    """What should be an age recipient is not one."""


class DecryptionFailed(CryptoError):
    """A ciphertext was changed, cut short, or encrypted under another secret."""


class InvalidPublicKey(CryptoError):
    """A public key has another form, or gives a shared secret that anyone can compute."""


class InvalidPrivateKey(CryptoError):
    """A private key has the wrong length; the key itself is never part of the error."""


class UnwrapFailed(CryptoError):
    """A wrapped secret was changed, or is for another key or another context."""

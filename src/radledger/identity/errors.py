"""Errors of :mod:`radledger.identity`.

::

    UsageError
    ├── InvalidAddress      not an Ethereum address, or a wrong checksum
    ├── InvalidGatewayUrl   not the URL of a gateway
    ├── UnknownRole         no such role
    ├── NoGateway           an identity that publishes no such gateway
    └── NoGuardians         an identity without guardians, which cannot be recovered
    CryptoError
    └── NoEncryptionKey     an identity that registered no valid encryption key
"""

from __future__ import annotations

from radledger.errors import CryptoError, UsageError

__all__ = [
    "InvalidAddress",
    "InvalidGatewayUrl",
    "NoEncryptionKey",
    "NoGateway",
    "NoGuardians",
    "UnknownRole",
]


class InvalidAddress(UsageError):
    """A text is not an Ethereum address, or its EIP-55 checksum is wrong."""


class InvalidGatewayUrl(UsageError):
    """A text is not the URL of a gateway, or has no TLS where it leaves this machine."""


class UnknownRole(UsageError):
    """A name is not that of a role."""


class NoGuardians(UsageError):
    """The identity has no guardians, so it cannot be recovered."""


class NoGateway(UsageError):
    """The identity publishes no gateway, or not the one that is to be withdrawn."""


class NoEncryptionKey(CryptoError):
    """An identity has registered no encryption key that is valid now."""

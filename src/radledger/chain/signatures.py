"""Signatures of keys, in the forms that wallets write them.

Contracts take one form: r, s in the lower half of the order, and v of 27 or 28.  Hardware wallets
write v as the parity, 0 or 1; some software adds the chain's id to it (EIP-155); a compact
signature has the parity in the highest bit of s (EIP-2098); key management services give s in
either half.  All of them are the same signature.

References
----------
.. [1] EIP-155, Simple replay attack protection
.. [2] EIP-2098, Compact Signature Representation
.. [3] EIP-2, Homestead Hard-fork Changes: s in the lower half of the order
.. [4] SEC 2, section 2.4.1, for the order of secp256k1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak

__all__ = [
    "ORDER",
    "compact",
    "recover",
    "recover_digest",
    "signature_bytes",
    "standard",
    "typed_data_digest",
]

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of secp256k1: private keys are below it, and not zero."""

_COMPACT, _SHORTEST = 64, 65
# EIP-155 adds twice the chain's id to v, which may take several bytes then.
_LONGEST = 64 + 8


def signature_bytes(text: Any) -> bytes:
    """A signature from its hexadecimal text, with or without ``0x``, and spaces around it.

    Raises
    ------
    ValueError
        If it is not hexadecimal text.
    """
    if not isinstance(text, str):
        raise ValueError("not a text")
    text = text.strip()
    return bytes.fromhex(text[2:] if text[:2] in ("0x", "0X") else text)


def standard(signature: bytes) -> bytes | None:
    """The form of a key's signature that contracts take; none if it is not one.

    Examples
    --------
    >>> standard(bytes(31) + b"\\1" + bytes(31) + b"\\2" + b"\\0").hex()[-4:]
    '021b'
    """
    r, s = signature[:32], int.from_bytes(signature[32:64])
    if len(signature) == _COMPACT:
        parity, s = s >> 255, s & (1 << 255) - 1
    elif _SHORTEST <= len(signature) <= _LONGEST:
        v = int.from_bytes(signature[64:])
        if v not in (0, 1, 27, 28) and v < 35:
            return None
        parity = v if v < 2 else (v - 27) % 2
    else:
        return None
    if s > ORDER // 2:
        parity, s = 1 - parity, (ORDER - s) % ORDER
    return r + s.to_bytes(32) + bytes([27 + parity])


def compact(signature: bytes) -> tuple[bytes, bytes] | None:
    """The two words of a key's signature, the parity in the highest bit of s (EIP-2098).

    Examples
    --------
    >>> r, vs = compact(bytes(31) + b"\\1" + bytes(31) + b"\\2" + b"\\1")
    >>> r[-1], vs[0], vs[-1]
    (1, 128, 2)
    """
    form = standard(signature)
    if form is None:
        return None
    parity = form[64] - 27
    return form[:32], bytes([form[32] | parity << 7]) + form[33:64]


def recover(data: Mapping[str, Any], signature: bytes) -> str | None:
    """Address whose key signed typed data, or none where the signature gives no key.

    Parameters
    ----------
    data
        From :func:`radledger.chain.typed_data.typed_data`.
    signature
        In any form that :func:`standard` takes.
    """
    from eth_utils.exceptions import ValidationError

    try:
        digest = typed_data_digest(data)
    except (ValidationError, ValueError):
        return None
    return recover_digest(digest, signature)


def typed_data_digest(data: Mapping[str, Any]) -> bytes:
    """The 32 bytes that are signed for typed data (EIP-712)."""
    from eth_account.messages import encode_typed_data

    message = encode_typed_data(full_message=dict(data))
    return keccak(b"\x19" + message.version + message.header + message.body)


def recover_digest(digest: bytes, signature: bytes) -> str | None:
    """Address whose key signed 32 bytes, or none where the signature gives no key."""
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    form = standard(signature)
    if form is None:
        return None
    try:
        signed = Signature(form[:64] + bytes([form[64] - 27]))
        return signed.recover_public_key_from_msg_hash(digest).to_checksum_address()
    except (BadSignature, ValidationError, ValueError):
        return None

"""Keystore files, of this and other wallets: what they say, and the key in them.

What a file says of the work that its passphrase costs is followed within limits, so that no file
takes the memory of a machine or its time for hours.

References
----------
.. [1] Web3 Secret Storage Definition, version 3
.. [2] RFC 7914, The scrypt Password-Based Key Derivation Function
.. [3] RFC 8018, PKCS #5, section 5.2 (PBKDF2)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from radledger.chain.signatures import ORDER

__all__ = ["decrypted", "parsed", "stated_address", "unprotected_key"]

# Bytes that scrypt fills, 1 GiB, four times what geth takes; and about as much work by PBKDF2.
_MOST_MEMORY = 1 << 30
_MOST_ROUNDS = 10_000_000
# The first half decrypts and the second authenticates; some wallets derive as much again.
_LENGTHS = range(32, 65)


def parsed(data: bytes) -> dict[str, Any] | None:
    """What a keystore file says, its names in lower case; None if it is not one."""
    try:
        content = _lowered(json.loads(data))
    except (ValueError, RecursionError):
        return None
    is_keyfile = isinstance(content, dict) and isinstance(content.get("crypto"), dict)
    return content if is_keyfile else None


def _lowered(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name.lower(): _lowered(each) for name, each in value.items()}


def stated_address(content: Mapping[str, Any]) -> str | None:
    """The address that a keystore file names, in its EIP-55 form."""
    from eth_utils.address import to_checksum_address

    stated = re.fullmatch("(?:0[xX])?([0-9a-fA-F]{40})", str(content.get("address")))
    return str(to_checksum_address("0x" + stated[1])) if stated else None


def unprotected_key(content: Mapping[str, Any]) -> bytes | None:
    """The key of a file that was written here with an empty passphrase."""
    crypto = content["crypto"]
    parameters = crypto.get("kdfparams")
    if crypto.get("kdf") != "pbkdf2" or not isinstance(parameters, dict):
        return None
    try:
        # Stretched once only, so that it costs nothing to try.
        return decrypted(content, "") if parameters.get("c") == 1 else None
    except ValueError:
        return None


def decrypted(content: Mapping[str, Any], passphrase: str) -> bytes | None:
    """The key in a keystore file; None if the passphrase is wrong.

    Raises
    ------
    ValueError
        If the file is damaged, of another version, costs too much to open, or its key is none of
        secp256k1.
    """
    from eth_account import Account

    if str(content.get("version")) != "3":
        raise ValueError(f"its version is {str(content.get('version'))[:20]}, and only 3 is read")
    _require_affordable(content["crypto"])
    try:
        key = bytes(Account.decrypt({**content, "version": 3}, passphrase))
    except Exception as error:  # the library raises many kinds for what a file lacks
        if str(error) == "MAC mismatch":
            return None
        raise ValueError(f"it is damaged ({type(error).__name__})") from None
    # Some wallets cut leading zeros off.
    if len(key) > 32 or not 0 < int.from_bytes(key) < ORDER:
        raise ValueError("what it holds is not a private key")
    return key.rjust(32, b"\0")


def _require_affordable(crypto: Mapping[str, Any]) -> None:
    """Refuse another cipher than the standard's, and more work than any wallet asks for."""
    parameters = crypto.get("kdfparams")
    if not isinstance(parameters, Mapping):
        raise ValueError("it does not say how its passphrase is stretched")
    # The authentication does not cover the cipher's name: with another one the key is another.
    if str(crypto.get("cipher")).lower() != "aes-128-ctr":
        raise ValueError(f"its cipher is {str(crypto.get('cipher'))[:20]}, and not aes-128-ctr")
    if parameters.get("dklen") not in _LENGTHS:
        raise ValueError("it derives more or less than the 32 bytes that are needed")
    if crypto.get("kdf") == "scrypt":
        n, r, p = (_positive(parameters, name) for name in ("n", "r", "p"))
        if 128 * n * r * p > _MOST_MEMORY:
            raise ValueError(f"scrypt with n={n}, r={r}, p={p} would take hours or all memory")
    elif _positive(parameters, "c") > _MOST_ROUNDS:
        raise ValueError(f"PBKDF2 with {parameters['c']} rounds would take hours")


def _positive(parameters: Mapping[str, Any], name: str) -> int:
    value = parameters.get(name)
    if type(value) is not int or not 0 < value < 1 << 64:
        raise ValueError(f"its parameter {name} is not a positive number")
    return value

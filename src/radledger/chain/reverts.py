"""Turn revert data into the typed refusal that it stands for.

Nodes hand revert data over in different shapes: geth and anvil as hexadecimal in ``error.data``,
Ganache within an object there.  A custom error is known by its selector alone, whichever contract
was called: errors bubble up from contracts that others ask.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from radledger.chain.errors import (
    RequestFailed,
    RevertedUnexplained,
    RevertedWithPanic,
    RevertedWithReason,
)
from radledger.chain.refusals.base import ContractError
from radledger.errors import Refusal

__all__ = ["decode", "from_request", "revert_data"]

# Solidity documentation, "Panic via assert and Error via require".
_REASON = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_PANICS = {
    0x01: "an assertion failed",
    0x11: "an arithmetic operation overflowed",
    0x12: "a division by zero",
    0x21: "a value outside its enumeration",
    0x22: "a corrupt byte array in storage",
    0x31: "pop on an empty array",
    0x32: "an index out of bounds",
    0x41: "too much memory was asked for",
    0x51: "an uninitialised function was called",
}


def decode(data: bytes) -> Refusal:
    """Return the refusal that revert ``data`` stands for.

    Examples
    --------
    >>> error = decode(bytes.fromhex("4e487b71" + "11".zfill(64)))
    >>> type(error).__name__, error.values
    ('RevertedWithPanic', {'code': 17})
    """
    from eth_abi.exceptions import DecodingError

    selector, arguments = data[:4], data[4:]
    try:
        if selector == _REASON:
            reason = _decode(("string",), arguments)[0]
            return RevertedWithReason(f"the contract refused: {reason}", reason=reason)
        if selector == _PANIC:
            code = _decode(("uint256",), arguments)[0]
            return RevertedWithPanic(
                f"the contract failed: {_PANICS.get(code, f'panic {code:#x}')}", code=code
            )
        kind = _by_selector().get(selector)
        if kind is not None:
            names = [name for name, _, _ in kind.parameters]
            types = tuple(type_ for _, type_, _ in kind.parameters)
            values = map(_plain, types, _decode(types, arguments))
            return kind.of(dict(zip(names, values, strict=True)))
    except (DecodingError, ValueError, OverflowError):
        pass  # not declared here, though the selector looks familiar
    return RevertedUnexplained(
        "the contract refused without a reason known here; is the address that of another version?",
        data="0x" + data.hex(),
    )


def from_request(error: RequestFailed) -> Refusal | None:
    """The refusal inside a node's error, or None if the error is not a revert."""
    data = revert_data(error.values.get("data"))
    if data is not None:
        return decode(data)
    if "revert" in str(error.values.get("reason", "")).lower():
        return decode(b"")
    return None


def revert_data(data: Any) -> bytes | None:
    """Revert data out of the ``data`` of a JSON-RPC error, None where there is none."""
    if isinstance(data, dict):
        # Ganache; its older versions keyed the object by transaction hash.
        objects = [data, *(value for value in data.values() if isinstance(value, dict))]
        found = (revert_data(entry.get("result") or entry.get("return")) for entry in objects)
        return next((value for value in found if value is not None), None)
    if not isinstance(data, str):
        return None
    text = data.removeprefix("Reverted ")  # OpenEthereum and Nethermind
    if not text.startswith("0x"):
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None


def _decode(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    from eth_abi.abi import decode as decode_abi

    return tuple(decode_abi(types, data))


def _plain(type_: str, value: Any) -> Any:
    """A decoded value as it can be printed: an EIP-55 address, hexadecimal for bytes."""
    from eth_utils.address import to_checksum_address

    if type_ == "address":
        return str(to_checksum_address(value))
    return "0x" + value.hex() if isinstance(value, bytes) else value


@cache
def _by_selector() -> dict[bytes, type[ContractError]]:
    from radledger.chain import refusals

    return {
        bytes.fromhex(kind.selector): kind
        for kind in (getattr(refusals, name) for name in refusals.__all__)
        if kind is not ContractError
    }

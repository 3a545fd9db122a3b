"""The form of a bundle: one line of JSON that can be written in one way only."""

import re
from typing import Any

__all__ = ["LIMIT", "Invalid", "read", "text"]

LIMIT, RLP_LIMIT = 16 << 20, 1 << 20  # bytes of a bundle, and of its headers and receipts
_NODE, _HEADER = "0x([0-9a-f]{2})*", "0x([0-9a-f]{2}){,4096}"
_ADDRESS, _HASH, _KEY = "0x[0-9a-f]{40}", "0x[0-9a-f]{64}", "0x([0-9a-f]{2}){1,5}"
_NAME = "Image(Anchored|Rekeyed|Erased)"
_EVENT = {"event": _NAME, "headers": [_HEADER], "receipt": [_NODE], "transaction": _KEY}
_LEAF = {"fileDigest": _HASH, "imageDigest": _HASH, "proof": [_HASH], "salt": _HASH}
_FIRST = {"contract": _ADDRESS, "events": [_EVENT], "format": "radledger-bundle/1"}
_BUNDLE = {**_FIRST, "image": _HASH, "leaves": [_LEAF]}


class Invalid(Exception):
    """The answer is no; `args` are which part of a bundle does not hold, and why."""


def text(value: bytes) -> str:
    """Bytes as ``0x…``."""
    return "0x" + value.hex()


def read(data: bytes) -> dict[str, Any]:
    """A bundle, each ``0x…`` as bytes; raises `Invalid`."""
    # By its form, not by a JSON library: no other byte passes, and nothing nests deeper.
    if len(data) > LIMIT:
        raise Invalid("bundle", f"has more than {LIMIT} bytes")
    bundle, end = _read(data.decode("latin-1"), 0, _BUNDLE, "bundle")
    if data[end:] != b"\n":
        raise Invalid("bundle", f"does not end with a newline at byte {end}")
    parts = (each for event in bundle["events"] for each in event["headers"] + event["receipt"])
    if sum(map(len, parts)) > RLP_LIMIT:
        raise Invalid("bundle.events", f"have more than {RLP_LIMIT} bytes of RLP")
    return dict(bundle)


def _read(data: str, at: int, shape: Any, where: str) -> tuple[Any, int]:
    """The value of a shape that begins at a byte, and the byte after it."""
    if isinstance(shape, dict):
        value: dict[str, Any] = {}
        for key in shape:
            at = _after(data, at, f'{"," if value else "{"}"{key}":', where)
            value[key], at = _read(data, at, shape[key], f"{where}.{key}")
        return value, _after(data, at, "}", where)
    if isinstance(shape, list):
        items: list[Any] = []
        at = _after(data, at, r"\[", where)
        while not data.startswith("]", at):
            at = _after(data, at, "," if items else "", where)
            item, at = _read(data, at, shape[0], f"{where}[{len(items)}]")
            items.append(item)
        return items, at + 1
    end = _after(data, at, f'"{shape}"', where)
    found = data[at + 1 : end - 1]
    return bytes.fromhex(found[2:]) if shape.startswith("0x") else found, end


def _after(data: str, at: int, pattern: str, where: str) -> int:
    if not (found := re.compile(pattern).match(data, at)):
        raise Invalid(where, f"is not as it has to be: no {pattern} at byte {at}")
    return found.end()

"""The form of a bundle: one line of JSON that can be written in one way only."""

import json
import re
from itertools import zip_longest
from typing import Any

__all__ = ["LIMIT", "Invalid", "read", "text", "write"]

LIMIT = 16 << 20  # bytes of a bundle
_BYTES, _ADDRESS, _HASH = "0x([0-9a-f]{2})*", "0x[0-9a-f]{40}", "0x[0-9a-f]{64}"
_NAME, _KEY = "Image(Anchored|Rekeyed|ErasureCertified)", "0x([0-9a-f]{2}){1,5}"
_EVENT = {"event": _NAME, "headers": [_BYTES], "receipt": [_BYTES], "transaction": _KEY}
_LEAF = {"fileDigest": _HASH, "imageDigest": _HASH, "proof": [_HASH], "salt": _HASH}
_FIRST = {"contract": _ADDRESS, "events": [_EVENT], "format": "radledger-bundle/1"}
_BUNDLE = {**_FIRST, "image": _HASH, "leaves": [_LEAF]}


class Invalid(Exception):
    """The answer is no; `args` are which part of a bundle does not hold, and why."""


def text(value: bytes) -> str:
    """Bytes as ``0x…``."""
    return "0x" + value.hex()


def write(bundle: dict[str, Any]) -> bytes:
    """The one form of a bundle: keys sorted, no spaces, bytes as ``0x…``, a newline."""
    line = json.dumps(bundle, sort_keys=True, separators=(",", ":"), default=text)
    return line.encode("ascii") + b"\n"


def read(data: bytes) -> dict[str, Any]:
    """Back from :func:`write`, each ``0x…`` as bytes; raises `Invalid`."""
    if len(data) > LIMIT:
        raise Invalid("bundle", f"has more than {LIMIT} bytes")
    try:
        bundle: dict[str, Any] = _read(json.loads(data.decode("ascii")), _BUNDLE, "bundle")
    except (ValueError, RecursionError) as error:
        raise Invalid("bundle", f"is no JSON in ASCII: {error}") from None
    if (again := write(bundle)) != data:
        pairs = enumerate(zip_longest(again, data))
        position = next(i for i, (expected, found) in pairs if expected != found)
        raise Invalid("bundle", f"is not written in its one form: see byte {position}")
    return bundle


def _read(value: Any, shape: Any, where: str) -> Any:
    """A JSON value whose keys, items and texts are as the shape has them."""
    if isinstance(shape, dict) and isinstance(value, dict) and value.keys() == shape.keys():
        return {key: _read(value[key], shape[key], f"{where}.{key}") for key in shape}
    if isinstance(shape, list) and isinstance(value, list):
        return [_read(each, shape[0], f"{where}[{i}]") for i, each in enumerate(value)]
    if isinstance(shape, str) and isinstance(value, str) and re.fullmatch(shape, value):
        return bytes.fromhex(value[2:]) if shape.startswith("0x") else value
    raise Invalid(where, f"is not {', '.join(shape) if isinstance(shape, dict) else shape}")

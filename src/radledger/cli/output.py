"""Print results: as JSON for programs, as lines and tables for people."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from radledger.cli.session import session
from radledger.texts import visible

__all__ = ["plain", "show", "show_all"]

# Field names of the library and the shorter ones that the command line prints.
_NAMES = {"transaction": "tx", "gas_used": "gas", "contribution_class": "class"}


_TIMES = {
    "review_by",
    "since",
    "start",
    "timestamp",
    "until",
    "valid_to",
    "viewing_until",
}
# What the contracts write where there is no course, protocol or grant.
_NO_DIGEST = "0x" + "00" * 32
# Long bytes, such as a hybrid key, are shown to people by their beginning only.
_LONG, _SHOWN = re.compile("0x[0-9a-f]{500,}"), 34
# What the contracts write for no end: the largest uint32.
_FOREVER = 2**32 - 1


def plain(value: Any) -> Any:
    """A value for JSON: dataclasses as objects, bytes as ``0x…``, paths as text.

    Examples
    --------
    >>> plain({"digest": b"\\x01", "path": Path("a")})
    {'digest': '0x01', 'path': 'a'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _object(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Path | date):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def show(result: Any) -> None:
    """Print one result."""
    value = plain(result)
    if session.json:
        print(json.dumps(value))
        return
    _lines(value, "")


def show_all(results: Iterable[Any], *, empty: str) -> None:
    """Print a list: a JSON object a line; for people a table, or a paragraph each if too wide."""
    values = [plain(result) for result in results]
    if session.json:
        for value in values:
            print(json.dumps(value))
    elif not values:
        print(empty, file=sys.stderr)
    elif not _table(values):
        for number, value in enumerate(values):
            print("\n" if number else "", end="")
            _lines(value, "")


def _object(value: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if type(item).__name__ == "Receipt":
            # A receipt inside a result tells where it stands; its events were the result.
            result |= {"tx": item.transaction, "block": item.block, "gas": item.gas_used}
        elif field.name != "events":
            result[_NAMES.get(field.name, field.name)] = plain(item)
    return result


def _lines(value: Any, indent: str) -> None:
    if not isinstance(value, dict):
        print(f"{indent}{_text(value)}")
        return
    width = max((len(key) for key in value), default=0)
    for key, item in value.items():
        if isinstance(item, dict) and item:
            print(f"{indent}{visible(key)}")
            _lines(item, indent + "  ")
        elif isinstance(item, list) and any(isinstance(entry, dict) for entry in item):
            print(f"{indent}{visible(key)}")
            for entry in item:
                print(f"{indent}  {_line(entry)}")
        else:
            print(f"{indent}{visible(key):<{width}}  {_text(_readable(key, item))}")


def _line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return _text(entry)
    return "  ".join(f"{visible(key)} {_text(_readable(key, item))}" for key, item in entry.items())


def _table(values: list[dict[str, Any]]) -> bool:
    """Print a table, unless the lines would be wider than the terminal."""
    rows = [list(values[0])] + [
        [_text(_readable(key, item)) for key, item in value.items()] for value in values
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) > shutil.get_terminal_size((120, 24)).columns:
        return False
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    return True


def _readable(key: str, value: Any) -> Any:
    """A value as people read it: a time as a date instead of Unix seconds."""
    if not isinstance(value, int) or not (key in _TIMES or key.endswith("_at")):
        return value
    return (
        "-" if value >= _FOREVER else f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    )


def _text(value: Any) -> str:
    if value is None or value in ([], {}, _NO_DIGEST):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{visible(key)}={_text(item)}" for key, item in value.items())
    text = visible(str(value))
    return f"{text[:_SHOWN]}… ({(len(text) - 2) // 2:,} bytes)" if _LONG.fullmatch(text) else text

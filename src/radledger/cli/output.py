"""Print results: as JSON for programs, as lines and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from radledger.cli.session import session

__all__ = ["plain", "show", "show_all"]

# Field names of the library and the shorter ones that the command line prints.
_NAMES = {"transaction": "tx", "gas_used": "gas", "contribution_class": "class"}


def plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses as objects, bytes as ``0x…``, paths as texts.

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
    if isinstance(value, Path):
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
    """Print a list: a JSON object a line, or a table with ``empty`` for none."""
    values = [plain(result) for result in results]
    if session.json:
        for value in values:
            print(json.dumps(value))
    elif not values:
        print(empty, file=sys.stderr)
    else:
        _table(values)


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
            print(f"{indent}{key}")
            _lines(item, indent + "  ")
        elif isinstance(item, list) and any(isinstance(entry, dict) for entry in item):
            print(f"{indent}{key}")
            for entry in item:
                print(f"{indent}  {'  '.join(f'{k} {_text(v)}' for k, v in entry.items())}")
        else:
            print(f"{indent}{key:<{width}}  {_text(item)}")


def _table(values: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    names = [name for name, item in values[0].items() if not isinstance(item, dict)]
    for name in names:
        table.add_column(name, overflow="fold")
    for value in values:
        table.add_row(*(_text(value.get(name)) for name in names))
    # A pipe has no width: nothing is to be folded there.
    Console(width=None if sys.stdout.isatty() else 1_000, highlight=False, markup=False).print(
        table
    )


def _text(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={_text(item)}" for key, item in value.items())
    return str(value)

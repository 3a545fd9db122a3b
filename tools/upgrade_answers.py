"""What is asked of a home when it is made, and again of every later release."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from radledger.cli.run import run

__all__ = ["digests", "lasting", "objects", "questions"]

# What is answered otherwise later on though nothing has happened: of everything, of emergency
# access, and of a contribution whose consent is missing.
_CHANGING = {"block_age", "overdue", "recoveries", "waiting"}
_OF_EMERGENCIES = {"status", "until"}
_SUSPENDED = {"ends_at", "state"}


def objects(home: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    """Run a command in this process, and give the objects that it prints.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    printed = io.StringIO()
    command = [str(each) for each in ("--home", home, "--json", *arguments)]
    with redirect_stdout(printed):
        code = run(command)
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {printed.getvalue()}")
    return [json.loads(line) for line in printed.getvalue().splitlines()]


def digests(folder: Path) -> list[str]:
    """SHA-256 of each file below a folder, sorted."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def questions(names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Commands that only read, of every area."""
    images = ("original", "image", "plain", "erased", "disowned")
    yield ("account", "list")
    yield from (("participant", "show", each) for each in ("hospital", "researcher"))
    yield from (("identity", "show", each) for each in ("patient", names["second patient"]))
    yield ("image", "list")
    yield from (("image", "show", names[each]) for each in images)
    yield ("image", "versions", names["original"])
    yield ("store", "status", names["image"], "--as", "hospital")
    yield ("consent", "list")
    yield ("consent", "list", "--requests")
    yield ("consent", "emergencies")
    yield from (("conduct", each) for each in ("radiologist", "hospital"))
    yield ("consent", "check", "radiologist", names["image"], "--purpose", "CC")
    yield ("dataset", "list")
    yield ("dataset", "show", names["dataset"])
    yield ("algorithm", "list")
    yield from (("algorithm", "show", names[each]) for each in ("algorithm", "version"))
    yield ("algorithm", "history", names["algorithm"])
    yield from (("history", names[each]) for each in ("image", "dataset", "version"))
    yield ("history", "patient")
    yield ("lineage", names["image"])
    yield ("access-log",)
    yield ("transaction", "list", "--all")


def lasting(value: Any) -> Any:
    """An answer without what time alone changes."""
    if isinstance(value, Mapping):
        changing = _CHANGING
        if value.get("scope") == "emergency":
            changing = changing | _OF_EMERGENCIES
        if value.get("state") == "suspended":
            changing = changing | _SUSPENDED
        return {name: lasting(item) for name, item in value.items() if name not in changing}
    return [lasting(item) for item in value] if isinstance(value, list) else value

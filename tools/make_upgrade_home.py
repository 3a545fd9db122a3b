"""Make the home of this release that later ones must open: ``make upgrade-home``.

It is a local chain with a small history, and all that a participant keeps, in two homes; see
:mod:`tools.upgrade_history`.  ``tests/upgrade/VERSION`` gets two files: ``homes.tar.xz``, and
``expected.json`` with what a release that opens the homes must find in them.

The accounts, the order of events and the archive's form are the same each time.  Keys, salts and
times are not: the release makes them as it does for its users.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from radledger import __version__, devnet
from radledger.files import write_atomically
from tools.upgrade_history import MNEMONIC, History

__all__ = ["HOMES", "make"]

ROOT = Path(__file__).resolve().parents[1]
HOMES = ROOT / "tests" / "upgrade"
_MOST_BYTES = 1_000_000
# What a later start makes again, or what is of this machine alone.
_LEFT_OUT = {"log", "nodes.json", ".devnet.lock", "running"}


def make(folder: Path) -> None:
    """Write the two files into a folder, which is made if it does not exist."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        homes = place / "homes"
        home = homes / "home"
        write_atomically(home / "devnet" / "mnemonic", MNEMONIC + "\n", private=True)
        devnet.up(home, "anvil")
        try:
            expected = History(home, homes / "partner", place).happen()
        finally:
            devnet.down(home)
        _checkpoint(homes)
        folder.mkdir(parents=True, exist_ok=True)
        _archive(homes, folder / "homes.tar.xz")
        (folder / "expected.json").write_text("\n".join(_lines(expected)) + "\n", "utf-8")


def _lines(expected: Mapping[str, Any]) -> Iterator[str]:
    """What must be found as JSON, with each answer in a line of its own."""
    answers = [json.dumps(each) for each in expected["answers"]]
    rest = {name: value for name, value in expected.items() if name != "answers"}
    yield f'{{"release": {json.dumps(__version__)},'
    yield from (f"{json.dumps(name)}: {json.dumps(value)}," for name, value in rest.items())
    yield '"answers": ['
    yield ",\n".join(answers)
    yield "]}"


def _checkpoint(homes: Path) -> None:
    """Bring what SQLite has in logs into the databases: connections here may be open still."""
    for path in homes.rglob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _archive(homes: Path, path: Path) -> None:
    """Pack the homes, without names and times of this machine."""
    with tarfile.open(path, "w:xz") as archive:
        for each in sorted(homes.iterdir()):
            archive.add(each, each.name, filter=_kept)


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = Path(entry.name)
    if path.name in _LEFT_OUT or path.name.endswith((".lock", "-shm", "-wal")):
        return None
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def _changes(folder: Path) -> str:
    """What is not committed, apart from the home itself."""
    paths = (".", f":(exclude){folder.relative_to(ROOT)}")
    status = ["git", "-C", str(ROOT), "status", "--porcelain", "--", *paths]
    return subprocess.run(status, capture_output=True, text=True, check=True).stdout


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the home of this version from committed files, and never the second time."""
    parser = argparse.ArgumentParser("make_upgrade_home", description=__doc__)
    parser.add_argument("--replace", action="store_true", help="before the version is released")
    replace = parser.parse_args(arguments).replace
    folder = HOMES / __version__
    if changes := _changes(folder):
        parser.error(f"commit these changes first, so that the home is of a commit:\n{changes}")
    if folder.exists():
        if not replace:
            parser.error(f"{folder} is there already, and the home of a release is never changed")
        shutil.rmtree(folder)
    make(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > _MOST_BYTES:
        shutil.rmtree(folder)
        parser.error(f"the home has {size:,} bytes, more than {_MOST_BYTES:,}; keep less of it")
    print(f"{folder}: {size:,} bytes")


if __name__ == "__main__":
    main()

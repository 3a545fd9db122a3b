"""Make the home of this release that later ones must open: ``python -m tools.make_upgrade_home``.

It is a local chain with a small history, and all that a participant keeps: the record of the
deployment, accounts, the journal of image sets, manifests, receipts, transactions, the index and a
bundle.  ``tests/upgrade/VERSION`` gets two files: ``home.tar.gz``, and ``expected.json`` with what
a release that opens the home must find in it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

from radledger import __version__, devnet
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.chain.rpc import request
from radledger.cli.run import run
from radledger.dicom.synthetic import make_ct_series

__all__ = ["HOMES", "digests", "make", "objects"]

HOMES = Path(__file__).parents[1] / "tests" / "upgrade"
# What a later start makes again, or what is of this machine alone.
_LEFT_OUT = {"log", "nodes.json", ".devnet.lock", "reading", "running", "study"}


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


def make(folder: Path) -> None:
    """Write the two files into a folder, which is made if it does not exist."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        devnet.up(home, "anvil")
        try:
            expected = _tell(home)
        finally:
            devnet.down(home)
        _checkpoint(home)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", "utf-8")
        with tarfile.open(folder / "home.tar.gz", "w:gz") as archive:
            archive.add(home, "home", filter=_kept)


def digests(folder: Path) -> list[str]:
    """SHA-256 of each file below a folder, sorted."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def _tell(home: Path) -> dict[str, Any]:
    """Let a few things happen, and say what a later release must find."""
    study = home / "study"
    make_ct_series(study, 2, size=32)
    web3 = connect(networks.load(home=home))
    patient = devnet.status(home).accounts["patient"]
    request(web3, "anvil_setBalance", [patient, hex(10**18)])

    (added,) = objects(home, "image", "add", study, "--patient", "patient", "--as", "hospital")
    image = added["image_id"]
    for grantee in ("radiologist", "clinic"):
        objects(home, "consent", "grant", grantee, "--purpose", "GRU", "--as", "patient")
    disease = ("--purpose", "DS", "--disease", "MONDO:0004992")
    objects(home, "consent", "grant", "researcher", *disease, "--as", "patient")
    reading = ("--to", home / "reading", "--purpose", "GRU", "--as", "radiologist")
    objects(home, "image", "fetch", image, *reading)
    files = digests(home / "reading")
    (dataset,) = objects(home, "dataset", "create", "--purpose", "GRU", "--as", "clinic")
    objects(home, "dataset", "contribute", dataset["dataset_id"], image, "--as", "researcher")
    objects(home, "dataset", "fund", dataset["dataset_id"], "100", "--as", "researcher")
    (bundle,) = objects(home, "bundle", "export", image, home / "image.bundle")
    objects(home, "index", "sync")
    return {
        "release": __version__,
        "image_id": image,
        "dataset_id": dataset["dataset_id"],
        "files": files,
        "block_hash": bundle["proven"][0]["hash"],
        "registry": bundle["contract"],
        "accounts": devnet.status(home).accounts,
        "grants": objects(home, "consent", "list"),
        "readers": [each["reader"] for each in objects(home, "access-log", image)],
        "history": [each["event"] for each in objects(home, "history", image)],
        "transactions": len(objects(home, "transaction", "list", "--all")),
    }


def _checkpoint(home: Path) -> None:
    """Bring what SQLite has in logs into the databases: connections here may be open still."""
    for path in home.rglob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = Path(entry.name)
    if path.name in _LEFT_OUT or path.name.endswith(("-shm", "-wal")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the home of this version, unless there is one: a release's home is never changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replace", action="store_true", help="before the version is released")
    replace = parser.parse_args(arguments).replace
    folder = HOMES / __version__
    if folder.exists():
        if not replace:
            parser.error(f"{folder} is there already, and the home of a release is never changed")
        shutil.rmtree(folder)
    make(folder)
    size = (folder / "home.tar.gz").stat().st_size
    print(f"{folder}: {size:,} bytes")


if __name__ == "__main__":
    main()

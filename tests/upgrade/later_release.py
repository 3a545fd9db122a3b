"""A later release, as far as upgrades go: a copy of the package with more in it.

It has one more area, whose contract is a copy of ``ParticipantRegistry``, with a table of the
index, and one more revision of the journal, which changes a table that others name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import radledger
from radledger.imaging.journal.migrations import LATEST

__all__ = ["REGISTRY", "LaterRelease"]

REGISTRY = "LaterRegistry"
_PACKAGE = Path(radledger.__file__).parent

_AREA = f"""
from radledger.area.declaration import Area, Contract

AREA = Area(
    "later",
    contracts=(
        Contract(
            "{REGISTRY}",
            constructor=("Forwarder", "governors"),
            state="radledger.later.state:LaterState",
            rows="radledger.later.tables:ROWS",
        ),
    ),
)
"""
_STATE = """
from radledger.area.fold import Fold, View


class LaterState(Fold):
    def __init__(self):
        self.governors = []

    def apply(self, event):
        if event.name == "ParticipantGovernorAdded":
            self.governors.append(event.args["account"])

    def views(self, now):
        for governor in self.governors:
            yield View("LaterRegistry", "rolesOf", (governor,), (1,))
"""
_TABLES = """
from radledger.area.tables import table, text_column

later = table("later", "what a later release keeps", text_column("account"))
ROWS = {"ParticipantGovernorAdded": lambda args: [(later, {"account": args["account"]})]}
"""
_FILES = {
    "__init__": "",
    "area": _AREA,
    "bindings": "ENUMERATIONS = {}\n",
    "state": _STATE,
    "tables": _TABLES,
}
_AREAS = """
from radledger.later.area import AREA as LATER

AREAS = (*AREAS, LATER)
CONTRACTS = MappingProxyType({**CONTRACTS, **{each.name: each for each in LATER.contracts}})
"""
_REVISION = f"""
import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{LATEST}"


def upgrade():
    with op.batch_alter_table("sets", table_kwargs={{"sqlite_strict": True}}) as table:
        table.add_column(sa.Column("place", sa.Text, nullable=False, server_default="here"))
"""


_DRIVER = """
import io, json, sys
from contextlib import redirect_stdout
from radledger.cli.run import run

for line in sys.stdin:
    with redirect_stdout(io.StringIO()) as printed:
        code = run(json.loads(line))
    print(json.dumps([code, printed.getvalue()]), flush=True)
"""


class LaterRelease:
    """The commands of a later release, which is written into a folder, in a process of its own."""

    def __init__(self, folder: Path):
        package = folder / "radledger"
        shutil.copytree(_PACKAGE, package, ignore=shutil.ignore_patterns("*.pyc.*"))
        area = package / "later"
        area.mkdir()
        for name, content in _FILES.items():
            (area / f"{name}.py").write_text(content)
        artifacts = package / "chain" / "artifacts"
        artifact = json.loads((artifacts / "ParticipantRegistry.json").read_text())
        artifact["contractName"] = REGISTRY
        (artifacts / f"{REGISTRY}.json").write_text(json.dumps(artifact))
        _append(package / "areas.py", _AREAS)
        migrations = package / "imaging" / "journal" / "migrations"
        (migrations / "versions" / "revision_later.py").write_text(_REVISION)
        _append(migrations / "__init__.py", 'LATEST = "later"\n')

        environment = {**os.environ, "PYTHONPATH": str(folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _DRIVER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self):
        """End its process."""
        self._process.communicate()

    def __call__(self, home, endpoint, *arguments):
        """The objects that a command prints."""
        code, printed = self._run(home, endpoint, arguments)
        assert code == 0, printed
        return [json.loads(line) for line in printed.splitlines()]

    def refused(self, home, endpoint, *arguments):
        """The name of the error with which a command ends."""
        code, printed = self._run(home, endpoint, arguments)
        assert code == 1, printed
        return json.loads(printed)["error"]

    def _run(self, home, endpoint, arguments):
        command = ("--json", "--home", home, "--network", endpoint, *arguments)
        self._process.stdin.write(json.dumps(list(map(str, command))) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _append(path: Path, content: str) -> None:
    with path.open("a") as file:
        file.write(content)

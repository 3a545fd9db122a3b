"""Interfaces, which other projects import: they compile alone, and document every value."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_utils.abi import abi_to_signature

from radledger.chain import artifacts

ROOT = Path(__file__).parents[1]
INTERFACES = sorted(path.stem for path in (ROOT / "interfaces").glob("*.sol"))
# What is imported is read from the project's folder; that of OpenZeppelin from its package.
COMPILE = """
const fs = require('node:fs');
const path = (name) => name.replace(/^@openzeppelin/, 'node_modules/@openzeppelin');
const load = (name) => ({ contents: fs.readFileSync(path(name), 'utf8') });
process.stdout.write(require('solc-newest').compile(fs.readFileSync(0, 'utf8'), { import: load }));
"""


@pytest.fixture(scope="module")
def compiled() -> dict[str, dict[str, Any]]:
    """What the newest compiler makes of each interface, without the rest of the contracts."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "solc-newest").exists():
        pytest.skip("needs Node.js and the newest compiler; run `make setup`")
    names = [f"interfaces/{name}.sol" for name in INTERFACES]
    request = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text("utf-8")} for name in names},
        "settings": {"outputSelection": {"*": {"*": ["abi", "devdoc", "userdoc"]}}},
    }
    done = subprocess.run(
        [node, "-e", COMPILE],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    output = json.loads(done.stdout)
    assert output.get("errors", []) == []
    return {name: output["contracts"][f"interfaces/{name}.sol"][name] for name in INTERFACES}


def test_the_newest_compiler_gives_what_the_shipped_contracts_have(
    compiled: dict[str, dict[str, Any]],
) -> None:
    """Not only compiled: each function, event and error of an interface is in its contract."""
    registries = [name for name in INTERFACES if name[1:] in artifacts.names()]
    assert len(registries) >= 5
    for name in registries:
        shipped = {
            (each["type"], abi_to_signature(each)) for each in _named(artifacts.load(name[1:]).abi)
        }
        assert {
            (each["type"], abi_to_signature(each)) for each in _named(compiled[name]["abi"])
        } <= shipped


@pytest.mark.parametrize("name", INTERFACES)
def test_every_parameter_and_return_value_is_named_and_documented(
    compiled: dict[str, dict[str, Any]], name: str
) -> None:
    contract = compiled[name]
    untold = []
    for entry in _named(contract["abi"]):
        section = "methods" if entry["type"] == "function" else f"{entry['type']}s"
        user, developer = (
            contract[kind].get(section, {}).get(abi_to_signature(entry), {})
            for kind in ("userdoc", "devdoc")
        )
        # Of errors there may be several of one signature, so their comments are lists.
        user, developer = (
            each[0] if isinstance(each, list) else each for each in (user, developer)
        )
        told = {*developer.get("params", {}), *developer.get("returns", {})}
        returned = [each["name"] or "value without a name" for each in entry.get("outputs", [])]
        missing = {*(each["name"] for each in entry["inputs"]), *returned} - told
        if missing or not user.get("notice"):
            untold.append(f"{entry['name']}: {', '.join(sorted(missing)) or 'no notice'}")
    assert untold == []


def _named(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in abi if entry["type"] in ("function", "event", "error")]

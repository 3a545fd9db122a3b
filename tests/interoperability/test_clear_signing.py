"""The ERC-7730 descriptions: valid by its schema, and of what the contracts take."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from radledger.areas import CONTRACTS
from radledger.consent.bindings import TYPED_DATA
from tools import generate_clear_signing

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("validate.mjs")
SCHEMA = Path(__file__).parent / "erc7730" / "erc7730-v2.schema.json"
DESCRIPTIONS = sorted((ROOT / "src" / "radledger" / "clear_signing").glob("*.json"))
NAMES = [path.stem for path in DESCRIPTIONS]
RELAYED = {name: each.relayed for name, each in CONTRACTS.items() if each.relayed}


def formats(path: Path) -> dict[str, Any]:
    """What a description shows, by the message or function."""
    return json.loads(path.read_text())["display"]["formats"]


def errors(*files: Path) -> list[Any]:
    """What the schema finds wrong with each file."""
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")
    if node is None or not (ROOT / "node_modules" / "ajv").is_dir():
        pytest.skip("needs node and ajv: run `make setup`")
    answer = subprocess.run(
        [node, SCRIPT, SCHEMA, *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_they_are_those_of_the_contracts():
    assert generate_clear_signing.wanted() == {path: path.read_text() for path in DESCRIPTIONS}


def test_they_are_valid():
    assert errors(*DESCRIPTIONS) == [None] * len(DESCRIPTIONS)


@pytest.mark.parametrize(
    ("found", "wrong", "where"),
    [
        ('"addressName"', '"address"', "format"),
        ('"intent"', '"purpose"', "additionalProperties"),
        ('"always"', '"often"', "visible"),
        ('"timestamp"', '"seconds"', "encoding"),
    ],
)
def test_a_description_that_is_not_valid_is_found(tmp_path, found, wrong, where):
    text = DESCRIPTIONS[NAMES.index("eip712-consents")].read_text()
    file = tmp_path / "description.json"
    file.write_text(text.replace(found, wrong))
    (problems,) = errors(file)
    assert where in json.dumps(problems)


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=NAMES)
def test_each_field_is_shown_once_and_exists(path):
    """The paths are the leaves of the message or call, in its order, and nothing else."""
    for signature, shown in formats(path).items():
        leaves = paths(signature.partition("(")[2][:-1])
        assert [field["path"] for field in shown["fields"]] == leaves
        assert len(shown["intent"]) <= 30
        assert all(field["label"] for field in shown["fields"])


def paths(members: str, within: str = "") -> list[str]:
    """The paths of a signature's members: ``(address a, bytes32[] b) c`` has c.a and c.b.[]."""
    found = []
    for member in re.split(r",\s*(?![^(]*\))", members):
        if struct := re.fullmatch(r"\((.*)\) (\w+)", member):
            found += paths(struct[1], f"{within}{struct[2]}.")
        else:
            type_, name = member.split(" ")
            found.append(within + name + (".[]" if type_.endswith("[]") else ""))
    return found


def test_every_consent_is_described():
    described = formats(DESCRIPTIONS[NAMES.index("eip712-consents")])
    assert {signature.partition("(")[0] for signature in described} == TYPED_DATA.keys()


@pytest.mark.parametrize("contract", RELAYED)
def test_every_relayed_function_is_described(contract):
    """A wallet finds the description of a call by the selector of its signature."""
    file = ROOT / "src" / "radledger" / "chain" / "artifacts" / f"{contract}.json"
    declared = [
        each
        for each in json.loads(file.read_text())["abi"]
        if each["type"] == "function" and each["name"] in RELAYED[contract]
    ]
    described = formats(DESCRIPTIONS[NAMES.index(f"calldata-{contract}")])
    assert {selector(signature) for signature in described} == {
        keccak(text=f"{each['name']}({','.join(map(type_of, each['inputs']))})")[:4]
        for each in declared
    }


def selector(signature: str) -> bytes:
    """The selector of a signature that names its parameters."""
    return keccak(text=re.sub(r"\s+\w+(?=[,)])|\s", "", signature))[:4]


def type_of(parameter: dict[str, Any]) -> str:
    """A parameter's canonical type."""
    if parameter["type"] == "tuple":
        return f"({','.join(map(type_of, parameter['components']))})"
    return str(parameter["type"])

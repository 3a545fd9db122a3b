"""Compile the contracts and write the artifacts that ship in the package, or check them.

    python tools/compile_contracts.py           # write src/radledger/chain/artifacts/*.json
    python tools/compile_contracts.py --check   # exit 1 with a list where they differ

An artifact is a function of the sources alone.  The metadata hash is left out of the bytecode
(``bytecodeHash: none``), so a comment does not change the code hash of a deployment, and native
and WebAssembly compilers of one commit give the same bytes.  What the metadata hash would prove,
`sourceHash` does: SHA-256 over the names and digests of the contract's file and all it imports.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import solcx

SOLC_VERSION = "0.8.30"
ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "src" / "radledger" / "chain" / "artifacts"
# Doubles for the contract tests: compiled by Brownie, never shipped.
TEST_DOUBLES = ROOT / "contracts" / "test"

SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "metadata": {"bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 20_000},
    "remappings": ["@openzeppelin=node_modules/@openzeppelin"],
}
# EIP-170: no chain takes a contract of more bytes than this.
MOST_BYTES = 24_576
OUTPUTS = ("abi", "evm.bytecode", "evm.deployedBytecode", "metadata")


def sources() -> list[str]:
    """Every Solidity file that may hold a deployable contract, relative to the project."""
    own = (path for path in (ROOT / "contracts").rglob("*.sol") if TEST_DOUBLES not in path.parents)
    return sorted(path.relative_to(ROOT).as_posix() for path in own)


def compile_sources(files: list[str], outputs: Sequence[str] = OUTPUTS) -> dict[str, Any]:
    """Compile `files` together; ends the program with the compiler's errors if there are any."""
    request = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text("utf-8")} for name in files},
        "settings": {**SETTINGS, "outputSelection": {"*": {"*": [*outputs], "": ["ast"]}}},
    }
    allowed = f"{ROOT},{(ROOT / 'node_modules').resolve()}"
    try:
        output: dict[str, Any] = solcx.compile_standard(
            request, solc_version=SOLC_VERSION, base_path=ROOT, allow_paths=allowed
        )
    except solcx.exceptions.SolcError as error:
        sys.exit(error.message)
    return output


def kinds(output: dict[str, Any]) -> dict[str, str]:
    """Map each contract name to ``contract``, ``interface`` or ``library``."""
    return {
        node["name"]: node["contractKind"]
        for source in output["sources"].values()
        for node in source["ast"]["nodes"]
        if node["nodeType"] == "ContractDefinition"
    }


def immutable_ranges(deployed: dict[str, Any]) -> list[dict[str, int]]:
    """Where the constructor writes immutables, in order; the compiler's own keys are arbitrary."""
    references = deployed.get("immutableReferences", {})
    ranges = (place for places in references.values() for place in places)
    return sorted(ranges, key=lambda place: int(place["start"]))


def source_hash(metadata: str) -> str:
    """SHA-256 over ``name NUL keccak256 LF`` of each source file of one contract, by name."""
    files = json.loads(metadata)["sources"]
    lines = (f"{name}\0{files[name]['keccak256']}\n" for name in sorted(files))
    return "0x" + hashlib.sha256("".join(lines).encode()).hexdigest()


def refuse_too_large(compiled: dict[tuple[str, str], dict[str, Any]]) -> None:
    """End the program if a contract could not be deployed for its size."""
    sizes = {
        name: len(contract["evm"]["deployedBytecode"]["object"]) // 2
        for (_, name), contract in compiled.items()
    }
    large = [f"{name} ({size} bytes)" for name, size in sizes.items() if size > MOST_BYTES]
    if large:
        sys.exit(f"over {MOST_BYTES} bytes, so no chain takes it: {', '.join(large)}")


def artifact(source: str, name: str, contract: dict[str, Any]) -> dict[str, Any]:
    """Return what is shipped of one compiled contract."""
    creation, deployed = contract["evm"]["bytecode"], contract["evm"]["deployedBytecode"]
    return {
        "contractName": name,
        "sourceName": source,
        "sourceHash": source_hash(contract["metadata"]),
        "compiler": {
            "version": json.loads(contract["metadata"])["compiler"]["version"],
            "settings": SETTINGS,
        },
        "abi": contract["abi"],
        "bytecode": "0x" + creation["object"],
        "linkReferences": creation["linkReferences"],
        "deployedBytecode": "0x" + deployed["object"],
        "deployedLinkReferences": deployed["linkReferences"],
        "immutableReferences": immutable_ranges(deployed),
    }


def artifacts() -> dict[str, str]:
    """Compile all and return the text of each artifact by its contract's name."""
    files = sources()
    output = compile_sources(files)
    kind = kinds(output)
    compiled = {
        (source, name): contract
        for source in files
        for name, contract in output["contracts"].get(source, {}).items()
        if contract["evm"]["bytecode"]["object"]
    }
    refuse_too_large(compiled)
    linked = {
        library
        for contract in compiled.values()
        for libraries in contract["evm"]["bytecode"]["linkReferences"].values()
        for library in libraries
    }
    return {
        name: json.dumps(artifact(source, name, contract), indent=2, sort_keys=True) + "\n"
        for (source, name), contract in compiled.items()
        if kind[name] == "contract" or name in linked
    }


def write(wanted: dict[str, str]) -> None:
    """Write the artifacts and delete those without a contract."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for path in ARTIFACTS.glob("*.json"):
        if path.stem not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = ARTIFACTS / f"{name}.json"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    print(f"{len(wanted)} artifacts: {' '.join(sorted(wanted))}")


def differences(wanted: dict[str, str]) -> list[str]:
    """Say how the committed artifacts differ from the sources, one line each."""
    found = {path.stem: path.read_text() for path in ARTIFACTS.glob("*.json")}
    return [
        *(f"missing: {name}" for name in sorted(wanted.keys() - found.keys())),
        *(f"without a contract: {name}" for name in sorted(found.keys() - wanted.keys())),
        *(
            f"not from the present source: {name}"
            for name in sorted(wanted.keys() & found.keys())
            if wanted[name] != found[name]
        ),
    ]


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; return the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = artifacts()
    if not arguments:
        write(wanted)
        return 0
    wrong = differences(wanted)
    if wrong:
        print("Artifacts differ from the contracts; run `make compile` and commit them:")
        print("\n".join(f"  {line}" for line in wrong))
        return 1
    print(f"{len(wanted)} artifacts are those of the contracts")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

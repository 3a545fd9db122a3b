"""``verify.logged --block``: by which block of a Clique chain a log had a receipt, offline."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from radledger.verify.logged import __main__ as program
from radledger.verify.logged.notes import Proof, proof_text
from radledger.verify.logged.receipt import receipt_entry
from radledger.verify.logged.tree import leaf_hash, node_hash
from tests.tlog.cast import LOG, checkpoint
from tests.verify.clique import ADDRESSES, Block, address
from tests.verify.conftest import Told
from tests.verify.test_program import ALONE, SOURCE

DIGEST, SALT = b"\x11" * 32, b"\x22" * 16
OTHER = leaf_hash(b"another entry")
ROOT = node_hash(OTHER, leaf_hash(receipt_entry(DIGEST, SALT)))
CONTRACT, HOSPITAL = address("access ledger"), address("hospital")
EVENT = keccak(b"AccessLogAnchored(address,bytes32,uint40,bytes32)")
ORIGIN = hashlib.sha256(LOG.key.name.encode()).digest()
HOSPITAL_WORD = bytes(12) + HOSPITAL


def event(
    contract: bytes = CONTRACT,
    name: bytes = EVENT,
    log: bytes = ORIGIN,
    size: int = 2,
    root: bytes = ROOT,
) -> list[Any]:
    """The log of an anchored checkpoint: address, topics, data."""
    return [contract, [name, HOSPITAL_WORD, log], size.to_bytes(32) + root]


def written(block: Block, **changes: Any) -> str:
    """The file that proves a block, with other fields as given."""
    proof = block.event("")
    del proof["event"]
    texts = {
        name: [f"0x{each.hex()}" for each in value]
        if isinstance(value, list)
        else f"0x{value.hex()}"
        for name, value in proof.items()
    }
    return json.dumps({"format": "radledger-log-block/1", **texts, **changes})


BLOCK = Block([[address("token"), [], b""], event(size=1), event()])
HASH = "0x" + keccak(BLOCK.headers[-1]).hex()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A policy, a proof of a receipt, the block and the validators."""
    names = ("policy", "proof", "block", "validators")
    paths = {name: tmp_path / name for name in names}
    paths["policy"].write_text(f"log {LOG.vkey}\nquorum none\n")
    proof = Proof(1, (OTHER,), checkpoint(2, ROOT), DIGEST + SALT)
    paths["proof"].write_text(proof_text(proof))
    paths["block"].write_text(written(BLOCK))
    paths["validators"].write_text("\n".join(f"0x{each.hex()}" for each in ADDRESSES))
    return paths


@pytest.fixture
def run(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Told]:
    """Run the program with the proof, the policy and the block."""

    def call(*arguments: object, contract: str = "0x" + CONTRACT.hex()) -> Told:
        given = ["--policy", files["policy"], "--block", files["block"], "--contract", contract]
        monkeypatch.setattr(
            sys, "argv", ["verify", *map(str, [files["proof"], *given, *arguments])]
        )
        capsys.readouterr()
        try:
            code = program.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Told(code, *capsys.readouterr())

    return call


@pytest.fixture
def no(run: Callable[..., Told], files: dict[str, Path]) -> Callable[..., str]:
    """Why the program says no; by default to a block whose last hash is trusted."""

    def call(block: Block | None = None, *arguments: object, **changes: Any) -> str:
        block = block or BLOCK
        files["block"].write_text(written(block, **changes))
        trusted = ("--block-hash", "0x" + keccak(block.headers[-1]).hex())
        told = run(*(arguments or trusted), "--json")
        assert (told.code, told.object["answer"]) == (1, "no")
        return str(told.object["why"])

    return call


def test_yes(run: Callable[..., Told], files: dict[str, Path]) -> None:
    told = run("--validators", files["validators"], "--all-validators")
    assert (told.code, told.err) == (0, "")
    assert (
        "  logged by    block 77, 2026-11-18 11:06:40 UTC, by seals of 4 of 4 validators\n"
        f"  institution  0x{HOSPITAL.hex()}\n"
    ) in told.out
    anchored = run("--block-hash", HASH, "--json").object["anchored"]
    assert anchored == {
        "institution": "0x" + HOSPITAL.hex(),
        "block": 77,
        "hash": "0x" + keccak(BLOCK.headers[0]).hex(),
        "timestamp": 1_795_000_000,
        "vouched": f"the given hash of block {77 + len(BLOCK.headers) - 1}",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"contract": address("another contract")},
        {"name": keccak(b"AccessDayAnchored(address,uint32,bytes32)")},
        {"log": hashlib.sha256(b"another.example/log").digest()},
        {"size": 3},
        {"root": OTHER},
    ],
)
def test_what_the_block_has_of_something_else_counts_for_nothing(
    no: Callable[..., str], changed: dict[str, Any]
) -> None:
    assert no(Block([event(**changed)])).startswith("block has no checkpoint of 2 entries")


def test_what_has_not_the_form_of_an_event_counts_for_nothing(no: Callable[..., str]) -> None:
    contract, topics, content = event()
    wrong = [contract, topics[:2], content], [contract, [*topics, ORIGIN], content]
    assert no(Block([*wrong, [contract, topics, content[:-1]]])).startswith(
        "block has no checkpoint"
    )


def test_a_block_that_is_not_trusted(no: Callable[..., str], files: dict[str, Path]) -> None:
    validators = ("--validators", files["validators"])
    assert "whose hash" in no(BLOCK, "--block-hash", "0x" + "00" * 32)
    assert "seals of 2 of 4" in no(Block([event()], sealers=(0, 1)), *validators)
    few = Block([event()], sealers=(0, 1, 2))
    assert "seals of 3 of 4" in no(few, *validators, "--all-validators")
    files["validators"].write_text("0x" + ADDRESSES[0].hex())
    assert "no validator" in no(BLOCK, *validators)


def test_a_block_that_is_not_whole(no: Callable[..., str]) -> None:
    other = Block([event()], number=78).event("")
    assert "is not the node" in no(receipt=["0x" + each.hex() for each in other["receipt"]])
    assert "does not lead" in no(receipt=[])
    assert "does not lead" in no(transaction="0x0607")
    assert "is not a list in RLP" in no(headers=[])
    for changes in ({"format": "2"}, {"more": "0x"}, {"receipt": "0x"}, {"transaction": "06"}):
        assert no(**changes).startswith("block ")
    assert "for bytes" in no(transaction="0x0")
    assert "for bytes" in no(headers=[7])


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, "{}", " " * (1 << 20) + "{}"])
def test_a_file_that_is_not_a_proof(
    run: Callable[..., Told], files: dict[str, Path], content: str
) -> None:
    files["block"].write_text(content)
    told = run("--block-hash", HASH)
    assert (told.code, told.err) == (1, "")
    assert told.out == "no: block is not a proof of the form radledger-log-block/1\n"


def test_usage(run: Callable[..., Told], files: dict[str, Path]) -> None:
    for arguments, contract, why in (
        ((), "0x" + CONTRACT.hex(), "--validators FILE, or --block-hash HASH"),
        (("--block-hash", HASH, "--all-validators"), "0x" + CONTRACT.hex(), "--validators FILE"),
        (("--block-hash", "0x12"), "0x" + CONTRACT.hex(), "'0x12' is not 0x and 64"),
        (("--block-hash", HASH), "0x12", "'0x12' is not 0x and 40"),
        (("--block-hash", HASH), "", "--contract ADDRESS"),
        (("--validators", files["block"]), "0x" + CONTRACT.hex(), "is not 0x and 40"),
    ):
        told = run(*arguments, contract=contract)
        assert (told.code, told.out) == (2, "")
        assert why in told.err
    files["validators"].write_bytes(b"\xff")
    assert run("--validators", files["validators"]).code == 2
    files["block"].unlink()
    assert run("--block-hash", HASH).code == 2


def test_it_needs_neither_network_nor_the_library(files: dict[str, Path]) -> None:
    script = ALONE.replace("radledger.verify.__main__", "radledger.verify.logged.__main__")
    given = ("--policy", files["policy"], "--block", files["block"], "--block-hash", HASH)
    done = subprocess.run(
        [sys.executable, "-c", script, files["proof"], *given, "--contract", "0x" + CONTRACT.hex()],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    ours = {name for name in done.stdout.splitlines() if name.split(".")[0] == "radledger"}
    assert {name for name in ours if not name.startswith("radledger.verify")} == {"radledger"}


def test_it_is_short_enough_to_be_read() -> None:
    sources = (SOURCE / "radledger/verify/anchored").glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in sources) < 100

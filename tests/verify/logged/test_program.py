"""``python -m radledger.verify.logged`` as people and programs use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from radledger.verify.logged import __main__ as program
from radledger.verify.logged.notes import Proof, proof_text
from radledger.verify.logged.receipt import receipt_entry
from radledger.verify.logged.tree import leaf_hash, node_hash
from tests.tlog.cast import LOG, WITNESS, checkpoint
from tests.verify.conftest import Told
from tests.verify.test_program import ALONE, SOURCE

DIGEST, SALT = b"\x11" * 32, b"\x22" * 16
OTHER = leaf_hash(b"another entry")
LEAF = leaf_hash(receipt_entry(DIGEST, SALT))
TREE = node_hash(OTHER, LEAF)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.write_text(f"log {LOG.vkey}\nwitness patients {WITNESS.vkey}\nquorum patients\n")
    return path


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    path = tmp_path / "receipt.tlog-proof"
    signed = checkpoint(2, TREE, signers=((LOG, 0), (WITNESS, 1_800_000_000)))
    path.write_text(proof_text(Proof(1, (OTHER,), signed, DIGEST + SALT)))
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run the program in this process."""

    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["verify", *map(str, arguments)])
        capsys.readouterr()
        try:
            code = program.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Told(code, *capsys.readouterr())

    return call


def test_yes(run: Callable[..., Told], proof: Path, policy: Path) -> None:
    told = run(proof, "--policy", policy)
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "yes"
    assert f"  receipt      0x{DIGEST.hex()}" in lines
    assert "  seen by patients 2027-01-15 08:00:00 UTC" in lines
    assert "Not proven" in told.out
    assert run(proof, "--policy", policy, "--json").object == {
        "answer": "yes",
        "receipt": "0x" + DIGEST.hex(),
        "log": LOG.key.name,
        "index": 1,
        "size": 2,
        "root": "0x" + TREE.hex(),
        "witnesses": {"patients": 1_800_000_000},
        "limits": program._LIMITS,
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("index 1", "index 0"), "does not lead to the root"),
        (lambda text: text.replace("index 1", "index 2"), "is of entry 2 in a tree of 2"),
        (lambda text: text.replace("extra E", "extra F"), "does not lead to the root"),
        (lambda text: text.replace("extra ERER", "extra "), "no digest and salt"),
        (lambda text: text.rpartition("\u2014")[0], "is cosigned by no witness"),
        (lambda text: text.replace(LOG.key.name, "log.example"), "is of no log of the policy"),
        (lambda text: text.replace("\n2\n", "\n3\n"), "is not valid"),
        (lambda text: "", "does not begin with"),
    ],
)
def test_no(run: Callable[..., Told], proof: Path, policy: Path, change: object, why: str) -> None:
    proof.write_text(change(proof.read_text()))  # type: ignore[operator]
    told = run(proof, "--policy", policy, "--json")
    assert (told.code, told.object["answer"]) == (1, "no")
    assert why in told.object["why"]
    assert run(proof, "--policy", policy).out == f"no: {told.object['why']}\n"


def test_usage(run: Callable[..., Told], proof: Path, policy: Path, tmp_path: Path) -> None:
    assert run(proof).code == 2
    missing = run(tmp_path / "missing", "--policy", policy)
    assert (missing.code, missing.out) == (2, "")
    assert "No such file" in missing.err
    policy.write_text("quorum patients\n")
    wrong = run(proof, "--policy", policy)
    assert (wrong.code, wrong.out) == (2, "")
    assert "policy, line 1," in wrong.err
    assert "Traceback" not in wrong.err


def test_it_needs_neither_network_nor_the_library(proof: Path, policy: Path) -> None:
    script = ALONE.replace("radledger.verify.__main__", "radledger.verify.logged.__main__")
    done = subprocess.run(
        [sys.executable, "-c", script, proof, "--policy", policy],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    loaded = done.stdout.splitlines()
    assert loaded[0] == "yes"
    ours = {name for name in loaded if name.split(".")[0] == "radledger"}
    assert {name for name in ours if not name.startswith("radledger.verify")} == {"radledger"}
    assert not {name.split(".")[0] for name in loaded} & {"eth_account", "httpx", "rlp", "web3"}


def test_it_is_short_enough_to_be_read() -> None:
    sources = (SOURCE / "radledger/verify/logged").glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in sources) < 600

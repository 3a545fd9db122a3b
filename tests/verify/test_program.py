"""``python -m radledger.verify`` as people and programs use it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from radledger.verify.form import read
from tests.verify.clique import DERIVED, FILES, REGISTRY, bundle_of, write
from tests.verify.conftest import Told

SOURCE = Path(__file__).parents[2] / "src"

# Runs the verifier with the network forbidden, then prints what it has loaded.
ALONE = """
import sys
def forbid(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.")):
        raise SystemExit(f"the verifier reached for {event}")
sys.addaudithook(forbid)
from radledger.verify.__main__ import main
sys.argv[0] = "verify"
code = main()
print("\\n".join(sorted(sys.modules)))
sys.exit(code)
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The files of the bundle's image set."""
    paths = [tmp_path / f"slice {n}.dcm" for n in range(len(FILES))]
    for path, content in zip(paths, FILES, strict=True):
        path.write_bytes(content)
    return paths


def test_yes(bundle: Path, validators: Path, files: list[Path], run: Callable[..., Told]) -> None:
    registry = ("--contract", "0x" + REGISTRY.hex())
    told = run(bundle, "--validators", validators, *registry, *files)
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "yes"
    assert f"  image       0x{DERIVED.image.hex()}" in lines
    assert "  timestamp   2026-11-18 11:06:40 UTC" in lines
    assert [line for line in lines if line.startswith("  identical")] == [
        f"  identical   {file}" for file in files
    ]
    assert "nothing was recorded later" in told.out
    assert "not that the chain cannot leave it" in told.out
    # Any contract can record such events: without a name the answer depends on it.
    told = run(bundle, "--validators", validators)
    assert told.code == 3
    assert told.out.startswith(f"yes, if 0x{REGISTRY.hex()} is the image registry")


def test_yes_as_json(
    bundle: Path, validators: Path, files: list[Path], run: Callable[..., Told]
) -> None:
    answer = run(files[1], bundle, "--json", "--validators", validators).object
    assert answer["answer"] == "no"  # the bundle comes first
    told = run(bundle, files[1], "--json", "--validators", validators, "--all-validators")
    answer = told.object
    assert (told.code, answer["answer"]) == (3, "yes")
    assert answer["files"] == {str(files[1]): "identical"}
    assert answer["if"] == f"0x{REGISTRY.hex()} is the image registry: see --contract"
    assert [each["event"] for each in answer["events"]] == [
        "ImageAnchored",
        "ImageRekeyed",
        "ImageErased",
        "ImageAnchored",
    ]
    assert answer["leaves"][1] == "0x" + hashlib.sha256(FILES[1]).hexdigest()
    assert "nothing was recorded later" in answer["limits"]


def test_a_file_that_is_not_of_the_bundle(
    bundle: Path, validators: Path, files: list[Path], run: Callable[..., Told]
) -> None:
    changed = files[0].with_name("chan\nged.dcm")
    changed.write_bytes(FILES[0] + b"\0")
    told = run(bundle, "--validators", validators, files[0], changed)
    assert told.code == 1
    lines = told.out.splitlines()
    assert lines[0].startswith(f"no: {changed.parent}/chan?ged.dcm is not byte for byte a file")
    assert f"  identical   {files[0]}" in lines
    assert f"  unknown     {changed.parent}/chan?ged.dcm" in lines
    answer = run(bundle, "--validators", validators, changed, files[0], "--json").object
    assert list(answer["files"].values()) == ["unknown", "identical"]
    assert answer["answer"] == "no"


def test_all_validators(
    tmp_path: Path, validators: Path, bundle: Path, run: Callable[..., Told]
) -> None:
    weak = tmp_path / "weak"
    weak.write_bytes(write(bundle_of(sealers=(0, 1, 2))))
    assert run(weak, "--validators", validators).code == 3
    told = run(weak, "--validators", validators, "--all-validators")
    assert (told.code, told.out) == (
        1,
        "no: bundle.events[0].headers has seals of 3 of 4 validators; 4 are needed\n",
    )
    assert run(bundle, "--validators", validators, "--all-validators").code == 3


def test_block_hashes_and_contract(bundle: Path, good: bytes, run: Callable[..., Told]) -> None:
    hashes = ["0x" + keccak(each["headers"][-1]).hex() for each in read(good)["events"]]
    given = [word for each in hashes for word in ("--block-hash", each.upper().replace("X", "x"))]
    assert run(bundle, *given).code == 3
    assert run(bundle, *given[2:]).code == 1
    assert run(bundle, *given, "--contract", "0x" + REGISTRY.hex()).code == 0
    told = run(bundle, *given, "--contract", "0x" + "11" * 20)
    assert told.out == "no: bundle.contract is not the image registry that was given\n"


def test_what_makes_no_sense(
    bundle: Path, validators: Path, tmp_path: Path, run: Callable[..., Told]
) -> None:
    bad = tmp_path / "bad"
    bad.write_text("0x1234")
    word = "0x" + "11" * 32
    for arguments, said in (
        ((), "required: bundle"),
        ((bundle,), "say what to trust"),
        ((bundle, "--all-validators", "--block-hash", word), "say what to trust"),
        ((bundle, "--block-hash", "0x12"), "'0x12' is not 0x and 64 hexadecimal digits"),
        ((bundle, "--contract", word, "--block-hash", word), "is not 0x and 40"),
        ((bundle, "--validators", bad), "'0x1234' is not 0x and 40 hexadecimal digits"),
        ((bundle, "--validators", tmp_path / "none"), "No such file"),
        ((tmp_path / "none", "--validators", validators), "No such file"),
        ((tmp_path, "--validators", validators), "Is a directory"),
        ((bundle, tmp_path / "none", "--validators", validators), "No such file"),
        ((bundle, "--validators", validators, "--bogus"), "unrecognized arguments: --bogus"),
    ):
        told = run(*arguments)
        assert (told.code, told.out) == (2, "")
        assert said in told.err.splitlines()[-1]
        assert "Traceback" not in told.err


def test_a_file_that_is_missing_is_one_line(
    bundle: Path, validators: Path, tmp_path: Path, run: Callable[..., Told]
) -> None:
    gone = tmp_path / "gone"
    for arguments in (
        (gone, "--validators", validators),
        (bundle, gone, "--validators", validators),
        (bundle, "--validators", gone),
    ):
        told = run(*arguments)
        assert (told.code, told.out) == (2, "")
        assert told.err.endswith(f": No such file or directory: '{gone}'\n")
        assert told.err.count("\n") == 1


def test_it_stands_alone_and_asks_no_network(
    bundle: Path, validators: Path, files: list[Path]
) -> None:
    registry, trust = ("--contract", "0x" + REGISTRY.hex()), ("--validators", validators)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, bundle, *files, *registry, *trust, "--json"],
        env={"PYTHONPATH": str(SOURCE), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    modules = done.stdout.splitlines()[1:]
    own = {name for name in modules if name.split(".")[0] == "radledger"}
    assert {name for name in own if not name.startswith("radledger.verify")} == {"radledger"}
    assert not {name.split(".")[0] for name in modules} & {
        "aleph_cid",
        "eth_account",
        "httpx",
        "numpy",
        "pydicom",
        "requests",
        "sqlalchemy",
        "typer",
        "web3",
    }


def test_it_is_short_enough_to_be_read() -> None:
    sources = (SOURCE / "radledger" / "verify").glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in sources) < 300

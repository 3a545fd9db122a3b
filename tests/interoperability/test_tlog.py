"""Logs before the tools of others: Go's verifiers of proofs, and the witness litewitness."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radledger.tlog import Log, LogSigner, TiledTree, publish
from radledger.tlog.errors import WitnessesMissing
from radledger.verify.logged.notes import ED25519_COSIGNATURE, Key, base64_of, proof_text
from radledger.verify.logged.policy import Policy, read_policy
from radledger.verify.logged.tree import EMPTY
from tests.tlog.cast import LOG, WITNESS, entry, fill
from tests.tlog.cast import publish as publish_alone

BUILT = Path(__file__).parents[2] / "build/witness"
NAME = "witness.example/lite"


def program(name: str) -> str:
    """A program of others; skips where it is not there."""
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}{BUILT}")
    if found is None:
        pytest.skip(f"needs {name}: run `make witness`, which needs Go")
    return found


@pytest.fixture
def signer() -> LogSigner:
    return LogSigner.new(LOG.key.name)


@pytest.fixture
def log(tmp_path: Path, signer: LogSigner) -> Iterator[Log]:
    log = Log(tmp_path / "log", signer)
    yield log
    log.close()


def checked(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [program("tlogcheck"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("size", [1, 2, 300, 600])
def test_go_verifies_inclusion(log: Log, signer: LogSigner, tmp_path: Path, size: int) -> None:
    fill(log, size)
    with log.publishing() as draft:
        log.publish(draft, WITNESS.line(draft.checkpoint, 1_800_000_000))
    published = log.published()
    assert published is not None
    file = tmp_path / "entry.tlog-proof"
    for index in {0, size // 2, size - 1}:
        for extra in (b"", b"of the application"):
            file.write_text(proof_text(log.prove(entry(index), extra)))
            done = checked("inclusion", file, entry(index).hex(), signer.key.vkey)
            root = base64_of(published.root)
            expected = f"{LOG.key.name} {index} {size} {root} 1\n"
            assert (done.returncode, done.stdout) == (0, expected), done.stderr
    wrong = checked("inclusion", file, entry(size).hex(), signer.key.vkey)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    unsigned = checked("inclusion", file, entry(0).hex(), LOG.vkey)
    assert (unsigned.returncode, unsigned.stdout) == (1, "")


def test_go_verifies_inclusion_under_an_earlier_checkpoint(
    log: Log, signer: LogSigner, tmp_path: Path
) -> None:
    """As a proof by the first checkpoint on the chain is made, when the log has grown since."""
    earlier = publish_alone(log, 5)
    publish_alone(log, 600)
    file = tmp_path / "entry.tlog-proof"
    for index in (0, 4):
        file.write_text(proof_text(log.prove(entry(index), under=earlier)))
        done = checked("inclusion", file, entry(index).hex(), signer.key.vkey)
        expected = f"{LOG.key.name} {index} 5 {base64_of(earlier.root)} 0\n"
        assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_go_verifies_consistency(log: Log) -> None:
    checkpoints = [publish_alone(log, size) for size in (1, 2, 255, 256, 300, 513)]
    for number, new in enumerate(checkpoints):
        tree = TiledTree(log.source, new.size)
        for old in checkpoints[:number]:
            hashes = map(base64_of, tree.consistency(old.size))
            roots = base64_of(old.root), base64_of(new.root)
            done = checked("consistency", old.size, new.size, *roots, *hashes)
            assert done.returncode == 0, done.stderr
    wrong = checked("consistency", 1, 513, base64_of(EMPTY), roots[1])
    assert wrong.returncode == 1


@pytest.fixture
def witness(tmp_path: Path, signer: LogSigner) -> Iterator[Policy]:
    """Litewitness, which knows the log; returns the policy that asks for it."""
    lite = program("litewitness")
    agent, add, keygen = map(program, ("ssh-agent", "ssh-add", "ssh-keygen"))
    private = tmp_path / "key"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", private], check=True)
    told = subprocess.run([keygen, "-l", "-f", private], capture_output=True, text=True, check=True)
    public = base64.b64decode(private.with_suffix(".pub").read_text().split()[1])[-32:]
    vkey = Key(NAME, ED25519_COSIGNATURE, public).vkey
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    sock = tmp_path / "agent"
    running = [subprocess.Popen([agent, "-D", "-a", sock], stdout=subprocess.DEVNULL)]
    try:
        wait(sock.exists)
        subprocess.run(
            [add, "-q", private], env={**os.environ, "SSH_AUTH_SOCK": str(sock)}, check=True
        )
        options = {
            "name": NAME,
            "db": tmp_path / "witness.db",
            "ssh-agent": sock,
            "listen": address,
            "key": told.stdout.split()[1],
        }
        with (tmp_path / "witness.log").open("w") as output:
            command = [lite, *(f"-{name}={value}" for name, value in options.items())]
            running.append(subprocess.Popen(command, stderr=output, stdout=output))
        wait(lambda: answers(address))
        with sqlite3.connect(tmp_path / "witness.db") as database:
            first = (LOG.key.name, base64_of(EMPTY))
            database.execute("INSERT INTO log VALUES (?, 0, ?)", first)
            database.execute("INSERT INTO key VALUES (?, ?)", (LOG.key.name, signer.key.vkey))
        database.close()
        text = f"log {signer.key.vkey}\nwitness lite {vkey} http://{address}\nquorum lite\n"
        yield read_policy(text.encode())
    finally:
        for each in reversed(running):
            each.terminate()
            each.wait(30)


def wait(ready: object) -> None:
    deadline = time.monotonic() + 60
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_litewitness_cosigns_and_refuses_a_fork(
    log: Log, signer: LogSigner, witness: Policy, tmp_path: Path
) -> None:
    def now() -> int:
        return int(time.time())

    for size in (3, 503, 759, 1459):
        fill(log, size)
        done = publish(log, witness, now)
        assert (done.checkpoint.size, done.witnesses.keys()) == (size, {"lite"})
        assert witness.require(done.checkpoint) == done.witnesses
    fork = Log(tmp_path / "fork", signer)
    fork.append((n, b"other" if n == 7 else entry(n)) for n in range(2000))
    with pytest.raises(WitnessesMissing) as refusal:
        publish(fork, witness, now)
    assert "it answers 422" in refusal.value.values["refused"]["lite"]
    fork.close()
    shorter = Log(tmp_path / "shorter", signer)
    fill(shorter, 1000)
    with pytest.raises(WitnessesMissing) as refusal:
        publish(shorter, witness, now)
    assert "has seen 1459 entries" in refusal.value.values["refused"]["lite"]
    shorter.close()

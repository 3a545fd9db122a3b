"""Run a local node as a process: start it, check that it is alive, and stop it and no other."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.devnet.errors import NodeFailed

__all__ = ["CHAINS", "Node", "free_port", "spawn", "start", "understood", "with_free_ports"]

_START_TIMEOUT = 180.0  # on a busy machine; one that ends is not waited for
_STOP_TIMEOUT = 60.0  # anvil writes its whole state when it ends
_PORT_ATTEMPTS = 3


@dataclass(frozen=True)
class Node:
    """A running node: its process, when that was started, and where it listens.

    A process id is used again by the system after its process has ended, so the start time
    belongs to it: both together name one process.
    """

    chain: str
    pid: int
    started: str
    endpoint: str

    def is_alive(self) -> bool:
        """Whether that very process runs."""
        _reap(self.pid)
        return _start_time(self.pid) == self.started

    def stop(self) -> None:
        """Stop the process, first by SIGTERM, and wait for it; does nothing if it has ended."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_alive():
                return
            os.killpg(self.pid, kind)  # it was started as the leader of a group of its own
            deadline = time.monotonic() + _STOP_TIMEOUT
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(0.02)


@contextlib.contextmanager
def understood(record: Path) -> Iterator[None]:
    """Refuse a file that does not say which nodes were started.

    Raises
    ------
    NodeFailed
        If what reads it inside fails.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError) as error:
        raise NodeFailed(
            f"{record} cannot be understood; end the nodes' processes if they run, take the file "
            "away, and start them again with the same options of `radledger devnet up`",
            path=str(record),
        ) from error


def start(chain: str, data: Path, mnemonic: str, accounts: int) -> Node:
    """Start a node on a free port and wait until it answers.

    Parameters
    ----------
    chain
        ``ganache`` or ``anvil``.
    data
        The folder for the node's log and the chain's data, which a later start resumes.
    mnemonic, accounts
        BIP-39 mnemonic whose first so many accounts have Ether.

    Raises
    ------
    NodeFailed
        If it is not installed, or ends or keeps silent.
    """
    data.mkdir(parents=True, exist_ok=True)

    def attempt() -> Node:
        port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        command = CHAINS[chain](data, port, mnemonic, accounts)
        environment = {"PATH": os.pathsep.join(map(str, _folders()))}
        return spawn(chain, command, data / "log", endpoint, lambda: _serves(endpoint), environment)

    return with_free_ports(attempt)


def with_free_ports(attempt: Callable[[], Node]) -> Node:
    """Start a node on new ports, and on others if one is taken meanwhile."""
    for left in reversed(range(_PORT_ATTEMPTS)):
        try:
            return attempt()
        except NodeFailed as error:
            if not left or "in use" not in str(error).lower():
                raise
    raise AssertionError("unreachable")


def _ganache(data: Path, port: int, mnemonic: str, accounts: int) -> list[str]:
    return [
        *_program("ganache"),
        *("--server.host", "127.0.0.1", "--server.port", str(port)),
        *("--chain.hardfork", "shanghai", "--chain.chainId", "1337"),
        *("--wallet.mnemonic", mnemonic, "--wallet.totalAccounts", str(accounts)),
        *("--miner.blockGasLimit", "30000000", "--database.dbPath", str(data / "ganache")),
        *("--logging.quiet", "true"),
    ]


def _anvil(data: Path, port: int, mnemonic: str, accounts: int) -> list[str]:
    return [
        *_program("anvil"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--hardfork", "paris", "--chain-id", "31337"),
        *("--mnemonic", mnemonic, "--accounts", str(accounts)),
        # Written when it ends, and meanwhile once a minute: the whole state, which takes time.
        *("--state", str(data / "anvil.json"), "--state-interval", "60", "--silent"),
        # States before the last 500 blocks would fill gigabytes of ~/.foundry, and stay there.
        *("--max-persisted-states", "0"),
    ]


CHAINS: dict[str, Callable[[Path, int, str, int], list[str]]] = {
    "ganache": _ganache,
    "anvil": _anvil,
}
"""Command line of each kind of node."""


def spawn(
    name: str,
    command: list[str],
    log: Path,
    endpoint: str,
    serves: Callable[[], bool],
    environment: Mapping[str, str],
) -> Node:
    """Start a process that outlives this one, and wait until it serves.

    Parameters
    ----------
    name
        What to call it.
    command, environment
        What to run, and what is in its environment beside this process's own.
    log
        Where its output goes.
    endpoint
        Where it will listen.
    serves
        Asks it whether it can be used.

    Raises
    ------
    NodeFailed
        If it ends or keeps silent.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    node = Node(name, process.pid, _start_time(process.pid) or "", endpoint)
    try:
        _await(process, node, log, serves)
    except BaseException:
        node.stop()
        raise
    return node


def free_port() -> int:
    """A free TCP port of the system's choice."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(
    process: subprocess.Popen[bytes], node: Node, log: Path, serves: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NodeFailed(
                f"{node.chain} ended at once with code {process.returncode}: {_last_line(log)}",
                chain=node.chain,
                log=str(log),
            )
        if serves():
            return
        time.sleep(0.05)
    raise NodeFailed(
        f"{node.chain} does not answer at {node.endpoint}; see {log}",
        chain=node.chain,
        log=str(log),
    )


def _serves(endpoint: str) -> bool:
    """Whether a chain's node answers."""
    try:
        connect(Network("node", endpoint))
    except ConnectionFailed:
        return False
    return True


def _program(name: str) -> list[str]:
    found = shutil.which(name, path=os.pathsep.join(map(str, _folders())))
    if found is None:
        raise NodeFailed(
            f"{name} is not installed; run `make setup`, or `npm install {name}` here and put "
            "node on the PATH",
            program=name,
        )
    return [found]


def _folders() -> list[Path]:
    """Where programs are looked for: a project's npm packages, this environment, the PATH."""
    above = [Path.cwd(), *Path(__file__).resolve().parents]
    modules = [folder / "node_modules" for folder in above if (folder / "node_modules").is_dir()]
    # anvil itself before the launcher in .bin, which would outlive it or leave it behind.
    native = [found for folder in modules for found in folder.glob("@foundry-rs/anvil-*/bin")]
    path = [Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    return [*native, *(folder / ".bin" for folder in modules), Path(sys.prefix) / "bin", *path]


def _start_time(pid: int) -> str | None:
    """When a process started, as the system states it; None if it does not exist or is a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # Fields after the name, which may hold spaces and brackets: state is the first.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    done = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _reap(pid: int) -> None:
    """Reap a child that has ended; in a later run it is not this process's child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return next(
        (line for line in lines if "rror" in line or line.startswith("panic")),
        lines[-1] if lines else "it said nothing",
    )

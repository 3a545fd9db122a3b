"""Stores to test: a folder, memory, and a Kubo daemon where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from radledger.storage import LocalStore, MemoryStore, Storage
from radledger.storage.kubo import KuboStore

_NO_KUBO = "needs kubo: a daemon by RADLEDGER_KUBO_API, or `ipfs` on PATH"
_HAS_KUBO = "RADLEDGER_KUBO_API" in os.environ or shutil.which("ipfs") is not None
_REQUIRED = "kubo" in os.environ.get("RADLEDGER_REQUIRE", "").split(",")
# Left out rather than skipped, so that one line says what is missing, not one for each test.
_STREAMING = ["local", "kubo"] if _HAS_KUBO or _REQUIRED else ["local"]

_PRIVATE_NODE = {
    "Addresses.API": '"/ip4/127.0.0.1/tcp/0"',
    "Addresses.Gateway": "[]",
    "Addresses.Swarm": "[]",
    "AutoConf.Enabled": "false",
    "Bootstrap": "[]",
    "Discovery.MDNS.Enabled": "false",
    "Routing.Type": '"none"',
}


def _start_kubo(program: str, repository: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a node of its own that knows nobody; return it with the multiaddr of its API."""
    environment = {**os.environ, "IPFS_PATH": str(repository)}
    subprocess.run(
        [program, "init", "--profile", "test"], env=environment, check=True, capture_output=True
    )
    for key, value in _PRIVATE_NODE.items():
        subprocess.run(
            [program, "config", "--json", key, value],
            env=environment,
            check=True,
            capture_output=True,
        )
    node = subprocess.Popen(
        [program, "daemon", "--offline"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert node.stdout is not None
    lines = []
    for line in node.stdout:
        lines.append(line)
        if line.startswith("Daemon is ready"):
            return node, (repository / "api").read_text().strip()
    node.wait()
    raise AssertionError("Kubo did not start: " + "".join(lines))


@pytest.fixture(scope="session")
def kubo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Multiaddr of a Kubo daemon: RADLEDGER_KUBO_API, else a private node by `ipfs` on PATH."""
    given = os.environ.get("RADLEDGER_KUBO_API")
    if given:
        yield given
        return
    program = shutil.which("ipfs")
    if program is None:
        pytest.skip(_NO_KUBO)
    node, address = _start_kubo(program, tmp_path_factory.mktemp("kubo"))
    try:
        yield address
    finally:
        node.terminate()
        node.communicate()


def _opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[Storage]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "local":
        yield LocalStore(folder)
    else:
        kubo = KuboStore(request.getfixturevalue("kubo_address"))
        yield kubo
        kubo.close()


@pytest.fixture(params=["memory", *_STREAMING])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """Each of the stores; content may be there from other tests."""
    yield from _opened(request, tmp_path)


@pytest.fixture(params=_STREAMING)
def streaming_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """Each of the stores that take content of any size."""
    yield from _opened(request, tmp_path)

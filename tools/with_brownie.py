"""Run a command that uses Brownie, its data in the project and its chains on free ports.

Brownie keeps networks, accounts and caches in the home folder and starts local chains on port
8545, so two runs on one machine would share a chain.  Here each run has a home of its own.

    python tools/with_brownie.py pytest -p pytest-brownie tests/contracts
    python tools/with_brownie.py brownie run demo --network ganache
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
GANACHE = ROOT / "tools" / "ganache.yaml"
GAS_LIMIT = 30_000_000


def free_port() -> int:
    """A port that nothing listens on.

    It is none that the system gives to connections, as it is a while before the chain takes it.
    """
    for port in random.sample(range(10_000, 32_768), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit("none of 100 ports is free: end what listens on so many")


def networks(*, traced: bool) -> dict[str, Any]:
    """Brownie's own networks and ``ganache``, each local chain on a free port.

    Coverage is read from traces, which anvil records only on request, at a cost in speed.
    """
    spec = find_spec("brownie")
    if spec is None or spec.origin is None:
        sys.exit("Brownie is not installed: run `make setup`")
    shipped = Path(spec.origin).parent / "data" / "network-config.yaml"
    config: dict[str, Any] = yaml.safe_load(shipped.read_text())
    config["development"] += yaml.safe_load(GANACHE.read_text())["development"]
    for network in config["development"]:
        if network["id"] in ("development", "ganache"):
            network["cmd_settings"] |= {"port": free_port(), "gas_limit": GAS_LIMIT}
        if network["id"] == "development":
            network["cmd_settings"]["steps_tracing"] = traced
    return config


def main(command: list[str]) -> int:
    """Run `command` and return its exit code."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    scratch = ROOT / "build"
    scratch.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="brownie-home-", dir=scratch))
    try:
        data = home / ".brownie"
        data.mkdir()
        (data / "network-config.yaml").write_text(
            yaml.safe_dump(networks(traced="--coverage" in command))
        )
        programs = os.pathsep.join(
            [str(Path(sys.prefix) / "bin"), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]]
        )
        return subprocess.call(
            command, cwd=ROOT, env={**os.environ, "HOME": str(home), "PATH": programs}
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

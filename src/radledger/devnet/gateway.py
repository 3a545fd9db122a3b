"""Start and stop the hospital's gateway on a home's local chain.

It is the process of ``radledger gateway serve``, with the viewer if ``make ohif`` has prepared it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import httpx

from radledger.devnet import process
from radledger.files import write_atomically

__all__ = ["CUSTODIAN", "recorded", "start", "stop", "viewer_folder", "was_started"]

CUSTODIAN = "hospital"
"""The person whose gateway it is."""


def start(home: Path, data: Path, network: str) -> process.Node:
    """Start the gateway, unless it runs and answers; its endpoint is its address.

    Parameters
    ----------
    home, data
        RadLedger's folder, and where the gateway's log and record go.
    network
        Name of the chain there.

    Raises
    ------
    NodeFailed
        If it does not start.
    """
    running = recorded(data)
    if running is not None:
        if _serves(running.endpoint):
            return running
        running.stop()
    viewer = viewer_folder()
    shown = [] if viewer is None else ["--viewer", str(viewer)]

    def attempt() -> process.Node:
        port = process.free_port()
        endpoint = f"http://127.0.0.1:{port}"
        command = [
            *(sys.executable, "-m", "radledger.cli", "gateway", "serve", "--json"),
            *("--home", str(home), "--network", network, "--as", CUSTODIAN),
            *("--port", str(port), *shown),
        ]
        log = data / "gateway.log"
        return process.spawn("gateway", command, log, endpoint, lambda: _serves(endpoint), {})

    node = process.with_free_ports(attempt)
    write_atomically(_record(data), json.dumps(asdict(node), indent=2) + "\n")
    return node


def stop(data: Path) -> None:
    """Stop it, if it runs."""
    node = recorded(data)
    if node is not None:
        node.stop()


def was_started(data: Path) -> bool:
    """Whether it was ever started here."""
    return _record(data).exists()


def recorded(data: Path) -> process.Node | None:
    """The process that was started last, if it runs."""
    path = _record(data)
    if not path.exists():
        return None
    with process.understood(path):
        node = process.Node(**json.loads(path.read_text("utf-8")))
    return node if node.is_alive() else None


def viewer_folder() -> Path | None:
    """The viewer as ``make ohif`` prepares it, below this folder or the source's; None without."""
    for above in (Path.cwd(), *Path(__file__).resolve().parents):
        built = above / "build" / "ohif"
        if (built / "index.html").is_file():
            return built
    return None


def _record(data: Path) -> Path:
    return data / "gateway.json"


def _serves(endpoint: str) -> bool:
    """Whether a gateway answers there, and sees the chain."""
    try:
        # No proxy reaches this machine.
        return httpx.get(f"{endpoint}/health", trust_env=False, timeout=10.0).is_success
    except httpx.HTTPError:
        return False

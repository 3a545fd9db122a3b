"""How fast a large content goes to a Kubo node and back, and how much memory that takes.

    python benchmarks/kubo.py                      # 64 MiB and 1 GiB
    python benchmarks/kubo.py --mebibytes 4096     # 64 MiB and 4 GiB

``put``, ``get``  the library: hashed on the way in, checked as a whole on the way out
``add``, ``cat``  the same bytes to and from the same node by HTTP alone
``pin``           a second node gets the content from the first

Sizes are those of files of random bytes.  The two ways take turns, so that a busy machine slows
both; memory is the most that a process had resident meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
from measuring import high_water, timed

from radledger.devnet import kubo
from radledger.devnet.process import Node
from radledger.storage.kubo import KuboStore

MIB = 1 << 20
ADD = {"cid-version": "1", "raw-leaves": "true", "chunker": "size-262144"}


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the large content")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="radledger-benchmark-") as name:
        folder = Path(name)
        nodes = kubo.start(folder / "nodes", kubo.names(2))
        try:
            sizes = (64, options.mebibytes)
            report = [measured(nodes, folder / "content", mebibytes) for mebibytes in sizes]
        finally:
            kubo.stop(folder / "nodes")
    print(json.dumps(report, indent=2))


def measured(nodes: dict[str, Node], path: Path, mebibytes: int) -> dict[str, float]:
    """Rates and memory for one size."""
    first, second = nodes.values()
    store, partner = KuboStore(first.endpoint), KuboStore(second.endpoint)
    write_random(path, mebibytes)
    seconds = {"add": timed(lambda: bare_add(first, path))}
    cids: list[str] = []

    def put() -> None:
        with path.open("rb") as file:
            cids.append(store.put(file).cid)

    write_random(path, mebibytes)
    memory = {}
    seconds["put"], memory["put"] = peak(put)
    seconds["get"], memory["get"] = peak(lambda: store.get(cids[0]).close())
    seconds["cat"] = timed(lambda: bare_cat(first, cids[0]))
    seconds["pin"] = timed(lambda: partner.pin(cids[0]))
    for node in (store, partner):
        node.unpin(cids[0])
        node.collect()
    return {
        "mebibytes": mebibytes,
        **{f"{name}_mib_per_second": round(mebibytes / took) for name, took in seconds.items()},
        "put_to_add": round(seconds["put"] / seconds["add"], 2),
        "get_to_cat": round(seconds["get"] / seconds["cat"], 2),
        **{f"{name}_peak_mebibytes": round(taken / 1024) for name, taken in memory.items()},
        "node_peak_mebibytes": round(high_water(first.pid) / 1024),
    }


def peak(work: Callable[[], None]) -> tuple[float, int]:
    """Seconds that some work takes, and the most KiB that this process has resident meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")  # reset the high-water mark
    return timed(work), high_water(os.getpid())


def bare_add(node: Node, path: Path) -> None:
    """Send a file as `KuboStore` does, and nothing else."""
    with path.open("rb") as file:
        post(node, "add", ADD, {"file": file})


def bare_cat(node: Node, cid: str) -> None:
    """Receive a content, and drop it."""
    with httpx.stream("POST", url(node, "cat"), params={"arg": cid}, timeout=600) as answer:
        for _ in answer.iter_raw(MIB):
            pass


def post(node: Node, method: str, parameters: dict[str, str], files: dict[str, object]) -> None:
    """Call the node's RPC API."""
    answer = httpx.post(url(node, method), params=parameters, files=files, timeout=600)
    answer.raise_for_status()


def url(node: Node, method: str) -> str:
    """Address of a method of the node's RPC API."""
    return f"http://127.0.0.1:{node.endpoint.rpartition('/')[2]}/api/v0/{method}"


def write_random(path: Path, mebibytes: int) -> None:
    """A file of bytes that no node has yet."""
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))


if __name__ == "__main__":
    main()

"""Private Kubo nodes for the tests, where the program is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from radledger.devnet import kubo
from radledger.devnet.errors import NodeFailed
from radledger.devnet.process import Node


def has_kubo() -> bool:
    """Whether the program is there."""
    try:
        kubo.program()
    except NodeFailed:
        return False
    return True


@contextmanager
def kubo_nodes(folder: Path, *names: str) -> Iterator[dict[str, Node]]:
    """Nodes of these names, connected to one another; skips where there is no Kubo."""
    if not has_kubo():
        pytest.skip("needs ipfs: run `make kubo`, or put it on the PATH")
    try:
        yield kubo.start(folder, names)
    finally:
        kubo.stop(folder)

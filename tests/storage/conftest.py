"""Stores to test: a folder, memory, a Kubo node, and several of each as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from radledger.storage import LocalStore, MemoryStore, Storage
from radledger.storage.kubo import KuboStore
from radledger.storage.replicated import ReplicatedStore
from tests.kubo import kubo_nodes

_STREAMING = ["local", "kubo", "replicated", "replicated kubo"]


@pytest.fixture(scope="session")
def kubo_addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Multiaddresses of two Kubo nodes that do not know each other, by name."""
    with ExitStack() as stack:
        addresses = {}
        for name in ("hospital", "clinic"):
            nodes = kubo_nodes(tmp_path_factory.mktemp(name), name)
            addresses[name] = stack.enter_context(nodes)[name].endpoint
        yield addresses


@pytest.fixture(scope="session")
def kubo_address(kubo_addresses: dict[str, str]) -> str:
    """Multiaddress of one of them."""
    return kubo_addresses["hospital"]


def _opened(request: pytest.FixtureRequest, folder: Path) -> Storage:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        return LocalStore(folder)
    if request.param == "replicated":
        return ReplicatedStore({name: LocalStore(folder / name) for name in "abc"}, copies=2)
    if request.param == "kubo":
        return KuboStore(request.getfixturevalue("kubo_address"))
    addresses = request.getfixturevalue("kubo_addresses")
    return ReplicatedStore(
        {name: KuboStore(address) for name, address in addresses.items()}, copies=2
    )


@pytest.fixture(params=["memory", *_STREAMING])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each of the stores; content may be there from other tests."""
    return _opened(request, tmp_path)


@pytest.fixture(params=_STREAMING)
def streaming_store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each of the stores that take content of any size."""
    return _opened(request, tmp_path)

"""The store of a home's local chain: a folder, or private Kubo nodes."""

from __future__ import annotations

from pathlib import Path

from radledger.devnet import kubo
from radledger.devnet.errors import AnotherStoreThere
from radledger.errors import UsageError
from radledger.storage import configuration
from radledger.storage.configuration import StorageConfiguration

__all__ = ["STORES", "down", "nodes", "up"]

STORES = ("local", "kubo")
_COPIES = 2


def up(home: Path, data: Path, store: str | None, count: int | None) -> None:
    """Start a home's store, and write into the home where it is.

    Parameters
    ----------
    home
        Whose ``storage.yaml`` it is.
    data
        Where the nodes are.
    store
        ``local`` or ``kubo``; None for what it was before, ``local`` at first.
    count
        How many Kubo nodes; None for as many as before, two at first.  Nodes can be added, not
        taken away.

    Raises
    ------
    AnotherStoreThere
        If the home has content in another store, or on more nodes.
    NodeFailed
        If a node does not start.
    UsageError
        If there is no such store, or fewer nodes are asked for than there are.
    """
    folder = data / "kubo"
    known = list(kubo.recorded(folder))
    store = store or ("kubo" if known else "local")
    if store not in STORES:
        raise UsageError(f"no store {store!r}; there are {', '.join(STORES)}", store=store)
    if store == "local":
        if count is not None:
            raise UsageError("the local store has no nodes; say --store kubo", nodes=count)
        if known:
            raise _another("kubo", store)
        return
    if not known and any((home / "store").glob("pinned/*/*")):
        raise _another("local", store)
    if not known and configuration.load(home) is not None:
        raise _another("storage.yaml", store)
    count = count or len(known) or _COPIES
    if count < len(known):
        raise UsageError(
            f"the store has {len(known)} nodes, whose content would be lost; name no fewer",
            nodes=count,
            there=known,
        )
    running = kubo.start(folder, kubo.names(count))
    addresses = {name: node.endpoint for name, node in running.items()}
    configuration.save(home, StorageConfiguration(addresses, min(_COPIES, count)))


def down(data: Path) -> None:
    """Stop the nodes; their data is kept."""
    kubo.stop(data / "kubo")


def nodes(data: Path) -> dict[str, str | None]:
    """Multiaddress of each Kubo node by its name, None for one that does not run."""
    return {
        name: node.endpoint if node else None for name, node in kubo.recorded(data / "kubo").items()
    }


def _another(there: str, wanted: str) -> AnotherStoreThere:
    return AnotherStoreThere(
        f"this home's store is {there}; use another --home for {wanted}", store=there, wanted=wanted
    )

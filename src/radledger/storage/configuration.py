"""The store of a home: a folder, a Kubo node, or several nodes with a number of copies.

``<home>/storage.yaml`` names the nodes, in the order in which they are used, and how many of them
are to hold each content::

    copies: 2
    nodes:
      here: /ip4/127.0.0.1/tcp/5001
      branch: /dns/ipfs.branch.example/tcp/5001/https

Without that file the store is the folder ``<home>/store``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.files import write_atomically
from radledger.storage.errors import StorageConfigurationInvalid

if TYPE_CHECKING:
    from radledger.storage.protocol import Storage

__all__ = ["StorageConfiguration", "load", "open_storage", "save"]


@dataclass(frozen=True)
class StorageConfiguration:
    """Kubo nodes, and how many of them hold each content.

    Attributes
    ----------
    nodes
        Multiaddress of each node's RPC API by its name; those before are used before.
    copies
        How many are to hold each content.

    Raises
    ------
    StorageConfigurationInvalid
        If there are fewer nodes than copies, or no copies.
    """

    nodes: Mapping[str, str]
    copies: int

    def __post_init__(self) -> None:
        if not 1 <= self.copies <= len(self.nodes):
            raise StorageConfigurationInvalid(
                f"{self.copies} copies cannot be kept on {len(self.nodes)} nodes; name at least "
                "as many nodes as copies, and at least one copy",
                copies=self.copies,
                nodes=list(self.nodes),
            )


def open_storage(home: Path, addresses: str | None = None) -> Storage:
    """Open the store of a home.

    Parameters
    ----------
    home
        The folder with ``storage.yaml`` or the store itself.
    addresses
        Multiaddresses of Kubo nodes, separated by commas, which go before what the home says;
        each is to hold every content.

    Raises
    ------
    StorageConfigurationInvalid
        If the home's ``storage.yaml`` cannot be understood.
    UsageError
        If an address is not a multiaddress.

    Examples
    --------
    >>> open_storage(Path("home"), "/ip4/127.0.0.1/tcp/5001").address
    '/ip4/127.0.0.1/tcp/5001'
    """
    if addresses:
        found = [address.strip() for address in addresses.split(",")]
        return _opened(StorageConfiguration(dict(zip(found, found, strict=True)), len(set(found))))
    configuration = load(home)
    if configuration is not None:
        return _opened(configuration)
    from radledger.storage.local import LocalStore

    return LocalStore(home / "store")


def load(home: Path) -> StorageConfiguration | None:
    """What a home's ``storage.yaml`` says, None if there is none.

    Raises
    ------
    StorageConfigurationInvalid
        If it names no nodes and copies.
    """
    import yaml

    path = home / "storage.yaml"
    if not path.exists():
        return None
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        nodes = {str(name): str(address) for name, address in content["nodes"].items()}
        return StorageConfiguration(nodes, int(content["copies"]))
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageConfigurationInvalid(
            f"{path} names no nodes and copies; correct it as docs/storage.md shows: "
            f"{' '.join(str(error).split())}",
            path=str(path),
        ) from error


def save(home: Path, configuration: StorageConfiguration) -> None:
    """Write a home's ``storage.yaml``."""
    import yaml

    content = {"copies": configuration.copies, "nodes": dict(configuration.nodes)}
    write_atomically(home / "storage.yaml", yaml.safe_dump(content, sort_keys=False))


def _opened(configuration: StorageConfiguration) -> Storage:
    from radledger.storage.kubo import KuboStore
    from radledger.storage.replicated import ReplicatedStore

    stores = {name: KuboStore(address) for name, address in configuration.nodes.items()}
    if len(stores) == 1:
        return next(iter(stores.values()))
    return ReplicatedStore(stores, configuration.copies)

"""Content-addressed storage of what the chain knows only by its digest.

A store takes a stream, names it by the CID that Kubo (IPFS) would give it, and returns content
only after every byte has been checked against that name.

* :class:`LocalStore` keeps content in a folder.
* :class:`KuboStore` keeps it on a Kubo (IPFS) node.
* :class:`ReplicatedStore` keeps copies in several stores.
* :class:`MemoryStore` is the double for tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.storage.cid import candidates, cid_digest, cid_from_digest
    from radledger.storage.configuration import StorageConfiguration, open_storage
    from radledger.storage.kubo import KuboStore
    from radledger.storage.local import LocalStore
    from radledger.storage.memory import MemoryStore
    from radledger.storage.protocol import Holding, Stat, Storage, Stored, get_by_digest
    from radledger.storage.replicated import ReplicatedStore

__all__ = [
    "Holding",
    "KuboStore",
    "LocalStore",
    "MemoryStore",
    "ReplicatedStore",
    "Stat",
    "Storage",
    "StorageConfiguration",
    "Stored",
    "candidates",
    "cid_digest",
    "cid_from_digest",
    "get_by_digest",
    "open_storage",
]

__getattr__ = lazily(
    __name__,
    {
        "cid": ("candidates", "cid_digest", "cid_from_digest"),
        "configuration": ("StorageConfiguration", "open_storage"),
        "kubo": ("KuboStore",),
        "local": ("LocalStore",),
        "memory": ("MemoryStore",),
        "protocol": ("Holding", "Stat", "Storage", "Stored", "get_by_digest"),
        "replicated": ("ReplicatedStore",),
    },
)

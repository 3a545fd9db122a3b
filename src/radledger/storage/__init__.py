"""Content-addressed storage of what the chain only knows by digest.

Every store takes a stream and names it by the CID that Kubo (IPFS) gives it, and hands a
content over only after every byte of it was checked against that name.

* :class:`LocalStore` keeps content in a folder.
* :class:`~radledger.storage.kubo.KuboStore` talks to a Kubo daemon; it is imported from its own
  module because it needs HTTP libraries.
* :class:`MemoryStore` is the double for tests.
"""

from __future__ import annotations

from radledger.storage.cid import candidates, cid_digest, cid_from_digest
from radledger.storage.local import LocalStore
from radledger.storage.memory import MemoryStore
from radledger.storage.protocol import Holding, Stat, Storage, Stored, get_by_digest

__all__ = [
    "Holding",
    "LocalStore",
    "MemoryStore",
    "Stat",
    "Storage",
    "Stored",
    "candidates",
    "cid_digest",
    "cid_from_digest",
    "get_by_digest",
]

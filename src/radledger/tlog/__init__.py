"""Transparency logs in the form of C2SP: kept, cosigned by witnesses, proven.

===============  =====================================================================
``anchors``      checkpoints of a log that a chain has
``log``          a log in a folder: entries in order, tiles and checkpoint as files
``tiles``        a tree by its tiles, and the proofs that they give
``sources``      where files of a log are read from: a folder, or a server
``signer``       the key of a log
``monitor``      what watches a log of others
``witnesses``    cosignatures of those who see that the log only grows
===============  =====================================================================

What is signed and how proofs are checked is in :mod:`radledger.verify.logged`, which needs nothing
of this package.

References
----------
.. [1] RFC 6962, Certificate Transparency, section 2.1
.. [2] C2SP, tlog-tiles, https://c2sp.org/tlog-tiles
.. [3] C2SP, tlog-checkpoint, https://c2sp.org/tlog-checkpoint
.. [4] C2SP, tlog-witness, https://c2sp.org/tlog-witness
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.tlog.anchors import Anchor, Anchors
    from radledger.tlog.log import Log
    from radledger.tlog.monitor import Monitor, Seen, Sighting
    from radledger.tlog.signer import LogSigner
    from radledger.tlog.sources import FolderSource, HttpSource
    from radledger.tlog.tiles import TiledTree
    from radledger.tlog.witnesses import Cosigned, publish

__all__ = [
    "Anchor",
    "Anchors",
    "Cosigned",
    "FolderSource",
    "HttpSource",
    "Log",
    "LogSigner",
    "Monitor",
    "Seen",
    "Sighting",
    "TiledTree",
    "publish",
]

__getattr__ = lazily(
    __name__,
    {
        "anchors": ("Anchor", "Anchors"),
        "log": ("Log",),
        "monitor": ("Monitor", "Seen", "Sighting"),
        "signer": ("LogSigner",),
        "sources": ("FolderSource", "HttpSource"),
        "tiles": ("TiledTree",),
        "witnesses": ("Cosigned", "publish"),
    },
)

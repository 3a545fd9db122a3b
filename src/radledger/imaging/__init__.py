"""Image sets: added, shown, verified, fetched, re-encrypted, disowned and erased.

===========================  ===============================================================
``service``                  :class:`~radledger.imaging.service.Images`, the use cases
``model``                    what they return, and how an image set is named
``manifest``                 what is stored of an image set beside its files
``ingest``                   from files to an anchored image set
``journal``                  the custodian's secrets, and how far each addition has come
``copies``                   who holds an image set's ciphertext
``bundles``                  what proves an image set to a verifier without a node
===========================  ===============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.imaging.bundles import Bundles
    from radledger.imaging.copies import Copies
    from radledger.imaging.model import (
        AddResult,
        FetchResult,
        ImageRecord,
        ImageSet,
        Kind,
        VerifyResult,
    )
    from radledger.imaging.service import Images

__all__ = [
    "AddResult",
    "Bundles",
    "Copies",
    "FetchResult",
    "ImageRecord",
    "ImageSet",
    "Images",
    "Kind",
    "VerifyResult",
]

__getattr__ = lazily(
    __name__,
    {
        "service": ("Images",),
        "model": ("AddResult", "FetchResult", "ImageRecord", "ImageSet", "Kind", "VerifyResult"),
        "copies": ("Copies",),
        "bundles": ("Bundles",),
    },
)

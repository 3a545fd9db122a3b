"""Deploy the contracts, or import the record of a deployment.

================  ==========================================================================
``deploy``        deploy what is missing, and compare what is there with this release
``importing``     take over another participant's record
================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.deployment.importing import import_record

__all__ = ["import_record"]

__getattr__ = lazily(
    __name__,
    {
        "importing": ("import_record",),
    },
)

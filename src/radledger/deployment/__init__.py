"""Put the contracts on a chain, or take over the record of who did.

================  ==========================================================================
``deploy``        deploy what is missing, and compare what is there with this release
``importing``     take over another participant's record
================  ==========================================================================
"""

from __future__ import annotations

__all__: list[str] = []

"""The parts of an area of the library.

================  ==========================================================================
``declaration``   what an area declares: contracts, and what the rest must know of them
``fold``          the state of a contract, rebuilt from its events
``tables``        the tables of what events changed
``lineage``       where something came from and what became of it
================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.area.declaration import Area, Contract

__all__ = ["Area", "Contract"]

__getattr__ = lazily(__name__, {"declaration": ("Area", "Contract")})

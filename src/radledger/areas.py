"""All areas, in the order in which their contracts are deployed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from radledger.access.area import AREA as ACCESS
from radledger.algorithms.area import AREA as ALGORITHMS
from radledger.area.declaration import Area, Contract
from radledger.consent.area import AREA as CONSENT
from radledger.identity.area import AREA as IDENTITY
from radledger.imaging.area import AREA as IMAGING
from radledger.research.area import AREA as RESEARCH

__all__ = ["AREAS", "CONTRACTS"]

AREAS: tuple[Area, ...] = (IDENTITY, IMAGING, CONSENT, ACCESS, ALGORITHMS, RESEARCH)

CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {contract.name: contract for area in AREAS for contract in area.contracts}
)
"""Every contract by its name."""

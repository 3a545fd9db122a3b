"""What a gateway answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.access.acknowledgements import Acknowledgement
    from radledger.gateway.tokens import Viewing

__all__ = ["Health", "Issued"]


@dataclass(frozen=True, slots=True)
class Health:
    """What the gateway sees of the chain.

    Attributes
    ----------
    custodian
        Whose gateway it is.
    chain_id, block
        The chain, and the number of its latest block.
    block_age
        Seconds since that.
    """

    custodian: str
    chain_id: int
    block: int
    block_age: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was issued.

    Attributes
    ----------
    token, viewing
        The token, and what it is for.
    acknowledgements
        Of the receipts, in their order; none if no recorder acknowledges them.
    """

    token: str = field(repr=False)
    viewing: Viewing
    acknowledgements: Sequence[Acknowledgement]

"""The one question: may this reader use this image set for that, now?

Only ``ConsentRegistry`` answers it; nothing here keeps or repeats its rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.consent import duo
from radledger.consent.model import Decision

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.imaging.model import ImageSet

__all__ = ["Use", "UseStruct", "decide", "require"]

UseStruct = tuple[int, int, bytes]
"""``Use`` as the contract takes it: purposes, fulfilled conditions, disease."""

_CONTRACT = "ConsentRegistry"
_REASONS = (
    "permitted",
    "never granted",
    "revoked",
    "expired",
    "not yet",
    "purpose",
    "disease",
    "condition",
    "reader suspended",
    "not anchored",
    "erased",
)


@dataclass(frozen=True, slots=True)
class Use:
    """What a reader wants to do, as the contract's struct ``Use`` has it.

    Examples
    --------
    >>> Use.of(["CC"])
    Use(purposes=32, fulfilled=0, disease=None)
    """

    purposes: int
    fulfilled: int
    disease: str | None

    @classmethod
    def of(
        cls, purposes: Iterable[str], fulfilled: Iterable[str] = (), disease: str | None = None
    ) -> Use:
        """From DUO terms by short name or id."""
        duo.encode_disease(disease)
        return cls(duo.purpose_bits(purposes), duo.fulfilled_bits(fulfilled), disease)

    @property
    def struct(self) -> UseStruct:
        """As the contract takes it."""
        return self.purposes, self.fulfilled, duo.encode_disease(self.disease)


def decide(ledger: Ledger, reader: str, image: ImageSet, use: UseStruct) -> Decision:
    """Ask whether a use is permitted at the latest block."""
    reason, grant_id = ledger.call(_CONTRACT, "permitted", reader, image.struct, use)
    return Decision(
        permitted=reason == 0,
        reason=_REASONS[reason],
        grant_id="0x" + bytes(grant_id).hex() if any(grant_id) else None,
    )


def require(ledger: Ledger, reader: str, image: ImageSet, use: UseStruct) -> str:
    """Ask for the grant that permits a use at the latest block; all zero for the patient's own.

    Raises
    ------
    Refusal
        The reason, as the subclass of the contract's error's name, with the values that decided.
    """
    _, grant_id = ledger.call(_CONTRACT, "requirePermitted", reader, image.struct, use)
    return "0x" + bytes(grant_id).hex()

"""Receipts under the roots of their days, and demands for those that may have been left out.

Addresses are EIP-55 texts; digests and ids are ``0x`` and 64 lower-case hexadecimal digits; days
are UTC; times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from radledger.access.days import parse_day
from radledger.access.errors import ProofInvalid
from radledger.access.ids import parse_digest
from radledger.errors import UsageError
from radledger.identity.address import parse_address
from radledger.texts import one_line

if TYPE_CHECKING:
    from radledger.access.bindings import RootState
    from radledger.chain.ledger import Receipt

__all__ = [
    "Anchored",
    "Demand",
    "DemandState",
    "Demanded",
    "KeptReceipt",
    "LogAnchor",
    "Proof",
    "Root",
]


class DemandState(StrEnum):
    """What became of a demand."""

    OPEN = "open"
    ANSWERED = "answered"
    OMITTED = "omitted"


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand to show a receipt under the root of its day.

    Attributes
    ----------
    demand_id
        Its id.
    receipt, institution, day
        What was acknowledged: the receipt's digest, by whom, and for which day.
    demanded_at, due_at, answered_at
        When it was demanded, until when it can be answered, and when it was.
    state
        ``omitted`` once the time has passed without an answer.
    """

    demand_id: str
    receipt: str
    institution: str
    day: date
    demanded_at: int
    due_at: int
    answered_at: int | None
    state: DemandState


@dataclass(frozen=True, slots=True)
class Root:
    """The root of a day's receipts, as it was anchored last."""

    institution: str
    day: date
    root: str
    anchored_at: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves that a receipt is under the root of a day.

    ``siblings`` lead from the receipt's leaf up to the root, as OpenZeppelin's
    ``StandardMerkleTree`` has them.
    """

    receipt: str
    institution: str
    day: date
    root: str
    siblings: tuple[str, ...]

    @classmethod
    def from_json(cls, value: Any) -> Proof:
        """From the object that JSON has of it; what comes from elsewhere is not trusted.

        Raises
        ------
        ProofInvalid
            If a field is missing, not known or not of its form.
        """
        if not isinstance(value, Mapping) or value.keys() != {each.name for each in fields(cls)}:
            raise ProofInvalid("not a proof: fields are missing or not known; have it made again")
        try:
            for digest in (value["receipt"], value["root"], *value["siblings"]):
                parse_digest(digest)
            day, siblings = parse_day(value["day"]), tuple(value["siblings"])
            institution = parse_address(value["institution"])
        except (UsageError, AttributeError, TypeError) as error:
            message = f"not a proof: {one_line(error)}; have it made again"
            raise ProofInvalid(message) from error
        return cls(value["receipt"].lower(), institution, day, value["root"], siblings)


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt that this home keeps.

    Attributes
    ----------
    receipt
        Its digest.
    image_id, reader
        What was read, and by whom.
    day, institution
        Under the root of which day it belongs, and whose.
    kept_as
        ``released`` here, or ``acknowledged`` to this home by the institution.
    root
        What is known of the root of that day.
    demand
        What became of the demand for it; none without one.
    """

    receipt: str
    image_id: str
    reader: str
    day: date
    institution: str
    kept_as: str
    root: RootState
    demand: DemandState | None


@dataclass(frozen=True, slots=True)
class Anchored:
    """A day's root that was just anchored, over so many receipts; over none, it is random."""

    institution: str
    day: date
    root: str
    receipts: int
    transaction: Receipt


@dataclass(frozen=True, slots=True)
class LogAnchor:
    """A checkpoint of a transparency log of receipts on the chain.

    Attributes
    ----------
    institution
        Whose recorder anchored it.
    log
        SHA-256 of the log's origin.
    size, root
        How many entries the log has, and the root of their tree.
    block, anchored_at, transaction
        Where it is.
    """

    institution: str
    log: str
    size: int
    root: str
    block: int
    anchored_at: int
    transaction: str


@dataclass(frozen=True, slots=True)
class Demanded:
    """A receipt that was just demanded."""

    demand_id: str
    due_at: int
    transaction: Receipt

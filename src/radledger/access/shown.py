"""What a custodian shows a patient: the receipts for their image sets, with their proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Protocol

from radledger.access.model import Proof
from radledger.access.receipts import SignedReceipt
from radledger.errors import RadLedgerError
from radledger.forms import Form, fields, integer, optional, text

__all__ = ["Page", "Shower", "ShownReceipt"]

_LARGEST = 1 << 60


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt as its custodian shows it.

    Attributes
    ----------
    number
        Its place in the custodian's book.
    signed
        The receipt.
    released_at
        Unix time.
    proof
        That it is under the root of its day; none without such a root.
    log_proof
        That it is in the custodian's transparency log (``.tlog-proof``); none before it is
        published there, or without a log.
    """

    number: int
    signed: SignedReceipt
    released_at: int
    proof: Proof | None
    log_proof: str | None

    def to_json(self) -> dict[str, Any]:
        """For an answer or a file."""
        proof = None if self.proof is None else asdict(self.proof)
        if proof is not None:
            proof |= {"day": str(proof["day"]), "siblings": list(proof["siblings"])}
        return {
            "number": self.number,
            "receipt": self.signed.to_json(),
            "released_at": self.released_at,
            "proof": proof,
            "log_proof": self.log_proof,
        }

    @classmethod
    def from_json(cls, value: Any) -> ShownReceipt:
        """Read what `to_json` wrote; what it shows is not checked here.

        Raises
        ------
        ValueError
            If it is not of that form.
        """
        read = fields(_FORMS, value)
        return cls(signed=read.pop("receipt"), **read)


@dataclass(frozen=True, slots=True)
class Page:
    """Some receipts, and after which number the next ones come; none after the last page."""

    receipts: tuple[ShownReceipt, ...]
    next: int | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any], after: int) -> Page:
        """Read the page that was asked for after a number, from an object.

        Raises
        ------
        ValueError
            If it is not of that form, or does not go on from there.
        """
        if not isinstance(value["receipts"], list):
            raise ValueError("receipts are not a list")
        receipts = tuple(map(ShownReceipt.from_json, value["receipts"]))
        following = optional(integer(1, _LARGEST))(value["next"])
        numbers = [after, *(each.number for each in receipts)]
        if any(a >= b for a, b in pairwise(numbers)):
            raise ValueError("receipts are not in the order of their numbers")
        if following is not None and (not receipts or following != receipts[-1].number):
            raise ValueError("the next page does not begin after this one")
        return cls(receipts, following)


class Shower(Protocol):
    """Shows a patient the receipts of one custodian."""

    @property
    def where(self) -> str:
        """The gateway's address, or ``here`` for this home."""
        ...

    def receipts(self, patient: str) -> Iterator[ShownReceipt]:
        """All receipts for the patient's image sets, oldest first."""
        ...


def _refusing(form: Form) -> Form:
    """A form whose refusals are `ValueError`."""

    def read(value: Any) -> Any:
        try:
            return form(value)
        except RadLedgerError as error:
            raise ValueError(str(error)) from None

    return read


_FORMS: Mapping[str, Form] = {
    "number": integer(1, _LARGEST),
    "receipt": _refusing(SignedReceipt.from_json),
    "released_at": integer(0, 1 << 40),
    "proof": optional(_refusing(Proof.from_json)),
    "log_proof": optional(text("(?s:.{1,100000})")),
}

"""The tree over a day's receipts, and what it proves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from radledger.access.acknowledgements import CONTRACT
from radledger.access.bindings import RootState
from radledger.access.days import to_number
from radledger.access.errors import ProofInvalid, ReceiptsDiffer, UnknownReceipt
from radledger.access.ids import parse_digest
from radledger.access.model import Proof
from radledger.crypto.merkle import MerkleTree, verify

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["check", "proof_of", "root_of"]


def root_of(ledger: Ledger, institution: str, day: date) -> tuple[RootState, bytes]:
    """What the chain knows of the root of a day, and its first 28 bytes."""
    state, kept = ledger.call(CONTRACT, "rootOf", institution, to_number(day))
    return RootState.of(state), bytes(kept)


def proof_of(
    ledger: Ledger, digests: Sequence[bytes], institution: str, day: date, receipt: str
) -> Proof:
    """Prove that a receipt is under the anchored root of a day.

    Parameters
    ----------
    ledger
        The connected chain.
    digests
        Digests of all receipts of the day, in any order.
    institution, day, receipt
        Whose root, of which day, and the receipt's digest.

    Raises
    ------
    UnknownReceipt
        If the receipt is not one of them.
    ReceiptsDiffer
        If they do not give the root that was anchored.
    """
    digest = parse_digest(receipt)
    if digest not in digests:
        raise UnknownReceipt(
            f"the receipt {receipt} is not among those of {day} in this home; use the home that "
            f"released for it, or restore its receipts.sqlite3",
            receipt=receipt,
            day=str(day),
        )
    tree = MerkleTree(digests)
    state, kept = root_of(ledger, institution, day)
    if state != RootState.ANCHORED or tree.root[: len(kept)] != kept:
        raise ReceiptsDiffer(
            f"the {len(digests)} receipts of {day} in this home do not give the root that "
            f"{institution} anchored, which is {state}; while the day is open, anchor it with "
            "`radledger receipt anchor`",
            institution=institution,
            day=str(day),
            root=state,
            receipts=len(digests),
        )
    siblings = tuple("0x" + each.hex() for each in tree.proof(digests.index(digest)))
    return Proof(receipt, institution, day, "0x" + tree.root.hex(), siblings)


def check(ledger: Ledger, proof: Proof) -> None:
    """Refuse a proof that does not show its receipt under the anchored root.

    Raises
    ------
    ProofInvalid
        If it does not, with what is known of the root.
    """
    state, kept = root_of(ledger, proof.institution, proof.day)
    root, siblings = parse_digest(proof.root), list(map(parse_digest, proof.siblings))
    shown = verify(root, parse_digest(proof.receipt), siblings)
    if not shown or state != RootState.ANCHORED or root[: len(kept)] != kept:
        raise ProofInvalid(
            f"the proof does not show the receipt under the root of {proof.day}, which is {state}; "
            "demand the receipt with `radledger receipt demand` once the day is closed",
            receipt=proof.receipt,
            institution=proof.institution,
            day=str(proof.day),
            root=state,
        )

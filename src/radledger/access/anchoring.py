"""Checkpoints of the receipts' log on the chain: written by its publisher, found by the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radledger.access.acknowledgements import CONTRACT
from radledger.access.model import LogAnchor
from radledger.access.state import AccessState
from radledger.chain.action import Action, last
from radledger.chain.ledger import Call
from radledger.chain.proofs import prove
from radledger.files import write_atomically
from radledger.identity.address import parse_address
from radledger.tlog import Anchor, Anchors, TiledTree
from radledger.tlog.errors import EntryPending, LogDiffers, LogUnreadable
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import read_checkpoint

if TYPE_CHECKING:
    from radledger.access.receipt_log import ReceiptLog
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.tlog.sources import Source
    from radledger.verify.logged.notes import Checkpoint

__all__ = [
    "INTERVAL",
    "LogAnchoring",
    "anchored_note",
    "anchors_of",
    "as_anchors",
    "block_proof",
    "earliest",
    "origin_hash",
]

INTERVAL = 600
"""Seconds after which a gateway anchors what its log has more."""


def origin_hash(origin: str) -> bytes:
    """What a log is called on the chain: SHA-256 of its origin, as in C2SP tlog-witness."""
    return hashlib.sha256(origin.encode()).digest()


def anchored_note(size: int) -> str:
    """The name of a log's file with the signed checkpoint of a size that is on the chain."""
    return f"anchored/{size}"


def anchors_of(
    ledger: Ledger, origin: str, institution: str | None = None
) -> tuple[LogAnchor, ...]:
    """The checkpoints of a log that the chain has, oldest first.

    Parameters
    ----------
    ledger
        The connected chain.
    origin
        The log's origin.
    institution
        Whose log it is; by default of any.

    Raises
    ------
    InvalidAddress
        If the institution is not an address.
    """
    if CONTRACT not in ledger.deployment.contracts:
        return ()
    terms: dict[str, Any] = {"log": origin_hash(origin)}
    if institution is not None:
        terms["institution"] = parse_address(institution)
    events = ledger.events(CONTRACT, "AccessLogAnchored", **terms)
    return AccessState.of(events).log_anchors()


def as_anchors(found: Sequence[LogAnchor], now: int) -> Anchors:
    """Them, as a monitor compares them; with the time of the chain."""
    return Anchors(
        [
            Anchor(each.size, bytes.fromhex(each.root[2:]), each.block, each.anchored_at)
            for each in found
        ],
        now,
    )


def earliest(found: Sequence[LogAnchor], source: Source, index: int) -> Checkpoint | None:
    """The first checkpoint on the chain that covers an entry, as its log signed it.

    Parameters
    ----------
    found
        Those that the chain has, of whichever institution.
    source
        The log's files.
    index
        The entry's number.
    """
    for anchor in sorted(found, key=lambda each: each.block):
        if anchor.size <= index:
            continue
        try:
            checkpoint = read_checkpoint(source.read(anchored_note(anchor.size)))
        except (Invalid, LogUnreadable):
            continue
        # Anyone's recorder can anchor a log of this origin; the root says whether it is this one.
        if (checkpoint.size, "0x" + checkpoint.root.hex()) == (anchor.size, anchor.root):
            return checkpoint
    return None


class LogAnchoring:
    """Keep the log of a home's receipts on the chain, as a recorder of its institution.

    Parameters
    ----------
    ledger
        The connected chain.
    log
        The home's log.

    Examples
    --------
    >>> anchoring = LogAnchoring(ledger, log)                  # doctest: +SKIP
    >>> if anchoring.is_behind(hospital.address):              # doctest: +SKIP
    ...     anchoring.anchor(hospital.address).send(recorder)
    """

    def __init__(self, ledger: Ledger, log: ReceiptLog) -> None:
        self._ledger = ledger
        self._log = log

    def is_behind(self, institution: str) -> bool:
        """Whether the chain lacks receipts of the published log.

        Raises
        ------
        InvalidAddress
            If the institution is not an address.
        ReceiptLogMissing
            If no log has been begun.
        LogDiffers
            If the log does not continue what is on the chain: anchored, it would prove a fork.
        """
        checkpoint = self._log.published()
        if checkpoint is None:
            return False
        told = (parse_address(institution), origin_hash(checkpoint.origin))
        size, kept = self._ledger.call(CONTRACT, "logOf", *told)
        if size and not self._continues(checkpoint, size, bytes(kept)):
            raise LogDiffers(
                f"the chain has {size} entries of the log {checkpoint.origin}, and the "
                f"{checkpoint.size} here do not continue them; restore its folder as it was last, "
                "or begin a log of another origin",
                log=checkpoint.origin,
                anchored=size,
                published=checkpoint.size,
            )
        return bool(checkpoint.size > size)

    def anchor(self, institution: str) -> Action[LogAnchor]:
        """Anchor the published checkpoint.

        Parameters
        ----------
        institution
            Whose recorder the signer is.

        Raises
        ------
        InvalidAddress, ReceiptLogMissing, LogDiffers
            As `is_behind` does.
        EntryPending
            If the log was not published.
        """
        self.is_behind(institution)
        checkpoint = self._log.published()
        if checkpoint is None:
            raise EntryPending("the log is not published yet; publish it first", published=0)
        told = (origin_hash(checkpoint.origin), checkpoint.size, checkpoint.root)
        call = Call(CONTRACT, "anchorLog", (parse_address(institution), *told))

        def calls(_: str) -> Sequence[Call]:
            # For readers, before it can be on the chain.
            write_atomically(self._log.public / anchored_note(checkpoint.size), checkpoint.note)
            return [call]

        def result(receipts: Sequence[Receipt]) -> LogAnchor:
            return AccessState.of([last(receipts).event("AccessLogAnchored")]).log_anchors()[0]

        return Action(self._ledger, calls, result)

    def _continues(self, checkpoint: Checkpoint, size: int, kept: bytes) -> bool:
        if size > checkpoint.size:
            return False
        root = TiledTree(self._log.source, checkpoint.size).root(size)
        return root[: len(kept)] == kept


def block_proof(ledger: Ledger, anchor: LogAnchor) -> str:
    """What proves offline by which block the chain had a checkpoint, as text of its file.

    Parameters
    ----------
    ledger
        The connected chain.
    anchor
        Where the checkpoint is.

    Raises
    ------
    NotSealedYet, ProofUnavailable
        If the chain cannot give the proof, see :func:`radledger.chain.proofs.prove`.
    """
    from radledger.verify.anchored.block import FORMAT

    proof = prove(ledger.web3, anchor.transaction)
    found = {
        "format": FORMAT,
        "headers": ["0x" + each.hex() for each in proof.headers],
        "receipt": ["0x" + each.hex() for each in proof.receipt],
        "transaction": "0x" + proof.transaction.hex(),
    }
    return json.dumps(found, sort_keys=True) + "\n"

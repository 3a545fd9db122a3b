"""What a reader sees of a key service's log: that it is in order, and has the reader's receipts."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.access.errors import (
    LogProofInvalid,
    PolicyInvalid,
    ReceiptsNotLogged,
    UnknownReceipt,
)
from radledger.access.ids import parse_digest
from radledger.access.receipt_log import check_log_proof, entry_of, salt_of
from radledger.identity.address import parse_address
from radledger.tlog import Monitor, TiledTree
from radledger.tlog.errors import EntryUnknown
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import Proof, proof_text, read_checkpoint

if TYPE_CHECKING:
    from radledger.access.book import ReceiptBook
    from radledger.access.receipts import Receipt
    from radledger.chain.ledger import Ledger
    from radledger.tlog.sources import Source
    from radledger.verify.logged.policy import Policy

__all__ = ["DELAY", "WatchedLog", "prove_from", "watch"]

DELAY = 3600
"""Seconds that a key service may take until a receipt is in its log."""


@dataclass(frozen=True, slots=True)
class WatchedLog:
    """What a reader saw of a key service's log.

    Attributes
    ----------
    log
        Its origin.
    size, added
        How many entries it has, and how many more than when it was watched last.
    witnesses
        When each witness cosigned.
    receipts
        The receipts of this home that are in it, and where.
    pending
        Those that are not in it yet, and are not overdue.
    """

    log: str
    size: int
    added: int
    witnesses: dict[str, int]
    receipts: dict[str, int]
    pending: tuple[str, ...]


def watch(
    ledger: Ledger,
    receipts: ReceiptBook,
    source: Source,
    policy: Policy,
    folder: Path,
    institution: str | None = None,
    *,
    delay: int = DELAY,
) -> WatchedLog:
    """Check a key service's log since last time, and that it has the receipts of this home.

    Parameters
    ----------
    ledger
        The connected chain.
    receipts
        The receipts that were acknowledged to this home.
    source
        The log's files.
    policy
        Its key, and the witnesses that have to cosign.
    folder
        Where is remembered what was seen.
    institution
        Whose receipts have to be in it; by default none is looked for.
    delay
        Seconds after its time by which a receipt has to be in the log.

    Raises
    ------
    LogMisbehaved, CheckpointInvalid, LogUnreadable, MonitorUnusable
        As :meth:`.Monitor.check` does.
    PolicyInvalid
        If the policy does not name one log.
    ReceiptsNotLogged
        If the log lacks receipts that are overdue, or got them late.
    """
    expected = {
        entry_of(each, each.digest): each for each in _acknowledged(ledger, receipts, institution)
    }
    now = int(time.time())
    monitor = Monitor(source, policy, folder / f"{_log_of(policy)}.json")
    seen = monitor.check(now, expected)
    overdue = {each for each in seen.missing if now - expected[each].time > delay}
    late = {
        entry
        for entry, at in seen.found.items()
        if at.after is not None and at.after - expected[entry].time > delay
    }
    if overdue or late:
        digests = {
            name: ["0x" + expected[each].digest.hex() for each in entries]
            for name, entries in (("missing", overdue), ("late", late))
        }
        raise ReceiptsNotLogged(
            f"the log {seen.checkpoint.origin} lacks {len(overdue)} receipts that {institution} "
            f"acknowledged, and has {len(late)} that came later than {delay} s; demand them with "
            "`radledger receipt demand`",
            log=seen.checkpoint.origin,
            institution=institution,
            **digests,
        )
    return WatchedLog(
        seen.checkpoint.origin,
        seen.checkpoint.size,
        seen.added,
        seen.witnesses,
        {"0x" + expected[each].digest.hex(): at.index for each, at in seen.found.items()},
        tuple("0x" + expected[each].digest.hex() for each in seen.missing),
    )


def prove_from(
    ledger: Ledger, receipts: ReceiptBook, source: Source, policy: Policy, receipt: str
) -> str:
    """Prove that a key service's log has a receipt of this home, as text of a ``.tlog-proof``.

    Parameters
    ----------
    ledger
        The connected chain.
    receipts
        The receipts that were acknowledged to this home.
    source
        The log's files, which are all read.
    policy
        Its key, and the witnesses that have to cosign.
    receipt
        The receipt's digest.

    Raises
    ------
    UnknownReceipt
        If this home has no acknowledgement of it.
    EntryUnknown
        If the log does not have it.
    LogProofInvalid
        If the log's files do not give a proof that the policy takes.
    LogUnreadable
        If a file of the log cannot be read.
    """
    digest = parse_digest(receipt)
    found = receipts.acknowledged(digest)
    if not found or not found[0].signed.receipt.is_for(ledger):
        raise UnknownReceipt(
            f"this home has no acknowledgement of a receipt {receipt}; list what it has with "
            "`radledger receipt list`",
            receipt=receipt,
        )
    signed = found[0].signed.receipt
    try:
        checkpoint = read_checkpoint(source.read("checkpoint"))
    except Invalid as error:
        raise LogProofInvalid(
            f"the log's checkpoint is not one: {' '.join(error.args)}; ask its operator"
        ) from None
    tree = TiledTree(source, checkpoint.size)
    index = tree.find(entry_of(signed, digest))
    if index is None:
        raise EntryUnknown(
            f"the log {checkpoint.origin} does not have the receipt {receipt}; if it is overdue, "
            "demand it with `radledger receipt demand`",
            log=checkpoint.origin,
            receipt=receipt,
        )
    extra = digest + salt_of(signed)
    text = proof_text(Proof(index, tree.inclusion(index), checkpoint, extra))
    check_log_proof(text.encode(), policy)
    return text


def _log_of(policy: Policy) -> str:
    """The hash of the origin of a policy's log, as tlog-witness names logs in addresses."""
    names = {key.name for key in policy.logs}
    if len(names) != 1:
        raise PolicyInvalid(
            f"the policy names {len(names)} logs, and one is watched at a time; give one with the "
            "key of that log",
            logs=sorted(names),
        )
    return hashlib.sha256(names.pop().encode()).hexdigest()


def _acknowledged(ledger: Ledger, receipts: ReceiptBook, institution: str | None) -> list[Receipt]:
    """The receipts for this chain that an institution acknowledged to this home."""
    if institution is None:
        return []
    whose = parse_address(institution)
    return [
        each.signed.receipt
        for each in receipts.acknowledged()
        if each.acknowledgement.institution == whose and each.signed.receipt.is_for(ledger)
    ]

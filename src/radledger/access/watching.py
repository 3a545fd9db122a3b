"""What a reader sees of a key service's log: that it is in order, and has the reader's receipts."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.access.anchoring import anchors_of, as_anchors, earliest
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
from radledger.tlog.anchors import anchor_before, anchor_of
from radledger.tlog.errors import EntryUnknown, LogUnanchored
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import Proof, proof_text, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from radledger.access.book import ReceiptBook
    from radledger.access.receipt_log import LogProof
    from radledger.access.receipts import Receipt
    from radledger.chain.ledger import Ledger
    from radledger.tlog import Anchor, Seen
    from radledger.tlog.sources import Source
    from radledger.verify.logged.policy import Policy

__all__ = ["DELAY", "WatchedLog", "anchored_proof", "prove_from", "watch"]

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
    anchored
        How many of its entries are on the chain.
    receipts
        The receipts of this home that are in it, and where.
    blocks
        By which block each of them was in it, once that is on the chain.
    pending
        Those that are not in it yet, and are not overdue.
    """

    log: str
    size: int
    added: int
    witnesses: dict[str, int]
    anchored: int
    receipts: dict[str, int]
    blocks: dict[str, int]
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

    With an institution its files are compared with the checkpoints of them that are on the chain,
    so that one which shows this home another log than the rest is seen.

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
        Whose receipts have to be in it, and whose recorder anchors it; by default none is looked
        for, and the chain is not asked.
    delay
        Seconds after its time by which a receipt has to be in the log, and after which what the
        log shows has to be on the chain.

    Raises
    ------
    LogMisbehaved, CheckpointInvalid, LogUnreadable, MonitorUnusable
        As :meth:`.Monitor.check` does.
    PolicyInvalid
        If the policy does not name one log.
    ReceiptsNotLogged
        If the log lacks receipts that are overdue, or got them late.
    LogUnanchored
        If entries that were seen are not on the chain, or came there late.
    """
    expected = {
        entry_of(each, each.digest): each for each in _acknowledged(ledger, receipts, institution)
    }
    origin = _origin_of(policy)
    # The chain first, as a log publishes what it anchors before that.
    on_chain = None
    if institution is not None:
        on_chain = as_anchors(anchors_of(ledger, origin, institution), ledger.now())
    now = int(time.time())
    name = hashlib.sha256(origin.encode()).hexdigest()
    seen = Monitor(source, policy, folder / f"{name}.json").check(now, expected, anchors=on_chain)
    anchors = on_chain.checkpoints if on_chain else ()
    _require_in_time(seen, expected, anchors, institution, now, delay)
    if seen.lag > delay:
        raise LogUnanchored(
            f"the log {origin} shows entries that the chain did not have for {seen.lag} s; ask "
            f"{institution}, whose recorder has to anchor the log within {delay} s",
            log=origin,
            institution=institution,
            lag=seen.lag,
            now=seen.checkpoint.note,
        )
    blocks = {
        _digest(expected[entry]): anchor.block
        for entry, at in seen.found.items()
        if (anchor := anchor_of(anchors, at.index)) is not None
    }
    return WatchedLog(
        log=origin,
        size=seen.checkpoint.size,
        added=seen.added,
        witnesses=seen.witnesses,
        anchored=anchors[-1].size if anchors else 0,
        receipts={_digest(expected[each]): at.index for each, at in seen.found.items()},
        blocks=blocks,
        pending=tuple(_digest(expected[each]) for each in seen.missing),
    )


def anchored_proof(ledger: Ledger, shown: LogProof) -> LogProof:
    """What a proof shows, with the block by which the chain had its checkpoint; none without one.

    Parameters
    ----------
    ledger
        The connected chain.
    shown
        What `check_log_proof` found.
    """
    tree = (shown.size, shown.root)
    found = [each for each in anchors_of(ledger, shown.log) if (each.size, each.root) == tree]
    return replace(shown, anchored=min(found, key=lambda each: each.block, default=None))


def _require_in_time(
    seen: Seen,
    expected: Mapping[bytes, Receipt],
    anchors: Sequence[Anchor],
    institution: str | None,
    now: int,
    delay: int,
) -> None:
    """Refuse a log that lacks a receipt that is overdue, or got it late."""
    missing = [each for each in seen.missing if now - expected[each].time > delay]
    late = []
    for entry, at in seen.found.items():
        before = anchor_before(anchors, at.index)
        # Later than a tree that was seen without it, here or on the chain.
        after = max(at.after or 0, 0 if before is None else before.time)
        if after - expected[entry].time > delay:
            late.append(entry)
    if missing or late:
        raise ReceiptsNotLogged(
            f"the log {seen.checkpoint.origin} lacks {len(missing)} receipts that {institution} "
            f"acknowledged, and has {len(late)} that came later than {delay} s; demand them with "
            "`radledger receipt demand`",
            log=seen.checkpoint.origin,
            institution=institution,
            missing=[_digest(expected[each]) for each in missing],
            late=[_digest(expected[each]) for each in late],
        )


def prove_from(
    ledger: Ledger, receipts: ReceiptBook, source: Source, policy: Policy, receipt: str
) -> str:
    """Prove that a key service's log has a receipt of this home, as text of a ``.tlog-proof``.

    It is by the first checkpoint on the chain that covers the receipt, if there is one.

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
    under = earliest(anchors_of(ledger, checkpoint.origin), source, index) or checkpoint
    hashes = tree.inclusion(index, under.size)
    text = proof_text(Proof(index, hashes, under, digest + salt_of(signed)))
    check_log_proof(text.encode(), policy)
    return text


def _digest(receipt: Receipt) -> str:
    return "0x" + receipt.digest.hex()


def _origin_of(policy: Policy) -> str:
    """The origin of a policy's log."""
    names = {key.name for key in policy.logs}
    if len(names) != 1:
        raise PolicyInvalid(
            f"the policy names {len(names)} logs, and one is watched at a time; give one with the "
            "key of that log",
            logs=sorted(names),
        )
    return names.pop()


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

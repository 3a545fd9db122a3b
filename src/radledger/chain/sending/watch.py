"""Follow transactions until they are mined, and help them where they are held up.

A node that was restarted has lost what waited in its pool, another one may have dropped what
paid too little, and behind a nonce that was not used all later ones wait.  So what a node does not
know is sent to it again, what is not mined in time is replaced by a version that pays more, and
a gap that stays open is closed by a zero-value transfer of the account to itself.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import (
    ConnectionFailed,
    OutOfFunds,
    RequestFailed,
    TransactionPending,
)
from radledger.chain.nodes.connect import unhealthy_nodes
from radledger.chain.rpc import request
from radledger.chain.sending import fees
from radledger.chain.sending.automine import Automine
from radledger.chain.sending.broadcast import (
    ask,
    broadcast,
    count,
    diagnose,
    receipts,
    sign,
    with_higher_fee,
)
from radledger.chain.sending.broadcast import unknown as unknown_to

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.chain.sending.journal import Intent, Intents
    from radledger.chain.sending.submission import OnSigned

__all__ = ["SendPolicy", "TransactionOutcome", "Watch"]

_FIRST_POLL, _SLOWEST_POLL = 0.002, 0.5
_LOOK_AFTER = 1.0
_GAP_AFTER = 10.0
_OUTAGE = 30.0
_TRANSFER_GAS = 21_000


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """A finished transaction, and its receipt if it was mined."""

    intent: Intent
    receipt: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """When a transaction counts as mined, and how long that may take.

    Attributes
    ----------
    replace_after
        Seconds after which one that is not mined is sent again with a higher fee.
    give_up_after
        Seconds after which waiting ends.
    confirmations
        How many blocks must be on top of its block.
    gas_price
        What a unit of gas costs, in wei, where that is agreed upon; None: what the node suggests.
    """

    replace_after: float
    give_up_after: float
    confirmations: int
    gas_price: int | None = None


class Watch:
    """Wait for some transactions of one account.

    Parameters
    ----------
    web3, intents
        The chain, and the journal.
    signer
        Whose they are.
    policy
        How long to wait, and for what.
    on_signed
        Called with nonce and hash of each further version before it leaves.
    """

    def __init__(
        self,
        web3: Web3,
        intents: Intents,
        signer: LocalAccount,
        policy: SendPolicy,
        on_signed: OnSigned | None = None,
    ) -> None:
        self._web3 = web3
        self._intents = intents
        self._signer = signer
        self._policy = policy
        self._on_signed = on_signed
        self._outcomes: dict[int, TransactionOutcome] = {}
        self._suspects: set[int] = set()
        self._gap: tuple[int, float] | None = None
        self._head: int | None = None
        self._automine = Automine(web3)

    def outcomes(self, intents: Sequence[Intent]) -> list[TransactionOutcome]:
        """The outcome of each: mined, reverted or superseded.

        Raises
        ------
        TransactionPending
            If one was not mined in time.
        OutOfFunds
            If the account cannot pay what is needed for going on.
        ConnectionFailed, RequestFailed
            If no node answers for long, or nothing but errors.
        """
        self._waiting = {intent.intent_id: intent for intent in intents}
        started = answered = time.monotonic()
        self._sent_at = dict.fromkeys(self._waiting, started)
        next_look = started + min(_LOOK_AFTER, self._policy.replace_after)
        delay = _FIRST_POLL
        while True:
            now = time.monotonic()
            try:
                self._collect()
                if not self._waiting.keys() & {intent.intent_id for intent in intents}:
                    return [self._outcomes[intent.intent_id] for intent in intents]
                if now > started + self._policy.give_up_after:
                    raise self._pending()
                if now >= next_look:
                    self._help(now)
                    next_look = now + min(_LOOK_AFTER, self._policy.replace_after)
                answered = now
            except (ConnectionFailed, RequestFailed):
                # The node may be on its way up again, and the transactions are written down.
                if now > answered + min(_OUTAGE, self._policy.give_up_after):
                    raise
            time.sleep(delay)
            delay = min(delay * 1.5, _SLOWEST_POLL)

    # ------------------------------------------------------------------------------- looking

    def _collect(self) -> None:
        """Record what was mined."""
        found = receipts(self._web3, list(self._waiting.values()))
        for number, receipt in self._confirmed(found).items():
            settled = self._intents.settle(self._waiting.pop(number), receipt)
            self._outcomes[number] = TransactionOutcome(settled, receipt)

    def _confirmed(self, found: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """The receipts whose block is deep enough and still on the chain."""
        if not found:
            return found
        # Some nodes show a receipt a moment before its block is their latest.
        head = int(request(self._web3, "eth_blockNumber", []), 16)
        deep = {
            number: receipt
            for number, receipt in found.items()
            if int(receipt["blockNumber"], 16) + self._policy.confirmations <= head
        }
        if not self._policy.confirmations:
            return deep
        numbers = sorted({receipt["blockNumber"] for receipt in deep.values()})
        blocks = ask(self._web3, [("eth_getBlockByNumber", [each, False]) for each in numbers])
        hashes = {block["hash"] for block in blocks if isinstance(block, dict)}
        return {
            number: receipt for number, receipt in deep.items() if receipt["blockHash"] in hashes
        }

    def _pending(self) -> TransactionPending:
        waiting = min(self._waiting.values(), key=lambda intent: intent.nonce)
        transaction = waiting.versions[-1].transaction
        head = int(request(self._web3, "eth_blockNumber", []), 16)
        why = "; the chain has made no block meanwhile" if head == self._head else ""
        depth = self._policy.confirmations
        why += unhealthy_nodes(self._web3)
        goal = f"mined with {depth} blocks on top" if depth else "mined"
        return TransactionPending(
            f"transaction {transaction} was not {goal} within "
            f"{self._policy.give_up_after:.0f} s{why}; it may be mined later, so have it "
            "finished (`radledger transaction finish`) before you send it again",
            transaction=transaction,
            account=waiting.account,
            nonce=waiting.nonce,
        )

    # ------------------------------------------------------------------------------- helping

    def _help(self, now: float) -> None:
        mined = count(self._web3, self._signer.address, "latest")
        self._find_superseded(mined)
        if not self._waiting:
            return
        self._send_lost(mined)
        head = int(request(self._web3, "eth_blockNumber", []), 16)
        if mined < min(intent.nonce for intent in self._waiting.values()):
            self._close_gap(now)
        elif self._head == head:  # a chain that stands still asks for no higher fee
            self._automine.catch_up()
        elif self._head is not None:
            self._raise_fees(now)
        self._head = head

    def _find_superseded(self, mined: int) -> None:
        """Find those whose nonce another one used, at two looks in a row: nodes may lag."""
        used = [intent for intent in self._waiting.values() if intent.nonce < mined]
        found = receipts(self._web3, used)
        suspects = {each.intent_id: each for each in used if each.intent_id not in found}
        for number in suspects.keys() & self._suspects:
            intent = self._waiting.pop(number)
            reason = "another transaction has its nonce"
            self._outcomes[number] = TransactionOutcome(
                self._intents.drop(intent, "superseded", reason), None
            )
        self._suspects = set(suspects)

    def _send_lost(self, mined: int) -> None:
        """Send again what the node does not know, and what of the account comes before it."""
        last = max(intent.nonce for intent in self._waiting.values())
        before = self._intents.open(self._signer.address)
        lost = unknown_to(self._web3, [each for each in before if mined <= each.nonce <= last])
        for intent, problem in zip(lost, broadcast(self._web3, lost), strict=True):
            if problem is not None and intent.intent_id in self._waiting:
                error = diagnose(self._web3, problem, intent)
                if isinstance(error, OutOfFunds):
                    raise error from problem

    def _raise_fees(self, now: float) -> None:
        for number, intent in list(self._waiting.items()):
            if now - self._sent_at[number] <= self._policy.replace_after:
                continue
            if not fees.offered(intent.fields):
                continue  # gas is free, and the account may have nothing to offer
            self._sent_at[number] = now
            dearer = with_higher_fee(self._web3, self._intents, self._signer, intent)
            self._waiting[number] = dearer
            if self._on_signed is not None:
                self._on_signed(dearer.nonce, dearer.versions[-1].transaction)
            problem = broadcast(self._web3, [dearer])[0]
            if problem is not None:
                error = diagnose(self._web3, problem, dearer)
                if isinstance(error, OutOfFunds):
                    raise error from problem
                # Mined meanwhile, or still too cheap: the next look tells.

    def _close_gap(self, now: float) -> None:
        """Fill a gap in the nonces, if those after it have waited long for it."""
        account = self._signer.address
        gap = count(self._web3, account, "pending")
        lost = self._intents.mined_from(account, gap)
        if lost:  # in no block any more
            found = receipts(self._web3, lost)
            self._intents.reopen(each for each in lost if each.intent_id not in found)
            return
        taken = {intent.nonce for intent in self._intents.open(account)}
        if gap in taken or gap >= min(intent.nonce for intent in self._waiting.values()):
            self._gap = None
        elif self._gap is None or self._gap[0] != gap:
            self._gap = (gap, now)
        elif now - self._gap[1] > _GAP_AFTER:
            self._fill(gap)

    def _fill(self, gap: int) -> None:
        offer, _ = fees.present(self._web3, self._policy.gas_price)
        chain_id = next(iter(self._waiting.values())).fields["chainId"]
        account = self._signer.address
        draft = {"to": account, "data": "0x", "value": 0, "gas": _TRANSFER_GAS, **offer}
        draft["chainId"] = chain_id
        try:
            filler = self._intents.begin(
                account, gap, [draft], lambda fields: sign(self._signer, fields), nonce=gap
            )[0]
        except sqlite3.IntegrityError:
            return  # another one was faster
        self._waiting[filler.intent_id] = filler
        self._sent_at[filler.intent_id] = time.monotonic()
        broadcast(self._web3, [filler])

"""Sign, send and follow transactions.

A transaction is simulated first, so that a refusal costs nothing, and written into a journal
before it is sent (:mod:`~radledger.chain.sending.journal`), so that it is followed until it is
mined whatever happens to this process.  Nonces continue from what the node has pending and what
the journal has open.  A transaction that is held up gets a higher fee (see ``watch``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from radledger.chain import reverts
from radledger.chain.errors import RequestFailed, TransactionPending, TransactionSuperseded
from radledger.chain.rpc import request
from radledger.chain.sending import fees
from radledger.chain.sending.automine import Automine
from radledger.chain.sending.broadcast import ask, broadcast, diagnose, receipts, unknown
from radledger.chain.sending.diagnosis import failure
from radledger.chain.sending.journal import Intent, Intents
from radledger.chain.sending.polling import polls
from radledger.chain.sending.pool_errors import Rejection, rejection
from radledger.chain.sending.submission import OnSigned, Submission
from radledger.chain.sending.watch import SendPolicy, TransactionOutcome, Watch

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.chain.nodes.networks import Network

__all__ = ["Sender"]

_BATCH = 100
# No chain that this is for takes back more blocks than this.
_REORGANISED = 64
_FIRST_POLL, _SLOWEST_POLL = 0.002, 0.5
_LOOKS = 15  # for two seconds, until what anvil has left in its pool is mined

Call = tuple[str | None, str]


class Sender:
    """Sends transactions to one chain; safe to use from several threads.

    Parameters
    ----------
    web3
        The connected chain.
    intents
        The journal; by default one in memory, which ends with this object.
    confirmations
        How many blocks must be on top of a transaction's block before it counts as mined.
    gas_price
        What a unit of gas costs, in wei, where that is agreed upon: 0 where gas is free.
    replace_after
        Seconds after which a transaction that is not mined is sent again with a higher fee.
    give_up_after
        Seconds after which waiting ends with :class:`TransactionPending`.

    Attributes
    ----------
    intents
        The journal.
    confirmations
        As it was given.
    on_finished
        Called with each transaction that an earlier run had left, once it is finished.
    """

    def __init__(
        self,
        web3: Web3,
        *,
        intents: Intents | None = None,
        confirmations: int = 0,
        gas_price: int | None = None,
        replace_after: float = 30.0,
        give_up_after: float = 300.0,
    ) -> None:
        self._web3 = web3
        self.intents = intents or Intents()
        self.on_finished: Callable[[Intent], None] | None = None
        self.confirmations = confirmations
        self._policy = SendPolicy(replace_after, give_up_after, confirmations, gas_price)
        self._lock = threading.RLock()
        self._reviewed: set[str] = set()

    @classmethod
    def on(cls, network: Network, web3: Web3, intents: Intents | None = None) -> Sender:
        """Create a sender with a network's settings: confirmations, gas price and time limits."""
        return cls(
            web3,
            intents=intents,
            confirmations=network.confirmations,
            gas_price=network.gas_price,
            give_up_after=network.timeout,
        )

    def send(
        self,
        signer: LocalAccount,
        to: str | None,
        data: str,
        *,
        nonce: int | None = None,
        on_signed: OnSigned | None = None,
    ) -> dict[str, Any]:
        """Send one transaction and return its receipt as the node gives it.

        If an earlier run of the same account sent this call and was interrupted before it knew the
        result, the receipt of that transaction is returned.

        Parameters
        ----------
        signer
            Who sends and pays.
        to, data
            The contract and the call's data as ``0x…``; ``to`` None creates a contract.
        nonce
            The nonce to use; by default the account's next one.
        on_signed
            Called with nonce and hash of each version before it leaves.

        Raises
        ------
        Refusal
            If a contract refuses, by the type of its custom error.
        OutOfGas
            If it needed more in its block than was estimated.
        OutOfFunds
            If the account cannot pay what the transaction may cost.
        TransactionUnderpriced, NonceContended
            If no node takes it.
        TransactionPending, TransactionSuperseded
            If it was not mined in time, or another one with its nonce was.
        """
        return self._send(signer, [[(to, data)]], nonce, on_signed)[0]

    def send_batch(
        self, signer: LocalAccount, calls: Sequence[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        """Send many independent transactions in JSON-RPC batches and return their receipts.

        Each is simulated against the state before its batch of 100, and nothing of a batch is
        sent if one of it is refused; what earlier batches did stands.

        Parameters
        ----------
        signer
            Who sends and pays.
        calls
            ``(to, data)`` of each.

        Raises
        ------
        Refusal, OutOfFunds, TransactionPending, TransactionSuperseded
            As :meth:`send`, for any of them.
        """
        starts = range(0, len(calls), _BATCH)
        return self._send(signer, [calls[start : start + _BATCH] for start in starts])

    def finish(self, signer: LocalAccount) -> list[Intent]:
        """Resume what earlier runs left open for an account.

        What is mined is noted, what the node does not know is sent again unless a contract would
        refuse it now, and what is not mined in time is replaced by a version that pays more.

        Returns
        -------
        list of Intent
            Each with its outcome, in the order of the nonces.

        Raises
        ------
        TransactionPending
            If one was not mined in time; the next call goes on.
        """
        finished = self._finish(signer)
        self.intents.acknowledge(finished)
        return finished

    def simulate(self, sender: str, to: str | None, data: str) -> int:
        """Return the gas that the transaction needs; raises the refusal that it would meet."""
        return self._estimates(sender, [(to, data)])[0]

    def wait(self, hashes: Sequence[str]) -> dict[str, Any] | None:
        """Wait for the receipt of one of the transactions, while the node knows any of them.

        Returns
        -------
        dict or None
            None if the node knows none of them.

        Raises
        ------
        TransactionPending
            If none was mined in time.
        """
        automine = Automine(self._web3)
        for number, delay in enumerate(self._polls(hashes[-1]), 1):
            if receipt := self._receipt(hashes):
                return receipt
            if not any(request(self._web3, "eth_getTransactionByHash", [each]) for each in hashes):
                return self._receipt(hashes)
            if number % _LOOKS == 0:
                automine.catch_up()
            time.sleep(delay)
        return None

    # ---------------------------------------------------------------------------------- send

    @cached_property
    def _chain_id(self) -> int:
        return int(request(self._web3, "eth_chainId", []), 16)

    def _send(
        self,
        signer: LocalAccount,
        parts: Sequence[Sequence[Call]],
        nonce: int | None = None,
        on_signed: OnSigned | None = None,
    ) -> list[dict[str, Any]]:
        """The receipts of all calls; each part is finished before the next begins."""
        found: list[dict[str, Any]] = []
        mine: list[Intent] = []
        try:
            for calls in parts:
                self._finish(signer)
                done = self._made_before(signer, calls, mine)
                places = [place for place in range(len(calls)) if place not in done]
                left = [calls[place] for place in places]
                outcomes = self._made(signer, left, mine, nonce, on_signed) if left else []
                done |= zip(places, outcomes, strict=True)
                found += [self._succeeded(done[place]) for place in range(len(calls))]
        except BaseException:
            self.intents.leave(mine)
            raise
        self.intents.acknowledge(mine)
        return found

    def _made_before(
        self, signer: LocalAccount, calls: Sequence[Call], mine: list[Intent]
    ) -> dict[int, TransactionOutcome]:
        """The outcomes of calls whose process was killed before it saw the result, by place."""
        done = {}
        for place, (to, data) in enumerate(calls):
            while intent := self.intents.adopt(signer.address, to, data):
                mine.append(intent)
                (outcome,) = self._followed(signer, [intent])
                if outcome.intent.state == "mined":
                    done[place] = outcome
                    break
        return done

    def _made(
        self,
        signer: LocalAccount,
        calls: Sequence[Call],
        mine: list[Intent],
        nonce: int | None,
        on_signed: OnSigned | None,
    ) -> list[TransactionOutcome]:
        """Make calls, and follow them until they are finished."""
        gas = self._estimates(signer.address, calls)
        with self._lock:
            submission = Submission(self._web3, self.intents, signer, on_signed)
            sent = submission.submit(self._drafts(calls, gas), nonce)
        mine += sent
        return self._followed(signer, sent, on_signed)

    def _estimates(self, sender: str, calls: Sequence[Call]) -> list[int]:
        answers = self._simulated(sender, calls)
        for answer in answers:
            if isinstance(answer, RequestFailed):
                raise reverts.from_request(answer) or answer from answer
        return [int(answer, 16) for answer in answers]

    def _simulated(self, sender: str, calls: Sequence[Call]) -> list[Any]:
        questions = [("eth_estimateGas", [_call(sender, to, data)]) for to, data in calls]
        return ask(self._web3, questions)

    def _drafts(self, calls: Sequence[Call], gas: Sequence[int]) -> list[dict[str, Any]]:
        offer, block_limit = fees.present(self._web3, self._policy.gas_price)
        return [
            {
                "chainId": self._chain_id,
                "value": 0,
                **({} if to is None else {"to": to}),
                "data": data,
                "gas": max(needed, min(needed * 5 // 4 + 5_000, block_limit)),
                **offer,
            }
            for (to, data), needed in zip(calls, gas, strict=True)
        ]

    def _followed(
        self, signer: LocalAccount, sent: Sequence[Intent], on_signed: OnSigned | None = None
    ) -> list[TransactionOutcome]:
        return Watch(self._web3, self.intents, signer, self._policy, on_signed).outcomes(sent)

    def _succeeded(self, outcome: TransactionOutcome) -> dict[str, Any]:
        intent, receipt = outcome.intent, outcome.receipt
        if receipt is None:
            transaction = intent.versions[-1].transaction
            raise TransactionSuperseded(
                f"another transaction of {intent.account} with nonce {intent.nonce} was mined "
                f"instead of {transaction}; see what it did before you try again",
                account=intent.account,
                nonce=intent.nonce,
                transaction=transaction,
            )
        if intent.state == "mined":
            return receipt
        raise failure(self._web3, intent, receipt)

    # -------------------------------------------------------------------------------- finish

    def _finish(self, signer: LocalAccount) -> list[Intent]:
        """Follow what is left open for an account until it is finished."""
        if signer.address not in self._reviewed:
            self._review(signer.address)
            self._reviewed.add(signer.address)
        left = self.intents.claim(signer.address)
        if not left:
            return []
        try:
            refused = self._sent_again(signer, left)
            gone = {intent.intent_id for intent in refused}
            going = [intent for intent in left if intent.intent_id not in gone]
            outcomes = self._followed(signer, going)
        finally:
            self.intents.leave(left)
        finished = [*refused, *(outcome.intent for outcome in outcomes)]
        finished.sort(key=lambda intent: intent.nonce)
        if self.on_finished is not None:
            for intent in finished:
                self.on_finished(intent)
        return finished

    def _review(self, account: str) -> None:
        """Reopen what is no longer in a block; forget what is deep enough."""
        settled = int(request(self._web3, "eth_blockNumber", []), 16) - _REORGANISED
        self.intents.forget_before(settled)
        recent = self.intents.mined_since(account, settled)
        found = receipts(self._web3, recent)
        self.intents.reopen(each for each in recent if each.intent_id not in found)

    def _sent_again(self, signer: LocalAccount, left: Sequence[Intent]) -> list[Intent]:
        """Send what the node does not know; what would be refused is returned instead."""
        lost = unknown(self._web3, left)
        answers = self._simulated(signer.address, [(each.to, each.data) for each in lost])
        refused, again = [], []
        for intent, answer in zip(lost, answers, strict=True):
            refusal = reverts.from_request(answer) if isinstance(answer, RequestFailed) else None
            if refusal is None:
                again.append(intent)
            else:
                reason = f"{refusal.name}: {refusal.message}"
                refused.append(self.intents.drop(intent, "refused", reason))
        for intent, problem in zip(again, broadcast(self._web3, again), strict=True):
            if problem is None:
                continue
            kind = rejection(problem)
            if kind is Rejection.UNFUNDED:
                raise diagnose(self._web3, problem, intent) from problem
            if kind is Rejection.OTHER:
                reason = str(problem.values["reason"])
                refused.append(self.intents.drop(intent, "refused", reason))
        return refused

    def _polls(self, transaction: str) -> Iterator[float]:
        """How long to sleep before each next look; raises when the time is over."""
        yield from polls(self._policy.give_up_after, first=_FIRST_POLL, slowest=_SLOWEST_POLL)
        raise TransactionPending(
            f"transaction {transaction} was not mined within {self._policy.give_up_after:.0f} s, "
            "but may be mined later; look for it before you send it again",
            transaction=transaction,
        )

    def _receipt(self, hashes: Sequence[str]) -> dict[str, Any] | None:
        for transaction in reversed(hashes):
            receipt = request(self._web3, "eth_getTransactionReceipt", [transaction])
            # Some nodes show one while the transaction is pending, or before its block is there.
            block = receipt and receipt.get("blockNumber")
            if block and int(block, 16) <= int(request(self._web3, "eth_blockNumber", []), 16):
                return dict(receipt)
        return None


def _call(sender: str, to: str | None, data: str) -> dict[str, str]:
    call = {"from": sender, "data": data}
    return call if to is None else {**call, "to": to}

"""Sign, send and follow transactions.

A transaction is simulated first, so that a refusal costs nothing.  Nonces continue from what the
node has pending and what this process has in flight.  A transaction that is not mined in time is
sent again with the same nonce and a higher fee; whichever of the two is mined counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.chain import reverts
from radledger.chain.connect import request, request_batch
from radledger.chain.errors import (
    OutOfFunds,
    RequestFailed,
    TransactionPending,
    TransactionSuperseded,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

__all__ = ["Sender"]

_GWEI = 10**9
_BATCH = 100
_FIRST_POLL, _SLOWEST_POLL = 0.002, 0.5
_NONCE_CHECK_AFTER = 1.0
_NONCE_ATTEMPTS = 5
# Nodes take a replacement from 10 % more on (geth, erigon) or 12.5 % (others).
_RAISE = 1.25


@dataclass
class _Sent:
    """A transaction under way: what was signed last, and the hash of each version sent."""

    signer: LocalAccount
    fields: dict[str, Any]
    hashes: list[str] = field(default_factory=list)


class Sender:
    """Sends transactions to one chain; safe to use from several threads.

    Parameters
    ----------
    web3
        The connected chain.
    replace_after
        Seconds after which a transaction that is not mined is sent again with a higher fee.
    give_up_after
        Seconds after which waiting ends with :class:`TransactionPending`.
    """

    def __init__(
        self, web3: Web3, *, replace_after: float = 30.0, give_up_after: float = 300.0
    ) -> None:
        self._web3 = web3
        self._replace_after = replace_after
        self._give_up_after = give_up_after
        self._chain_id = int(request(web3, "eth_chainId", []), 16)
        self._lock = threading.RLock()
        self._in_flight: dict[str, set[int]] = {}

    def send(
        self,
        signer: LocalAccount,
        to: str | None,
        data: str,
        *,
        nonce: int | None = None,
        on_signed: Callable[[int, str], None] | None = None,
    ) -> dict[str, Any]:
        """Send one transaction and return its receipt as the node gives it.

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
        OutOfFunds
            If the account cannot pay what the transaction may cost.
        TransactionPending, TransactionSuperseded
            If it was not mined in time, or another one with its nonce was.
        """
        gas = self.simulate(signer.address, to, data)
        with self._lock:
            fields = self._fields(to, data, gas)
            sent = self._broadcast_next(_Sent(signer, fields), nonce, on_signed)
        with self._flying([sent]):
            receipt = self._await(sent, on_signed)
        return self._succeeded(receipt, sent)

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
        """
        receipts: list[dict[str, Any]] = []
        for start in range(0, len(calls), _BATCH):
            receipts += self._send_part(signer, calls[start : start + _BATCH])
        return receipts

    def simulate(self, sender: str, to: str | None, data: str) -> int:
        """Return the gas that the transaction needs; raises the refusal that it would meet."""
        try:
            return int(request(self._web3, "eth_estimateGas", [_call(sender, to, data)]), 16)
        except RequestFailed as error:
            raise self._explained(error) from error

    def wait(self, hashes: Sequence[str]) -> dict[str, Any] | None:
        """Receipt of whichever of the transactions was mined; waits while the node knows one.

        Returns
        -------
        dict or None
            None if the node knows none of them.
        """
        for delay in self._polls(hashes[-1]):
            receipt = self._receipt(hashes)
            if receipt is not None:
                return receipt
            if not any(request(self._web3, "eth_getTransactionByHash", [each]) for each in hashes):
                return self._receipt(hashes)
            time.sleep(delay)
        return None

    # -------------------------------------------------------------------------------- fields

    def _fields(self, to: str | None, data: str, gas: int) -> dict[str, Any]:
        block = request(self._web3, "eth_getBlockByNumber", ["latest", False])
        limit = min(gas * 5 // 4 + 5_000, int(block["gasLimit"], 16))
        fields: dict[str, Any] = {
            "chainId": self._chain_id,
            "data": data,
            "gas": max(gas, limit),
            "value": 0,
        }
        if to is not None:
            fields["to"] = to
        if block.get("baseFeePerGas") is None:
            return {**fields, "gasPrice": int(request(self._web3, "eth_gasPrice", []), 16)}
        tip = self._tip()
        most = 2 * int(block["baseFeePerGas"], 16) + tip
        return {**fields, "type": 2, "maxPriorityFeePerGas": tip, "maxFeePerGas": most}

    def _tip(self) -> int:
        try:
            return int(request(self._web3, "eth_maxPriorityFeePerGas", []), 16)
        except RequestFailed:
            return _GWEI

    def _raised(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The same transaction with a fee that replaces it and meets the present base fee."""
        now = self._fields(fields.get("to"), fields["data"], fields["gas"])
        raised: dict[str, Any] = {
            name: max(int(fields[name] * _RAISE) + 1, now.get(name, 0))
            for name in ("gasPrice", "maxPriorityFeePerGas", "maxFeePerGas")
            if name in fields
        }
        return {**fields, **raised}

    # ---------------------------------------------------------------------------------- send

    def _broadcast_next(
        self, sent: _Sent, nonce: int | None, on_signed: Callable[[int, str], None] | None
    ) -> _Sent:
        """Broadcast with the account's next nonce, which another process may be using up too."""
        address = sent.signer.address
        for attempt in range(_NONCE_ATTEMPTS):
            sent.fields["nonce"] = self._next_nonce(address) if nonce is None else nonce
            try:
                self._broadcast(sent, on_signed)
            except RequestFailed as error:
                taken = self._next_nonce(address) != sent.fields["nonce"]
                if nonce is None and taken and attempt + 1 < _NONCE_ATTEMPTS:
                    continue
                raise self._explained(error, sent) from error
            self._in_flight.setdefault(address, set()).add(sent.fields["nonce"])
            break
        return sent

    def _broadcast(self, sent: _Sent, on_signed: Callable[[int, str], None] | None) -> None:
        raw, transaction = _sign(sent)
        if on_signed is not None:
            on_signed(sent.fields["nonce"], transaction)
        try:
            request(self._web3, "eth_sendRawTransaction", [raw])
        except RequestFailed:
            # "Already known": an earlier try of the transport had arrived after all.
            if request(self._web3, "eth_getTransactionByHash", [transaction]) is None:
                raise
        sent.hashes.append(transaction)

    def _send_part(
        self, signer: LocalAccount, calls: Sequence[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        estimates = request_batch(
            self._web3,
            [("eth_estimateGas", [_call(signer.address, to, data)]) for to, data in calls],
        )
        for estimate in estimates:
            if isinstance(estimate, RequestFailed):
                raise self._explained(estimate) from estimate
        with self._lock:
            first = self._next_nonce(signer.address)
            fees = self._fields(None, "0x", 0)
            part = []
            for index, ((to, data), estimate) in enumerate(zip(calls, estimates, strict=True)):
                gas = int(estimate, 16) * 5 // 4 + 5_000
                fields = {**fees, "to": to, "data": data, "gas": gas, "nonce": first + index}
                part.append(_Sent(signer, fields))
            self._in_flight.setdefault(signer.address, set()).update(
                range(first, first + len(part))
            )
        with self._flying(part):
            signed = [_sign(sent) for sent in part]
            answers = request_batch(
                self._web3, [("eth_sendRawTransaction", [raw]) for raw, _ in signed]
            )
            for sent, (_, transaction), answer in zip(part, signed, answers, strict=True):
                if isinstance(answer, RequestFailed):
                    raise self._explained(answer, sent) from answer
                sent.hashes.append(transaction)
            return self._await_part(part)

    def _await_part(self, part: Sequence[_Sent]) -> list[dict[str, Any]]:
        questions = [("eth_getTransactionReceipt", [sent.hashes[0]]) for sent in part]
        receipts = []
        for sent, found in zip(part, request_batch(self._web3, questions), strict=True):
            mined = isinstance(found, dict) and found.get("blockNumber") is not None
            receipt = found if mined else self._await(sent, None)
            receipts.append(self._succeeded(receipt, sent))
        return receipts

    # ---------------------------------------------------------------------------------- wait

    def _await(self, sent: _Sent, on_signed: Callable[[int, str], None] | None) -> dict[str, Any]:
        started = last_sent = time.monotonic()
        for delay in self._polls(sent.hashes[-1]):
            receipt = self._receipt(sent.hashes)
            if receipt is not None:
                return receipt
            now = time.monotonic()
            if now - started > min(_NONCE_CHECK_AFTER, self._replace_after):
                self._require_nonce_free(sent)
            if now - last_sent > self._replace_after:
                last_sent = now
                self._replace(sent, on_signed)
            time.sleep(delay)
        raise AssertionError("unreachable")

    def _polls(self, transaction: str) -> Iterator[float]:
        """How long to sleep before each next look; raises when it is time to give up."""
        deadline = time.monotonic() + self._give_up_after
        delay = _FIRST_POLL
        while time.monotonic() < deadline:
            yield delay
            delay = min(delay * 1.5, _SLOWEST_POLL)
        raise TransactionPending(
            f"transaction {transaction} was not mined within {self._give_up_after:.0f} s; "
            "it may be mined later: look for it before you send it again",
            transaction=transaction,
        )

    def _receipt(self, hashes: Sequence[str]) -> dict[str, Any] | None:
        for transaction in reversed(hashes):
            receipt = request(self._web3, "eth_getTransactionReceipt", [transaction])
            # Some nodes show a receipt with no block while the transaction is pending.
            if receipt is not None and receipt.get("blockNumber") is not None:
                return dict(receipt)
        return None

    def _require_nonce_free(self, sent: _Sent) -> None:
        nonce, address = sent.fields["nonce"], sent.signer.address
        used = int(request(self._web3, "eth_getTransactionCount", [address, "latest"]), 16)
        if used > nonce and self._receipt(sent.hashes) is None:
            raise TransactionSuperseded(
                f"another transaction of {address} with nonce {nonce} was mined instead of "
                f"{sent.hashes[-1]}; see what it did before you try again",
                account=address,
                nonce=nonce,
                transaction=sent.hashes[-1],
            )

    def _replace(self, sent: _Sent, on_signed: Callable[[int, str], None] | None) -> None:
        sent.fields = self._raised(sent.fields)
        try:
            self._broadcast(sent, on_signed)
        except RequestFailed as error:
            explained = self._explained(error, sent)
            if isinstance(explained, OutOfFunds):
                raise explained from error
            # Mined meanwhile, or still too cheap: the next look tells.

    # ------------------------------------------------------------------------------- outcome

    def _succeeded(self, receipt: dict[str, Any], sent: _Sent) -> dict[str, Any]:
        if int(receipt.get("status", "0x1"), 16) == 1:
            return receipt
        fields = sent.fields
        call = _call(sent.signer.address, fields.get("to"), fields["data"])
        try:
            request(self._web3, "eth_call", [call, receipt["blockNumber"]])
        except RequestFailed as error:
            raise self._explained(error) from error
        raise reverts.decode(b"")

    def _explained(self, error: RequestFailed, sent: _Sent | None = None) -> Exception:
        """The refusal or lack of funds behind a node's error, or the error itself."""
        refusal = reverts.from_request(error)
        if refusal is not None or sent is None:
            return refusal or error
        fields, address = sent.fields, sent.signer.address
        price = fields.get("maxFeePerGas", fields.get("gasPrice", 0))
        needed = fields["gas"] * price
        balance = int(request(self._web3, "eth_getBalance", [address, "latest"]), 16)
        if balance >= needed:
            return error
        return OutOfFunds(
            f"{address} has {balance / 10**18:.6g} Ether and the transaction may cost "
            f"{needed / 10**18:.6g}; send it some, or let somebody else submit a signature",
            account=address,
            balance=balance,
            needed=needed,
        )

    # -------------------------------------------------------------------------------- nonces

    def _next_nonce(self, address: str) -> int:
        pending = int(request(self._web3, "eth_getTransactionCount", [address, "pending"]), 16)
        return max([pending, *(nonce + 1 for nonce in self._in_flight.get(address, ()))])

    @contextmanager
    def _flying(self, sent: Sequence[_Sent]) -> Iterator[None]:
        try:
            yield
        finally:
            with self._lock:
                for each in sent:
                    self._in_flight[each.signer.address].discard(each.fields["nonce"])


def _call(sender: str, to: str | None, data: str) -> dict[str, str]:
    call = {"from": sender, "data": data}
    return call if to is None else {**call, "to": to}


def _sign(sent: _Sent) -> tuple[str, str]:
    """Raw transaction and its hash."""
    signed = sent.signer.sign_transaction(sent.fields)
    return "0x" + bytes(signed.raw_transaction).hex(), "0x" + bytes(signed.hash).hex()

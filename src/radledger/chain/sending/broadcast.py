"""Sign transactions and hand them to a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radledger.chain import reverts
from radledger.chain.errors import OutOfFunds, RequestFailed
from radledger.chain.rpc import request, request_batch
from radledger.chain.sending import fees
from radledger.chain.sending.journal import Intent, Intents, Version
from radledger.chain.sending.pool_errors import Rejection, rejection
from radledger.errors import RadLedgerError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

__all__ = [
    "ask",
    "broadcast",
    "count",
    "diagnose",
    "receipts",
    "sign",
    "unknown",
    "with_higher_fee",
]


def sign(signer: LocalAccount, fields: Mapping[str, Any]) -> Version:
    """A signed version of a transaction."""
    signed = signer.sign_transaction(dict(fields))
    return Version("0x" + bytes(signed.hash).hex(), "0x" + bytes(signed.raw_transaction).hex())


def with_higher_fee(web3: Web3, intents: Intents, signer: LocalAccount, intent: Intent) -> Intent:
    """Write down a version of a transaction that pays more; it has not been sent then."""
    fields = fees.raised(web3, intent.signable)
    return intents.add_version(intent, fields, sign(signer, fields))


def broadcast(web3: Web3, intents: Sequence[Intent]) -> list[RequestFailed | None]:
    """Hand the newest version of each to the node.

    Returns
    -------
    list
        What the node has against each; None where it has it, now or already, or it was mined.
    """
    calls = [("eth_sendRawTransaction", [intent.versions[-1].raw]) for intent in intents]
    answers = ask(web3, calls)
    refused = {
        intent.intent_id
        for intent, answer in zip(intents, answers, strict=True)
        if isinstance(answer, RequestFailed) and rejection(answer) is not Rejection.KNOWN
    }
    # An earlier try of the transport may have arrived after all.
    doubtful = [intent for intent in intents if intent.intent_id in refused]
    missing = {intent.intent_id for intent in unknown(web3, doubtful)}
    return [
        answer if intent.intent_id in missing else None
        for intent, answer in zip(intents, answers, strict=True)
    ]


def unknown(web3: Web3, intents: Sequence[Intent]) -> list[Intent]:
    """Those of which the node has no version, neither waiting nor mined."""
    hashes = [each for intent in intents for each in intent.hashes]
    answers = ask(web3, [("eth_getTransactionByHash", [each]) for each in hashes])
    known = {each for each, answer in zip(hashes, answers, strict=True) if isinstance(answer, dict)}
    return [intent for intent in intents if not any(each in known for each in intent.hashes)]


def receipts(web3: Web3, intents: Sequence[Intent]) -> dict[int, dict[str, Any]]:
    """Receipts of those that were mined, by the intents' numbers."""
    asked = [(intent, each) for intent in intents for each in intent.hashes]
    calls = [("eth_getTransactionReceipt", [transaction]) for _, transaction in asked]
    return {
        intent.intent_id: answer
        for (intent, _), answer in zip(asked, ask(web3, calls), strict=True)
        # Some nodes show a receipt with no block while the transaction is pending.
        if isinstance(answer, dict) and answer.get("blockNumber") is not None
    }


def count(web3: Web3, account: str, block: str) -> int:
    """How many transactions of an account are mined (``latest``), or waiting too (``pending``)."""
    return int(request(web3, "eth_getTransactionCount", [account, block]), 16)


def diagnose(web3: Web3, error: RequestFailed, intent: Intent) -> RadLedgerError:
    """Why a node rejects a transaction: the refusal or lack of funds behind an error, or itself."""
    refusal = reverts.from_request(error)
    if refusal is not None:
        return refusal
    needed = intent.fields["gas"] * fees.offered(intent.fields)
    balance = int(request(web3, "eth_getBalance", [intent.account, "latest"]), 16)
    if balance >= needed and rejection(error) is not Rejection.UNFUNDED:
        return error
    return OutOfFunds(
        f"{intent.account} has {balance / 10**18:.6g} Ether and the transaction may cost "
        f"{needed / 10**18:.6g}; send it some, or sign, and let another account submit it",
        account=intent.account,
        balance=balance,
        needed=needed,
    )


def ask(web3: Web3, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """The result of each request, or the :class:`RequestFailed` that it met."""
    if len(calls) != 1:
        return request_batch(web3, calls)
    try:
        return [request(web3, *calls[0])]
    except RequestFailed as error:
        return [error]

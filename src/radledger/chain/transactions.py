"""The journal of transactions as people read it: which call, how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.chain import artifacts

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment
    from radledger.chain.sending.journal import Intents
    from radledger.chain.sending.tables import Intent, State

__all__ = ["Transaction", "described", "listed"]

_NEWEST = 100


@dataclass(frozen=True)
class Transaction:
    """A transaction of the journal.

    Attributes
    ----------
    account, nonce
        Who sends it, and with which nonce.
    call
        Contract and function, as far as they are known.
    state
        How far it is; see :mod:`radledger.chain.sending.journal`.
    followed
        Whether a process waits for it now.
    created_at
        Unix time at which it was written down.
    transaction
        Hash of the version that was mined, or else of the newest that was signed.
    block
        The block that it is in.
    reason
        Why it will not be mined.
    """

    account: str
    nonce: int
    call: str
    state: State
    followed: bool
    created_at: int
    transaction: str | None
    block: int | None
    reason: str | None


def listed(intents: Intents, deployment: Deployment, *, ended: bool = False) -> list[Transaction]:
    """What is open, lowest nonce first; with `ended` the newest hundred of all, newest first.

    Parameters
    ----------
    intents
        The journal; no node is asked.
    deployment
        Of any release, whose contracts the calls are named by.
    ended
        Whether to include those that have ended.
    """
    found = intents.newest(_NEWEST) if ended else intents.open()
    return [described(intents, deployment, intent) for intent in found]


def described(intents: Intents, deployment: Deployment, intent: Intent) -> Transaction:
    """A transaction of a journal as people read it."""
    followed = intent.state == "open" and intents.is_followed(intent)
    newest = intent.versions[-1].transaction if intent.versions else None
    return Transaction(
        account=intent.account,
        nonce=intent.nonce,
        call=_call(deployment, intent),
        state=intent.state,
        followed=followed,
        created_at=intent.created_at,
        transaction=intent.transaction or newest,
        block=intent.block,
        reason=intent.reason,
    )


def _call(deployment: Deployment, intent: Intent) -> str:
    if intent.to is None:
        return "creation of a contract"
    if intent.to == intent.account:
        return "transfer of nothing, to use up a nonce"
    for name, contract in deployment.contracts.items():
        if contract.address.lower() == intent.to.lower():
            known = name in artifacts.names()  # another release may have deployed others
            function = artifacts.load(name).function(intent.data) if known else None
            return f"{name}.{function or intent.data[:10]}"
    return f"{intent.to} {intent.data[:10]}"

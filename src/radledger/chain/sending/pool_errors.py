"""Why a node does not take a transaction into its pool.

JSON-RPC has no codes for it; each client has words of its own.  Known here are those of geth and
erigon, anvil (reth), Ganache, Besu and Nethermind.
"""

from __future__ import annotations

from enum import Enum

from radledger.chain.errors import RequestFailed

__all__ = ["Rejection", "rejection"]


class Rejection(Enum):
    """A reason for keeping a transaction out of a pool."""

    KNOWN = "the node has it"
    NONCE_USED = "a transaction with its nonce was mined"
    NONCE_CONTENDED = "a transaction with its nonce waits, and this one does not pay more"
    NONCE_AHEAD = "transactions before it are missing"
    UNDERPRICED = "it pays too little for its gas"
    UNFUNDED = "the account cannot pay for it"
    FULL = "the pool is full"
    OTHER = "another reason"


# The first that is found counts: "replacement transaction underpriced" does not concern the fee.
_WORDS = {
    Rejection.KNOWN: ("already known", "alreadyknown", "known transaction", "already imported"),
    Rejection.NONCE_USED: ("nonce too low", "nonce is too low", "oldnonce", "correct nonce"),
    Rejection.NONCE_CONTENDED: ("replacement", "same nonce"),
    Rejection.NONCE_AHEAD: ("nonce too high", "nonce gap", "noncegap", "gapped", "too distant"),
    Rejection.UNFUNDED: (
        "insufficient funds",
        "insufficientfunds",
        "insufficient balance",
        "enough funds",
        "upfront cost exceeds",
    ),
    Rejection.UNDERPRICED: (
        "underpriced",
        "feetoolow",
        "fee too low",
        "gas price too low",
        "gas price below",
        "less than block base fee",
        "less than the current basefee",
    ),
    Rejection.FULL: ("pool is full", "pool full"),
}


def rejection(error: RequestFailed) -> Rejection:
    """Why the node refused, as far as its message says.

    Examples
    --------
    >>> rejection(RequestFailed("", reason="nonce too low: next nonce 5, tx nonce 3"))
    <Rejection.NONCE_USED: 'a transaction with its nonce was mined'>
    """
    reason = str(error.values.get("reason", "")).lower()
    for found, words in _WORDS.items():
        if any(word in reason for word in words):
            return found
    return Rejection.OTHER

"""Why a mined transaction failed.

A receipt says that a transaction failed, and how much gas that took, and no more.  So the call is
repeated on the state of its block: with the gas that the transaction had, and with as much as the
node allows.

References
----------
.. [1] EIP-658, Embedding transaction status code in receipts
.. [2] EIP-150, Gas cost changes for IO-heavy operations: a call is given at most 63/64 of the gas
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radledger.chain import reverts
from radledger.chain.errors import OutOfGas, RequestFailed
from radledger.chain.rpc import request
from radledger.chain.sending.broadcast import diagnose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web3 import Web3

    from radledger.chain.sending.journal import Intent
    from radledger.errors import RadLedgerError

__all__ = ["failure"]


def failure(web3: Web3, intent: Intent, receipt: Mapping[str, Any]) -> RadLedgerError:
    """Why a transaction failed, as an error to be raised.

    Parameters
    ----------
    web3
        The chain.
    intent
        The transaction.
    receipt
        Its receipt as the node gives it, with status 0.

    Returns
    -------
    OutOfGas
        If the gas that it had did not suffice.
    Refusal
        As the contract refuses the call on the state of that block, else `RevertedUnexplained`.
    """
    used, limit = int(receipt["gasUsed"], 16), int(intent.fields["gas"])
    call = {"from": intent.account, "data": intent.data}
    if intent.to is not None:
        call["to"] = intent.to
    block = receipt["blockNumber"]
    as_sent = _repeated(web3, {**call, "gas": hex(limit)}, block)
    ample = _repeated(web3, call, block)
    # Each caller keeps 1/64 back from what it calls, and no call here goes deeper than four.
    spent = used >= limit or (as_sent is None and used > limit - limit // 16)
    if spent or (as_sent is not None and ample is None):
        return OutOfGas(
            f"transaction {receipt['transactionHash']} ran out of gas: it used {used} of {limit}, "
            "and nothing of it was done; what it needs may have grown since it was estimated: try "
            "again, which estimates the gas again",
            transaction=receipt["transactionHash"],
            gas_used=used,
            gas_limit=limit,
        )
    return diagnose(web3, ample, intent) if ample is not None else reverts.decode(b"")


def _repeated(web3: Web3, call: Mapping[str, Any], block: str) -> RequestFailed | None:
    """Why a node rejects a call on the state of a block, or None."""
    try:
        request(web3, "eth_call", [call, block])
    except RequestFailed as error:
        return error
    return None

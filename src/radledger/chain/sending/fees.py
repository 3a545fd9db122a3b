"""Fees of transactions, on chains with and without EIP-1559."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["offered", "present", "raised"]

_GWEI = 10**9
# Nodes take a replacement from 10 % more on (geth, erigon) or 12.5 % (others).
_RAISE = 1.25


def present(web3: Web3, gas_price: int | None = None) -> tuple[dict[str, int], int]:
    """Fee fields that suit the latest block, and that block's gas limit.

    A ``gas_price`` that is agreed upon stands for what the node suggests: some suggest one even
    where gas is free.
    """
    block = request(web3, "eth_getBlockByNumber", ["latest", False])
    limit = int(block["gasLimit"], 16)
    if gas_price is not None:
        return {"gasPrice": gas_price}, limit
    if block.get("baseFeePerGas") is None:
        return {"gasPrice": int(request(web3, "eth_gasPrice", []), 16)}, limit
    tip = _tip(web3)
    most = 2 * int(block["baseFeePerGas"], 16) + tip
    return {"type": 2, "maxPriorityFeePerGas": tip, "maxFeePerGas": most}, limit


def raised(web3: Web3, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same transaction with a fee that replaces it and meets the present base fee."""
    now, _ = present(web3)
    higher = {
        name: max(int(fields[name] * _RAISE) + 1, now.get(name, 0))
        for name in ("gasPrice", "maxPriorityFeePerGas", "maxFeePerGas")
        if name in fields
    }
    return {**fields, **higher}


def offered(fields: Mapping[str, Any]) -> int:
    """The most that a transaction pays for one unit of gas, in wei."""
    return int(fields.get("maxFeePerGas", fields.get("gasPrice", 0)))


def _tip(web3: Web3) -> int:
    try:
        return int(request(web3, "eth_maxPriorityFeePerGas", []), 16)
    except RequestFailed:
        return _GWEI

"""Valid answers of a node, by method; anything else does not come from an Ethereum node.

References
----------
.. [1] JSON-RPC 2.0 Specification, section 5 "Response object"
.. [2] Ethereum execution APIs, https://ethereum.github.io/execution-apis/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from radledger.texts import described

__all__ = ["is_data", "is_rate_limit", "normal"]

_SERVER_ERROR = -32000
_LONGEST_REASON = 500
_LIMITS = re.compile(
    r"rate.?limit|too many requests|request limit|request count exceeded|per second", re.IGNORECASE
)


def normal(method: str, parameters: Sequence[Any], answer: Any) -> dict[str, Any]:
    """An answer in the form of the specification, errors included.

    Raises
    ------
    ValueError
        If it is not; the message says what was answered instead.
    """
    if not isinstance(answer, Mapping):
        raise ValueError(described(answer))
    number = answer.get("id")
    form = {"jsonrpc": "2.0", "id": number if type(number) is int else 0}
    error = answer.get("error")
    if error is not None:
        return form | {"error": _error(error)}
    if "result" not in answer:
        raise ValueError("an object that has neither result nor error")
    result = answer["result"]
    fits = _RESULTS.get(method)
    if fits is not None and not (
        _may_be_null(method, parameters) if result is None else fits(result)
    ):
        raise ValueError(f"the result {described(result)}")
    return form | {"result": result}


def is_rate_limit(error: Any) -> bool:
    """Whether an error is a rate limit.

    Clients and providers have codes of their own, so the words tell.  What a contract reverts
    with may say the same, and is another matter.
    """
    if not isinstance(error, Mapping):
        return False
    message = str(error.get("message"))
    if error.get("data") is not None or "revert" in message:
        return False
    return error.get("code") == 429 or bool(_LIMITS.search(message))


def _error(error: Any) -> dict[str, Any]:
    given = error if isinstance(error, Mapping) else {"message": str(error)}
    code, message = given.get("code"), given.get("message")
    message = message if isinstance(message, str) and message.strip() else "no reason given"
    found = {
        "code": code if type(code) is int else _SERVER_ERROR,
        "message": " ".join(message.split())[:_LONGEST_REASON],
    }
    return found | ({"data": given["data"]} if given.get("data") is not None else {})


# ------------------------------------------------------------------------------------- results


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_is_quantity = _matches("0x[0-9a-fA-F]{1,64}")
is_data = _matches("0x(?:[0-9a-fA-F]{2})*")
"""Whether a value is bytes, as JSON-RPC writes them."""
_is_hash = _matches("0x[0-9a-fA-F]{64}")
_is_address = _matches("0x[0-9a-fA-F]{40}")


def _or_null(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _object_with(**fields: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict) and all(fits(value.get(name)) for name, fits in fields.items())
    )


_is_log = _object_with(
    address=_is_address,
    topics=_list_of(_is_hash),
    data=is_data,
    blockNumber=_is_quantity,
    blockHash=_is_hash,
    transactionHash=_is_hash,
    logIndex=_is_quantity,
)
_is_transaction = _object_with(**{"hash": _is_hash, "from": _is_address})
_is_block = _object_with(
    number=_is_quantity,
    hash=_is_hash,
    parentHash=_is_hash,
    timestamp=_is_quantity,
    gasLimit=_is_quantity,
    baseFeePerGas=_or_null(_is_quantity),
    logsBloom=is_data,
    transactions=_list_of(lambda each: _is_hash(each) or _is_transaction(each)),
)
_is_mined = _object_with(
    transactionHash=_is_hash,
    transactionIndex=_is_quantity,
    blockNumber=_is_quantity,
    blockHash=_is_hash,
    gasUsed=_is_quantity,
    status=_or_null(_is_quantity),
    logs=_list_of(_is_log),
)


def _is_receipt(value: Any) -> bool:
    """Some nodes show a receipt with no block while the transaction is pending."""
    return isinstance(value, dict) and (value.get("blockNumber") is None or _is_mined(value))


_RESULTS: Mapping[str, Callable[[Any], bool]] = {
    "eth_blockNumber": _is_quantity,
    "eth_call": is_data,
    "eth_chainId": _is_quantity,
    "eth_estimateGas": _is_quantity,
    "eth_gasPrice": _is_quantity,
    "eth_getBalance": _is_quantity,
    "eth_getBlockByHash": _is_block,
    "eth_getBlockByNumber": _is_block,
    "eth_getBlockReceipts": _list_of(_is_receipt),
    "eth_getCode": is_data,
    "eth_getLogs": _list_of(_is_log),
    "eth_getTransactionByHash": lambda value: isinstance(value, dict),
    "eth_getTransactionCount": _is_quantity,
    "eth_getTransactionReceipt": _is_receipt,
    "eth_maxPriorityFeePerGas": _is_quantity,
    "eth_sendRawTransaction": _is_hash,
}
_MAY_BE_NULL = {
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
}


def _may_be_null(method: str, parameters: Sequence[Any]) -> bool:
    """Whether the answer may be null; each node has a first block and a latest one."""
    return method in _MAY_BE_NULL and parameters[0] not in ("latest", "earliest", "0x0")

"""Whether several nodes give the same answer to a question about the chain's state.

A node whose disk was altered can serve correct blocks and wrong answers, since a block does not
contain what a contract's view returns.  So views and events that a decision depends on are
requested from two nodes, and from all of them where the two differ.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["at_block", "is_compared", "majority", "same"]

_BLOCK_AT = {"eth_call": 1, "eth_getBalance": 1, "eth_getCode": 1, "eth_getStorageAt": 2}
"""Questions about the state, and where their parameters have the block."""

Answer = Mapping[str, Any]


def is_compared(method: str, answer: Answer) -> bool:
    """Whether an answer should be the same on all nodes: it is about the state, and not that a
    node cannot tell."""
    if method not in _BLOCK_AT and method != "eth_getLogs":
        return False
    error = answer.get("error")
    return error is None or _reverted(error)


def at_block(method: str, parameters: Sequence[Any], number: int) -> list[Any]:
    """The same question about a block that all nodes have, whatever their latest is."""
    asked = list(parameters)
    if method == "eth_getLogs":
        (given,) = asked
        if "blockHash" in given:
            return asked
        return [{**given, "toBlock": hex(min(number, _number(given.get("toBlock"), number)))}]
    place = _BLOCK_AT[method]
    given = asked[place] if len(asked) > place else "latest"
    if isinstance(given, Mapping):
        return asked
    return [*asked[:place], hex(min(number, _number(given, number))), *asked[place + 1 :]]


def same(first: Answer, second: Answer) -> bool:
    """Whether two answers are equivalent."""
    return _essence(first) == _essence(second)


def majority(answers: Mapping[str, Answer]) -> set[str] | None:
    """The nodes that gave the answer of the majority; None without a majority.

    Examples
    --------
    >>> sorted(majority({"a": {"result": 1}, "b": {"result": 2}, "c": {"result": 1}}))
    ['a', 'c']
    >>> majority({"a": {"result": 1}, "b": {"result": 2}}) is None
    True
    """
    essences = {name: _essence(answer) for name, answer in answers.items()}
    ranked = Counter(essences.values()).most_common(1)
    if not ranked or 2 * ranked[0][1] <= len(answers):
        return None
    return {name for name, essence in essences.items() if essence == ranked[0][0]}


def _essence(answer: Answer) -> str:
    """An answer without the parts that clients word differently."""
    error = answer.get("error")
    if error is not None:
        data = error.get("data")
        return f"reverted {data if isinstance(data, str) and data != '0x' else ''}"
    result = answer.get("result")
    if isinstance(result, list):
        return json.dumps([_log(entry) for entry in result], sort_keys=True)
    return json.dumps(result, sort_keys=True)


def _reverted(error: Any) -> bool:
    return isinstance(error, Mapping) and "revert" in str(error.get("message", "")).lower()


def _log(entry: Any) -> Any:
    """A log without the fields that only some clients have."""
    if not isinstance(entry, Mapping):
        return entry
    told = ("address", "topics", "data", "blockHash", "logIndex", "transactionHash")
    return {name: entry.get(name) for name in told}


def _number(block: Any, latest: int) -> int:
    return int(block, 16) if isinstance(block, str) and block.startswith("0x") else latest

"""The logs of some kinds of events, in as few requests as the node allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from web3.exceptions import Web3RPCError

from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import connection_errors

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["decoded_log", "logs_of"]


def logs_of(
    web3: Web3, kinds: Sequence[Any], start: int, end: int, filters: Mapping[str, Any]
) -> list[Any]:
    """The logs of the blocks from `start` to `end`, oldest first, as web3 decodes them.

    A range that the node refuses is asked for in halves.

    Parameters
    ----------
    web3
        The node.
    kinds
        Events of one contract, as web3 has them.
    start, end
        The first block and the last.
    filters
        Value, or list of values, of indexed arguments; each in the same place of all kinds.

    Raises
    ------
    RequestFailed
        If the node refuses a range of one block, or its logs are none of these events.
    """
    try:
        with connection_errors(web3):
            return _asked(web3, kinds, start, end, filters)
    except Web3RPCError as error:
        if start == end:
            raise RequestFailed(
                f"the node gives no events of block {start}: {error.message}",
                method="eth_getLogs",
            ) from error
    middle = (start + end) // 2
    first = logs_of(web3, kinds, start, middle, filters)
    return first + logs_of(web3, kinds, middle + 1, end, filters)


def _asked(
    web3: Web3, kinds: Sequence[Any], start: int, end: int, filters: Mapping[str, Any]
) -> list[Any]:
    if any(len({_place(kind, name) for kind in kinds}) > 1 for name in filters):
        raise AssertionError("what is filtered is indexed in the same place of all events")
    by_topic = {kind.topic: kind for kind in kinds}
    first = kinds[0]
    question = first._get_event_filter_params(first.abi, dict(filters), start, end)
    question["topics"] = [list(by_topic), *question["topics"][1:]]
    logs = [decoded_log(by_topic, log) for log in web3.eth.get_logs(question)]
    return sorted(logs, key=lambda log: (log["blockNumber"], log["logIndex"]))


def decoded_log(kinds: Mapping[str, Any], log: Mapping[str, Any]) -> Any:
    """A log as web3 decodes it, of one of the events by their topics.

    Raises
    ------
    RequestFailed
        If the log is of none of them, or its data is not the event's.
    """
    from eth_abi.exceptions import DecodingError
    from web3.exceptions import Web3Exception

    try:
        return kinds["0x" + bytes(log["topics"][0]).hex()].process_log(log)
    except (DecodingError, Web3Exception, LookupError) as error:
        raise RequestFailed(
            f"the node gives an event of block {log['blockNumber']} that cannot be decoded; ask "
            "another node",
            method="eth_getLogs",
        ) from error


def _place(kind: Any, name: str) -> int:
    """Where an argument of an event is among the indexed ones."""
    indexed = [each["name"] for each in kind.abi["inputs"] if each["indexed"]]
    if name not in indexed:
        raise AssertionError(f"{kind.event_name} has no indexed {name}")
    return indexed.index(name)

"""The logs of contracts, in as few requests as the node allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radledger.chain import artifacts
from radledger.chain.errors import RequestFailed
from radledger.chain.events import topic_of
from radledger.chain.rpc import request

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["listed", "logs_of", "topic_word", "topics_of"]


def logs_of(
    web3: Web3,
    addresses: Sequence[str],
    first: int,
    last: int,
    topics: Sequence[Sequence[str] | None] = (),
) -> list[dict[str, Any]]:
    """The logs of the blocks from `first` to `last`, as the node gives them.

    A range that the node refuses is asked for in halves.

    Parameters
    ----------
    web3
        The node.
    addresses
        Of the contracts.
    first, last
        The first block and the last.
    topics
        For each topic which values it may have; see :func:`topics_of`.

    Raises
    ------
    RequestFailed
        If the node refuses a range of one block, or gives no list.
    """
    wanted: dict[str, Any] = {
        "address": list(addresses),
        "fromBlock": hex(first),
        "toBlock": hex(last),
    }
    if topics:
        wanted["topics"] = list(topics)
    try:
        logs = request(web3, "eth_getLogs", [wanted])
    except RequestFailed as error:
        if first == last:
            raise RequestFailed(
                f"the node gives no events of block {first}: {error.values.get('reason')}",
                method="eth_getLogs",
            ) from error
        middle = (first + last) // 2
        return [
            *logs_of(web3, addresses, first, middle, topics),
            *logs_of(web3, addresses, middle + 1, last, topics),
        ]
    if not isinstance(logs, list):
        raise RequestFailed("the node gave no list of events; ask again", method="eth_getLogs")
    return logs


def topics_of(
    contract: str, events: Sequence[str], filters: Mapping[str, Any]
) -> list[list[str] | None]:
    """Topics that select events of a contract by their indexed arguments.

    Parameters
    ----------
    contract
        Its name.
    events
        Which of its events.
    filters
        Value, or list of values, of indexed arguments; each in the same place of all events.

    Examples
    --------
    >>> topics = topics_of("Forwarder", ["ExecutedForwardRequest"], {"signer": "0x" + "11" * 20})
    >>> topics[1]
    ['0x0000000000000000000000001111111111111111111111111111111111111111']
    """
    topics: list[list[str] | None] = [[topic_of(contract, event) for event in events]]
    for name, value in filters.items():
        places = {_place(contract, event, name) for event in events}
        if len(places) > 1:
            raise AssertionError("what is filtered is indexed in the same place of all events")
        (place,) = places
        topics += [None] * (place + 1 - len(topics))
        topics[place] = [topic_word(each) for each in listed(value)]
    return topics


def _place(contract: str, event: str, name: str) -> int:
    """Which topic of an event's logs an argument is."""
    (entry,) = (
        each
        for each in artifacts.load(contract).abi
        if each["type"] == "event" and each["name"] == event
    )
    indexed = [each["name"] for each in entry["inputs"] if each["indexed"]]
    if name not in indexed:
        raise AssertionError(f"{event} has no indexed {name}")
    return 1 + indexed.index(name)


def listed(value: Any) -> Sequence[Any]:
    """The values of a filter: one, or a list of them."""
    return value if isinstance(value, list | tuple) else [value]


def topic_word(value: Any) -> str:
    """A value as a topic: bytes and hexadecimal text as they are, padded at the left.

    Examples
    --------
    >>> topic_word(b"\x01") == topic_word("0x01") == topic_word(True) == topic_word(1)
    True
    """
    if isinstance(value, bytes):
        digits = value.hex()
    elif isinstance(value, str):
        digits = value[2:].lower()
    else:
        digits = f"{int(value):x}"
    return "0x" + digits.rjust(64, "0")

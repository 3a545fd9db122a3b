"""Decode the events of contracts, into one form for all callers.

Arguments have their Solidity names and the values that JSON has: addresses in EIP-55 form, bytes
as ``0x…`` in lower case, integers as integers, structs as objects.

web3's ``process_log`` takes 2 ms a log.  Nearly all arguments of the contracts' events are one
word each, so here they are cut out of the hexadecimal text that the node gave; the few events
with structs, lists or bytes go through eth_abi.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from radledger.chain import artifacts
from radledger.chain.errors import RequestFailed

__all__ = ["Event", "EventDecoder", "Receipt", "as_json", "checksummed", "topic_of"]

_WORD = 64  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a contract.

    Attributes
    ----------
    block, log_index
        Its place: block number, and position in the block.
    contract, name
        The contract that emitted it, and its name in Solidity.
    args
        Its arguments by name, as JSON has them.
    transaction
        Hash of the transaction, ``0x…``.
    timestamp
        Unix time of the block.
    who
        The account that acted, if the event comes from an index: the one that the event names as
        such, or else the signer of the forwarded request, or else the sender of the transaction.
    """

    block: int
    log_index: int
    contract: str
    name: str
    args: Mapping[str, Any]
    transaction: str
    timestamp: int
    who: str | None = None


@dataclass(frozen=True)
class Receipt:
    """A mined transaction: its hash (``0x…``), block, time, gas and events."""

    transaction: str
    block: int
    timestamp: int
    gas_used: int
    events: tuple[Event, ...]

    def event(self, name: str) -> Event:
        """The first event called ``name``; raises `KeyError` if there is none."""
        for event in self.events:
            if event.name == name:
                return event
        raise KeyError(name)


class EventDecoder:
    """Decodes the logs of contracts that the package ships.

    Parameters
    ----------
    addresses
        Address of each contract, by the contract's name.

    Examples
    --------
    >>> decoder = EventDecoder({"Forwarder": "0x" + "11" * 20})
    >>> topic = topic_of("Forwarder", "ExecutedForwardRequest")
    >>> contract, name, arguments = decoder.decode(
    ...     {"address": "0x" + "11" * 20, "topics": [topic, "0x" + "22" * 20],
    ...      "data": "0x" + "5".rjust(64, "0") + "1".rjust(64, "0")})
    Traceback (most recent call last):
    radledger.chain.errors.RequestFailed: the node gave a log that cannot be decoded: ...
    >>> contract, name, arguments = decoder.decode(
    ...     {"address": "0x" + "11" * 20, "topics": [topic, "0x" + ("22" * 20).rjust(64, "0")],
    ...      "data": "0x" + "5".rjust(64, "0") + "1".rjust(64, "0")})
    >>> contract, name, arguments["nonce"], arguments["success"]
    ('Forwarder', 'ExecutedForwardRequest', 5, True)
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._contracts = {address.lower(): name for name, address in addresses.items()}

    def knows(self, log: Mapping[str, Any]) -> bool:
        """Whether a log is one of an event of these contracts."""
        contract = self._contracts.get(log["address"].lower())
        return bool(contract and log["topics"] and log["topics"][0] in _kinds(contract))

    def decode(self, log: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
        """Contract, name and arguments of a log.

        Parameters
        ----------
        log
            As ``eth_getLogs`` gives it.

        Raises
        ------
        RequestFailed
            If it is not a log of these contracts, or not whole.
        """
        from eth_abi.exceptions import DecodingError

        try:
            contract = self._contracts[log["address"].lower()]
            name, decode = _kinds(contract)[log["topics"][0]]
            return contract, name, decode(log["topics"], log["data"][2:].lower())
        except (LookupError, ValueError, TypeError, AttributeError, DecodingError) as error:
            raise RequestFailed(
                f"the node gave a log that cannot be decoded: {error!r}; ask another node",
                method="eth_getLogs",
                log=dict(log),
            ) from error


_Decode = Callable[[Sequence[str], str], dict[str, Any]]


@cache
def _kinds(contract: str) -> Mapping[str, tuple[str, _Decode]]:
    """Name and decoder of each event of a contract, by its first topic."""
    return {
        _topic(entry): (entry["name"], _decoder_of(entry))
        for entry in artifacts.load(contract).abi
        if entry["type"] == "event"
    }


@cache
def topic_of(contract: str, event: str) -> str:
    """The first topic of an event's logs, ``0x…``; raises `KeyError` if there is no such event."""
    for topic, (name, _) in _kinds(contract).items():
        if name == event:
            return topic
    raise KeyError(event)


def _topic(entry: Mapping[str, Any]) -> str:
    from eth_utils.abi import event_abi_to_log_topic

    return "0x" + event_abi_to_log_topic(entry).hex()  # type: ignore[arg-type]


def _decoder_of(entry: Mapping[str, Any]) -> _Decode:
    indexed = [each for each in entry["inputs"] if each["indexed"]]
    plain = [each for each in entry["inputs"] if not each["indexed"]]
    from_topics = [(each["name"], _word_decoder(each["type"])) for each in indexed]
    words = [_word_decoder(each["type"]) for each in plain]
    from_data = [
        (each["name"], word, place * _WORD, (place + 1) * _WORD)
        for place, (each, word) in enumerate(zip(plain, words, strict=True))
    ]
    if None in words:
        return _general_decoder(from_topics, plain)

    def decode(topics: Sequence[str], data: str) -> dict[str, Any]:
        if len(data) != len(from_data) * _WORD:
            raise ValueError(f"{len(data) // 2} bytes of data")
        arguments = {
            name: word(topic[2:])
            for (name, word), topic in zip(from_topics, topics[1:], strict=True)
        }
        for name, word, start, end in from_data:
            arguments[name] = word(data[start:end])
        return arguments

    return decode


def _general_decoder(
    from_topics: Sequence[tuple[str, Any]], plain: Sequence[Mapping[str, Any]]
) -> _Decode:
    """For events with structs, lists or bytes, which are few."""
    from eth_abi.abi import decode as decode_data
    from eth_utils.abi import collapse_if_tuple

    # A string is what its author wrote, which need not be UTF-8; `as_json` makes it readable.
    types = [
        collapse_if_tuple(each).replace("string", "bytes")  # type: ignore[arg-type]
        for each in plain
    ]

    def decode(topics: Sequence[str], data: str) -> dict[str, Any]:
        values = decode_data(types, bytes.fromhex(data))
        arguments = {
            name: word(topic[2:])
            for (name, word), topic in zip(from_topics, topics[1:], strict=True)
        }
        for parameter, value in zip(plain, values, strict=True):
            arguments[parameter["name"]] = as_json(parameter, value)
        return arguments

    return decode


def _word_decoder(type_: str) -> Any:
    """What makes a value of a word's 64 digits; None where the type is not one word."""
    if type_ == "address":
        return _address
    if type_ == "bytes32":
        return _bytes32
    if type_ == "bool":
        return lambda word: bool(_bounded(word, 1))
    if type_.startswith("uint") and not type_.endswith("]"):
        most = (1 << int(type_[4:])) - 1
        return lambda word: _bounded(word, most)
    return None


def _address(word: str) -> str:
    if len(word) != _WORD or word[:24] != "0" * 24:
        raise ValueError(f"{word} for an address")
    return checksummed("0x" + word[24:])


def _bytes32(word: str) -> str:
    if len(word) != _WORD:
        raise ValueError(f"{word} for 32 bytes")
    return "0x" + word


def _bounded(word: str, most: int) -> int:
    value = int(word, 16)
    if value > most:
        raise ValueError(f"{value}, where at most {most} is possible")
    return value


@lru_cache(maxsize=1 << 16)
def checksummed(address: str) -> str:
    """An address in EIP-55 form.

    Examples
    --------
    >>> checksummed("0x" + "ab" * 20)
    '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB'
    """
    from eth_utils.address import to_checksum_address

    return to_checksum_address(address)


def as_json(parameter: Mapping[str, Any], value: Any) -> Any:
    """A value that eth_abi decoded, as JSON has it; ``parameter`` is what the ABI says of it.

    A string may be given as bytes: what is not UTF-8 in it is escaped, and NUL, which PostgreSQL
    does not take.
    """
    type_ = parameter["type"]
    if isinstance(value, bytes):
        if type_ != "string":
            return "0x" + value.hex()
        return value.decode("utf-8", "backslashreplace").replace("\0", r"\x00")
    if type_ == "address":
        return checksummed(value)
    if type_ == "tuple":
        components = zip(parameter["components"], value, strict=True)
        return {component["name"]: as_json(component, part) for component, part in components}
    if type_.endswith("]"):
        element = {**parameter, "type": type_[: type_.rindex("[")]}
        return [as_json(element, each) for each in value]
    return value

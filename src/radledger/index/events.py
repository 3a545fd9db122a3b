"""Logs decoded in bulk.

web3's ``process_log`` takes 2 ms a log.  Nearly all arguments of the contracts' events are one
word each, so here they are cut out of the hexadecimal text that the node gave; the few events
with structs, lists or bytes go through eth_abi.

Arguments have their Solidity names and the values that JSON has: addresses and bytes as ``0x…``
in lower case, integers as integers, structs as objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radledger.chain import artifacts
from radledger.chain.errors import RequestFailed

__all__ = ["ChainEvent", "EventDecoder", "as_json"]

_WORD = 64  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """Something that a contract recorded: where it stands, who did what, and when.

    Attributes
    ----------
    block, log_index
        Where it stands.
    contract, name
        Which contract emitted it, and its name in Solidity.
    who
        The account that acted: the one that the event names as such, or else the signer of the
        forwarded request, or else the sender of the transaction.
    arguments
        By their names in Solidity, as JSON has them.
    transaction
        Hash of the transaction, ``0x…``.
    timestamp
        Unix time of the block.
    """

    block: int
    log_index: int
    contract: str
    name: str
    who: str
    arguments: Mapping[str, Any]
    transaction: str
    timestamp: int


class EventDecoder:
    """Decodes the logs of contracts that the package ships.

    Parameters
    ----------
    addresses
        Address of each contract, by the contract's name.

    Examples
    --------
    >>> decoder = EventDecoder({"Forwarder": "0x" + "11" * 20})
    >>> topic = next(iter(decoder.topics))
    >>> contract, name, arguments = decoder.decode(
    ...     {"address": "0x" + "11" * 20, "topics": [topic, "0x" + "22".rjust(64, "0")],
    ...      "data": "0x" + "5".rjust(64, "0") + "1".rjust(64, "0")})
    >>> contract, name, arguments["nonce"], arguments["success"]
    ('Forwarder', 'ExecutedForwardRequest', 5, True)
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._contracts = {address.lower(): name for name, address in addresses.items()}
        self._kinds: dict[tuple[str, str], tuple[str, _Decode]] = {}
        for name in addresses:
            for entry in artifacts.load(name).abi:
                if entry["type"] == "event" and entry["inputs"]:
                    self._kinds[name, _topic(entry)] = (entry["name"], _decoder_of(entry))

    @property
    def topics(self) -> frozenset[str]:
        """The first topics of all events that are decoded."""
        return frozenset(topic for _, topic in self._kinds)

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
        try:
            contract = self._contracts[log["address"].lower()]
            name, decode = self._kinds[contract, log["topics"][0]]
            return contract, name, decode(log["topics"], log["data"][2:].lower())
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise RequestFailed(
                f"the node gave a log that no contract of this deployment writes: {error!r}",
                method="eth_getLogs",
                log=dict(log),
            ) from error


_Decode = Callable[[Sequence[str], str], dict[str, Any]]


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

    types = [collapse_if_tuple(each) for each in plain]  # type: ignore[arg-type]

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
        return lambda word: "0x" + word[24:]
    if type_ == "bytes32":
        return lambda word: "0x" + word
    if type_ == "bool":
        return lambda word: word[-1] == "1"
    if type_.startswith("uint") and not type_.endswith("]"):
        return lambda word: int(word, 16)
    return None


def as_json(parameter: Mapping[str, Any], value: Any) -> Any:
    """A value that eth_abi decoded, as JSON has it; ``parameter`` is what the ABI says of it."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if parameter["type"] == "tuple":
        components = zip(parameter["components"], value, strict=True)
        return {component["name"]: as_json(component, part) for component, part in components}
    if isinstance(value, tuple | list):
        return list(value)
    return value

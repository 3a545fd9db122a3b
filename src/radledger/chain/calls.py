"""Decoded calls of contracts: function and arguments by name, as the ABI has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from radledger.chain.enumerations import ENUMERATIONS
from radledger.texts import literal, quoted

if TYPE_CHECKING:
    from radledger.chain.ledger import Call, Ledger

__all__ = ["Said", "said", "words_of"]

_LONG = 64
"""Bytes that are shown as they are; of more, their digest is, by which they can be compared."""

_MANY = 100
"""Elements of a list that are shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """A call that was decoded.

    Attributes
    ----------
    contract, function
        Their names.
    arguments
        The arguments by name, as web3 decodes them.
    words
        Function and arguments in one line.
    """

    contract: str
    function: str
    arguments: Mapping[str, Any]
    words: str


def said(ledger: Ledger, to: str, data: str) -> Said:
    """Decode call data for a deployed contract.

    Parameters
    ----------
    ledger
        The connected contracts.
    to, data
        Address and call data, ``0x…``.

    Raises
    ------
    ValueError
        If no deployed contract has the address, or the data call none of its functions.
    """
    deployed = ledger.deployment.contracts.items()
    name = next((name for name, at in deployed if at.address.lower() == to.lower()), None)
    if name is None:
        raise ValueError(f"no deployed contract has the address {to}")
    return _decoded(ledger.contract(name), name, data)


def words_of(ledger: Ledger, account: str, call: Call) -> str:
    """Say in words what an account does with a call.

    Parameters
    ----------
    ledger
        The connected contracts.
    account
        Address of the account that makes it.
    call
        The call.
    """
    at = call.contract
    name = at if isinstance(at, str) else f"{at.name} at {at.address}"
    _, data = ledger.encode(at, call.function, *call.arguments)
    return f"{account} {_decoded(ledger.contract(at), name, data).words}"


def _decoded(contract: Any, name: str, data: str) -> Said:
    from eth_abi.exceptions import DecodingError
    from web3.exceptions import Web3Exception

    try:
        function, arguments = contract.decode_function_input(data)
    except (DecodingError, Web3Exception, ValueError, OverflowError) as error:
        raise ValueError(f"it calls no function of {name}: {quoted(data)}") from error
    inputs = function.abi["inputs"]
    named = _named(inputs, list(arguments.values()))
    what = f"calls {function.fn_name} of {name}" + (f" with {named}" if inputs else "")
    return Said(name, function.fn_name, arguments, what)


def _named(inputs: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> str:
    pairs = zip(inputs, values, strict=True)
    return ", ".join(f"{each['name']} {_word(each, each['type'], value)}" for each, value in pairs)


def _word(entry: Mapping[str, Any], type_: str, value: Any) -> str:
    """A value of an ABI entry, or of an element of its array."""
    if type_.endswith("]"):
        element = type_[: type_.rindex("[")]
        shown = [_word(entry, element, each) for each in value[:_MANY]]
        if len(value) > _MANY:
            shown.append(f"… ({len(value)} in all)")
        return f"[{', '.join(shown)}]"
    if type_ == "tuple":
        # web3 decodes a struct as a dictionary.
        values = value.values() if isinstance(value, Mapping) else value
        return f"({_named(entry['components'], list(values))})"
    meaning = str(entry.get("internalType", "")).partition("[")[0]
    members = ENUMERATIONS.get(meaning, ())
    if members and value < len(members):
        return str(members[value])
    if type_ == "bool":
        return "yes" if value else "no"
    if isinstance(value, bytes):
        if len(value) > _LONG:
            return f"{len(value)} bytes with SHA-256 0x{sha256(value).hexdigest()}"
        text = value.rstrip(b"\0")
        # A name, such as an attribute's; what has a type of its own is an id or a digest.
        is_name = type_ != "bytes" and meaning == type_ and text.isascii()
        if is_name and text and text.decode().isprintable():
            return literal(text.decode())
        return "0x" + value.hex()
    return literal(value) if type_ == "string" else str(value)

"""What the compiler says of the contracts' types and constants."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

__all__ = ["Constant", "Node", "Sources"]

Node = Mapping[str, Any]
"""A node of the syntax tree, or of the ABI."""

_OWN = ("contracts/", "interfaces/")
_OPERATORS: Mapping[str, Callable[[Any, Any], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "**": operator.pow,
    "<<": operator.lshift,
    "&": operator.and_,
    "|": operator.or_,
}
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_UNSIGNED = re.compile(r"type\(uint(\d+)\)")


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a contract.

    Attributes
    ----------
    source, contract, name
        Where it is declared, and as what.
    private
        Whether it is of no concern to others.
    value
        A number, or bytes.
    hashed
        The text of which it is the hash, if it is one.
    """

    source: str
    contract: str
    name: str
    private: bool
    value: int | bytes
    hashed: str | None


class Sources:
    """The project's sources, compiled.

    Parameters
    ----------
    output
        What the compiler answered: ABIs and syntax trees.
    """

    def __init__(self, output: Mapping[str, Any]) -> None:
        self._contracts = output["contracts"]
        trees = {name: source["ast"] for name, source in output["sources"].items()}
        self._declared = {node["id"]: node for tree in trees.values() for node in _walk(tree)}
        self._trees = {name: tree for name, tree in trees.items() if name.startswith(_OWN)}
        self._types = {
            node["canonicalName"]: node
            for tree in self._trees.values()
            for node in _walk(tree)
            if node["nodeType"] in ("EnumDefinition", "StructDefinition")
        }

    def types(self, folder: str) -> dict[str, Node]:
        """The project's enumerations and structs in the ABIs of a folder's contracts.

        Returns
        -------
        dict
            A parameter of each type, by its internal type.
        """
        entries = (
            entry
            for source, contracts in self._contracts.items()
            if source.startswith(folder)
            for contract in contracts.values()
            for entry in contract["abi"]
        )
        found = {_element_type(parameter): parameter for parameter in _parameters(entries)}
        return {
            internal: found[internal] for internal in found if _declared_as(internal) in self._types
        }

    def definition(self, internal_type: str) -> Node:
        """The definition of an enumeration or a struct in the syntax tree."""
        return self._types[_declared_as(internal_type)]

    def imported(self, folder: str) -> set[str]:
        """The sources in a folder and all that they import."""
        found: set[str] = set()
        left = [name for name in self._trees if name.startswith(folder)]
        while left:
            name = left.pop()
            if name in self._trees and name not in found:
                found.add(name)
                left += (
                    node["absolutePath"]
                    for node in self._trees[name]["nodes"]
                    if node["nodeType"] == "ImportDirective"
                )
        return found

    def constants(self, source: str) -> Iterator[Constant]:
        """Every constant of the contracts and libraries in a source."""
        for contract in self._trees[source]["nodes"]:
            for node in contract.get("nodes", []):
                if node["nodeType"] == "VariableDeclaration" and node["constant"]:
                    yield Constant(
                        source,
                        contract["name"],
                        node["name"],
                        node["visibility"] == "private",
                        self._value(node),
                        _hashed(node["value"]),
                    )

    def _value(self, node: Node) -> int | bytes:
        """The value of a constant in its type."""
        value, type_ = self._evaluated(node["value"]), node["typeName"]
        if type_["nodeType"] == "UserDefinedTypeName":
            type_ = self._declared[type_["referencedDeclaration"]]["underlyingType"]
        if not type_["name"].startswith("bytes"):
            return value
        length = int(type_["name"].removeprefix("bytes"))
        return value.to_bytes(length) if isinstance(value, int) else value.ljust(length, b"\0")

    def _evaluated(self, node: Node) -> int | bytes:
        match node["nodeType"]:
            case "Literal" if node["kind"] == "number":
                unit = _UNITS[node["subdenomination"]] if node.get("subdenomination") else 1
                return int(node["value"].replace("_", ""), 0) * unit
            case "Literal" if node["kind"] in ("string", "hexString"):
                return bytes.fromhex(node["hexValue"])
            case "Identifier" | "MemberAccess" if (
                node.get("referencedDeclaration") in self._declared
            ):
                return self._evaluated(self._declared[node["referencedDeclaration"]]["value"])
            case "MemberAccess" if node["memberName"] == "max":
                of_type = node["expression"]["typeDescriptions"]["typeString"]
                if unsigned := _UNSIGNED.fullmatch(of_type):
                    return (1 << int(unsigned[1])) - 1
            case "TupleExpression":
                return self._evaluated(node["components"][0])
            case "BinaryOperation":
                sides = node["leftExpression"], node["rightExpression"]
                return _OPERATORS[node["operator"]](*map(self._evaluated, sides))
            case "FunctionCall":
                argument = self._evaluated(node["arguments"][0])
                # All others are conversions, or `wrap` and `unwrap` of a type.
                return keccak(argument) if _is_hash(node) else argument
        raise ValueError(f"cannot evaluate the {node['nodeType']} at {node['src']}")


def _walk(node: Any) -> Iterator[Node]:
    """A node and all nodes below it."""
    if isinstance(node, list):
        for each in node:
            yield from _walk(each)
    elif isinstance(node, dict):
        if "id" in node:  # assembly has none
            yield node
        yield from _walk(list(node.values()))


def _parameters(entries: Iterable[Node]) -> Iterator[Node]:
    """Every parameter and result in an ABI, and every field of their structs."""
    for entry in entries:
        for name in ("inputs", "outputs", "components"):
            yield from entry.get(name, [])
            yield from _parameters(entry.get(name, []))


def _element_type(parameter: Node) -> str:
    """The internal type of a parameter, or of what it is an array of."""
    return str(parameter.get("internalType", "")).split("[")[0]


def _declared_as(internal_type: str) -> str:
    """``IImageRegistry.Kind`` of ``enum IImageRegistry.Kind``."""
    return internal_type.split(" ")[-1]


def _is_hash(call: Node) -> bool:
    return bool(call["expression"].get("name") == "keccak256")


def _hashed(node: Node) -> str | None:
    if node["nodeType"] == "FunctionCall" and _is_hash(node):
        return str(node["arguments"][0].get("value"))
    return None

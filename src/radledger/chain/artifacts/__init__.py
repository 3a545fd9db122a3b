"""The compiled contracts that ship with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from radledger.chain.errors import UnknownContract

__all__ = ["Artifact", "load", "names"]


@dataclass(frozen=True)
class Artifact:
    """One compiled contract.

    Attributes
    ----------
    name
        The contract's name in Solidity.
    abi
        Its JSON ABI.
    bytecode, deployed_bytecode
        The code that creates it, and the code that is then on the chain, its immutables as zeros.
    compiler, settings
        The compiler's version and the settings it was given.
    source_hash
        SHA-256 over the names and digests of all sources that it was compiled from.
    immutable_references
        ``(start, length)`` of each place in `deployed_bytecode` that the constructor fills.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    compiler: str
    settings: dict[str, Any]
    source_hash: str
    immutable_references: tuple[tuple[int, int], ...]

    def mask_immutables(self, code: bytes) -> bytes:
        """Return ``code`` with zeros where the constructor wrote immutables."""
        masked = bytearray(code)
        for start, length in self.immutable_references:
            masked[start : start + length] = bytes(length)
        return bytes(masked)

    def function(self, data: str) -> str | None:
        """Name of the function that call data (``0x…``) calls; None if there is no such function.

        Examples
        --------
        >>> load("LocalToken").function("0xa9059cbb")
        'transfer'
        """
        from eth_utils.abi import function_abi_to_4byte_selector

        for entry in self.abi:
            if entry["type"] == "function":
                selector = function_abi_to_4byte_selector(entry)  # type: ignore[arg-type]
                if data[:10] == "0x" + selector.hex():
                    return str(entry["name"])
        return None


@cache
def load(name: str) -> Artifact:
    """Return the compiled contract ``name``.

    Raises
    ------
    UnknownContract
        If there is none of that name.

    Examples
    --------
    >>> load("ImageRegistry").name
    'ImageRegistry'
    """
    path = resources.files(__name__) / f"{name}.json"
    if name not in names():
        raise UnknownContract(f"no contract {name}; there are {', '.join(names())}", contract=name)
    content = json.loads(path.read_text("utf-8"))
    return Artifact(
        name=content["contractName"],
        abi=content["abi"],
        bytecode=bytes.fromhex(content["bytecode"][2:]),
        deployed_bytecode=bytes.fromhex(content["deployedBytecode"][2:]),
        compiler=content["compiler"]["version"],
        settings=content["compiler"]["settings"],
        source_hash=content["sourceHash"],
        immutable_references=tuple(
            (place["start"], place["length"]) for place in content["immutableReferences"]
        ),
    )


@cache
def names() -> tuple[str, ...]:
    """Names of all compiled contracts, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name[:-5] for name in files if name.endswith(".json")))

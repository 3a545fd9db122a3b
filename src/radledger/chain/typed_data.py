"""Typed data as wallets show and sign it.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Domain", "Fields", "typed_data", "types_of"]

Fields = tuple[tuple[str, str], ...]
"""The fields of a struct: type and name of each, in order."""

_DOMAIN: Fields = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)


@dataclass(frozen=True, slots=True)
class Domain:
    """For which contract, on which chain, a signature counts."""

    name: str
    version: str
    chain_id: int
    contract: str

    @property
    def fields(self) -> dict[str, Any]:
        """The struct ``EIP712Domain``."""
        return {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.contract,
        }


def types_of(primary: str, fields: Fields) -> dict[str, list[dict[str, str]]]:
    """The types of a message that holds no other struct.

    Examples
    --------
    >>> types_of("Mail", (("string", "contents"),))["Mail"]
    [{'name': 'contents', 'type': 'string'}]
    """
    structs = {"EIP712Domain": _DOMAIN, primary: fields}
    return {
        struct: [{"name": name, "type": type_} for type_, name in named]
        for struct, named in structs.items()
    }


def typed_data(
    domain: Domain, primary: str, fields: Fields, message: Mapping[str, Any]
) -> dict[str, Any]:
    """Typed data as ``eth_signTypedData_v4`` takes it."""
    return {
        "types": types_of(primary, fields),
        "primaryType": primary,
        "domain": domain.fields,
        "message": dict(message),
    }

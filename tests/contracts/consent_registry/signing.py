"""What a subject signs: actions as typed data, and their signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account import Account

WORDS = {
    "purposes": (
        "any use, without restriction",
        "general research use",
        "health, medical or biomedical research",
        "disease-specific research",
        "research on population origins or ancestry",
        "clinical care",
        "method development",
        "research control",
        "teaching",
    ),
    "conditions": (
        "by a not-for-profit organisation only",
        "for non-commercial use only",
        "for genetic studies only",
        "results are published",
        "in collaboration with the primary investigators",
        "with ethics approval",
        "in the agreed region only",
        "no publication before the agreed date",
        "for the agreed time only",
        "by the agreed users only",
        "for the agreed project only",
        "at the agreed institution only",
        "results are returned to the database",
        "for the agreed type of research only",
        "no general methods research",
        "no research on population origins or ancestry",
    ),
}
"""The words that are signed for each bit, in the order of the bits."""


@dataclass(frozen=True)
class Action:
    """What a subject does directly or by signature: its function, typed data and parameters."""

    function: str
    message: str
    parameters: tuple[str, ...]

    @property
    def fields(self) -> list[dict[str, str]]:
        """The typed data's fields."""
        names = [*self.parameters, "signed", "deadline"]
        types = [field for name in names for field in TYPES[name].split(",")]
        return [dict(zip(("type", "name"), field.split(), strict=True)) for field in types]

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """The function's arguments out of named values."""
        return [
            tuple(values[field.split()[1]] for field in TYPES[name].split(","))
            if name in ("terms", "basis")
            else values[name]
            for name in self.parameters
        ]


TYPES = {
    "requester": "address requester",
    "subject": "address subject",
    "grantee": "address grantee",
    "scope": "bytes32 scope",
    "terms": "uint32 from,uint32 until,string[] purposes,string[] conditions,bytes13 disease",
    "basis": "uint32 seen,uint16 epoch",
    "epoch": "uint16 epoch",
    "forbidden": "bool forbidden",
    "seen": "uint32 seen",
    "signed": "uint32 signed",
    "deadline": "uint40 deadline",
}
ACTIONS = [
    Action("grant", "Grant", ("subject", "grantee", "scope", "terms", "basis")),
    Action("revoke", "Revoke", ("subject", "grantee", "scope")),
    Action("revokeAll", "RevokeAll", ("subject", "epoch")),
    Action("forbidEmergencies", "ForbidEmergencies", ("subject", "forbidden", "seen")),
    Action("approve", "Approve", ("requester", "subject", "grantee", "scope", "terms", "basis")),
]


def signature_of(contract, action, values, key, domain=()) -> str:
    """An action with these values, signed; `domain` replaces parts of the EIP-712 domain."""
    names = [field["name"] for field in action.fields]
    signature = Account.sign_typed_data(
        key,
        {**domain_of(contract), **dict(domain)},
        {action.message: action.fields},
        {name: as_signed(name, values[name]) for name in names},
    ).signature
    return "0x" + signature.hex().removeprefix("0x")


def domain_of(contract) -> dict[str, Any]:
    """The EIP-712 domain that a contract tells."""
    _, name, version, chain_id, verifier, *_ = contract.eip712Domain()
    return {
        "name": str(name),
        "version": str(version),
        "chainId": int(chain_id),
        "verifyingContract": str(verifier),
    }


def as_signed(name: str, value: Any) -> Any:
    """A value as eth-account signs it."""
    if name in WORDS:
        return [word for position, word in enumerate(WORDS[name]) if value >> position & 1]
    return bytes.fromhex(value[2:]) if name in ("scope", "disease") else value

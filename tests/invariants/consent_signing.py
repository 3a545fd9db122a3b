"""What patients and others sign for the consent registry, as wallets do (EIP-712)."""

from __future__ import annotations

from typing import Any, NamedTuple

from eth_account import Account

from radledger.consent import duo
from radledger.consent.bindings import TYPED_DATA
from tests.anvil import Contract
from tests.invariants.consent_model import DAY, KEYS


class Signed(NamedTuple):
    """A signed action: the call that submits it, and what the model needs to judge it."""

    function: str
    patient: str
    arguments: tuple[Any, ...]
    basis: tuple[int, int]
    authorization: tuple[str, int, int, bytes]


def in_words(
    start: int, until: int, purposes: int, conditions: int, disease: bytes
) -> tuple[Any, ...]:
    """Terms as they are signed."""
    words = duo.words(duo.PURPOSES, purposes), duo.words(duo.CONDITIONS, conditions)
    return (start, until, *words, disease)


def sign(
    consents: Contract,
    chain_id: int,
    key: str,
    function: str,
    arguments: tuple[Any, ...],
    basis: tuple[int, int],
    signed: int,
) -> Signed:
    """Sign a change, good for five days."""
    deadline = signed + 5 * DAY
    parts = {"grant": basis, "revoke": (), "revokeAll": basis[1:]}[function]
    name = function[0].upper() + function[1:]
    flat = [*arguments[:3], *(in_words(*arguments[3]) if len(arguments) > 3 else ())]
    signature = Account.sign_typed_data(
        KEYS[key],
        {
            "name": "RadLedger Consent",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": consents.address,
        },
        {name: [{"type": kind, "name": field} for kind, field in TYPED_DATA[name]]},
        dict(
            zip(
                (field for _, field in TYPED_DATA[name]),
                [*flat, *parts, signed, deadline],
                strict=True,
            )
        ),
    ).signature
    authorization = (key, signed, deadline, bytes(signature))
    return Signed(function, arguments[0], arguments, basis, authorization)

"""A hospital whose recorder acknowledges receipts, and factories for what it acknowledges."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import pytest
from brownie import accounts, chain
from eth_account import Account
from eth_utils import keccak

from radledger.crypto.merkle import MerkleTree
from tests.contracts.conftest import Role, digest, next_block_at, travel

DAY = 24 * 3600
OPEN_DAYS = 2
DEMAND_DAYS = 56
ANSWER_PERIOD = 7 * DAY
RING = 64
NO_END = 2**32 - 1
PENDING, ANCHORED, MISSING, OVERWRITTEN = range(4)
RECORDER_KEY, OTHER_KEY = "0x" + "4e" * 32, "0x" + "0f" * 32
ROOT = digest("root")

receipts = (digest(f"receipt {number}") for number in count())
"""Digests of fresh receipts."""


class Acknowledgement(NamedTuple):
    """What a recorder signs (``IAccessLedger.Acknowledgement``)."""

    receipt: str
    institution: str
    day: int


class Acknowledged(NamedTuple):
    """An acknowledgement with its compact signature (ERC-2098), as `demand` takes it."""

    acknowledgement: Acknowledgement
    r: str
    vs: str


def tree_of(*digests: str) -> MerkleTree:
    """The tree over the digests of receipts."""
    return MerkleTree(bytes.fromhex(each[2:]) for each in digests)


def compact(signed: Any) -> tuple[str, str]:
    """A signature in its two words."""
    s = signed.s | (signed.v - 27) << 255
    return "0x" + signed.r.to_bytes(32).hex(), "0x" + s.to_bytes(32).hex()


# ---------------------------------------------------------------------------- who acts


@pytest.fixture(scope="module")
def recorder(isolate_module, stranger):
    """The key of the hospital's key service: accredited for nothing, with some Ether."""
    recorder = accounts.add(RECORDER_KEY)
    stranger.transfer(recorder, "1 ether")
    return recorder


@pytest.fixture(scope="module")
def other_recorder(isolate_module, stranger):
    """The key of the clinic's key service."""
    recorder = accounts.add(OTHER_KEY)
    stranger.transfer(recorder, "1 ether")
    return recorder


@pytest.fixture(scope="module")
def archivist(relatives, participants, accredited, hospital):
    """A member of the hospital who keeps its images."""
    participants.admit(relatives[0], Role.CUSTODIAN, {"from": hospital})
    return relatives[0]


# ---------------------------------------------------------------------------- what is deployed


@pytest.fixture(scope="module")
def access(deploy, accredited, participants, consents, forwarder):
    """The access ledger with nothing recorded."""
    return deploy("AccessLedger", participants, consents, forwarder)


@pytest.fixture(scope="module")
def appointed(access, hospital, clinic, recorder, other_recorder):
    """Both institutions have a recorder."""
    access.appoint(recorder, {"from": hospital})
    access.appoint(other_recorder, {"from": clinic})
    return access


# ---------------------------------------------------------------------------- time


@pytest.fixture(scope="session")
def today() -> Callable[[], int]:
    """The day of the latest block."""
    return lambda: chain[-1].timestamp // DAY


@pytest.fixture(scope="session")
def at_day() -> Callable[..., None]:
    """Have the next block come so many seconds after the beginning of a day."""
    return lambda day, seconds=0: next_block_at(day * DAY + seconds)


@pytest.fixture(scope="session")
def on_day() -> Callable[..., None]:
    """Mine a block so many seconds after the beginning of a day, for views to answer at."""
    return lambda day, seconds=0: travel(day * DAY + seconds)


# ---------------------------------------------------------------------------- factories


@pytest.fixture(scope="module")
def acknowledged(appointed, hospital, today) -> Callable[..., Acknowledged]:
    """Have a recorder acknowledge a receipt, by default the hospital's, for today."""

    def acknowledged(receipt=None, institution=hospital, day=None, key=RECORDER_KEY, **domain: Any):
        receipt = next(receipts) if receipt is None else receipt
        made = Acknowledgement(receipt, str(institution), today() if day is None else day)
        _, name, version, chain_id, verifier, *_ = appointed.eip712Domain()
        signed = Account.sign_typed_data(
            key,
            {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifier}
            | domain,
            {
                "Acknowledgement": [
                    {"name": "receipt", "type": "bytes32"},
                    {"name": "institution", "type": "address"},
                    {"name": "day", "type": "uint32"},
                ]
            },
            made._asdict(),
        )
        return Acknowledged(made, *compact(signed))

    return acknowledged


@pytest.fixture
def tree() -> MerkleTree:
    """The tree over five receipts."""
    return tree_of(*(next(receipts) for _ in range(5)))


@pytest.fixture
def demanded(appointed, acknowledged, hospital, recorder, stranger, today, at_day):
    """A receipt of a day with a root that has four more, demanded as soon as it can be.

    Returns the acknowledgement and the proof that answers the demand.
    """
    day, receipt = today(), next(receipts)
    made = acknowledged(receipt)
    tree = tree_of(receipt, *(next(receipts) for _ in range(4)))
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + OPEN_DAYS + 1)
    appointed.demand(*made, {"from": stranger})
    return made.acknowledgement, tree.proof(0)


def demand_id(acknowledgement: Acknowledgement) -> str:
    """The id of a demand, computed without the contract."""
    type_hash = keccak(text="Acknowledgement(bytes32 receipt,address institution,uint32 day)")
    words = (
        bytes.fromhex(acknowledgement.receipt[2:]),
        bytes(12) + bytes.fromhex(acknowledgement.institution[2:]),
        acknowledgement.day.to_bytes(32),
    )
    return "0x" + keccak(type_hash + b"".join(words)).hex()

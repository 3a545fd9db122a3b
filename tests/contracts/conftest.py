"""What all contract tests share: who acts, what is deployed, and how a refusal is asserted.

Run by ``brownie test tests/contracts`` on a development chain.  Each module deploys once; each
test starts from there.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntFlag
from types import SimpleNamespace
from typing import Any

import pytest
from brownie import accounts, chain, project, web3
from brownie.exceptions import VirtualMachineError
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak

from radledger.imaging import bindings as imaging

RECOVERY_DELAY = 3 * 24 * 3600
MOST_OVERDUE = 2
PATIENT_KEY = "0x" + "5a" * 32
NOBODY = "0x" + "00" * 20


def digest(name: str) -> str:
    """A digest for the tests by the name of what it is of; zero for no name."""
    return "0x" + (keccak(text=name).hex() if name else "00" * 32)


def group(name: str, custodian: Any) -> str:
    """A visit or course of a custodian by its name; zero for no name."""
    return digest("") if not name else digest(name)[:26] + str(custodian)[2:].lower()


class ImageSet(imaging.ImageSet):
    """An image set, its digests as Brownie takes them, and its id."""

    @property
    def id(self) -> str:
        types = ["address", "address", "bytes32", "bytes32", "bytes32"]
        values = [*self[:2], *(bytes.fromhex(value[2:]) for value in self[2:])]
        return "0x" + keccak(encode(types, values)).hex()

    def anchored(self, kind: int = 0, instances: int = 3) -> imaging.NewImageSet:
        """What a custodian states to anchor it; `kind` as in ``IImageRegistry.Kind``."""
        manifest = digest("manifest")
        return imaging.NewImageSet(
            self.patient, self.root, manifest, self.visit, self.course, instances, kind
        )


class Role(IntFlag):
    """The bits of ``contracts/lib/Roles.sol``."""

    GOVERNOR = 1 << 0
    CUSTODIAN = 1 << 1
    CLINICIAN = 1 << 2
    RADIOLOGIST = 1 << 3
    RESEARCHER = 1 << 4
    SPONSOR = 1 << 5
    ANALYST = 1 << 6
    ANNOTATOR = 1 << 7
    DEVELOPER = 1 << 8
    EDUCATOR = 1 << 9
    MANUFACTURER = 1 << 10
    INSPECTOR = 1 << 11
    REGULATOR = 1 << 12
    MEMBER = 1 << 13


@contextmanager
def error(name: str, *values: Any) -> Iterator[None]:
    """Expect the custom error ``name`` with exactly these ``values``, from a call or a transaction.

    >>> with error("IdentityNotOwner", patient, stranger):  # doctest: +SKIP
    ...     identities.changeOwner(patient, stranger, {"from": stranger})
    """
    expected = f"{name}: {', '.join(map(_as_decoded, values))}"
    with pytest.raises(VirtualMachineError) as refusal:
        yield
    assert refusal.value.revert_msg == expected


def _as_decoded(value: Any) -> str:
    """The text that Brownie makes of a decoded value."""
    if isinstance(value, IntFlag):
        value = value.value
    if hasattr(value, "address"):
        value = value.address
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower() if len(value) == 42 else str(bytes.fromhex(value[2:]))
    return str(bytes(value)) if isinstance(value, bytes) else str(value)


def plain(value: Any) -> Any:
    """What a call returned, structs too, as Python's own types: Brownie's refuse comparisons."""
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)


def travel(timestamp: int) -> None:
    """Mine a block at ``timestamp`` (Unix time), which must be later than the latest block."""
    next_block_at(timestamp)
    chain.mine()


def next_block_at(timestamp: int) -> None:
    """Have the next block, with the transaction that comes next, bear ``timestamp``."""
    if web3.client_version.startswith("Ganache"):
        method, argument = "evm_setTime", timestamp * 1_000
    else:
        method, argument = "evm_setNextBlockTimestamp", timestamp
    answer = web3.provider.make_request(method, [argument])
    assert "error" not in answer, answer


def pytest_collection_finish() -> None:
    """Spare most of what Brownie does at each of some thousand snapshots and reverts."""
    # It collects garbage: what is there by now need not be looked at again.
    gc.collect()
    gc.freeze()
    # It reads the source of every caller, to warn those that are not its own.
    caller = SimpleNamespace(frame=SimpleNamespace(f_locals={"self": chain}))
    sys.modules["brownie.network.rpc"].inspect = SimpleNamespace(stack=lambda: [None, caller])
    # It takes for dropped what anvil has counted and has no receipt of yet.
    receipts = sys.modules["brownie.network.transaction"].TransactionReceipt
    receipts._await_confirmation = _once_there_is_a_receipt(receipts._await_confirmation)


def _once_there_is_a_receipt(await_confirmation: Callable[..., None]) -> Callable[..., None]:
    def awaited(transaction: Any, *arguments: Any, **named: Any) -> None:
        deadline = time.monotonic() + 60
        while not _has_receipt(transaction.txid) and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        await_confirmation(transaction, *arguments, **named)

    return awaited


def _has_receipt(transaction: str) -> bool:
    answer = web3.provider.make_request("eth_getTransactionReceipt", [transaction])
    return bool(answer.get("result"))


@pytest.fixture(scope="module", autouse=True)
def isolate_module(module_isolation: None) -> None:
    """Each module starts on an empty chain."""


@pytest.fixture(autouse=True)
def isolate(fn_isolation: None) -> None:
    """Each test starts from what its module deployed."""


@pytest.fixture(scope="session")
def governor():
    return accounts[0]


@pytest.fixture(scope="session")
def hospital():
    return accounts[1]


@pytest.fixture(scope="session")
def clinic():
    return accounts[2]


@pytest.fixture(scope="session")
def radiologist():
    return accounts[3]


@pytest.fixture(scope="session")
def researcher():
    return accounts[4]


@pytest.fixture(scope="session")
def stranger():
    return accounts[5]


@pytest.fixture(scope="session")
def relatives():
    """Three people whom a patient trusts, in the ascending order of a guardian list."""
    return sorted(accounts[6:9], key=lambda account: int(account.address, 16))


@pytest.fixture(scope="module")
def patient(isolate_module, stranger):
    """A patient whose private key the tests know, so that they can sign, with some Ether."""
    patient = accounts.add(PATIENT_KEY)
    stranger.transfer(patient, "1 ether")
    return patient


@pytest.fixture(scope="session")
def deploy(governor):
    """Deploys a contract by its name: ``deploy("ParticipantRegistry", forwarder, [governor])``."""
    (contracts,) = project.get_loaded_projects()
    return lambda name, *arguments: getattr(contracts, name).deploy(*arguments, {"from": governor})


@pytest.fixture(scope="module")
def forwarder(deploy, isolate_module):
    """OpenZeppelin's ERC-2771 forwarder, which all deployments here trust."""
    return deploy("Forwarder")


@pytest.fixture(scope="module")
def participants(deploy, forwarder, governor):
    """The participant registry with one governor and no participants."""
    return deploy("ParticipantRegistry", forwarder, [governor])


@pytest.fixture(scope="module")
def identities(deploy, forwarder):
    """The identity registry with a recovery delay of three days."""
    return deploy("IdentityRegistry", forwarder, RECOVERY_DELAY)


@pytest.fixture(scope="module")
def images(deploy, identities, participants, forwarder):
    """The image registry with nothing anchored."""
    return deploy("ImageRegistry", identities, participants, forwarder)


@pytest.fixture(scope="module")
def consents(deploy, identities, participants, images):
    """The consent registry with nothing granted; patients may forbid emergencies."""
    return deploy("ConsentRegistry", identities, participants, images, True, MOST_OVERDUE)


@pytest.fixture(scope="module")
def accredited(participants, governor, hospital, clinic, radiologist, researcher):
    """The hospital with its radiologist and the clinic with its researcher, all accredited."""
    roles = Role.CUSTODIAN | Role.CLINICIAN | Role.RADIOLOGIST | Role.RESEARCHER
    participants.admitInstitution(hospital, roles, {"from": governor})
    participants.admitInstitution(clinic, roles, {"from": governor})
    participants.admit(radiologist, Role.CLINICIAN | Role.RADIOLOGIST, {"from": hospital})
    participants.admit(researcher, Role.RESEARCHER, {"from": clinic})


@pytest.fixture(scope="module")
def anchor(images, accredited, patient, hospital):
    """Anchors an image set of the patient and returns its five values, as contracts take them."""

    def anchor(
        root="image set", visit="visit", course="course", patient=patient, custodian=hospital
    ):
        groups = (group(name, custodian) for name in (visit, course))
        image_set = ImageSet(custodian.address, patient.address, digest(root), *groups)
        images.anchor(image_set.anchored(), {"from": custodian})
        return image_set

    return anchor


@pytest.fixture(scope="session")
def now():
    """The time of the latest block, which a transaction that follows may exceed by a second."""
    return lambda: chain[-1].timestamp


def sign_request(forwarder, signer, call, deadline, gas: int = 500_000, after: int = 0):
    """The argument of ``forwarder.execute`` that makes ``signer`` the sender of ``call``.

    ``call`` is a pair of a contract and its encoded input; ``after`` is how many requests of the
    signer come before it.
    """
    target, data = call
    fields = (
        "from:address to:address value:uint256 gas:uint256 nonce:uint256 deadline:uint48 data:bytes"
    )
    _, name, version, chain_id, verifier, *_ = forwarder.eip712Domain()
    signed = Account.sign_typed_data(
        signer.private_key,
        {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifier},
        {
            "ForwardRequest": [
                dict(zip(("name", "type"), field.split(":"), strict=True))
                for field in fields.split()
            ]
        },
        {
            "from": signer.address,
            "to": target.address,
            "value": 0,
            "gas": gas,
            "nonce": forwarder.nonces(signer) + after,
            "deadline": deadline,
            "data": data,
        },
    )
    return (signer.address, target.address, 0, gas, deadline, data, signed.signature)

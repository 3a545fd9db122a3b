"""What all contract tests share: who acts, what is deployed, and how a refusal is asserted.

Run by ``brownie test tests/contracts`` on a development chain.  Each module deploys once; each
test starts from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from brownie import accounts, chain
from brownie.exceptions import VirtualMachineError

RECOVERY_DELAY = 3 * 24 * 3600
PATIENT_KEY = "0x" + "5a" * 32


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
    if hasattr(value, "address"):
        value = value.address
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower() if len(value) == 42 else str(bytes.fromhex(value[2:]))
    return str(bytes(value)) if isinstance(value, bytes) else str(value)


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


@pytest.fixture(scope="module")
def forwarder(Forwarder, isolate_module, governor):
    return Forwarder.deploy({"from": governor})


@pytest.fixture(scope="module")
def participants(ParticipantRegistry, forwarder, governor):
    """The participant registry with one governor and nobody admitted."""
    return ParticipantRegistry.deploy(forwarder, [governor], {"from": governor})


@pytest.fixture(scope="module")
def identities(IdentityRegistry, forwarder, governor):
    """The identity registry with a recovery delay of three days."""
    return IdentityRegistry.deploy(forwarder, RECOVERY_DELAY, {"from": governor})


@pytest.fixture(scope="session")
def now():
    """The time of the latest block, which a transaction that follows may exceed by a second."""
    return lambda: chain[-1].timestamp

"""Who develops, executes and recalls algorithms, and factories for what they state."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import pytest
from brownie import accounts, chain
from eth_abi import encode
from eth_utils import keccak

from tests.contracts.conftest import ImageSet, Role, digest

YEAR = 365 * 24 * 3600
NAME = "Lung nodule detection"
LABEL = "1.0.0"
NONE = digest("")
WEIGHTS = digest("weights")
CONDITIONS = digest("conditions")
NO_DISEASE = "0x" + "00" * 13
DEVELOPER_KEY = "0x" + "d3" * 32

digests = (f"0x{number:064x}" for number in count(0xA1 << 200))
"""Fresh digests, for whatever needs one."""


class Purpose:
    """The purposes of ``contracts/lib/DataUse.sol`` that images are used for here."""

    BIOMEDICAL_RESEARCH = 1 << 2
    CLINICAL_CARE = 1 << 5
    METHOD_DEVELOPMENT = 1 << 6


CARE = (Purpose.CLINICAL_CARE, 0, NO_DISEASE)
"""The use of images for the patient's own care."""


class NewVersion(NamedTuple):
    """What a version is, and what it came from (``IAlgorithmRegistry.NewVersion``)."""

    digest: str = WEIGHTS
    dataset: str = NONE
    dataset_version: int = 0
    conditions: str = CONDITIONS
    parent: str = NONE


def family(code: str = "DCM:123110") -> str:
    """The code of an algorithm family as contracts take it; by default artificial intelligence."""
    return "0x" + code.encode().hex().ljust(32, "0")


def algorithm_id(institution: Any, name: str = NAME) -> str:
    """The id of an algorithm, computed without the contract."""
    return "0x" + keccak(bytes.fromhex(str(institution)[2:]) + name.encode()).hex()


def version_id(
    institution: Any,
    developers: list[Any],
    stated: NewVersion | None = None,
    name: str = NAME,
    label: str = LABEL,
) -> str:
    """The id of a version, computed without the contract."""
    types = ["bytes32", "string", "(bytes32,bytes32,uint32,bytes32,bytes32)", "address[]"]
    fields = tuple(
        value if isinstance(value, int) else bytes.fromhex(value[2:])
        for value in stated or NewVersion()
    )
    algorithm = bytes.fromhex(algorithm_id(institution, name)[2:])
    return (
        "0x" + keccak(encode(types, [algorithm, label, fields, list(map(str, developers))])).hex()
    )


def execution_id(version: str, operator: Any, images: list[str], use: tuple[Any, ...], output: str):
    """The id of an execution, computed without the contract."""
    types = ["bytes32", "address", "bytes32[]", "(uint16,uint16,bytes13)", "bytes32"]
    *masks, disease = use
    values = [
        bytes.fromhex(version[2:]),
        str(operator),
        [bytes.fromhex(image[2:]) for image in images],
        (*masks, bytes.fromhex(disease[2:])),
        bytes.fromhex(output[2:]),
    ]
    return "0x" + keccak(encode(types, values)).hex()


# ---------------------------------------------------------------------------- who acts


@pytest.fixture(scope="session")
def vendor():
    """The institution whose algorithms these are."""
    return accounts[9]


@pytest.fixture(scope="module")
def developer(isolate_module, stranger):
    """A developer of the vendor whose private key the tests know, with some Ether."""
    developer = accounts.add(DEVELOPER_KEY)
    stranger.transfer(developer, "1 ether")
    return developer


@pytest.fixture(scope="session")
def regulator(relatives):
    """A supervisor of devices, an institution of its own."""
    return relatives[0]


@pytest.fixture(scope="session")
def neighbour(relatives):
    """Another patient."""
    return relatives[1]


# ---------------------------------------------------------------------------- what is deployed


@pytest.fixture(scope="module")
def accredited(
    participants, governor, hospital, clinic, vendor, regulator, radiologist, researcher, developer
):
    """A hospital that keeps and reads images, a vendor, a clinic that develops too, a regulator."""
    kept = Role.CUSTODIAN | Role.RADIOLOGIST
    participants.admitInstitution(hospital, kept, {"from": governor})
    participants.admitInstitution(vendor, Role.DEVELOPER, {"from": governor})
    participants.admitInstitution(clinic, Role.RESEARCHER | Role.DEVELOPER, {"from": governor})
    participants.admitInstitution(regulator, Role.REGULATOR, {"from": governor})
    participants.admit(radiologist, Role.RADIOLOGIST, {"from": hospital})
    participants.admit(researcher, Role.RESEARCHER, {"from": clinic})
    participants.admit(developer, Role.DEVELOPER, {"from": vendor})
    return participants


@pytest.fixture(scope="module")
def algorithms(deploy, accredited, consents, forwarder):
    """The algorithm registry with nothing registered."""
    return deploy("AlgorithmRegistry", accredited, consents, forwarder)


# ---------------------------------------------------------------------------- factories


@pytest.fixture(scope="module")
def publish(algorithms, developer) -> Callable[..., Any]:
    """Publish a version of the developer, by default the first one; returns the transaction."""

    def publish(sender=developer, name=NAME, label=LABEL, developers=None, **stated: Any) -> Any:
        credited = [developer] if developers is None else developers
        return algorithms.publish(name, label, NewVersion(**stated), credited, {"from": sender})

    return publish


@pytest.fixture(scope="module")
def version(publish, vendor, developer) -> str:
    """The id of a version that has been published before what the tests publish."""
    publish(label="0.9.0")
    return version_id(vendor, [developer], label="0.9.0")


@pytest.fixture(scope="module")
def anchored(images, hospital, patient) -> Callable[..., ImageSet]:
    """Anchor an image set of a patient and return its five values."""

    def anchored(owner=patient) -> ImageSet:
        image_set = ImageSet(hospital.address, owner.address, next(digests), NONE, NONE)
        images.anchor(image_set.anchored(), {"from": hospital})
        return image_set

    return anchored


@pytest.fixture(scope="module")
def consented(consents, patient, hospital) -> Callable[..., str]:
    """Grant an institution or a person the use of images for care; returns the grant's id."""

    def consented(owner=patient, grantee=hospital, scope=NONE, purposes=Purpose.CLINICAL_CARE):
        start = chain[-1].timestamp
        granted = (start, start + YEAR, purposes, 0, NO_DISEASE)
        consents.grant(owner, grantee, scope, granted, {"from": owner})
        return str(consents.grantIdOf(owner, grantee, scope))

    return consented


@pytest.fixture(scope="module")
def execute(algorithms, version, radiologist) -> Callable[..., Any]:
    """Record an execution by the hospital's radiologist, for care unless said otherwise."""

    def execute(*image_sets: ImageSet, sender=radiologist, of=version, use=CARE, output=None):
        output = digest("output") if output is None else output
        return algorithms.recordExecution(of, image_sets, use, output, {"from": sender})

    return execute

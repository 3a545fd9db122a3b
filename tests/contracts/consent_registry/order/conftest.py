"""Documents that a patient signed at chosen times."""

from __future__ import annotations

import pytest
from brownie import web3

from tests.contracts.conftest import PATIENT_KEY, error, next_block_at
from tests.contracts.consent_registry.conftest import ALL, DAY, Purpose, Terms, code
from tests.contracts.consent_registry.signing import ACTIONS, signature_of

DOUBT = 2 * DAY
FOREVER = 2**32 - 1
CARE = Terms(0, FOREVER, int(Purpose.CARE), 0, code(""))
ACTION = {action.function: action for action in ACTIONS}


@pytest.fixture
def slot(consents, patient, radiologist):
    """The time of signing and the status that the registry keeps."""

    def slot():
        grant = consents.grantOf(patient, radiologist, ALL)
        return grant[2], grant[7]

    return slot


@pytest.fixture
def document(consents, patient, radiologist, now):
    """Signs an action of the patient; returns what submits it."""

    def document(function, signed, terms=CARE, seen=0, epoch=0):
        action = ACTION[function]
        values = {
            "requester": radiologist.address,
            "subject": patient.address,
            "grantee": radiologist.address,
            "scope": ALL,
            **terms.named(),
            "seen": seen,
            "epoch": epoch,
            "signed": signed,
            "deadline": now() + 100 * DAY,
        }
        signature = signature_of(consents, action, values, PATIENT_KEY)
        authorization = (patient, signed, values["deadline"], signature)
        call = getattr(consents, f"{function}BySig")
        return lambda: call(*action.arguments(values), authorization, {"from": radiologist})

    return document


@pytest.fixture
def superseded(patient, radiologist):
    """Expects that a document is refused for one that prevails."""

    def superseded(name, signed):
        return error(name, patient, radiologist, ALL, signed)

    return superseded


@pytest.fixture
def late(now):
    """A time at which all that was signed by then has been possible for long."""
    next_block_at(now() + 30 * DAY)
    web3.provider.make_request("evm_mine", [])
    return now()

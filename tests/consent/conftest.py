"""What the tests of consent share: the services, and two image sets of the patient."""

from __future__ import annotations

import secrets

import pytest

from radledger.consent import Consents
from radledger.imaging.model import ImageSet, Kind
from tests.identity.cast import identities, participants, travel, who

__all__ = ["identities", "participants", "travel", "who"]


def digest():
    return "0x" + secrets.token_bytes(32).hex()


@pytest.fixture
def consents(ledger):
    return Consents(ledger)


@pytest.fixture
def anchor(ledger, who):
    """Anchor an image set of the patient that the hospital holds."""

    def anchor_image_set():
        image_set = ImageSet(
            who.hospital.address, who.patient.address, digest(), digest(), digest()
        )
        _, patient, root, visit, course = image_set.struct
        new = (patient, root, bytes(32), visit, course, 1, Kind.ORIGINAL.number)
        ledger.send(who.hospital, "ImageRegistry", "anchor", new)
        return image_set

    return anchor_image_set


@pytest.fixture
def image_set(anchor):
    return anchor()


@pytest.fixture
def other_image_set(anchor):
    return anchor()


@pytest.fixture
def patient_with_ether(ledger, who):
    """The patient holds no Ether; who acts directly needs some."""
    ledger.web3.provider.make_request("anvil_setBalance", [who.patient.address, hex(10**18)])

"""What the tests of consent share: the services, and two image sets of the patient."""

from __future__ import annotations

import math
import secrets

import pytest

from radledger.chain.clock import Clock
from radledger.consent import Consents
from radledger.imaging.bindings import NewImageSet
from radledger.imaging.model import ImageSet, Kind, group_digest
from tests.identity.cast import identities, participants, travel, who

__all__ = ["identities", "participants", "travel", "who"]


def digest():
    return "0x" + secrets.token_bytes(32).hex()


@pytest.fixture(autouse=True)
def chain_clock(request, monkeypatch):
    """Go by the chain's clock alone, so that times are exact; ``wall`` sets this machine's."""
    if "ledger" in request.fixturenames:
        monkeypatch.setattr(request.getfixturevalue("ledger"), "clock", Clock(wall=lambda: 0))


@pytest.fixture
def consents(ledger):
    return Consents(ledger)


@pytest.fixture
def anchor(ledger, who):
    """Anchor an image set: by default one of the patient that the hospital holds."""

    def anchor_image_set(custodian=who.hospital, patient=who.patient):
        whose = (custodian.address, patient.address)
        groups = (group_digest(whose[0], secrets.token_bytes(32), "") for _ in range(2))
        image_set = ImageSet(*whose, digest(), *groups)
        _, patient, root, visit, course = image_set.struct
        kind = Kind.ORIGINAL.number
        new = NewImageSet(patient, root, bytes(32), visit, course, instances=1, kind=kind)
        ledger.send(custodian, "ImageRegistry", "anchor", new)
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


@pytest.fixture
def wall(ledger, monkeypatch):
    """Set this machine's clock to so many seconds after the latest block."""

    def set_after_block(seconds, max_block_age=math.inf):
        time = ledger.now() + seconds
        monkeypatch.setattr(ledger, "clock", Clock(lambda: time, max_block_age))

    return set_after_block

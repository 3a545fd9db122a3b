"""What the tests of consent share: the services, and two image sets of the patient."""

from __future__ import annotations

import math
import secrets
from dataclasses import replace

import pytest

from radledger.chain.clock import Clock
from radledger.consent import Consents
from radledger.consent.diseases import encode_disease
from radledger.consent.permission import Use
from radledger.consent.receipts import Receipts
from radledger.consent.release import CustodianKeyService
from radledger.crypto.keys import public_key
from radledger.imaging.keys import Receipt
from radledger.imaging.model import NONE, ImageSet, Kind, group_digest
from tests.consent.holding import PRIVATE_KEY, Holding
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
    """Anchor an image set of the patient that the hospital holds."""

    def anchor_image_set():
        hospital, patient = who.hospital.address, who.patient.address
        groups = (group_digest(hospital, secrets.token_bytes(32), "") for _ in range(2))
        image_set = ImageSet(hospital, patient, digest(), *groups)
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


@pytest.fixture
def holding(ledger, who, image_set, other_image_set):
    return Holding(ledger, who.hospital, image_set, other_image_set)


@pytest.fixture
def receipts(tmp_path):
    return Receipts(tmp_path / "receipts.sqlite3")


@pytest.fixture
def service(ledger, receipts, holding):
    return CustodianKeyService(
        ledger, receipts, show=holding.show, secret=holding.secret, rekey=holding.rekey
    )


@pytest.fixture
def reader(identities, who):
    identities.set_key(who.radiologist, public_key(PRIVATE_KEY))
    return who.radiologist


@pytest.fixture
def ask(ledger, consents, image_set):
    """Make the receipt with which somebody asks for an image set, signed by that person."""

    def signed(signer, image_set=image_set, purposes=("CC",), fulfilled=(), **changes):
        use = Use.of(purposes, fulfilled)
        decision = consents.check(signer.address, image_set, purposes, fulfilled=fulfilled)
        receipt = Receipt(
            reader=signer.address,
            image_id=image_set.image_id,
            purposes=use.purposes,
            fulfilled=use.fulfilled,
            disease="0x" + encode_disease(None).hex(),
            grant_id=decision.grant_id or NONE,
            time=ledger.now(),
            chain_id=ledger.chain_id,
            contract=ledger.address("ConsentRegistry"),
        )
        return replace(receipt, **changes).sign(signer)

    return signed


@pytest.fixture
def wall(ledger, monkeypatch):
    """Set this machine's clock to so many seconds after the latest block."""

    def set_after_block(seconds, max_block_age=math.inf):
        time = ledger.now() + seconds
        monkeypatch.setattr(ledger, "clock", Clock(lambda: time, max_block_age))

    return set_after_block

"""What the tests of access share: a custodian's holdings, its key service, and a reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.access import (
    AccessLedger,
    CustodianKeyService,
    Reading,
    Receipt,
    ReceiptBook,
)
from radledger.access.days import DAY
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.crypto.keys import public_key
from radledger.imaging.model import NONE
from tests.access.holding import PRIVATE_KEY, Holding
from tests.consent.conftest import (
    anchor,
    chain_clock,
    consents,
    image_set,
    other_image_set,
    patient_with_ether,
    wall,
)
from tests.identity.cast import identities, participants, travel, who

__all__ = [
    "anchor",
    "chain_clock",
    "consents",
    "identities",
    "image_set",
    "other_image_set",
    "participants",
    "patient_with_ether",
    "travel",
    "wall",
    "who",
]


@pytest.fixture
def holding(ledger, who, image_set, other_image_set):
    return Holding(ledger, who.hospital, image_set, other_image_set)


@pytest.fixture
def receipts(tmp_path):
    return ReceiptBook(tmp_path / "receipts.sqlite3")


@pytest.fixture
def service(ledger, receipts, holding):
    return CustodianKeyService(
        ledger, receipts, show=holding.show, secret=holding.secret, rekey=holding.rekey
    )


@pytest.fixture
def access(ledger, receipts):
    return AccessLedger(ledger, receipts)


@pytest.fixture
def noon(ledger, travel):
    """Let it be noon, so that what a test does within minutes is of one day."""
    now = ledger.now()
    travel(DAY - now % DAY + DAY // 2)


@pytest.fixture
def recorder(noon, access, who):
    """The key of the hospital's key service."""
    recorder = who.relatives[0]
    access.appoint(recorder.address).send(who.hospital)
    return recorder


@pytest.fixture
def acknowledging(ledger, receipts, holding, recorder):
    """A key service of the hospital that acknowledges receipts."""
    return CustodianKeyService(
        ledger, receipts, show=holding.show, secret=holding.secret, recorder=recorder
    )


@pytest.fixture
def reader(identities, who):
    identities.set_key(public_key(PRIVATE_KEY)).send(who.radiologist)
    return who.radiologist


@pytest.fixture
def ask(ledger, consents, image_set):
    """Make the signed receipt with which a reader asks for an image set."""

    def signed(signer, image_set=image_set, purposes=("CC",), fulfilled=(), **changes):
        decision = consents.check(signer.address, image_set, purposes, fulfilled=fulfilled)
        grant_id, use = decision.grant_id or NONE, Use.of(purposes, fulfilled)
        receipt = Receipt.of(ledger, signer.address, image_set.image_id, use, grant_id)
        return replace(receipt, **{"time": ledger.now()} | changes).sign(signer)

    return signed


@pytest.fixture
def reading(ledger, holding, receipts):
    return Reading(ledger, holding, receipts)


@pytest.fixture
def acknowledged(consents, acknowledging, reading, image_set, reader, who, receipts):
    """Read the image set; returns the digest of the receipt, which is acknowledged."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)

    def read():
        reading.secret(
            image_set.image_id,
            reader=reader,
            private_key=PRIVATE_KEY,
            key_service=acknowledging,
            use=Use.of(["CC"]),
        )
        return "0x" + receipts.acknowledged()[-1].signed.receipt.digest.hex()

    return read

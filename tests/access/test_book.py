"""The book of receipts: who is written down in it, and that nothing is taken out of it."""

from __future__ import annotations

import sqlite3
import stat

import pytest

from radledger.access import ReceiptBook
from radledger.access.errors import ReceiptReplayed
from radledger.consent import Terms
from radledger.imaging.model import NONE
from tests.access.holding import PRIVATE_KEY, opened

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CARE = Terms(("CC",))


def test_a_reading_of_their_own_leaves_a_receipt_of_the_custodian(
    consents, holding, image_set, ledger, reader, reading, receipts, service, who, ask
):
    own = reading.secret(image_set.image_id, reader=who.hospital, private_key=PRIVATE_KEY)
    assert (own.secret, own.block_age) == (holding.secret(image_set.image_id), None)
    (kept,) = receipts.releases(image_set.image_id)
    receipt = kept.signed.receipt
    assert kept.signed.signer == receipt.reader == who.hospital.address
    assert (receipt.grant_id, receipt.purposes, kept.released_at) == (NONE, 0, ledger.now())
    # The custodian needs no grant to hold the secret: nothing is encrypted again for it.
    before = holding.secret(image_set.image_id)
    consents.grant(reader.address, CARE).send(who.patient)
    assert opened(service.release(ask(reader))) == before


def test_a_book_of_receipts_is_private_and_only_added_to(
    consents, tmp_path, service, receipts, reader, who, ask
):
    consents.grant(reader.address, CARE).send(who.patient)
    service.release(ask(reader))
    path = tmp_path / "receipts.sqlite3"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ReceiptBook(path).releases() == receipts.releases()
    database = sqlite3.connect(path)
    for change in ("DELETE FROM releases", "UPDATE releases SET released_at = 0"):
        with pytest.raises(sqlite3.IntegrityError, match="is kept"):
            database.execute(change)
    database.close()
    with pytest.raises(ReceiptReplayed):
        receipts.keep(receipts.releases()[0])

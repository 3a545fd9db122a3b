"""The book of receipts: who is written down in it, and that nothing is taken out of it."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace
from datetime import date

import pytest

from radledger.access import Acknowledged, Acknowledgement, ReceiptBook, Release
from radledger.access.days import DAY, to_number
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


def test_a_book_of_an_earlier_release_is_brought_up(consents, tmp_path, service, reader, who, ask):
    consents.grant(reader.address, CARE).send(who.patient)
    service.release(ask(reader))
    path = tmp_path / "receipts.sqlite3"
    before = ReceiptBook(path).releases()
    with sqlite3.connect(path) as database:
        database.executescript(
            "DROP TABLE acknowledgements; DROP INDEX releases_by_time; PRAGMA user_version = 1;"
        )
    database.close()
    book = ReceiptBook(path)
    assert book.releases() == before
    assert book.acknowledged() == ()


def test_acknowledgements_are_only_added_to(tmp_path, receipts, ask, reader, who):
    made = Acknowledgement("0x" + "11" * 32, who.hospital.address, date(2026, 11, 30), "0x22")
    receipts.keep_acknowledged(Acknowledged(ask(reader), made))
    database = sqlite3.connect(tmp_path / "receipts.sqlite3")
    for change in ("DELETE FROM acknowledgements", "UPDATE acknowledgements SET day = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="is kept"):
            database.execute(change)
    database.close()
    assert len(receipts.acknowledged()) == 1


def test_receipts_of_a_day_end_at_midnight(ledger, receipts, ask, reader):
    midnight = to_number(date(2026, 11, 30)) * DAY
    times = (midnight - 1, midnight, midnight + DAY - 1, midnight + DAY)
    kept = [ask(reader) for _ in times]
    for time, signed in zip(times, kept, strict=True):
        receipts.keep(Release(signed, NONE, time))
    elsewhere = replace(kept[0].receipt, chain_id=1).sign(reader)
    receipts.keep(Release(elsewhere, NONE, midnight))
    whose = (ledger.chain_id, ledger.address("ConsentRegistry"))
    found = receipts.on_day(date(2026, 11, 30), *whose)
    assert found == [each.receipt.digest for each in kept[1:3]]
    # Those for another chain are of its days.
    assert receipts.on_day(date(2026, 11, 30), 1, whose[1]) == [elsewhere.receipt.digest]
    assert receipts.on_day(date(2026, 11, 30), whose[0], reader.address) == []

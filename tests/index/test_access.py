"""Who had access: receipts of this home, grants and emergencies of the chain, in one list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.access import Receipt, ReceiptBook, Release
from tests.index.story import digest


@pytest.fixture
def url(tmp_path):
    """SQLite; that PostgreSQL gives the same is shown where the index is built."""
    return f"sqlite:///{tmp_path / 'index.sqlite3'}"


@pytest.fixture
def release(ledger, story, who):
    """A release to the radiologist, which stands in a book of receipts."""
    receipt = Receipt(
        reader=who.radiologist.address,
        image_id=story.original.image_id,
        purposes=32,
        fulfilled=0,
        disease="0x" + "00" * 13,
        grant_id=digest("grant"),
        time=ledger.now(),
        chain_id=ledger.chain_id,
        contract=ledger.address("ConsentRegistry"),
    )
    return Release(receipt.sign(who.radiologist), digest("manifest"), ledger.now())


def events(log):
    return [access.event for access in log]


def test_an_image_sets_log_has_readings_grants_and_emergencies(
    index, story, release, who, tmp_path
):
    book = ReceiptBook(tmp_path / "receipts.sqlite3")
    book.keep(release)
    log = index.access_log(book.releases(), story.original.image_id)
    assert events(log)[-1] == "released"
    assert events(log).count("emergency declared") == 3
    assert events(log).count("emergency reviewed") == 1
    assert events(log).count("all revoked") == 1
    # The patient ended the last one.
    ended = [access for access in log if access.images == "emergency"][-1]
    assert (ended.event, ended.reader) == ("revoked", who.clinician.address)
    assert [access.timestamp for access in log] == sorted(access.timestamp for access in log)
    read = log[-1]
    assert (read.images, read.purposes) == (story.original.image_id, ("CC",))
    assert read.evidence == "0x" + release.signed.receipt.digest.hex()


def test_a_log_of_another_image_set_has_not_its_reading(index, story, release):
    assert "released" not in events(index.access_log([release], story.erased.image_id))


@pytest.mark.parametrize("whose", ["radiologist", "patient"])
def test_a_log_is_found_by_reader_and_by_patient(index, release, who, whose):
    address = getattr(who, whose).address
    assert "released" in events(index.access_log([release], address))
    assert "released" not in events(index.access_log([release], who.clinic.address))


def test_what_was_released_on_another_chain_is_not_of_this_one(index, release):
    other = replace(release.signed.receipt, chain_id=1)
    elsewhere = replace(release, signed=replace(release.signed, receipt=other))
    assert "released" not in events(index.access_log([elsewhere]))
    assert "released" in events(index.access_log([release]))

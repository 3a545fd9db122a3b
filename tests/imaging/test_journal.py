"""The journal under many hands."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from radledger.imaging.journal import Journal
from radledger.imaging.model import NONE
from radledger.imaging.schema import FileRow, Purpose

PURPOSE = Purpose("0x" + "11" * 20, "0x" + "22" * 20, "basic")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite3"


def row(set_id, number):
    return FileRow(
        set_id=set_id,
        source_digest=secrets.token_bytes(32),
        sop_instance=f"1.2.{number}",
        sop_class="1.2",
        transfer_syntax="1.2",
        number=number,
        salt=secrets.token_bytes(32),
        file_digest=secrets.token_bytes(32),
        image_digest=secrets.token_bytes(32),
        cid=f"cid {number}",
        size=1,
    )


def test_connections_and_threads_write_at_once(path):
    journals = [Journal(path) for _ in range(3)]
    opened = {each.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT").set_id for each in journals}
    (set_id,) = opened

    def add(number):
        journal = journals[number % 3]
        assert journal.known(PURPOSE, secrets.token_bytes(32)) is None
        journal.add_file(row(set_id, number))
        found = journal.instance_of(PURPOSE, NONE, NONE, "1.2", "1.3", f"1.2.{number}")
        assert found is not None
        assert found[0] == set_id

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(add, range(300)))
    assert [each.number for each in journals[0].files(set_id)] == list(range(300))


def test_secrets_keys_and_salts_are_each_ones_own(path):
    journal = Journal(path)
    other = Purpose(PURPOSE.custodian, "0x" + "33" * 20, "basic")
    sets = [
        journal.open_set(purpose, NONE, NONE, "1.2", series, "CT")
        for purpose in (PURPOSE, other)
        for series in ("1.3", "1.4")
    ]
    assert len({each.secret for each in sets}) == 4
    assert journal.pseudonym_key(PURPOSE) == journal.pseudonym_key(PURPOSE)
    assert journal.pseudonym_key(PURPOSE) != journal.pseudonym_key(other)
    # neither another patient's visit nor a course of that name has the same digest
    digests = [
        journal.group(PURPOSE, "visit", "first"),
        journal.group(other, "visit", "first"),
        journal.group(PURPOSE, "course", "first"),
        journal.group(PURPOSE, "visit", "second"),
    ]
    assert len(set(digests)) == 4
    assert journal.group(PURPOSE, "visit", "first") == digests[0]


def test_it_is_found_again(path):
    journal = Journal(path)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT")
    file = row(opened.set_id, 1)
    journal.add_file(file)
    journal.close()
    again = Journal(path)
    assert again.sets([opened.set_id]) == [opened]
    assert again.files(opened.set_id) == [file]
    assert again.known(PURPOSE, file.source_digest) == opened.set_id

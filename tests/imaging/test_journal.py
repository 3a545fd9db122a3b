"""The journal under many hands, in SQLite and in PostgreSQL."""

from __future__ import annotations

import gc
import secrets
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from radledger.imaging.errors import HomeBusy, InvalidJournalUrl, JournalUnavailable
from radledger.imaging.journal import database
from radledger.imaging.journal.database import in_schema
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.tables import FileRow, Purpose
from radledger.imaging.model import NONE

HOME = HomeKey.new()
PURPOSE = Purpose("0x" + "11" * 20, "0x" + "22" * 20, "basic")


@pytest.fixture
def location(each_journal, tmp_path):
    return each_journal or tmp_path / "journal.sqlite3"


def test_journal_that_is_not_used_any_more_is_closed(location):
    journal = Journal(location, HOME)
    pool = weakref.ref(journal._database._engine.pool)
    del journal
    for _ in range(2):  # what ends the connection has the pool once more
        gc.collect()
    assert pool() is None  # and with it its connections


def end_all_sessions(url):
    """Let a server end the sessions of all clients of a database, as a restart does."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


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


def add(journal, file):
    journal.storing([file.cid], "adding")
    return journal.add_files([file])[0]


def seal(journal, row, manifest_cid="cid"):
    fixed = replace(row, image_id="0x01", root="0x02", manifest_cid=manifest_cid)
    journal.seal(fixed, len(journal.files(row.set_id)))


def test_connections_and_threads_write_at_once(location):
    journals = [Journal(location, HOME) for _ in range(3)]
    opened = {
        each.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key).set_id
        for each in journals
    }
    (set_id,) = opened

    def add_one(number):
        journal = journals[number % 3]
        assert journal.known(PURPOSE, secrets.token_bytes(32)) is None
        add(journal, row(set_id, number))
        found = journal.instance_of(PURPOSE, NONE, NONE, "1.2", "1.3", f"1.2.{number}")
        assert found is not None
        assert found[0] == set_id

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(add_one, range(300)))
    assert [each.number for each in journals[0].files(set_id)] == list(range(300))


def test_secrets_keys_and_salts_are_each_ones_own(location):
    journal = Journal(location, HOME)
    other = Purpose(PURPOSE.custodian, "0x" + "33" * 20, "basic")
    sets = [
        journal.open_set(purpose, NONE, NONE, "1.2", series, "CT", HOME.public_key)
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


def test_it_is_found_again(location):
    journal = Journal(location, HOME)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key)
    file = row(opened.set_id, 1)
    add(journal, file)
    journal.close()
    again = Journal(location, HOME)
    assert again.sets([opened.set_id]) == [opened]
    assert again.files(opened.set_id) == [file]
    assert again.known(PURPOSE, file.source_digest).set_id == opened.set_id


def test_a_sealed_set_takes_no_file(location):
    journal = Journal(location, HOME)
    key = (PURPOSE, NONE, NONE, "1.2", "1.3")
    sealed = journal.open_set(*key, "CT", HOME.public_key)
    assert add(journal, row(sealed.set_id, 1))
    seal(journal, sealed)
    assert not add(journal, row(sealed.set_id, 2))
    begun = journal.open_set(*key, "CT", HOME.public_key)
    assert begun.set_id != sealed.set_id
    assert add(journal, row(begun.set_id, 2))
    assert [each.set_id for each in journal.unconfirmed(PURPOSE.custodian)] == [sealed.set_id]


def test_of_two_files_of_one_instance_the_first_is_taken(location):
    journal = Journal(location, HOME)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key)
    first = row(opened.set_id, 1)
    assert add(journal, first)
    assert not add(journal, first)
    assert not add(journal, row(opened.set_id, 1))
    assert journal.files(opened.set_id) == [first]


def test_what_nothing_names_is_garbage_once_it_is_abandoned(location):
    journal = Journal(location, HOME)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key)
    named, left = row(opened.set_id, 1), row(opened.set_id, 2)
    assert add(journal, named)
    journal.storing([left.cid], "adding")
    journal.storing(["manifest"], "adding")
    journal.storing(["elsewhere"], "rekeying")
    seal(journal, opened, "manifest")
    assert journal.garbage() == []
    journal.abandon("adding")
    assert journal.garbage() == [left.cid]
    journal.abandon("rekeying")
    assert sorted(journal.garbage()) == sorted([left.cid, "elsewhere"])


def test_what_was_abandoned_is_not_named_later(location):
    """A worker that was taken for dead may still be running."""
    journal = Journal(location, HOME)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key)
    late = row(opened.set_id, 1)
    journal.storing([late.cid], "adding")
    journal.abandon("adding")
    assert journal.add_files([late]) == [False]
    assert journal.files(opened.set_id) == []


def test_many_open_it_at_once(location):
    with ThreadPoolExecutor(8) as threads:
        journals = list(threads.map(lambda _: Journal(location, HOME), range(8)))
    assert len({each.group(PURPOSE, "visit", "first") for each in journals}) == 1
    for journal in journals:
        journal.close()


def test_only_one_works_on_a_servers_journal(postgresql):
    first, second = Journal(postgresql), Journal(postgresql)
    with first.claimed("adding"):
        with pytest.raises(HomeBusy, match="another process is adding images"):
            second.claimed("adding").__enter__()
        with second.claimed("rekeying"):
            pass
    with second.claimed("adding"):
        pass


def test_each_schema_is_a_journal_of_its_own(postgresql):
    one, other = (Journal(in_schema(postgresql, name)) for name in ("imaging_1", "imaging_2"))
    assert one.group(PURPOSE, "visit", "1") != other.group(PURPOSE, "visit", "1")


def test_a_connection_that_was_lost_is_made_again(postgresql):
    journal = Journal(postgresql)
    visit = journal.group(PURPOSE, "visit", "1")
    end_all_sessions(postgresql)
    with pytest.raises(JournalUnavailable):
        journal.group(PURPOSE, "visit", "1")
    assert journal.group(PURPOSE, "visit", "1") == visit


def test_a_claim_is_kept_over_a_lost_connection(postgresql):
    first, second = Journal(postgresql), Journal(postgresql)
    with first.claimed("adding"):
        end_all_sessions(postgresql)
        for journal in (first, second):
            with pytest.raises(JournalUnavailable):
                journal.group(PURPOSE, "visit", "1")
        first.group(PURPOSE, "visit", "1")
        with pytest.raises(HomeBusy):
            second.claimed("adding").__enter__()
    with second.claimed("adding"):
        pass


def test_a_claim_that_another_took_over_meanwhile_ends_the_work(postgresql, monkeypatch):
    monkeypatch.setattr(database, "_CLAIM_WITHIN", "100ms")
    first, other = Journal(postgresql), Journal(postgresql)
    with first.claimed("adding"):
        end_all_sessions(postgresql)
        with pytest.raises(JournalUnavailable):
            other.group(PURPOSE, "visit", "1")
        with other.claimed("adding"):
            with pytest.raises(JournalUnavailable):
                first.group(PURPOSE, "visit", "1")
            with pytest.raises(HomeBusy, match="lost, and another process is adding") as error:
                first.group(PURPOSE, "visit", "1")
    assert "run again" in error.value.message
    # It has let go, and can be used again.
    with other.claimed("adding"), pytest.raises(HomeBusy):
        first.claimed("adding").__enter__()
    with first.claimed("adding"):
        assert first.group(PURPOSE, "visit", "1")


def test_what_is_not_a_journal(tmp_path):
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        Journal(tmp_path / "text")
    for url in ("mysql://localhost/journal", "nonsense", ""):
        with pytest.raises(InvalidJournalUrl, match="postgresql://USER"):
            Journal(url)
    with pytest.raises(JournalUnavailable) as error:
        Journal("postgresql://somebody:secret@127.0.0.1:9/journal")
    assert "secret" not in str(error.value)

"""Databases in SQLite, and what is kept in them, under many hands."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import pytest

from radledger.access import ReceiptBook
from radledger.chain.sending.journal import Intents
from radledger.databases import SqliteDatabase
from radledger.errors import DatabaseOfLaterRelease, DatabaseUnavailable
from radledger.imaging.journal.journal import Journal
from radledger.index.database import IndexDatabase, IndexOwner

SCHEMA = ("CREATE TABLE IF NOT EXISTS visits (day INTEGER NOT NULL UNIQUE) STRICT;",)
PROCESSES, FILES = 4, 25


@pytest.fixture
def path(tmp_path):
    return tmp_path / "house" / "visits.sqlite3"


@pytest.fixture(params=[None, "a file"])
def database(request, path):
    database = SqliteDatabase(path if request.param else None, SCHEMA)
    yield database
    database.close()


def visit(database, *days):
    with database.writing() as write:
        for day in days:
            write("INSERT INTO visits VALUES (?)", day)


def altered(path, statement):
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)


def days(database):
    return [day for (day,) in database.rows("SELECT day FROM visits ORDER BY day")]


def test_a_transaction_is_all_or_nothing(database):
    visit(database, 1)
    with pytest.raises(sqlite3.IntegrityError):
        visit(database, 2, 1)
    assert days(database) == [1]
    visit(database, 2)
    assert days(database) == [1, 2]


def test_threads_share_it(database):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda day: visit(database, day), range(200)))
    assert days(database) == list(range(200))


def test_it_is_its_owners_alone(path):
    visit(SqliteDatabase(path, SCHEMA), 1)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_is_made_when_it_is_first_used(path):
    database = SqliteDatabase(path, SCHEMA)
    database.close()
    assert not path.exists()
    database.open()
    assert path.exists()


def test_what_is_not_a_database_is_known_at_once(path):
    path.parent.mkdir()
    path.write_text("no database, but a letter of some length" * 100)
    with pytest.raises(DatabaseUnavailable, match="not a database") as error:
        SqliteDatabase(path, SCHEMA).open()
    assert error.value.values == {"path": str(path)}


def test_what_cannot_be_written_is_reported(path):
    database = SqliteDatabase(path, SCHEMA)
    visit(database, 1)
    altered(path, "ALTER TABLE visits RENAME TO elsewhere")
    with pytest.raises(DatabaseUnavailable, match="no such table"):
        visit(database, 2)
    altered(path, "ALTER TABLE elsewhere RENAME TO visits")
    visit(database, 2)
    assert days(database) == [1, 2]
    database.close()


# ---------------------------------------------------------------------------------- other releases


LATER = (
    *SCHEMA,
    "ALTER TABLE visits ADD COLUMN name TEXT NOT NULL DEFAULT 'unknown';",
)


def version(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def test_a_file_of_an_earlier_release_is_brought_up(path):
    database = SqliteDatabase(path, SCHEMA)
    visit(database, 1)
    database.close()
    assert version(path) == 1
    later = SqliteDatabase(path, LATER)
    assert later.rows("SELECT day, name FROM visits") == [(1, "unknown")]
    later.close()
    assert version(path) == 2


def test_a_file_from_before_there_were_versions_is_taken_as_it_is(path):
    database = SqliteDatabase(path, SCHEMA)
    visit(database, 1)
    database.close()
    altered(path, "PRAGMA user_version = 0")
    database = SqliteDatabase(path, SCHEMA)
    assert days(database) == [1]
    database.close()
    assert version(path) == 1


def test_a_file_of_a_later_release_is_refused_and_left_alone(path):
    SqliteDatabase(path, LATER).open()
    before = path.read_bytes()
    with pytest.raises(DatabaseOfLaterRelease, match="layout 2, here 1") as error:
        SqliteDatabase(path, SCHEMA).open()
    assert error.value.values == {"path": str(path), "layout": 2, "supported": 1}
    assert path.read_bytes() == before


def test_a_script_that_fails_changes_nothing(path):
    """As with a process that was killed in it: SQLite takes back what was not committed."""
    database = SqliteDatabase(path, SCHEMA)
    visit(database, 1)
    database.close()
    failing = (*SCHEMA, f"{LATER[1]} DROP TABLE nowhere")
    with pytest.raises(DatabaseUnavailable, match="no such table: nowhere"):
        SqliteDatabase(path, failing).open()
    assert version(path) == 1
    later = SqliteDatabase(path, LATER)
    assert later.rows("SELECT day, name FROM visits") == [(1, "unknown")]
    later.close()


# ------------------------------------------------------------------------------ several processes


def open_intents(path):
    Intents(path.parent).newest(1)


def open_index(path):
    path.parent.mkdir(exist_ok=True)
    IndexDatabase(
        f"sqlite:///{path}", IndexOwner(1, "0x01", {"Forwarder": "0x02"}, {"Forwarder": 1})
    ).open()


@pytest.mark.parametrize("opened", [ReceiptBook, Journal, open_intents, open_index])
def test_processes_make_it_at_once(tmp_path, opened):
    context = get_context("fork")
    together = context.Barrier(PROCESSES)

    def open_each():
        try:
            for number in range(FILES):
                together.wait(timeout=60)
                opened(tmp_path / str(number) / "new.sqlite3")
        except BaseException:
            together.abort()  # the others need not wait
            raise

    children = [context.Process(target=open_each) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=120)
    assert [child.exitcode for child in children] == [0] * PROCESSES


def test_others_see_what_one_writes_while_more_open_and_close_it(path):
    """Opened twice by one process, it must not lose the locks that keep its log from others."""
    ours, again = SqliteDatabase(path, SCHEMA), SqliteDatabase(path, SCHEMA)
    visit(ours, 1)
    assert days(again) == [1]
    script = (
        "import sqlite3, sys; database = sqlite3.connect(sys.argv[1]); "
        "print(database.execute('SELECT count(*) FROM visits').fetchone()[0]); database.close()"
    )
    counts = []
    for day in (2, 3):
        visit(ours, day)
        command = [sys.executable, "-c", script, str(path)]
        counts.append(int(subprocess.check_output(command)))
    assert counts == [2, 3]
    assert days(again) == [1, 2, 3]


def test_what_was_deleted_is_in_none_of_its_files(path):
    notes = SqliteDatabase(path, ("CREATE TABLE notes (text TEXT) STRICT;",))
    with notes.writing() as write:
        write("INSERT INTO notes VALUES ('a study of somebody')")
    with notes.writing() as write:
        write("DELETE FROM notes")

    def kept():
        return b"a study of somebody" in b"".join(
            each.read_bytes() for each in path.parent.glob("visits.sqlite3*")
        )

    assert kept()
    with closing(sqlite3.connect(path)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM notes").fetchone()
        notes._connection.execute("PRAGMA busy_timeout = 0")
        assert not notes.forget()
    assert notes.forget()
    assert not kept()
    notes.close()


def test_nothing_is_forgotten_in_memory(database):
    visit(database, 1)
    assert database.forget()
    assert days(database) == [1]

"""The journal's tables, brought up from those of earlier releases by Alembic."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from radledger.errors import DatabaseOfLaterRelease
from radledger.imaging.errors import JournalUnavailable
from radledger.imaging.journal import migrations
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.tables import Purpose, metadata
from radledger.imaging.model import NONE

HOME = HomeKey.new()
PURPOSE = Purpose("0x" + "11" * 20, "0x" + "22" * 20, "basic")
# What a later release may do: change a table that others name.
LATER = """
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    with op.batch_alter_table("sets", table_kwargs={"sqlite_strict": True}) as table:
        table.add_column(sa.Column("place", sa.Text, nullable=False, server_default="here"))
        table.alter_column("modality", new_column_name="kind")
"""


@pytest.fixture
def location(each_journal, tmp_path):
    return each_journal or tmp_path / "journal.sqlite3"


@pytest.fixture
def filled(location):
    """A journal with a set and a row that names it; returns what it holds."""
    journal = Journal(location, HOME)
    opened = journal.open_set(PURPOSE, NONE, NONE, "1.2", "1.3", "CT", HOME.public_key)
    journal.authenticate(opened)
    journal.close()
    return opened


@pytest.fixture
def run(location):
    """Runs a statement on the journal behind its back."""

    def on_journal(statement):
        if isinstance(location, Path):
            with closing(sqlite3.connect(location, isolation_level=None)) as connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(location, autocommit=True) as connection:
            connection.execute("SET search_path = radledger")
            found = connection.execute(statement)
            return found.fetchall() if found.description else None

    return on_journal


@pytest.fixture
def later(tmp_path, monkeypatch):
    """Makes this release one with a further revision."""

    def released(script=LATER):
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        present = Path(migrations.__file__).parent
        for path in (present / "env.py", *present.glob("versions/*.py")):
            (folder / path.relative_to(present)).write_text(path.read_text())
        (folder / "versions" / "revision_0004.py").write_text(script)
        monkeypatch.setattr(migrations, "_SCRIPTS", str(folder))
        monkeypatch.setattr(migrations, "LATEST", "0004")

    return released


def test_the_revisions_lead_to_the_tables(location):
    """An empty database that goes through all of them, and one that is made at once."""
    journal = Journal(location)
    connection = journal._database.connection
    metadata.drop_all(connection)
    migrations._version.drop(connection)
    connection.commit()
    with journal._database.transaction(durable=True):
        migrations.upgrade(connection)
    assert migrations.is_latest(connection)
    assert (
        ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
        == migrations.LATEST
    )
    assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    journal.close()


def test_the_revisions_lead_to_the_same_file(tmp_path):
    """Beyond what SQLAlchemy compares: strict tables, tables without row ids, partial indexes."""
    made, brought_up = tmp_path / "made.sqlite3", tmp_path / "brought up.sqlite3"
    Journal(made).close()
    with closing(sqlite3.connect(brought_up)) as connection:
        connection.execute("CREATE TABLE sets (set_id INTEGER)")
    engine = sqlalchemy.create_engine(f"sqlite:///{brought_up}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE sets")
        migrations.upgrade(connection)
    engine.dispose()

    def content(path):
        query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        with closing(sqlite3.connect(path)) as connection:
            return [(name, words(sql)) for name, sql in connection.execute(query)]

    def words(sql):
        return "".join(sql.replace("IF NOT EXISTS", "").split()).lower()

    made, brought_up = dict(content(made)), dict(content(brought_up))
    assert made.pop("alembic_version")
    assert brought_up.pop("alembic_version")
    assert brought_up == made


def test_a_journal_without_a_version_opens_as_it_was(location, filled, run):
    run("DROP TABLE alembic_version")
    journal = Journal(location, HOME)
    assert journal.sets([filled.set_id]) == [filled]
    assert migrations.is_latest(journal._database.connection)
    journal.close()


def test_a_journal_of_a_later_release_is_refused_and_left_alone(location, filled, run):
    run("UPDATE alembic_version SET version_num = '0004'")
    with pytest.raises(DatabaseOfLaterRelease, match="layout 0004, here 0003") as error:
        Journal(location, HOME)
    assert error.value.values == {"layout": "0004", "supported": "0003"}
    assert run("SELECT version_num FROM alembic_version") == [("0004",)]
    assert run("SELECT secret FROM sets") == [(filled.secret,)]


def test_an_earlier_journal_is_brought_up(location, filled, later, run):
    later()
    Journal(location).close()
    assert run("SELECT place, kind, secret FROM sets") == [("here", "CT", filled.secret)]
    assert run("SELECT set_id FROM seals") == [(filled.set_id,)]
    assert run("SELECT version_num FROM alembic_version") == [("0004",)]


def test_rows_that_name_no_set_are_refused_again_afterwards(tmp_path, later):
    location = tmp_path / "journal.sqlite3"
    Journal(location).close()
    later()
    journal = Journal(location)
    insert = "INSERT INTO seals VALUES (7, 'set', x'00')"
    with pytest.raises(JournalUnavailable, match="FOREIGN KEY"), journal._database.errors():
        journal._database.connection.exec_driver_sql(insert)
    journal.close()


def test_many_bring_it_up_at_once(location, filled, later):
    later()
    with ThreadPoolExecutor(8) as threads:
        journals = list(threads.map(lambda _: Journal(location, HOME), range(8)))
    assert all(migrations.is_latest(each._database.connection) for each in journals)
    for journal in journals:
        journal.close()


def test_a_process_that_is_killed_on_the_way_loses_nothing(location, filled, later, run):
    later(LATER + "    import os; os._exit(9)\n")
    child = get_context("fork").Process(target=Journal, args=(location,))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 9
    assert run("SELECT modality, secret FROM sets") == [("CT", filled.secret)]
    (Path(migrations._SCRIPTS) / "versions" / "revision_0004.py").write_text(LATER)
    Journal(location).close()
    assert run("SELECT place, kind, secret FROM sets") == [("here", "CT", filled.secret)]


def test_alembic_is_imported_only_where_a_journal_is_brought_up(tmp_path):
    """It takes a quarter of a second, which no command is to pay for nothing."""
    script = (
        "import sys; from pathlib import Path; "
        "from radledger.imaging.journal.journal import Journal; "
        "Journal(Path(sys.argv[1])).close(); Journal(Path(sys.argv[1])).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "journal.sqlite3")]
    assert subprocess.run(command, check=False).returncode == 0

"""What the tests of imaging share: the service in a home of its own, and files to add."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pydicom
import pytest
from psycopg import sql
from sqlalchemy import text

from radledger.chain import deployments
from radledger.imaging.home import imaging_folder
from radledger.imaging.journal.journal import Journal
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from tests.imaging.archive import Run, additions, counted, write_series
from tests.postgresql import empty_database

_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'imaging%'"

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


class Actors:
    """The project's people by name."""

    def __init__(self, people):
        self.__dict__.update(people)


@pytest.fixture
def who(people):
    return Actors(people)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def journal():
    """URL of the database that has the journal; nothing for SQLite in the home."""


@pytest.fixture(params=["sqlite", "postgresql"])
def each_journal(request):
    """The journal in a database of each kind, for tests whose `journal` is this one."""
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else None


@pytest.fixture
def new_journal(journal):
    """Empties the database of the journal, and gives its URL; a new home has a new SQLite file."""

    def emptied():
        if journal is not None:
            empty_database(journal)
        return journal

    return emptied


@pytest.fixture
def journal_holds(journal, home):
    """Whether something is in the journal: in an SQLite file's pages, or in PostgreSQL's rows."""

    def holds(value):
        if journal is None:
            return value in b"".join(path.read_bytes() for path in home.rglob("journal.sqlite3*"))
        with psycopg.connect(journal) as connection:
            found = [
                field.encode() if isinstance(field, str) else field
                for table in connection.execute(_TABLES).fetchall()
                for row in connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(*table)))
                for field in row
            ]
        return value in found

    return holds


@pytest.fixture
def images(ledger, store, home, journal):
    return Images(ledger, store, home, journal)


@pytest.fixture
def add(images, who):
    """Add paths for the patient, as the hospital."""

    def add_paths(*paths, **options):
        return images.add(paths, who.patient.address, custodian=who.hospital, **options)

    return add_paths


@pytest.fixture
def series(tmp_path):
    """A CT series of five small slices."""
    return write_series(tmp_path / "series", 5, size=64)


@pytest.fixture
def sample():
    """One of pydicom's own files by name."""
    return lambda name: SAMPLES / name


@pytest.fixture
def stored_files(store, tmp_path):
    """Every content that the store keeps."""
    return lambda: sorted(path.name for path in (tmp_path / "store" / "pinned").glob("*/*"))


@pytest.fixture
def patients(who):
    return [who.patient.address, who.stranger.address]


@pytest.fixture
def run_of(ledger, home, tmp_path, who, patients, journal):
    """A run that adds studies, each an addition of its own."""
    deployments.save(tmp_path / "deployments", ledger.deployment)

    def make(studies, store=None, **options):
        return Run(
            endpoint=ledger.web3.provider.endpoint_uri,
            deployments=tmp_path / "deployments",
            chain_id=ledger.chain_id,
            home=home,
            store=store or LocalStore(tmp_path / "store"),
            journal=journal,
            key=bytes(who.hospital.key),
            additions=additions(studies, patients),
            options=options,
        )

    return make


@pytest.fixture
def wrong(ledger, patients, stored_files):
    """What is wrong with what is on the chain and in the store."""
    return lambda images, studies: counted(ledger, images, studies, patients, stored_files())


@pytest.fixture
def worker(images):
    """Reads and writes the journal, as a worker of a cluster can."""
    journal = Journal(images._home.journal.location)

    def run(statement, **values):
        result = journal._database.connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None

    yield run
    journal.close()


@pytest.fixture
def home_path(home, ledger):
    return imaging_folder(home, ledger)


@pytest.fixture
def key_path(home_path, journal):
    return home_path / ("journal.key" if journal is None else "journal-postgresql.key")

"""What the tests of imaging share: the service in a home of its own, and files to add."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.service import Images
from radledger.storage import LocalStore

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
def images(ledger, store, home):
    return Images(ledger, store, home)


@pytest.fixture
def add(images, who):
    """Add paths for the patient, as the hospital."""

    def add_paths(*paths, **options):
        return images.add(paths, who.patient.address, custodian=who.hospital, **options)

    return add_paths


@pytest.fixture
def series(tmp_path):
    """A CT series of five small slices."""
    folder = tmp_path / "series"
    make_ct_series(folder, 5, size=64)
    return folder


@pytest.fixture
def sample():
    """One of pydicom's own files by name."""
    return lambda name: SAMPLES / name


@pytest.fixture
def stored_files(store, tmp_path):
    """Every content that the store keeps."""
    return lambda: sorted(path.name for path in (tmp_path / "store" / "pinned").glob("*/*"))

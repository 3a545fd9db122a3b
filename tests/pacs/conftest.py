"""What the tests of PACS share: an inbox, a receiver, and peers of dcmtk and pynetdicom."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import pydicom
import pytest

from radledger.dicom.synthetic import make_ct_series
from radledger.pacs.inbox import Inbox
from radledger.pacs.patients import PatientList
from radledger.pacs.settings import Bounds, Settings
from tests.dcmtk import program

PATIENT = "0x00000000000000000000000000000000000000A1"
TITLE = "RADLEDGER"


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Three slices of one study."""
    folder = tmp_path_factory.mktemp("study")
    return sorted(make_ct_series(folder, 3, size=32))


@pytest.fixture(scope="session")
def header(study):
    return pydicom.dcmread(study[0])


@pytest.fixture
def patient_list(tmp_path, header):
    """A list that names the patient of the study."""
    file = tmp_path / "patients.csv"
    file.write_text(f"patient_id,patient\n{header.PatientID},{PATIENT}\n")
    return file


@pytest.fixture
def inbox(tmp_path):
    inbox = Inbox(tmp_path / "inbox")
    yield inbox
    inbox.close()


@pytest.fixture
def under_way(tmp_path):
    """Folder of files under way."""
    folder = tmp_path / "inbox" / "receiving"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def now():
    """A clock that a test sets."""
    return SimpleNamespace(time=1_000_000.0)


@pytest.fixture
def listening(inbox, under_way, patient_list, now):
    """Run a receiver; gives its port."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.receiver import Receiver

    @contextmanager
    def listening(
        allowed=("STORESCU", "ECHOSCU", "PYNETDICOM"), tls=None, committer=None, **bounds
    ):
        settings = Settings(TITLE, allowed, tls, Bounds(**bounds))
        patients = PatientList(patient_list, str)
        receiver = Receiver(inbox, under_way, patients, settings, committer, lambda: now.time)
        with receiver.listening("127.0.0.1", 0) as port:
            yield port

    return listening


@pytest.fixture
def dcmtk():
    """Run a program of dcmtk against a port; gives its exit code and what it says."""

    def run(name, port, *arguments, title=TITLE):
        files = [each for each in arguments if str(each).endswith(".dcm")]
        options = [each for each in arguments if each not in files]
        command = [program(name), "-v", "-aec", title, *options, "127.0.0.1", str(port), *files]
        done = subprocess.run(
            [str(each) for each in command], capture_output=True, text=True, timeout=60
        )
        return SimpleNamespace(code=done.returncode, said=done.stdout + done.stderr)

    return run


@pytest.fixture
def association():
    """Associate with a receiver by pynetdicom."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE

    @contextmanager
    def associate(port, *contexts, title="PYNETDICOM", **options):
        entity = AE(title)
        for context in contexts:
            entity.add_requested_context(*context)
        found = entity.associate("127.0.0.1", port, ae_title=TITLE, **options)
        try:
            yield found
        finally:
            if found.is_established:
                found.release()

    return associate

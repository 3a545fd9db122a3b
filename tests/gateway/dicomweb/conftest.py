"""A gateway with image sets of real files, and viewers that have tokens for some of them."""

from __future__ import annotations

import io
import shutil
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import pydicom
import pytest

from radledger import RadLedger
from radledger.consent import Terms
from radledger.dicom.synthetic import make_ct_series
from radledger.storage import LocalStore

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
CARE = Terms(("CC",))
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@pytest.fixture
def home(ledger, tmp_path):
    """The custodian's home, with everything in it that a gateway needs."""
    return RadLedger(ledger, LocalStore(tmp_path / "store"), tmp_path / "home")


@pytest.fixture
def add(home, who):
    """Add files as they are; gives the image sets."""

    def add_paths(*paths, **options):
        added = home.images.add(
            paths,
            who.patient.address,
            custodian=who.hospital,
            keep_identity=True,
            workers=1,
            **options,
        )
        return [home.images.show(each.image_id).image_set for each in added]

    return add_paths


@pytest.fixture
def granted(consents, patient_with_ether, reader, who):
    consents.grant(reader.address, CARE).send(who.patient)


@pytest.fixture
def viewer_of(http, reader, ask):
    """A viewer with a token for some image sets, for which there are grants."""

    def viewer(*image_sets):
        requests = [ask(reader, image_set=each) for each in image_sets]
        image_ids = [each.image_id for each in image_sets]
        return Viewer(http.client, http.token(requests, reader), image_ids)

    return viewer


@pytest.fixture
def dicomweb(granted, viewer_of):
    """A viewer with a token for some image sets, all of which are granted."""
    return viewer_of


@pytest.fixture
def series(tmp_path):
    """The files of a CT series of three small slices."""
    return make_ct_series(tmp_path / "series", 3, size=64)


@pytest.fixture
def sample(tmp_path):
    """A file of pydicom's wheel in a folder of its own."""

    def copied(name, **changes):
        path = tmp_path / "samples" / name
        path.parent.mkdir(exist_ok=True)
        if not changes:
            return Path(shutil.copy(SAMPLES / name, path))
        dataset = pydicom.dcmread(SAMPLES / name)
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
        return path

    return copied


@pytest.fixture
def shown(add, dicomweb, series):
    """A viewer that is shown a series."""
    return dicomweb(*add(*series))


class Viewer:
    """What the tests ask for with a token."""

    def __init__(self, client, headers, image_ids):
        self.client, self.headers, self.image_ids = client, headers, image_ids

    def get(self, path, accept=None, **parameters):
        headers = self.headers | ({} if accept is None else {"Accept": accept})
        return self.client.get(f"/dicom-web{path}", headers=headers, params=parameters or None)

    def json(self, path, **parameters):
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-type"] == "application/dicom+json"
        return response.json()

    def found(self, path, tag, **parameters):
        """The values of an attribute in the rows of a search."""
        return [row[tag].get("Value", [None])[0] for row in self.json(path, **parameters)]

    def parts(self, path, accept=DICOM):
        """The parts of an answer: media type and content."""
        response = self.get(path, accept)
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        return parts_of(response)


def parts_of(response):
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parse(io.BytesIO(head + response.content))
    assert message.get_content_type() == "multipart/related"
    boundary = message.get_boundary()
    # The parser of mail changes the line ends of binary parts.
    pieces = response.content.split(f"--{boundary}".encode())
    assert (pieces[0], pieces[-1]) == (b"", b"--\r\n")
    found = []
    for piece in pieces[1:-1]:
        fields, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = dict(line.split(": ", 1) for line in fields.decode().split("\r\n"))
        assert names["Content-Location"].startswith("https://gateway.example/dicom-web/studies/")
        found.append((names["Content-Type"], content.removesuffix(b"\r\n")))
    return found


def path_of(dataset, level="instance"):
    path = f"/studies/{dataset.StudyInstanceUID}"
    if level != "study":
        path += f"/series/{dataset.SeriesInstanceUID}"
    return path + (f"/instances/{dataset.SOPInstanceUID}" if level == "instance" else "")

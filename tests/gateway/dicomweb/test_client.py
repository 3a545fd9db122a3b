"""dicomweb-client, a library of the Imaging Data Commons, reads from a gateway on a socket."""

from __future__ import annotations

import io

import pydicom
import pytest
import requests
from PIL import Image
from pydicom.encaps import generate_frames

from radledger.gateway import Gateway, create_application
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.server import serving
from tests.gateway.conftest import Http
from tests.gateway.dicomweb.conftest import SAMPLES

api = pytest.importorskip("dicomweb_client.api", reason="needs dicomweb-client")
JPEG_2000 = "1.2.840.10008.1.2.4.90"


@pytest.fixture
def http(home, who):
    """A gateway on a socket; requests resolve relative addresses against its own."""
    gateways = []

    def create(address):
        gateways.append(Gateway(home, who.hospital, address))
        return create_application(gateways[0])

    class Session(requests.Session):
        def request(self, method, path, **named):
            return super().request(method, f"{address}{path}", **named)

    with serving(GATEWAY, create) as address, Session() as session:
        http = Http(session)
        http.address = address
        yield http


@pytest.fixture
def client(http, dicomweb):
    """A client that is shown some image sets."""

    def made(*image_sets):
        headers = dicomweb(*image_sets).headers
        return api.DICOMwebClient(f"{http.address}/dicom-web", headers=headers)

    return made


def test_it_reads_a_series(client, add, series, sample):
    client = client(*add(*series), *add(sample("MR_small_jp2klossless.dcm")))
    datasets = [pydicom.dcmread(file) for file in series]
    ct, mr = datasets[0], pydicom.dcmread(SAMPLES / "MR_small_jp2klossless.dcm")
    study = ct.StudyInstanceUID
    of_instance = study, ct.SeriesInstanceUID, ct.SOPInstanceUID

    found = [pydicom.Dataset.from_json(each) for each in client.search_for_studies()]
    assert [each.StudyInstanceUID for each in found] == [study, mr.StudyInstanceUID]
    found = client.search_for_studies(search_filters={"PatientID": mr.PatientID}, limit=5)
    assert len(found) == 1
    assert len(client.search_for_series(study)) == 1
    assert len(client.search_for_instances(study, get_remaining=True)) == 3

    assert client.retrieve_study(study) == datasets
    assert list(client.iter_series(study, ct.SeriesInstanceUID)) == datasets
    assert client.retrieve_instance(*of_instance) == ct
    metadata = client.retrieve_series_metadata(study, ct.SeriesInstanceUID)
    assert pydicom.Dataset.from_json(metadata[1]).SOPInstanceUID == datasets[1].SOPInstanceUID

    (frame,) = client.retrieve_instance_frames(*of_instance, [1])
    assert frame == ct.PixelData
    (value,) = client.retrieve_bulkdata(metadata[0]["7FE00010"]["BulkDataURI"])
    assert value == ct.PixelData
    rendered = client.retrieve_instance_rendered(*of_instance, media_types=("image/png",))
    assert Image.open(io.BytesIO(rendered)).size == (64, 64)

    of_instance = mr.StudyInstanceUID, mr.SeriesInstanceUID, mr.SOPInstanceUID
    kinds = (("image/jp2", JPEG_2000),)
    (stored,) = client.retrieve_instance_frames(*of_instance, [1], media_types=kinds)
    assert stored == next(generate_frames(mr.PixelData, number_of_frames=1))


def test_it_is_refused_what_is_not_permitted(client, add, consents, series, sample, reader, who):
    add(sample("MR_small.dcm"))
    shown = client(*add(*series))
    other = pydicom.dcmread(SAMPLES / "MR_small.dcm")
    assert len(shown.search_for_studies()) == 1
    with pytest.raises(requests.HTTPError) as refusal:
        shown.retrieve_study(other.StudyInstanceUID)
    assert refusal.value.response.status_code == 404
    consents.revoke(reader.address).send(who.patient)
    with pytest.raises(requests.HTTPError) as refusal:
        shown.search_for_studies()
    assert refusal.value.response.status_code == 403
    assert refusal.value.response.json()["error"] == "ConsentNotPermittedRevoked"

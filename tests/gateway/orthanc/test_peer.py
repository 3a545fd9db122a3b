"""Debian's Orthanc with the filter, beside a gateway: it shows what the chain permits."""

from __future__ import annotations

import re
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from functools import partial
from io import BytesIO

import httpx
import pydicom
import pytest

from radledger.gateway import Gateway, create_application
from radledger.gateway.errors import GATEWAY
from radledger.gateway.orthanc import Orthanc
from radledger.httpapi.server import serving
from tests.gateway.conftest import Http
from tests.gateway.orthanc.conftest import CREDENTIALS
from tests.gateway.orthanc.peer import running

pytestmark = pytest.mark.usefixtures("granted")


@pytest.fixture
def run(tmp_path):
    """Run an Orthanc that asks a gateway."""
    password = tmp_path / "password"
    password.write_text(":".join(CREDENTIALS))
    return partial(running, tmp_path / "orthanc", password=password)


@pytest.fixture
def beside(home, who, run, reader, ask):
    """Run a gateway and an Orthanc; gives both, and what makes tokens."""

    @contextmanager
    def beside():
        opened = []

        def create(address):
            opened.append(Gateway(home, who.hospital, address))
            asking = Orthanc(*CREDENTIALS, "https://pacs.example")
            return create_application(opened[0], asking=asking)

        served = serving(GATEWAY, create)
        address = served.__enter__()
        with run(address) as orthanc, httpx.Client(base_url=address) as client:
            http, stopped = Http(client), []

            def token(*image_sets):
                requests = [ask(reader, image_set=each) for each in image_sets]
                return http.token(requests, reader)["Authorization"]

            def stop():
                stopped.append(True)
                served.__exit__(None, None, None)

            try:
                yield orthanc, token, stop
            finally:
                if not stopped:
                    stop()

    return beside


def web(dataset, level="instance"):
    path = f"/dicom-web/studies/{dataset.StudyInstanceUID}"
    if level != "study":
        path += f"/series/{dataset.SeriesInstanceUID}"
    return path + (f"/instances/{dataset.SOPInstanceUID}" if level == "instance" else "")


def test_orthanc_shows_what_the_chain_permits(
    beside, add, consents, ct, series, sample, reader, who
):
    mr_file = sample("MR_small.dcm")
    mr = pydicom.dcmread(mr_file)
    first, other = *add(*series), *add(mr_file)
    with beside() as (orthanc, token_for, _):
        orthanc.send(*series, mr_file)
        token, token_of_other = token_for(first), token_for(other)
        shown = [
            *(web(ct, level) for level in ("study", "series", "instance")),
            *(f"{web(ct, level)}/metadata" for level in ("study", "series", "instance")),
            *(f"{web(ct)}/frames/1", f"{web(ct)}/rendered", f"{web(ct, 'study')}/series"),
            f"/dicom-web/studies?StudyInstanceUID={ct.StudyInstanceUID}&includefield=all",
            f"/dicom-web/series?0020000D={ct.StudyInstanceUID}",
        ]
        for path in shown:
            assert orthanc.status(path) == 403, path
            assert orthanc.status(path, "Bearer x") == 403, path
            assert orthanc.status(path, token_of_other) == 403, path
            assert orthanc.status(path, token) == 200, path
        for level in ("study", "series", "instance"):
            assert orthanc.status(web(mr, level), token) == 403
            assert orthanc.status(web(mr, level), token_of_other) == 200
        assert received(orthanc, web(ct), token).PixelData == ct.PixelData
        found = orthanc.client.get(shown[-2], headers={"Authorization": token}).json()
        assert [each["0020000D"]["Value"] for each in found] == [[ct.StudyInstanceUID]]
        refuses_everything_else(orthanc, token, ct, mr)

        consents.revoke(reader.address).send(who.patient)
        orthanc.until_refused(web(ct), token)
        for path in shown:
            assert orthanc.status(path, token) == 403, path


def received(orthanc, path, token):
    response = orthanc.client.get(
        path,
        headers={"Authorization": token, "Accept": "multipart/related; type=application/dicom"},
    )
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    (part,) = BytesParser(policy=HTTP).parsebytes(head + b"\r\n").walk()
    boundary = part.get_boundary().encode()
    content = response.content.split(b"\r\n\r\n", 1)[1].split(b"\r\n--" + boundary)[0]
    return pydicom.dcmread(BytesIO(content))


def refuses_everything_else(orthanc, token, permitted, forbidden):
    study = web(permitted, "study")
    uid = forbidden.StudyInstanceUID
    for path in (
        *("/", "/system", "/studies", "/patients", "/instances", "/changes", "/statistics"),
        *("/dicom-web/studies", "/dicom-web/series", "/dicom-web/instances", "/app/explorer.html"),
        *(f"/dicom-web/studies?PatientID={permitted.PatientID}", "/dicom-web/studies?StudyDate=*"),
        f"/dicom-web/studies?StudyInstanceUID={permitted.StudyInstanceUID}&0020000D={uid}",
        f"{study}/series?StudyInstanceUID={uid}",
        f"{study}/instances?0020000D={uid}",
        f"/wado?requestType=WADO&objectUID={permitted.SOPInstanceUID}",
        *(
            f"{study}/../{uid}",
            f"{study}/%2e%2e/{uid}",
            f"{study}%2f..%2f{uid}",
            f"{study}/./../{uid}",
        ),
        *(f"//dicom-web//studies/{uid}", f"/dicom-web/studies/{uid}/", f"{study}%00/../{uid}"),
        *(f"/dicom-web/studies/{uid}", "/tools/find", "/jobs", "/plugins", "/modalities"),
    ):
        url = httpx.URL(str(orthanc.client.base_url)).copy_with(raw_path=path.encode())
        response = orthanc.client.get(url, headers={"Authorization": token})
        assert response.status_code == 403, path
    # Whichever of two values Orthanc takes, or both.
    for pair in ((uid, permitted.StudyInstanceUID), (permitted.StudyInstanceUID, uid)):
        path = f"/dicom-web/studies?StudyInstanceUID={pair[0]}&StudyInstanceUID={pair[1]}"
        assert uid not in orthanc.client.get(path, headers={"Authorization": token}).text
    for method in ("POST", "PUT", "DELETE"):
        for path in (study, "/instances", "/tools/find", "/dicom-web/studies", "/tools/reset"):
            assert orthanc.status(path, token, method, content=b"{}") == 403, (method, path)


def test_orthancs_own_paths_of_a_study(beside, add, ct, series, sample):
    mr_file = sample("MR_small.dcm")
    first, other = *add(*series), *add(mr_file)
    with beside() as (orthanc, token_for, _):
        orthanc.send(*series, mr_file)
        token, token_of_other = token_for(first), token_for(other)
        identifiers = orthanc_ids(ct)
        for path in (
            *(f"/studies/{identifiers['study']}{end}" for end in ("", "/archive", "/series")),
            *(f"/series/{identifiers['series']}{end}" for end in ("", "/archive", "/instances")),
            *(f"/instances/{identifiers['instance']}{end}" for end in ("", "/file", "/tags")),
        ):
            assert orthanc.status(path, token) == 200, path
            assert orthanc.status(path, token_of_other) == 403, path
            assert orthanc.status(path) == 403, path
            assert orthanc.status(path, token, "DELETE") == 403, path
        for path in (
            f"/patients/{identifiers['patient']}",
            f"/studies/{identifiers['study']}/patient",
            f"/studies/{identifiers['study']}/attachments",
            f"/instances/{identifiers['instance']}/study",
        ):
            assert orthanc.status(path, token) == 403, path
        file = orthanc.client.get(
            f"/instances/{identifiers['instance']}/file", headers={"Authorization": token}
        )
        # Orthanc writes the file's meta information itself.
        assert pydicom.dcmread(BytesIO(file.content)) == ct


def orthanc_ids(dataset):
    """As Orthanc makes them: SHA-1 of the identifiers, in groups of eight."""
    from hashlib import sha1

    names, found = [str(dataset.PatientID)], {}
    for level, keyword in (
        ("patient", None),
        ("study", "StudyInstanceUID"),
        ("series", "SeriesInstanceUID"),
        ("instance", "SOPInstanceUID"),
    ):
        if keyword:
            names.append(str(dataset[keyword].value))
        digest = sha1("|".join(names).encode(), usedforsecurity=False).hexdigest()
        found[level] = "-".join(re.findall(".{8}", digest))
    return found


def test_a_series_that_reached_orthanc_alone_is_not_shown(beside, add, ct, series, sample):
    more = sample("MR_small.dcm", StudyInstanceUID=ct.StudyInstanceUID, PatientID=ct.PatientID)
    (image_set,) = add(*series)
    with beside() as (orthanc, token_for, _):
        orthanc.send(*series)
        token = token_for(image_set)
        whole = (web(ct, "study"), f"{web(ct, 'study')}/metadata", f"{web(ct, 'study')}/series")
        assert {orthanc.status(path, token) for path in whole} == {200}
        orthanc.send(more)
        for path in (*whole, web(pydicom.dcmread(more), "series"), web(pydicom.dcmread(more))):
            assert orthanc.status(path, token) == 403, path
        assert orthanc.status(web(ct, "series"), token) == 200


def test_orthanc_shows_nothing_without_the_gateway(beside, add, ct, series):
    (image_set,) = add(*series)
    with beside() as (orthanc, token_for, stop):
        orthanc.send(*series)
        token = token_for(image_set)
        assert orthanc.status(web(ct), token) == 200
        stop()
        orthanc.until_refused(web(ct), token)
        assert orthanc.status(web(ct, "series"), token) == 403


def test_a_link_of_explorer_opens_its_study(beside, add, ct, series, sample):
    mr_file = sample("MR_small.dcm")
    mr = pydicom.dcmread(mr_file)
    first, other = *add(*series), *add(mr_file)
    with beside() as (orthanc, token_for, _):
        orthanc.send(*series, mr_file)
        user = token_for(first, other)

        def linked(token, *studies):
            headers = {} if token is None else {"Authorization": token}
            resources = [{"DicomUid": each, "OrthancId": "x", "Level": "study"} for each in studies]
            body = {"Resources": resources, "Type": "stone-viewer-publication"}
            path = "/auth/tokens/stone-viewer-publication"
            return orthanc.client.put(path, json=body, headers=headers)

        for refused in (
            linked(None, ct.StudyInstanceUID),
            linked("Bearer x", ct.StudyInstanceUID),
            linked(user, "1.2.3"),
            linked(token_for(first), ct.StudyInstanceUID, mr.StudyInstanceUID),
        ):
            assert refused.status_code == 403
        link = linked(user, ct.StudyInstanceUID).json()
        assert link["Url"].startswith("https://pacs.example/stone-webviewer/index.html?study=")
        assert orthanc.status(f"{web(ct)}?token={link['Token']}") == 200
        assert orthanc.status(f"{web(mr)}?token={link['Token']}") == 403
        assert orthanc.status(web(mr), user) == 200


@pytest.mark.parametrize("broken", ["configuration", "syntax"])
def test_an_orthanc_whose_filter_cannot_work_does_not_run(run, tmp_path, broken):
    if broken == "configuration":
        started = run("http://127.0.0.1:1", password="/nowhere")
    else:
        script = tmp_path / "broken.py"
        script.write_text("import orthanc\n(")
        started = run("http://127.0.0.1:1", script=script)
    with pytest.raises(RuntimeError, match="Orthanc has stopped"), started:
        pass


def test_dicoms_network_protocol_is_closed_to_searches(beside, add, ct, series):
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

    add(*series)
    query = pydicom.Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", ct.StudyInstanceUID
    with beside() as (orthanc, _, _):
        orthanc.send(*series)
        for title, model in (("SENDER", Find), ("SENDER", Get), ("STRANGER", Find)):
            entity = AE(title)
            entity.add_requested_context(model)
            association = entity.associate("127.0.0.1", orthanc.dicom, ae_title="ORTHANC")
            if association.is_established:
                ask = association.send_c_find if model == Find else association.send_c_get
                answers = [(status.get("Status"), found) for status, found in ask(query, model)]
                association.release()
                assert all(status != 0 and found is None for status, found in answers), answers

"""A viewer sees what the chain permits now; what else there is, no answer tells."""

from __future__ import annotations

import logging
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pydicom
import pytest

from radledger.access.receipts import SignedReceipt
from radledger.chain.refusals import ConsentNotPermittedRevoked
from radledger.gateway import Gateway, create_application
from radledger.gateway.dicomweb import image_sets, instances
from radledger.gateway.dicomweb.view import View
from radledger.gateway.errors import GATEWAY
from radledger.httpapi.server import serving
from tests.dicom.files import image, save
from tests.gateway.conftest import Http, refused
from tests.gateway.dicomweb.conftest import CARE, SAMPLES, path_of

MR = pydicom.dcmread(SAMPLES / "MR_small.dcm", stop_before_pixels=True)
UNKNOWN = SimpleNamespace(
    StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4", SOPInstanceUID="1.2.5"
)


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])


def resources(dataset):
    """Every resource of an instance that can be retrieved."""
    path = path_of(dataset)
    return [
        *(path_of(dataset, level) for level in ("study", "series", "instance")),
        *(f"{path_of(dataset, level)}/metadata" for level in ("study", "series", "instance")),
        *(f"{path}/{end}" for end in ("frames/1", "rendered", "frames/1/rendered")),
        f"{path}/bulkdata/7FE00010",
    ]


def searches(dataset):
    """Every search."""
    study, series = (path_of(dataset, level) for level in ("study", "series"))
    return [
        *("/studies", "/series", "/instances"),
        *(f"{study}/series", f"{study}/instances", f"{series}/instances"),
    ]


def test_every_request_needs_a_token(http, shown, ct):
    paths = http.client.get("/openapi.json").json()["paths"]
    described = [path for path in paths if path.startswith("/dicom-web")]
    asked = resources(ct) + searches(ct)
    assert len(described) == len(asked)
    for path in asked:
        assert shown.get(path).status_code == 200, path
        refused(http.client.get(f"/dicom-web{path}"), 401, "TokenInvalid")
        for bad in ("Bearer x", "Basic eDp5", shown.headers["Authorization"][:-1]):
            response = http.client.get(f"/dicom-web{path}", headers={"Authorization": bad})
            refused(response, 401, "TokenInvalid")


def test_a_forbidden_study_is_answered_as_one_that_there_is_not(shown, add, ct, sample):
    add(sample("MR_small.dcm"))
    for forbidden, unknown in zip(resources(MR), resources(UNKNOWN), strict=True):
        answers = [shown.get(path) for path in (forbidden, unknown)]
        assert [refused(each, 404, "ResourceUnknown") for each in answers] == [{}, {}]
        assert answers[0].content == answers[1].content
        assert set(answers[0].headers) == set(answers[1].headers)
    for forbidden, unknown in zip(searches(MR)[3:], searches(UNKNOWN)[3:], strict=True):
        assert shown.json(forbidden) == shown.json(unknown) == []
    for path in searches(MR)[:3]:
        for dataset in (MR, UNKNOWN):
            assert shown.json(path, StudyInstanceUID=dataset.StudyInstanceUID) == []
    assert shown.found("/studies", "0020000D") == [ct.StudyInstanceUID]


def test_uids_of_one_study_do_not_lead_into_another(dicomweb, add, ct, series, sample):
    viewer = dicomweb(*add(*series), *add(sample("MR_small.dcm")))
    mixed = SimpleNamespace(
        StudyInstanceUID=ct.StudyInstanceUID,
        SeriesInstanceUID=MR.SeriesInstanceUID,
        SOPInstanceUID=MR.SOPInstanceUID,
    )
    for path in resources(mixed):
        if path not in resources(ct):
            refused(viewer.get(path), 404, "ResourceUnknown")
    for path in ("/studies/%2e%2e", "/studies/..%2Ftokens", "/studies/a%00b", "/studies/*"):
        assert viewer.get(path).status_code == 404


def test_one_block_after_a_revocation_nothing_is_shown(shown, consents, ct, reader, who):
    asked = resources(ct) + searches(ct)
    assert {shown.get(path).status_code for path in asked} == {200}
    consents.revoke(reader.address).send(who.patient)
    for path in asked + resources(UNKNOWN):
        values = refused(shown.get(path), 403, "ConsentNotPermittedRevoked")
        assert values == {"subject": who.patient.address, "reader": reader.address}


def test_a_download_ends_where_its_permission_ends(shown, gateway, consents, series, reader, who):
    token = shown.headers["Authorization"].removeprefix("Bearer ")
    view = View(gateway, gateway.viewing(token))
    first, second, _ = view.select()
    assert b"".join(view.file(first)) == series[0].read_bytes()
    consents.revoke(reader.address).send(who.patient)
    with pytest.raises(ConsentNotPermittedRevoked):
        next(view.file(second))
    with pytest.raises(ConsentNotPermittedRevoked), view.opened(second):
        pass


def test_what_else_is_permitted_is_shown_when_one_grant_ends(
    consents, add, viewer_of, patient_with_ether, ct, series, sample, reader, who
):
    first, second = *add(*series), *add(sample("MR_small.dcm"))
    for image_set in (first, second):
        consents.grant(reader.address, CARE, scope=image_set.visit).send(who.patient)
    viewer = viewer_of(first, second)
    assert viewer.get(path_of(MR)).status_code == 200
    consents.revoke(reader.address, scope=second.visit).send(who.patient)
    for path in resources(MR):
        refused(viewer.get(path), 404, "ResourceUnknown")
    assert viewer.found("/studies", "0020000D") == [ct.StudyInstanceUID]
    assert viewer.get(path_of(ct)).status_code == 200


def test_an_erased_set_is_forgotten(gateway, home, dicomweb, add, ct, series, sample, who):
    first, second = *add(*series), *add(sample("MR_small.dcm"))
    viewer = dicomweb(first, second)
    for dataset in (ct, MR):
        assert viewer.get(path_of(dataset)).status_code == 200
        assert viewer.get(f"{path_of(dataset)}/rendered").status_code == 200
    home.images.erase(second.image_id, custodian=who.hospital)
    refused(viewer.get(path_of(MR)), 404, "ResourceUnknown")
    assert viewer.found("/studies", "0020000D") == [ct.StudyInstanceUID]
    assert list(gateway.image_sets._opened) == [first.image_id]
    assert {image_id for image_id, _ in gateway.instances._opened} == {first.image_id}
    home.images.erase(first.image_id, custodian=who.hospital)
    values = refused(viewer.get(path_of(ct)), 403, "ConsentNotPermittedErased")
    assert values == {"image": first.image_id}
    assert not gateway.image_sets._opened
    assert not gateway.instances._opened


def test_a_set_that_was_encrypted_again_is_shown(shown, add, home, series, ct, who):
    assert shown.get(path_of(ct)).status_code == 200
    home.images.rekey(shown.image_ids[0], custodian=who.hospital)
    home.storage.collect()
    assert [content for _, content in shown.parts(path_of(ct, "series"))] == [
        file.read_bytes() for file in series
    ]


def test_a_set_whose_secret_is_elsewhere_is_not_shown(
    dicomweb, add, gateway, ct, series, sample, monkeypatch
):
    first, second = *add(*series), *add(sample("MR_small.dcm"))
    viewer = dicomweb(first, second)
    held = gateway.image_sets._images._home.held

    def elsewhere(image_id):
        return held("0x" + "00" * 32 if image_id == second.image_id else image_id)

    monkeypatch.setattr(gateway.image_sets._images._home, "held", elsewhere)
    refused(viewer.get(path_of(MR)), 404, "ResourceUnknown")
    assert viewer.get(path_of(ct)).status_code == 200


def test_what_is_stored_and_not_what_was_anchored_is_not_shown(shown, gateway, ct, tmp_path):
    image_set = gateway.image_sets.find(shown.image_ids[0])
    instance = image_set.instances[ct.SOPInstanceUID]
    (path,) = (tmp_path / "store" / "pinned").glob(f"*/{instance.cid}")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    for resource in (path_of(ct), f"{path_of(ct)}/frames/1"):
        response = shown.get(resource)
        assert refused(response, 503, "ContentMismatch") == {}
        assert instance.cid not in response.text


def test_a_file_that_is_not_the_anchored_one_is_never_received_whole(shown, gateway, series):
    image_set = gateway.image_sets.find(shown.image_ids[0])
    ct, other = (pydicom.dcmread(file) for file in series[:2])
    exchanged = image_set.instances[other.SOPInstanceUID]
    instance = replace(
        image_set.instances[ct.SOPInstanceUID], cid=exchanged.cid, size=exchanged.size
    )
    image_set.instances = {**image_set.instances, ct.SOPInstanceUID: instance}
    values = refused(shown.get(path_of(ct)), 503, "ImageSetUnreadable")
    assert values == {"image": image_set.image_id}


def test_no_secret_and_no_token_is_logged(shown, gateway, ct, caplog):
    with caplog.at_level(logging.DEBUG):
        for path in resources(ct) + searches(ct):
            assert shown.get(path).status_code == 200
    opened = gateway.image_sets.find(shown.image_ids[0])
    token = shown.headers["Authorization"].removeprefix("Bearer ")
    said = caplog.text + repr(opened) + repr(gateway.image_sets)
    assert opened.secret not in said
    assert token not in said


def test_viewers_at_once_get_what_each_asks_for(shown, series, monkeypatch):
    monkeypatch.setattr(instances, "_MOST_OPEN", 2)
    files = {path_of(each): each for each in map(pydicom.dcmread, series)}

    def asked(path):
        return path, shown.get(f"{path}/frames/1", "application/octet-stream").content

    with ThreadPoolExecutor(4) as pool:
        for path, frame in pool.map(asked, list(files) * 10):
            assert frame == files[path].PixelData


def test_an_instance_that_was_closed_for_another_is_opened_again(shown, gateway, ct, monkeypatch):
    find, found = gateway.instances._find, []

    def closed_the_first_time(*which):
        found.append(find(*which))
        if len(found) == 1:
            gateway.instances.close()
        return found[-1]

    monkeypatch.setattr(gateway.instances, "_find", closed_the_first_time)
    ((_, frame),) = shown.parts(f"{path_of(ct)}/bulkdata/7FE00010", "*/*")
    assert frame == ct.PixelData
    assert [each.closed for each in found] == [True, False, False]


def test_sets_are_closed_for_others(gateway, dicomweb, add, ct, series, sample, monkeypatch):
    monkeypatch.setattr(image_sets, "_MOST_INSTANCES", 3)
    viewer = dicomweb(*add(*series), *add(sample("MR_small.dcm")))
    for dataset in (ct, MR, ct):
        assert viewer.get(path_of(dataset)).status_code == 200
        assert len(gateway.image_sets._opened) == 1


def test_a_set_that_is_not_looked_at_is_closed(gateway, dicomweb, add, ct, series, sample):
    now = [0.0]
    gateway.image_sets._clock = lambda: now[0]
    first, second = *add(*series), *add(sample("MR_small.dcm"))
    viewer = dicomweb(first, second)
    for dataset in (ct, MR):
        assert viewer.get(f"{path_of(dataset)}/rendered").status_code == 200
    now[0] = image_sets._IDLE - 1
    gateway._closer.look()
    assert list(gateway.image_sets._opened) == [first.image_id, second.image_id]
    only = dicomweb(first)
    assert only.get(path_of(ct)).status_code == 200
    now[0] += 1
    gateway._closer.look()
    assert list(gateway.image_sets._opened) == [first.image_id]
    assert {image_id for image_id, _ in gateway.instances._opened} == {first.image_id}
    assert viewer.get(path_of(MR)).status_code == 200  # opened again


def test_memory_does_not_grow_with_a_file(dicomweb, add, gateway, tmp_path):
    frames, size = 48, 512 * 512 * 2
    dataset = image(512, 512, NumberOfFrames=frames, PixelData=b"")
    dataset.PixelData = b"".join(bytes([number]) * size for number in range(frames))
    dataset["PixelData"].VR = "OW"
    path = save(dataset, tmp_path / "large.dcm")
    viewer = dicomweb(*add(path))
    token = viewer.headers["Authorization"].removeprefix("Bearer ")
    view = View(gateway, gateway.viewing(token))
    (located,) = view.select()
    tracemalloc.start()
    with view.opened(located) as opened:
        for number in (47, 0, 20):
            assert opened.frame(number, stored=False) == bytes([number]) * size
    received = sum(map(len, view.file(located)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert received == path.stat().st_size > frames * size
    assert most < frames * size / 2


def test_receipts_are_on_the_disk_before_the_first_pixel(shown, home, ct):
    (release,) = home.receipts.releases()
    assert isinstance(release.signed, SignedReceipt)
    assert shown.get(f"{path_of(ct)}/rendered").status_code == 200
    assert len(home.receipts.releases()) == 1


def test_a_download_that_ends_early_is_not_taken_for_a_whole_one(
    home, who, add, series, consents, patient_with_ether, reader, ask, monkeypatch
):
    """The connection is closed before the end that the encoding of HTTP has."""
    made = []

    def create(address):
        made.append(Gateway(home, who.hospital, address))
        return create_application(made[0])

    consents.grant(reader.address, CARE).send(who.patient)
    (image_set,) = add(*series)
    with serving(GATEWAY, create) as address, httpx.Client(base_url=address) as client:
        headers = Http(client).token([ask(reader, image_set=image_set)], reader)
        gateway, opened = made[0], []
        open_file = gateway.image_sets.open_file

        def revoke_during_the_second(*which):
            opened.append(which)
            if len(opened) == 2:
                consents.revoke(reader.address).send(who.patient)
            return open_file(*which)

        monkeypatch.setattr(gateway.image_sets, "open_file", revoke_during_the_second)
        path = f"/dicom-web{path_of(pydicom.dcmread(series[0]), 'series')}"
        received = []
        with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                received.extend(response.iter_raw())
        whole = [file.read_bytes() in b"".join(received) for file in series]
        assert whole == [True, False, False]

"""C-GET and C-MOVE send what the chain permits, after a receipt, until a revocation."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager

import pydicom
import pytest
from pydicom.config import disable_value_validation

from radledger.chain.errors import ConnectionFailed
from radledger.errors import DatabaseUnavailable
from radledger.gateway.permissions import Permissions
from radledger.pacs.archive import Archive
from radledger.pacs.tls import of_receiver, of_sender
from tests.dcmtk import program
from tests.gateway.dicomweb.conftest import SAMPLES
from tests.pacs.retrieval.conftest import (
    GET,
    MOVE,
    TITLE,
    data_set,
    read_by,
)
from tests.pacs.test_tls import certified

MR = pydicom.dcmread(SAMPLES / "MR_small.dcm", stop_before_pixels=True)
SUCCESS, PENDING, CANCELLED, SOME_FAILED = 0x0000, 0xFF00, 0xFE00, 0xB000
NOT_AUTHORIZED, ALL_FAILED, UNKNOWN_DESTINATION = 0x0124, 0xA702, 0xA801
IDENTIFIER, UNABLE = 0xA900, 0xC000


@pytest.fixture
def ct(series):
    return pydicom.dcmread(series[0])


@pytest.fixture
def image_set(add, series):
    (image_set,) = add(*series)
    return image_set


def counts(response):
    return tuple(
        getattr(response, f"NumberOf{what}Suboperations", None)
        for what in ("Remaining", "Completed", "Failed", "Warning")
    )


def failed(data_set):
    uids = data_set.FailedSOPInstanceUIDList
    return {uids} if isinstance(uids, str) else set(uids)


@pytest.fixture
def moving(serving, station, destination, ask):
    """A workstation that asks for images, which come by another association."""

    @contextmanager
    def moving(*others, **options):
        with (
            destination(**options) as (to, received),
            serving(station(port=to), *others) as port,
            ask(port) as asking,
        ):
            yield asking, received

    return moving


def test_a_study_is_moved_as_it_was_anchored_after_a_receipt(
    image_set, granted, moving, series, ct, home, reader
):
    receipts = []

    def stored(event):
        receipts.append(read_by(home))
        return 0x0000

    with moving(stored=stored) as (asking, received):
        responses = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
        statuses = [status.Status for status, _ in responses]
        assert statuses == [PENDING, PENDING, SUCCESS]
        assert [counts(status) for status, _ in responses] == [
            (2, 1, 0, 0),
            (1, 2, 0, 0),
            (None, 3, 0, 0),
        ]
    assert {each.data_set for each in received} == {data_set(path) for path in series}
    assert {(each.calling, each.originator) for each in received} == {(TITLE, "READER")}
    assert receipts[0] == [(reader.address, image_set.image_id)]


def test_a_study_is_sent_by_the_association_that_asks(
    image_set, granted, serving, ask, series, ct, home, reader
):
    received = []

    def stored(event):
        received.append(data_set(event.dataset_path))
        assert read_by(home) == [(reader.address, image_set.image_id)]
        return 0x0000

    with serving() as port, ask(port, stored=stored) as asking:
        *_, (status, _) = asking.get(StudyInstanceUID=ct.StudyInstanceUID)
        assert (status.Status, counts(status)) == (SUCCESS, (None, 3, 0, 0))
        assert set(received) == {data_set(path) for path in series}
        received.clear()
        one = {"StudyInstanceUID": ct.StudyInstanceUID, "SeriesInstanceUID": ct.SeriesInstanceUID}
        *_, (status, _) = asking.get("IMAGE", **one, SOPInstanceUID=ct.SOPInstanceUID)
        assert (status.Status, received) == (SUCCESS, [data_set(series[0])])
        # one association reads once
        assert len(read_by(home)) == 1
    with serving() as port, ask(port, stored=lambda event: 0x0000) as asking:
        asking.get(level="SERIES", **one)
    assert len(read_by(home)) == 2


def test_patients_are_retrieved_by_the_patient_root(image_set, granted, serving, ask, ct):
    model = GET.replace(".2.2.", ".2.1.")
    with serving() as port, ask(port) as asking:
        *_, (status, _) = asking.get("PATIENT", model, PatientID=ct.PatientID)
        assert counts(status) == (None, 3, 0, 0)
        ((status, _),) = asking.get("PATIENT", model, PatientID="none")
        assert status.Status == NOT_AUTHORIZED


def test_what_is_forbidden_is_answered_as_what_there_is_not(
    image_set, consents, granted, moving, ct, home, reader, who
):
    consents.revoke(reader.address).send(who.patient)
    with moving() as (asking, received):
        for ask in (asking.move, asking.get):
            answers = []
            for uid in (ct.StudyInstanceUID, "1.2.3"):
                ((status, _),) = ask(StudyInstanceUID=uid)
                assert status.Status == NOT_AUTHORIZED
                answers.append(status.to_json())
            assert answers[0] == answers[1]
    assert received == []
    assert read_by(home) == []


def test_one_block_after_a_revocation_the_rest_is_not_sent(
    image_set, consents, granted, moving, ct, reader, who
):
    def stored(event):
        consents.revoke(reader.address).send(who.patient)
        return 0x0000

    with moving(stored=stored) as (asking, received):
        (first, _), (last, data_set) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
        assert (first.Status, last.Status) == (PENDING, SOME_FAILED)
        assert counts(last) == (None, 1, 2, 0)
        assert "revoked" in last.ErrorComment
    (only,) = received
    assert len(failed(data_set)) == 2
    assert only.instance not in failed(data_set)


def test_without_a_receipt_nothing_is_sent(
    image_set, granted, moving, ct, home, archive, monkeypatch
):
    def unwritable(*releases):
        raise DatabaseUnavailable("the disk is full")

    monkeypatch.setattr(archive._keys._receipts, "keep", unwritable)
    with moving() as (asking, received):
        ((status, _),) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert (status.Status, received) == (UNABLE, [])


def test_chain_that_cannot_be_reached_lets_nothing_be_sent(
    image_set, granted, moving, ct, monkeypatch
):
    def unreachable(*arguments):
        raise ConnectionFailed("no node answers")

    monkeypatch.setattr(Permissions, "present", unreachable)
    with moving() as (asking, received):
        ((status, _),) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert (status.Status, received) == (UNABLE, [])


def test_images_are_moved_to_workstations_of_their_reader_alone(
    image_set, granted, moving, station, who, ct, home
):
    others = station("OTHER", account=who.researcher)
    with moving(others) as (asking, received):
        for to in ("STRANGER", "OTHER"):
            ((status, _),) = asking.move(to, StudyInstanceUID=ct.StudyInstanceUID)
            assert status.Status == UNKNOWN_DESTINATION
    assert received == []
    assert read_by(home) == []


def test_destination_that_does_not_answer(image_set, granted, serving, station, ask, ct):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        to = taken.getsockname()[1]
    with serving(station(port=to)) as port, ask(port) as asking:
        ((status, data_set),) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert (status.Status, counts(status)) == (ALL_FAILED, (None, 0, 3, 0))
    assert len(failed(data_set)) == 3


def test_what_a_destination_does_not_take(add, image_set, granted, moving, sample, ct):
    add(sample("MR_small_RLE.dcm"))
    study = {"StudyInstanceUID": [ct.StudyInstanceUID, MR.StudyInstanceUID]}
    with moving() as (asking, received):
        *_, (status, data_set) = asking.move(**study)
        assert (status.Status, counts(status)) == (SOME_FAILED, (None, 3, 1, 0))
        assert failed(data_set) == {pydicom.dcmread(sample("MR_small_RLE.dcm")).SOPInstanceUID}
        *_, (status, _) = asking.get(**study)
        assert (status.Status, counts(status)) == (SOME_FAILED, (None, 3, 1, 0))
        ((status, _),) = asking.move(StudyInstanceUID=MR.StudyInstanceUID)
        assert status.Status == ALL_FAILED
    assert len(received) == 3


@pytest.mark.parametrize(
    ("answer", "last", "counted"),
    [(0xB000, SOME_FAILED, (None, 0, 0, 3)), (0xA700, ALL_FAILED, (None, 0, 3, 0))],
)
def test_statuses_of_a_destination(image_set, granted, moving, ct, answer, last, counted):
    with moving(stored=lambda event: answer) as (asking, _):
        *_, (status, _) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert (status.Status, counts(status)) == (last, counted)


def test_a_retrieval_is_cancelled(image_set, granted, moving, ct):
    cancelled = threading.Event()
    asked = []

    def stored(event):
        asked[0].association.send_c_cancel(1, query_model=MOVE)
        cancelled.set()
        return 0x0000

    with moving(stored=stored) as (asking, received):
        asked.append(asking)
        *_, (status, _) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert cancelled.is_set()
    assert status.Status == CANCELLED
    assert status.NumberOfRemainingSuboperations == 3 - len(received)


def test_identifiers_that_are_none(image_set, granted, moving):
    with moving() as (asking, received):
        for level, keys in (
            ("", {"StudyInstanceUID": "1.2"}),
            ("PATIENT", {"PatientID": "1"}),
            ("STUDY", {}),
            ("STUDY", {"StudyInstanceUID": ""}),
            ("IMAGE", {"StudyInstanceUID": "1.2"}),
        ):
            ((status, _),) = asking.move(level=level, **keys)
            assert status.Status == IDENTIFIER
        with disable_value_validation():
            ((status, _),) = asking.move(StudyInstanceUID="*")
        assert status.Status == NOT_AUTHORIZED
    assert received == []


def test_identifier_that_cannot_be_decoded(image_set, granted, serving, ask, ct, monkeypatch):
    from pynetdicom import association

    monkeypatch.setattr(association, "encode", lambda *arguments: b"\xff" * 7)
    with serving() as port, ask(port) as asking:
        ((status, _),) = asking.get(StudyInstanceUID=ct.StudyInstanceUID)
        assert status.Status == IDENTIFIER
        found = asking.find(StudyInstanceUID="")
        assert found[1].Status == IDENTIFIER


def test_an_altered_ciphertext_is_not_sent(image_set, granted, moving, ct, tmp_path):
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file() and path.stat().st_size > 5000:
            path.chmod(0o600)
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
    with moving() as (asking, received):
        *_, (status, _) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert received == []
    assert status.Status in (ALL_FAILED, UNABLE)


def test_images_are_found_and_moved_over_tls(
    image_set, granted, serving, station, destination, ask, ct, tmp_path
):
    archive, reading = certified(tmp_path, "archive"), certified(tmp_path, "reading")
    ours = of_receiver(*archive, reading[0]), of_sender(reading[0], *archive)
    theirs = of_receiver(*reading, archive[0]), of_sender(archive[0], *reading)
    with (
        destination(tls=theirs[0]) as (to, received),
        serving(station(port=to), tls=ours[0], tls_out=ours[1]) as port,
    ):
        with ask(port) as plain:
            assert not plain.association.is_established
        with ask(port, tls=of_sender(archive[0])) as uncertified:
            assert not uncertified.association.is_established
        with ask(port, tls=theirs[1]) as asking:
            assert len(asking.find(StudyInstanceUID="")[0]) == 1
            *_, (status, _) = asking.move(StudyInstanceUID=ct.StudyInstanceUID)
    assert (status.Status, len(received)) == (SUCCESS, 3)


def test_receipts_are_acknowledged(
    image_set, granted, home, recorder, serving, station, ask, ct, who, reader
):
    acknowledging = Archive(home, who.hospital.address, recorder)
    with (
        closing(acknowledging),
        serving(archive=acknowledging) as port,
        ask(port) as asking,
    ):
        *_, (status, _) = asking.get(StudyInstanceUID=ct.StudyInstanceUID)
    assert status.Status == SUCCESS
    (kept,) = home.receipts.acknowledged()
    assert kept.signed.receipt.reader == reader.address
    kept.acknowledgement.require_binding(home.ledger, kept.signed.receipt, who.hospital.address)


def test_dcmtk_gets_and_moves(image_set, granted, serving, station, dcmtk, series, ct, tmp_path):
    (program("getscu"), program("movescu"))
    of_study = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={ct.StudyInstanceUID}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        to = free.getsockname()[1]
    with serving(station(port=to)) as port:
        # movescu ignores the folder when it is asked to keep every byte
        for name, options in (("getscu", ["+B"]), ("movescu", ["+P", to, "-aem", "READER"])):
            folder = tmp_path / name
            folder.mkdir()
            options += ["-S", "-aet", "READER", "-od", folder, *of_study]
            done = dcmtk(name, port, *options)
            assert done.code == 0, done.said
            stored = {pixels(path) for path in folder.iterdir()}
            assert stored == {pixels(path) for path in series}, done.said
    assert {data_set(path) for path in (tmp_path / "getscu").iterdir()} == {
        data_set(path) for path in series
    }


def pixels(path):
    dataset = pydicom.dcmread(path)
    return dataset.SOPInstanceUID, dataset.PixelData

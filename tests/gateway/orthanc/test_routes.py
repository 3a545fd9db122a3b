"""What Orthanc asks: each study, series and instance by the chain, at the latest block."""

from __future__ import annotations

from datetime import UTC, datetime

import pydicom
import pytest

from radledger.gateway.errors import InvalidOrthanc
from radledger.gateway.orthanc import LINKS, Orthanc
from radledger.imaging.journal.journal import Journal
from tests.gateway.conftest import refused
from tests.gateway.orthanc.conftest import CARE, CREDENTIALS, PASSWORD

pytestmark = pytest.mark.usefixtures("granted")

GRANTED, REFUSED = {"granted": True, "validity": 1}, {"granted": False, "validity": 0}
ROUTES = (
    *(("PUT", f"/tokens/{each}") for each in LINKS),
    *(("POST", path) for path in ("/tokens/validate", "/tokens/decode", "/user/get-profile")),
)


@pytest.fixture
def token(add, series, token_for):
    """The header with a token for the series."""
    return token_for(*add(*series))


def levels(dataset):
    return {
        "study": dataset.StudyInstanceUID,
        "series": dataset.SeriesInstanceUID,
        "instance": dataset.SOPInstanceUID,
    }


def resource(uid, **changes):
    return {"dicom-uid": uid, "orthanc-id": "0-0-0-0-0", "level": "study"} | changes


def test_a_permitted_study_is_granted_at_each_level(decided, token, ct):
    for level, uid in levels(ct).items():
        assert decided(token, level, uid) == GRANTED
        # As the plugin sends it: the token alone, as a parameter, and fields of later releases.
        more = {"token_key": "token", "server_id": None, "orthanc_id": "0-0", "labels": ["a"]}
        assert decided(token.removeprefix("Bearer "), level, uid, **more) == GRANTED


def test_nothing_is_granted_without_a_good_token(asked, decided, http, reader, token, ct):
    session = http.sign_in(reader)["Authorization"]
    bad = ("", "Bearer ", "Bearer x", "Basic eDp5", token[:-1], token + "x", session, "Bearer é")
    for each in bad:
        assert decided(each, "study", ct.StudyInstanceUID) == REFUSED
    anonymous = {"level": "study", "method": "get", "dicom_uid": ct.StudyInstanceUID}
    assert asked("POST", "/tokens/validate", **anonymous).json() == REFUSED


def test_nothing_else_than_reading_a_known_study_is_granted(decided, add, token, ct, sample):
    add(sample("MR_small.dcm"))
    mr = pydicom.dcmread(sample("MR_small.dcm"))
    for level, uid in levels(mr).items():
        assert decided(token, level, uid) == REFUSED
        assert decided(token, level, "1.2.3") == REFUSED
    uid = ct.StudyInstanceUID
    for level in ("system", "patient", "series", "instance", "Study", "studies", ""):
        assert decided(token, level, uid) == REFUSED
    for wrong in (
        "",
        "*",
        "..",
        f"{uid} ",
        f"{uid}\\1.2.3",
        f"{uid},1.2.3",
        f"0{uid}",
        ct.PatientID,
    ):
        assert decided(token, "study", wrong) == REFUSED
    for method in ("post", "put", "delete", "GET", "head", ""):
        assert decided(token, "study", uid, method) == REFUSED
    assert decided(token, "system", None, uri="/dicom-web/studies") == REFUSED


def test_one_block_after_a_revocation_nothing_is_granted(decided, consents, token, ct, reader, who):
    assert decided(token, "study", ct.StudyInstanceUID) == GRANTED
    consents.revoke(reader.address).send(who.patient)
    for level, uid in levels(ct).items():
        assert decided(token, level, uid) == REFUSED


@pytest.fixture
def second_series(sample, ct):
    """A file of another series of the same study."""
    return sample("MR_small.dcm", StudyInstanceUID=ct.StudyInstanceUID, PatientID=ct.PatientID)


def test_a_study_of_which_a_part_is_permitted_is_refused(
    decided, asked, add, series, second_series, token_for, ct
):
    first, other = *add(*series), *add(second_series)
    partial, whole = token_for(first), token_for(first, other)
    assert decided(partial, "study", ct.StudyInstanceUID) == REFUSED
    assert decided(partial, "series", ct.SeriesInstanceUID) == GRANTED
    mr = pydicom.dcmread(second_series)
    for level, uid in levels(mr).items():
        assert decided(partial, level, uid) == REFUSED
        assert decided(whole, level, uid) == GRANTED
    assert asked("POST", "/tokens/decode", token_value=partial).json() == {"resources": []}
    wanted = {"resources": [resource(ct.StudyInstanceUID)], "token_value": partial}
    refused(asked("PUT", "/tokens/viewer-instant-link", **wanted), 404, "ResourceUnknown")


def test_a_study_to_which_a_series_is_added_is_refused(decided, add, token, second_series, ct):
    assert decided(token, "study", ct.StudyInstanceUID) == GRANTED
    add(second_series)
    assert decided(token, "study", ct.StudyInstanceUID) == REFUSED


def test_a_study_to_which_a_series_is_being_added_is_refused(
    decided, add, token, second_series, ct, monkeypatch
):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "seal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(second_series)
    assert decided(token, "study", ct.StudyInstanceUID) == REFUSED
    assert decided(token, "series", ct.SeriesInstanceUID) == GRANTED


def test_a_grant_for_a_deidentified_copy_does_not_open_the_original(
    decided, home, add, series, token_for, ct, who
):
    (original,) = add(*series)
    copy = home.images.deidentify(original.image_id, "basic", custodian=who.hospital)
    token = token_for(home.images.show(copy.image_id).image_set)
    for level, uid in levels(ct).items():
        assert decided(token, level, uid) == REFUSED
    copied = home.images.contents(copy.image_id)
    assert decided(token, "study", copied.study) == GRANTED


def test_orthanc_and_dicomweb_decide_alike(
    decided, http, consents, participants, home, add, series, token_for, ct, reader, who
):
    (image_set,) = add(*series)
    token, image_id = token_for(image_set), image_set.image_id

    def shown():
        path = f"/dicom-web/studies/{ct.StudyInstanceUID}/metadata"
        return http.client.get(path, headers={"Authorization": token}).status_code == 200

    acts = [
        (True, lambda: None),
        (False, lambda: consents.revoke(reader.address).send(who.patient)),
        (True, lambda: consents.grant(reader.address, CARE).send(who.patient)),
        (False, lambda: participants.suspend(reader.address).send(who.hospital)),
        (True, lambda: participants.reinstate(reader.address).send(who.hospital)),
        (False, lambda: home.images.disown(image_id).send(who.patient)),
        (True, lambda: home.images.acknowledge(image_id).send(who.patient)),
        (True, lambda: home.images.rekey(image_id, custodian=who.hospital)),
        (False, lambda: home.images.erase(image_id, custodian=who.hospital)),
    ]
    for permitted, act in acts:
        act()
        decisions = {decided(token, level, uid)["granted"] for level, uid in levels(ct).items()}
        assert decisions == {shown()} == {permitted}


def test_an_erased_study_is_refused(decided, home, add, series, token_for, ct, who):
    (image_set,) = add(*series)
    token = token_for(image_set)
    home.images.erase(image_set.image_id, custodian=who.hospital)
    for level, uid in levels(ct).items():
        assert decided(token, level, uid) == REFUSED


def test_a_gateway_that_cannot_ask_grants_nothing(
    asked, token, ct, ledger, consents, monkeypatch, wall
):
    question = {"level": "study", "method": "get", "dicom_uid": ct.StudyInstanceUID}
    question |= {"token_value": token}
    wall(61, max_block_age=60)
    refused(asked("POST", "/tokens/validate", **question), 503, "ChainStale")
    wall(0)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.web3.provider, "endpoint_uri", "http://127.0.0.1:1")
        for method, path in ROUTES:
            body = question | {"resources": [resource(ct.StudyInstanceUID)]}
            refused(asked(method, path, **body), 503, "ConnectionFailed")


def test_what_another_program_wrote_into_the_journal_grants_nothing(asked, token, home, ct):
    journal = home.custody._home.journal
    journal._database.connection.exec_driver_sql("UPDATE sets SET study = '1.2.3'")
    question = {"level": "study", "method": "get", "dicom_uid": "1.2.3", "token_value": token}
    refused(asked("POST", "/tokens/validate", **question), 503, "JournalAltered")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_the_gateways_orthanc_is_answered(http, asked, token, ct, method, path):
    body = {"level": "study", "method": "get", "dicom_uid": ct.StudyInstanceUID}
    body |= {"token_value": token, "resources": [resource(ct.StudyInstanceUID)]}
    assert asked(method, path, **body).status_code == 200
    wrong = [
        None,
        ("orthanc", ""),
        ("", PASSWORD),
        ("orthanc", PASSWORD[:-1]),
        ("Orthanc", PASSWORD),
    ]
    for auth in wrong:
        answer = asked(method, path, auth=auth, **body)
        assert refused(answer, 401, "OrthancUnknown") == {}
        assert answer.headers["www-authenticate"] == "Basic"
    refused(asked(method, path, auth=("é", "é"), **body), 401)
    # A token does not count as a password, and a body is not looked at before.
    headers = {"Authorization": token}
    for content in (b"{", b"{}"):
        answer = http.client.request(method, f"/orthanc{path}", content=content, headers=headers)
        refused(answer, 401, "OrthancUnknown")


def test_the_password_of_orthanc_opens_nothing_else(http, token):
    for path in ("/tokens/current", "/dicom-web/studies"):
        answer = http.client.get(path, auth=CREDENTIALS)
        refused(answer, 401, "TokenInvalid")
    answer = http.client.post("/tokens", auth=CREDENTIALS, json={"receipts": []})
    assert answer.status_code in (401, 422)


def test_a_link_is_a_token_for_studies_that_its_user_may_see(
    asked, decided, http, add, series, sample, token_for, ct
):
    first, other = *add(*series), *add(sample("MR_small.dcm"))
    mr = pydicom.dcmread(sample("MR_small.dcm"))
    user = token_for(first, other)
    wanted = {"resources": [resource(ct.StudyInstanceUID)], "token_value": user, "id": "demo"}
    kind = "stone-viewer-publication"
    answer = asked("PUT", f"/tokens/{kind}", **wanted, type=kind, server_id=None).json()
    assert answer["request"] == {"resources": wanted["resources"], "type": kind}
    link = f"Bearer {answer['token']}"
    assert answer["url"] == (
        f"https://pacs.example/stone-webviewer/index.html?study={ct.StudyInstanceUID}"
        f"&selectedStudies={ct.StudyInstanceUID}&token={answer['token']}"
    )
    assert decided(link, "study", ct.StudyInstanceUID) == GRANTED
    assert decided(link, "study", mr.StudyInstanceUID) == REFUSED
    assert http.permitted({"Authorization": link}) == [first.image_id]
    # Of a link, no other link leads further.
    further = {"resources": [resource(mr.StudyInstanceUID)], "token_value": link}
    refused(asked("PUT", f"/tokens/{kind}", **further), 404, "ResourceUnknown")


def test_a_forbidden_study_is_answered_as_one_that_there_is_not(asked, add, token, sample):
    add(sample("MR_small.dcm"))
    forbidden = pydicom.dcmread(sample("MR_small.dcm")).StudyInstanceUID
    answers = []
    for uid in (forbidden, "1.2.3"):
        wanted = {"resources": [resource(uid)], "token_value": token}
        question = {"level": "study", "method": "get", "dicom_uid": uid, "token_value": token}
        linked = asked("PUT", "/tokens/viewer-instant-link", **wanted)
        decided = asked("POST", "/tokens/validate", **question)
        assert refused(linked, 404, "ResourceUnknown") == {}
        answers.append((linked.content, decided.content))
    assert answers[0] == answers[1]


def test_a_link_ends_with_its_users_token_or_earlier(asked, http, ledger, token, ct, wall):
    wall(0)
    current = http.client.get("/tokens/current", headers={"Authorization": token})
    until = current.json()["expires_at"]

    def ends(**times):
        wanted = {"resources": [resource(ct.StudyInstanceUID)], "token_value": token} | times
        answer = asked("PUT", "/tokens/viewer-instant-link", **wanted).json()
        assert answer["url"] is None
        headers = {"Authorization": f"Bearer {answer['token']}"}
        return http.client.get("/tokens/current", headers=headers).json()["expires_at"]

    now = ledger.now()
    assert ends() == ends(validity_duration=366 * 24 * 3600) == until
    assert ends(validity_duration=200) == now + 200
    soon = datetime.fromtimestamp(now + 300, UTC).isoformat()
    assert ends(expiration_date=soon) == now + 300
    assert ends(expiration_date=soon, validity_duration=200) == now + 200
    past = datetime.fromtimestamp(now, UTC).isoformat()
    wanted = {"resources": [resource(ct.StudyInstanceUID)], "token_value": token}
    answer = asked("PUT", "/tokens/viewer-instant-link", **wanted, expiration_date=past)
    assert refused(answer, 400, "QueryInvalid") == {"parameter": "expiration-date"}


def test_a_link_is_made_for_a_user_with_a_token_alone(asked, token, ct, consents, reader, who):
    wanted = {"resources": [resource(ct.StudyInstanceUID)]}
    path = "/tokens/viewer-instant-link"
    # The authorization plugin does not say whose link it is.
    refused(asked("PUT", path, **wanted), 401, "TokenInvalid")
    refused(asked("PUT", path, **wanted, token_value="Bearer x"), 401, "TokenInvalid")
    for changes in (
        {"level": "series"},
        {"level": "patient"},
        {"dicom-uid": None},
        {"dicom-uid": "*"},
        {"dicom-uid": "1.2\\1.3"},
    ):
        body = {"resources": [resource(ct.StudyInstanceUID, **changes)], "token_value": token}
        refused(asked("PUT", path, **body), 422)
    for body in ({"resources": []}, {"validity-duration": 0}, {"validity-duration": True}):
        refused(asked("PUT", path, **wanted | body, token_value=token), 422)
    other = asked("PUT", "/tokens/meddream-instant-link", **wanted, token_value=token)
    assert refused(other, 400, "QueryInvalid") == {"parameter": "type"}
    consents.revoke(reader.address).send(who.patient)
    refused(asked("PUT", path, **wanted, token_value=token), 404, "ResourceUnknown")


def test_a_token_is_decoded_to_the_studies_that_it_permits_now(
    asked, token, ct, consents, reader, who
):
    answer = asked("POST", "/tokens/decode", token_key="token", token_value=token).json()
    assert answer == {"resources": [{"dicom-uid": ct.StudyInstanceUID, "level": "study"}]}
    consents.revoke(reader.address).send(who.patient)
    answer = asked("POST", "/tokens/decode", token_key="token", token_value=token).json()
    assert answer == {"resources": []}
    for bad in (None, "x", "Bearer x"):
        answer = asked("POST", "/tokens/decode", token_key="token", token_value=bad).json()
        assert answer == {"error-code": "invalid", "resources": []}


def test_a_profile_has_no_permissions_of_all_that_orthanc_has(asked, token, reader):
    nothing = {"authorized-labels": [], "permissions": [], "groups": [], "validity": 1}
    answer = asked("POST", "/user/get-profile", token_key="token", token_value=token).json()
    assert answer == {"name": reader.address, "user-id": reader.address} | nothing
    for body in ({}, {"token_value": "x"}, {"user_id": reader.address}):
        answer = asked("POST", "/user/get-profile", **body).json()
        assert answer == {"name": "anonymous", "user-id": None} | nothing


def test_a_gateway_without_an_orthanc_has_nothing_for_it(gateway):
    from fastapi.testclient import TestClient

    from radledger.gateway import create_application
    from tests.gateway.conftest import URL

    client = TestClient(create_application(gateway), URL, raise_server_exceptions=False)
    for method, path in ROUTES:
        refused(client.request(method, f"/orthanc{path}", json={}, auth=CREDENTIALS), 404)


@pytest.mark.parametrize(
    "content",
    [b"", b"orthanc", b"orthanc:short", b":" + b"x" * 32, b"a:" + b"x" * 31, b"a:" + b"x" * 600],
)
def test_a_file_without_name_and_password_is_refused(tmp_path, content):
    file = tmp_path / "orthanc"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(InvalidOrthanc) as error:
        Orthanc.read(file)
    assert error.value.values == {"path": str(file)}


def test_a_password_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "orthanc"
    file.write_text(f"orthanc:{PASSWORD}\n")
    file.chmod(0o600)
    assert Orthanc.read(file) == Orthanc(*CREDENTIALS)
    assert PASSWORD not in repr(Orthanc.read(file))
    file.chmod(0o640)
    with pytest.raises(InvalidOrthanc):
        Orthanc.read(file)
    file.chmod(0o600)
    with pytest.raises(InvalidOrthanc) as error:
        Orthanc.read(file, "https://user:secret@pacs.example")
    assert "secret" not in str(error.value)

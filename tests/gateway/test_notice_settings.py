"""Where patients have notices sent, set over HTTP by who acts for them and no one else."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from radledger.consent import Terms
from radledger.gateway import Gateway, create_application
from radledger.gateway.notices import Delivery
from tests.gateway.conftest import URL, Http, refused
from tests.gateway.receivers import LOOPBACK, hook, kinds, mailbox

__all__ = ["hook", "mailbox"]

pytestmark = pytest.mark.usefixtures("patient_with_ether")


@pytest.fixture
def sending(home, who, mailbox):
    """A gateway that sends to this machine, and its interface; its threads do not run."""
    delivery = Delivery(URL, ("127.0.0.1", mailbox.port), "notices@hospital.example", LOOPBACK)
    gateway = Gateway(home, who.hospital, URL, delivery=delivery)
    client = TestClient(create_application(gateway), URL, raise_server_exceptions=False)
    yield SimpleNamespace(gateway=gateway, http=Http(client))
    gateway.close()


@pytest.fixture
def ask_for(sending):
    """Ask for notices of an account's own image sets, or another's."""

    def ask_for(account, method="PUT", patient=None, **body):
        headers = sending.http.sign_in(account)
        query = {} if patient is None else {"patient": patient}
        named = {"json": body} if body else {}
        return sending.http.client.request(
            method, "/access-log/notices", params=query, headers=headers, **named
        )

    return ask_for


NOTHING = {"channel": None, "destination": None, "waiting": 0, "failed": 0, "secret": None}


def test_a_patient_sets_and_ends_notices(ask_for, sending, who, hook, image_set):
    assert ask_for(who.patient, "GET").json() == NOTHING
    answer = ask_for(who.patient, channel="webhook", destination=hook.url)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    expected = {"channel": "webhook", "destination": hook.url, "waiting": 1, "failed": 0}
    assert {**answer.json(), "secret": None} == {**expected, "secret": None}
    assert answer.json()["secret"].startswith("whsec_")
    assert ask_for(who.patient, "GET").json() == {**expected, "secret": None}
    assert ask_for(who.patient, "DELETE").json() == NOTHING
    sending.gateway.patients.notices.send()
    assert kinds(hook.requests) == ["access-log.ended"]
    assert ask_for(who.patient, "GET").json() == NOTHING


def test_who_does_not_act_for_a_patient_changes_nothing(ask_for, who, hook, image_set, reader):
    ask_for(who.patient, channel="webhook", destination=hook.url)
    patient = who.patient.address
    for account in (reader, who.hospital):
        for method, body in (
            ("GET", {}),
            ("PUT", {"channel": "mail", "destination": "thief@example.org"}),
            ("DELETE", {}),
        ):
            answer = ask_for(account, method, patient, **body)
            refused(answer, 403, "PatientNotRepresented")
    assert ask_for(who.patient, "GET").json()["destination"] == hook.url


def test_who_is_not_a_patient_here_has_no_mail_sent(ask_for, who, mailbox):
    answer = ask_for(who.stranger, channel="mail", destination="victim@example.org")
    assert refused(answer, 404, "PatientUnknown") == {"patient": who.stranger.address}


def test_a_change_is_announced_where_notices_went_before(
    ask_for, sending, who, hook, mailbox, image_set
):
    ask_for(who.patient, channel="mail", destination="patient@example.org")
    ask_for(who.patient, channel="webhook", destination=hook.url)
    ask_for(who.patient, channel="webhook", destination=f"{hook.url}/other")
    sending.gateway.patients.notices.send()
    (mail,) = mailbox.mails
    assert "not sent here any more" in mail[2].get_content()
    assert [path for path, _, _ in hook.requests] == ["/hook", "/hook/other"]
    assert kinds(hook.requests) == ["access-log.ended", "access-log.begun"]


def test_changes_are_bounded(ask_for, who, image_set, mailbox):
    """Who gets the notice that notices begin may not have asked for it."""
    answers = [
        ask_for(who.patient, channel="mail", destination=f"victim{number}@example.org")
        for number in range(11)
    ]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    refused(answers[-1], 429, "NoticesExceeded")
    assert ask_for(who.patient, "DELETE").status_code == 200


NOT_WEBHOOKS = (
    *("ftp://a.example", "https://", "https://u:p@a.example", "https://a.example/#x", "nonsense"),
    *("https://a.example/ b", "https://a.example/\r\nX: y", "file:///etc/passwd", "https://[::1"),
    *("https://a.example:x", "https://a.example:0", ""),
)
NOT_MAIL = (
    *("nonsense", "a@b", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", ""),
    *("<a@b.example>", "é@b.example", "a@b.example ", "a" * 65 + "@b.example", "a@-b.example"),
    "a@" + "b." * 127 + "example",
)


def test_what_is_not_a_destination(sending, ask_for, who, image_set):
    headers = sending.http.sign_in(who.patient)
    for channel, destinations in (("webhook", NOT_WEBHOOKS), ("mail", NOT_MAIL)):
        for destination in destinations:
            body = {"channel": channel, "destination": destination}
            put = sending.http.client.put
            answer = put("/access-log/notices", json=body, headers=headers)
            assert refused(answer, 422, "DestinationInvalid") == {"destination": destination}
    assert ask_for(who.patient, "GET").json() == NOTHING


def test_what_a_gateway_does_not_send(http, who, image_set):
    """One without a mail server, that lets webhooks go to public addresses alone."""
    headers = http.sign_in(who.patient)

    def wanted(channel, destination):
        body = {"channel": channel, "destination": destination}
        return http.client.put("/access-log/notices", json=body, headers=headers)

    refused(wanted("mail", "patient@example.org"), 422, "MailNotSent")
    refused(wanted("webhook", "http://patient.example/hook"), 422, "DestinationInvalid")
    assert wanted("webhook", "https://patient.example/hook").status_code == 200
    assert wanted("pigeon", "loft").status_code == 422


def test_a_release_does_not_wait_for_a_notice(
    sending, ask_for, consents, ask, reader, who, image_set, monkeypatch
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    ask_for(who.patient, channel="webhook", destination="http://127.0.0.1:1/hook")
    begun, released = threading.Event(), threading.Event()

    def hanging(notice, now):
        begun.set()
        assert released.wait(60)

    monkeypatch.setattr(type(sending.gateway.patients.notices._delivery), "send",
                        lambda _, notice, now: hanging(notice, now))  # fmt: skip
    with sending.http.client:  # whose threads run
        assert begun.wait(60)
        answer = sending.http.release(ask(reader), sending.http.sign_in(reader))
        released.set()
    assert answer.status_code == 201


def test_the_thread_sends_by_itself(sending, ask_for, who, image_set, monkeypatch):
    told = threading.Event()
    monkeypatch.setattr(type(sending.gateway.patients.notices._delivery), "send",
                        lambda *_: told.set())  # fmt: skip
    ask_for(who.patient, channel="webhook", destination="http://127.0.0.1:1/hook")
    with sending.http.client:
        assert told.wait(60)

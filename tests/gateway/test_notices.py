"""Patients get a notice at each reading, that says nothing of it, and no release waits for one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from ipaddress import ip_network

import pytest

from radledger.access import Release
from radledger.consent import Terms
from radledger.gateway.errors import InvalidDelivery
from radledger.gateway.notices import Channel, Delivery, Notices
from radledger.gateway.notices.delivery import delivery_of, signature
from radledger.imaging.model import NONE
from radledger.transport.addresses import AddressForbidden, found
from tests.gateway.conftest import URL
from tests.gateway.receivers import LOOPBACK, hook, kinds, mailbox, webhook
from tests.trickling import trickling

__all__ = ["hook", "mailbox", "trickling"]

pytestmark = pytest.mark.usefixtures("patient_with_ether")

DAY = 24 * 3600
WEBHOOK, MAIL = Channel.WEBHOOK, Channel.MAIL


@pytest.fixture
def notices(tmp_path, receipts, holding, who):
    """Notices of the hospital, whose thread does not run; by a delivery, at a time."""
    opened = []

    def notices(delivery, now=lambda: 1_796_054_400, **changes):
        path = tmp_path / "notices.sqlite3"
        hospital = who.hospital.address
        named = {"show": holding.show, "custodian": hospital} | changes
        opened.append(Notices(path, receipts, delivery=delivery, now=now, **named))
        return opened[-1]

    yield notices
    for each in opened:
        each.close()


@pytest.fixture
def keep(receipts, ask, reader, consents, who):
    """Keep a receipt, as a key service does when it releases."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)

    def keep(*image_sets):
        asked = [ask(reader, image_set=each) for each in image_sets] or [ask(reader)]
        receipts.keep(*(Release(each, NONE, each.receipt.time) for each in asked))

    return keep


def run(notices):
    notices.follow()
    notices.send()


# ---------------------------------------------------------------------------------- what is sent


def test_a_webhook_gets_one_request_that_shows_nothing_of_what_was_read(
    notices, hook, keep, who, reader, image_set, other_image_set
):
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    patient = who.patient.address
    keep()  # before notices were asked for
    sending.follow()
    secret = sending.set(patient, WEBHOOK, hook.url).destination.secret
    run(sending)
    keep()
    keep(image_set, other_image_set)
    for _ in range(3):
        run(sending)
    assert kinds(hook.requests) == ["access-log.begun", "access-log.reading"]
    keep()
    run(sending)
    assert kinds(hook.requests)[2:] == ["access-log.reading"]
    for path, headers, body in hook.requests:
        assert path == "/hook"
        assert json.loads(body).keys() == {"type", "timestamp", "data"}
        assert json.loads(body)["data"] == {"gateway": URL}
        known = {patient, reader.address, image_set.image_id, other_image_set.image_id}
        assert not any(each[2:].lower() in body.decode().lower() for each in known)
        # As any receiver of Standard Webhooks checks it.
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{code}"
    assert len({headers["webhook-id"] for _, headers, _ in hook.requests}) == 3
    assert sending.settings(patient).waiting == 0


def test_the_signature_is_that_of_standard_webhooks():
    """The example of the specification's reference implementation."""
    body = b'{"test": 2432232314}'
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_mail_says_nothing_of_what_was_read(notices, mailbox, keep, who, reader, image_set):
    server = ("127.0.0.1", mailbox.port)
    sending = notices(Delivery(URL, server, "notices@hospital.example"))
    patient = who.patient.address
    assert sending.set(patient, MAIL, "patient@example.org").destination.secret == ""
    keep()
    run(sending)
    sending.end(patient)
    run(sending)
    assert [mail[:2] for mail in mailbox.mails] == [
        ("notices@hospital.example", ["patient@example.org"])
    ] * 3
    begun, reading, ended = (message for _, _, message in mailbox.mails)
    assert "will get a notice" in begun.get_content()
    assert "read medical images of yours" in reading.get_content()
    assert "not sent here any more" in ended.get_content()
    for message in (begun, reading, ended):
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Message-ID"].endswith("@hospital.example>")
        text = message.as_string().lower()
        for address in (patient, reader.address, image_set.image_id):
            assert address[2:].lower() not in text
    assert len({message["Message-ID"] for _, _, message in mailbox.mails}) == 3


def test_notices_of_readings_while_the_gateway_was_stopped_are_sent_when_it_runs(
    notices, hook, keep, who, receipts
):
    delivery = Delivery(URL, allowed=LOOPBACK)
    before = notices(delivery)
    before.set(who.patient.address, WEBHOOK, hook.url)
    keep()
    again = notices(delivery)
    run(again)
    run(before)
    assert kinds(hook.requests) == ["access-log.begun", "access-log.reading"]


def test_image_sets_of_others_are_of_no_account(notices, hook, keep, who):
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    elsewhere = notices(Delivery(URL, allowed=LOOPBACK), custodian=who.clinic.address)
    sending.set(who.stranger.address, WEBHOOK, hook.url)
    keep()
    run(sending)
    run(elsewhere)
    assert kinds(hook.requests) == ["access-log.begun"]


# ------------------------------------------------------------------------------ what goes wrong


def test_what_is_not_delivered_is_tried_again_and_then_dropped(notices, keep, who):
    now = 1_796_054_400
    patient = who.patient.address
    with webhook(status=500) as (url, requests):
        sending = notices(Delivery(URL, allowed=LOOPBACK), lambda: now)
        sending.set(patient, WEBHOOK, url)
        keep()
        run(sending)
        # After one that failed, the others to that place wait as well.
        assert kinds(requests) == ["access-log.begun"]
        for pause in (59, 1, 300, 1800, 7200, 21_600, 30 * DAY):
            now += pause
            run(sending)
        tried = [headers["webhook-id"] for _, headers, _ in requests]
        assert max(map(tried.count, tried)) == 6
        for _ in range(10):
            now += DAY
            run(sending)
        tried = [headers["webhook-id"] for _, headers, _ in requests]
        assert sorted(map(tried.count, set(tried))) == [6, 6]
    settings = sending.settings(patient)
    assert (settings.waiting, settings.failed) == (0, 2)


def test_redirects_are_not_followed(notices, hook, who):
    with webhook(status=302, headers=[("Location", hook.url)]) as (url, requests):
        sending = notices(Delivery(URL, allowed=LOOPBACK))
        sending.set(who.patient.address, WEBHOOK, url)
        run(sending)
        assert len(requests) == 1
    assert hook.requests == []
    assert sending.settings(who.patient.address).waiting == 1


def test_a_proxy_of_the_environment_is_not_asked(notices, hook, who, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    sending.set(who.patient.address, WEBHOOK, hook.url)
    run(sending)
    assert kinds(hook.requests) == ["access-log.begun"]


def test_a_mail_that_is_refused_waits(notices, mailbox, who):
    sending = notices(Delivery(URL, ("127.0.0.1", mailbox.port), "notices@hospital.example"))
    sending.set(who.patient.address, MAIL, "nobody@example.org")
    run(sending)
    assert sending.settings(who.patient.address).waiting == 1
    assert mailbox.mails == []


def test_what_fails_keeps_no_one_else_waiting(notices, hook, who, keep):
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    sending.set(who.stranger.address, WEBHOOK, f"http://127.0.0.1:{port}/hook")
    sending.set(who.patient.address, WEBHOOK, hook.url)
    run(sending)
    assert kinds(hook.requests) == ["access-log.begun"]


def test_a_book_that_was_restored_is_followed_on(notices, hook, keep, who, receipts, monkeypatch):
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    sending.set(who.patient.address, WEBHOOK, hook.url)
    sending._store.follow(1000, (), 0)
    keep()
    run(sending)
    keep()
    run(sending)
    assert kinds(hook.requests) == ["access-log.begun", "access-log.reading"]


def test_a_reading_during_a_look_at_the_book_gives_one_notice(
    notices, hook, keep, who, receipts, monkeypatch
):
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    sending.set(who.patient.address, WEBHOOK, hook.url)
    keep()
    since = receipts.since

    def meanwhile(number, most):
        monkeypatch.setattr(receipts, "since", since)
        keep()
        return since(number, most)

    monkeypatch.setattr(receipts, "since", meanwhile)
    for _ in range(3):
        run(sending)
    assert kinds(hook.requests) == ["access-log.begun", "access-log.reading"]


# -------------------------------------------------------------------------- where it may be sent


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:4136:e378::1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address, monkeypatch):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answers = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(AddressForbidden):
        found("patient.example", 443, ())
    # Nor if one of several is public.
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))
    answers.insert(0, public)
    with pytest.raises(AddressForbidden):
        found("patient.example", 443, ())
    answers.pop()
    assert found("patient.example", 443, ()) == "1.1.1.1"
    with pytest.raises(AddressForbidden):
        found("patient.example", 443, LOOPBACK, public=False)


def test_a_name_is_resolved_once(notices, hook, who, monkeypatch):
    """A name that is resolved again may lead elsewhere by then."""
    asked = []
    resolve = socket.getaddrinfo

    def rebinding(host, *arguments, **named):
        if host != "patient.example":
            return resolve(host, *arguments, **named)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return resolve(address, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    sending = notices(Delivery(URL, allowed=[ip_network("127.0.0.1/32")]))
    url = hook.url.replace("127.0.0.1", "patient.example")
    sending.set(who.patient.address, WEBHOOK, url)
    run(sending)
    assert len(asked) == 1
    assert hook.requests[0][1]["Host"].startswith("patient.example:")


def test_a_webhook_on_the_gateways_own_machine_is_not_asked(notices, hook, who):
    # Set while it was allowed, and by any name.
    notices(Delivery(URL, allowed=LOOPBACK)).set(who.patient.address, WEBHOOK, hook.url)
    strict = notices(Delivery(URL))
    run(strict)
    assert hook.requests == []
    assert strict.settings(who.patient.address).waiting == 1


@pytest.mark.parametrize("part", ["status line", "header", "headers", "interim answers"])
def test_a_webhook_that_answers_too_slowly_is_left(notices, who, trickling, part):
    trickling.part = part
    sending = notices(Delivery(URL, allowed=LOOPBACK))
    sending.set(who.patient.address, WEBHOOK, f"http://127.0.0.1:{trickling.port}/hook")
    run(sending)
    assert sending.settings(who.patient.address).waiting == 1


# ------------------------------------------------------------------------ what the operator says


def test_what_sends_is_named_in_texts():
    made = delivery_of(URL, "mail.example:587", "n@h.example", ["10.1.0.0/16", "fd00::/8"])
    assert (made.mail_server, made.mail_from) == (("mail.example", 587), "n@h.example")
    assert [str(each) for each in made.allowed] == ["10.1.0.0/16", "fd00::/8"]
    assert delivery_of(URL, "[::1]:25", "n@h.example", ()).mail_server == ("::1", 25)
    for wrong in (
        ("mail.example", None, ()),
        (None, "n@h.example", ()),
        ("mail.example", "nonsense", ()),
        ("mail.example:0", "n@h.example", ()),
        ("mail.example:99999", "n@h.example", ()),
        ("mail example", "n@h.example", ()),
        (None, None, ["10.1.0.1/16"]),
        (None, None, ["nonsense"]),
    ):
        with pytest.raises(InvalidDelivery):
            delivery_of(URL, *wrong)

"""Secrets over HTTP: to the account that signed in and signed the receipt, and to no other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from radledger.consent import Terms
from radledger.errors import DatabaseUnavailable
from radledger.gateway import Gateway, service
from radledger.gateway.errors import GatewayBusy
from tests.access.holding import opened
from tests.gateway.conftest import URL, refused, wrapped

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CARE = Terms(("CC",))


@pytest.fixture
def granted(consents, patient_with_ether, reader, who):
    consents.grant(reader.address, CARE).send(who.patient)


@pytest.fixture
def session(http, reader):
    return http.sign_in(reader)


@pytest.mark.usefixtures("granted")
def test_a_reader_gets_the_secret_and_the_receipt_stays(
    http, session, holding, image_set, receipts, reader, ask
):
    request = ask(reader)
    response = http.release(request, session)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert (answer["image_id"], answer["grant_id"], answer["block_age"]) == (
        image_set.image_id,
        request.receipt.grant_id,
        0,
    )
    assert opened(wrapped(answer)) == holding.secret(image_set.image_id)
    (kept,) = receipts.releases(image_set.image_id)
    assert (kept.signed, kept.signer) == (request, reader.address)


@pytest.mark.usefixtures("granted")
def test_nothing_leaves_whose_receipt_cannot_be_kept(
    http, session, holding, image_set, receipts, reader, ask, monkeypatch
):
    def full(*_):
        raise DatabaseUnavailable("the database /secret/place cannot be used: disk full")

    monkeypatch.setattr(receipts, "keep", full)
    response = http.release(ask(reader), session)
    assert refused(response, 503, "DatabaseUnavailable") == {}
    assert "/secret/place" not in response.text


@pytest.mark.usefixtures("granted")
def test_without_a_session_nothing_is_released(http, receipts, reader, ask):
    for header in (None, "Bearer ", "Bearer nonsense", "Basic dTpw", "é"):
        headers = {} if header is None else {"Authorization": header.encode()}
        refused(http.release(ask(reader), headers), 401, "SignInRequired")
        refused(http.tokens([ask(reader)], headers), 401, "SignInRequired")
    assert receipts.releases() == ()


def test_without_a_grant_nothing_is_released(http, session, receipts, reader, ask, who):
    values = refused(http.release(ask(reader), session), 403, "ConsentNotPermittedNeverGranted")
    assert values == {"subject": who.patient.address, "reader": reader.address}
    assert receipts.releases() == ()


@pytest.mark.usefixtures("granted")
def test_after_a_revocation_nothing_is_released(
    http, session, consents, receipts, reader, ask, who
):
    request = ask(reader)
    consents.revoke(reader.address).send(who.patient)
    values = refused(http.release(request, session), 403, "ConsentNotPermittedRevoked")
    assert values == {"subject": who.patient.address, "reader": reader.address}
    assert receipts.releases() == ()


def test_after_its_end_a_grant_permits_nothing(
    http, session, consents, ledger, receipts, reader, ask, who, travel
):
    until = ledger.now() + 100
    consents.grant(reader.address, Terms(("CC",), until=until)).send(who.patient)
    travel(100)
    values = refused(http.release(ask(reader), session), 403, "ConsentNotPermittedExpired")
    assert values["until"] == until
    assert receipts.releases() == ()


@pytest.mark.usefixtures("granted")
def test_a_stolen_receipt_is_of_no_use(http, session, receipts, reader, ask, who):
    request = ask(reader)
    thief = http.sign_in(who.stranger)
    for response in (http.release(request, thief), http.tokens([request], thief)):
        values = refused(response, 403, "ReaderNotControlled")
        assert values == {
            "account": who.stranger.address,
            "reader": reader.address,
            "owner": reader.address,
        }
    # The thief did not use it up.
    assert (done := http.release(request, session)).status_code == 201, done.text
    assert len(receipts.releases()) == 1


@pytest.mark.usefixtures("granted")
def test_a_forged_receipt_is_refused(http, session, receipts, reader, ask, who):
    forged = ask(who.stranger, reader=reader.address)
    values = refused(http.release(forged, session), 422, "ReceiptInvalid")
    assert values == {"reader": reader.address, "signer": who.stranger.address}
    changed = ask(reader)
    changed = replace(changed, receipt=replace(changed.receipt, fulfilled=1))
    refused(http.release(changed, session), 422, "ReceiptInvalid")
    assert receipts.releases() == ()


@pytest.mark.usefixtures("granted")
def test_a_receipt_is_answered_once(http, session, receipts, reader, ask):
    request = ask(reader)
    assert (done := http.release(request, session)).status_code == 201, done.text
    values = refused(http.release(request, session), 409, "ReceiptReplayed")
    assert values["reader"] == reader.address
    refused(http.tokens([request], session), 409, "ReceiptReplayed")
    assert len(receipts.releases()) == 1


@pytest.mark.usefixtures("granted")
def test_at_the_same_time_a_receipt_is_answered_once(http, session, receipts, reader, ask):
    request = ask(reader)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(http.release, request, session) for _ in range(4)]
        statuses = [answer.result().status_code for answer in answers]
    assert sorted(statuses) == [201, 409, 409, 409]
    assert len(receipts.releases()) == 1


@pytest.mark.usefixtures("granted")
def test_a_revoked_reader_is_locked_out_once_by_readers_at_the_same_time(
    http, consents, holding, image_set, ledger, receipts, reader, ask, who
):
    session = http.sign_in(reader)
    first = opened(wrapped(http.release(ask(reader), session).json()))
    consents.revoke(reader.address).send(who.patient)
    consents.grant(reader.address, Terms(("GRU",))).send(who.patient)
    requests = [ask(reader, purposes=("GRU",)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(http.release, request, session) for request in requests]
        secrets = {opened(wrapped(answer.result().json())) for answer in answers}
    assert secrets == {holding.secret(image_set.image_id)} != {first}
    image = bytes.fromhex(image_set.image_id[2:])
    assert len(ledger.events("ImageRegistry", "ImageRekeyed", image=image)) == 1
    manifests = [release.manifest for release in receipts.releases()]
    assert set(manifests[1:]) == {holding.show(image_set.image_id).manifest} != {manifests[0]}


@pytest.mark.usefixtures("granted")
def test_a_set_that_is_encrypted_again_does_not_hold_up_others(
    gateway, consents, holding, image_set, other_image_set, reader, ask, monkeypatch, who
):
    gateway.release(reader.address, ask(reader))
    consents.grant(reader.address, Terms(("GRU",))).send(who.patient)
    begun, go_on, rekey = threading.Event(), threading.Event(), holding.rekey

    def slow(image_id):
        begun.set()
        assert go_on.wait(timeout=240)
        rekey(image_id)

    monkeypatch.setattr(holding, "rekey", slow)
    before = holding.secret(image_set.image_id)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(gateway.release, reader.address, ask(reader, purposes=("GRU",)))
        assert begun.wait(timeout=240)
        other = ask(reader, image_set=other_image_set, purposes=("GRU",))
        assert gateway.release(reader.address, other).image_id == other_image_set.image_id
        assert not waits.done()
        go_on.set()
        assert opened(waits.result()) == holding.secret(image_set.image_id) != before


@pytest.mark.usefixtures("granted")
def test_the_chain_is_asked_once_in_each_block(gateway, consents, ledger, reader, ask, monkeypatch):
    requests = [ask(reader) for _ in range(3)]
    asked, make = [], ledger.web3.provider.make_request

    def counted(method, parameters):
        asked.append(method)
        return make(method, parameters)

    monkeypatch.setattr(ledger.web3.provider, "make_request", counted)
    gateway.release(reader.address, requests[0])
    first = len(asked)
    asked.clear()
    # By its key service, by the gateway, and after waiting.
    gateway.release(reader.address, requests[1])
    assert asked == ["eth_getBlockByNumber"] * 3
    assert first > len(asked)


@pytest.mark.usefixtures("granted")
def test_releases_that_wait_leave_threads_to_others(
    home, image_set, holding, reader, ask, monkeypatch, who
):
    monkeypatch.setattr(service, "_MOST_RELEASES", 1)
    begun, go_on, secret = threading.Event(), threading.Event(), holding.secret

    def slow(image_id):
        begun.set()
        assert go_on.wait(timeout=240)
        return secret(image_id)

    monkeypatch.setattr(holding, "secret", slow)
    gateway = Gateway(home, who.hospital, URL)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(gateway.release, reader.address, ask(reader))
        assert begun.wait(timeout=240)
        with pytest.raises(GatewayBusy) as busy:
            gateway.release(reader.address, ask(reader))
        go_on.set()
        assert first.result().image_id == image_set.image_id
    assert busy.value.values == {"most": 1}
    assert gateway.release(reader.address, ask(reader)).image_id == image_set.image_id
    gateway.close()


@pytest.mark.usefixtures("granted")
def test_a_suspended_member_of_an_institution_is_refused(
    http, session, consents, participants, receipts, reader, ask, who
):
    consents.revoke(reader.address).send(who.patient)
    institution = participants.show(reader.address).institution
    consents.grant(institution, CARE).send(who.patient)
    request = ask(reader)
    assert http.release(ask(reader), session).status_code == 201
    participants.suspend(reader.address).send(who.hospital)
    values = refused(http.release(request, session), 403, "ConsentNotPermittedReaderSuspended")
    assert values == {"reader": reader.address}
    assert len(receipts.releases()) == 1


@pytest.mark.usefixtures("granted")
def test_a_receipt_for_another_chain_is_refused(http, session, ledger, receipts, reader, ask):
    values = refused(http.release(ask(reader, chain_id=1), session), 422, "ReceiptForAnotherChain")
    assert values["expected"] == [ledger.chain_id, ledger.address("ConsentRegistry")]
    assert receipts.releases() == ()


@pytest.mark.usefixtures("granted")
def test_a_stale_chain_releases_nothing(http, receipts, reader, ask, wall):
    wall(0)
    session = http.sign_in(reader)
    request = ask(reader)
    wall(61, max_block_age=60)
    for response in (
        http.release(request, session),
        http.tokens([request], session),
        http.client.get("/health"),
    ):
        values = refused(response, 503, "ChainStale")
        assert (values["block_age"], values["max_block_age"]) == (61, 60)
        assert response.headers["retry-after"]
    assert receipts.releases() == ()
    wall(60, max_block_age=60)
    assert (done := http.release(request, session)).status_code == 201, done.text


@pytest.mark.usefixtures("granted")
def test_a_chain_that_cannot_be_reached_releases_nothing(
    http, session, ledger, receipts, reader, ask, monkeypatch
):
    request = ask(reader)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.web3.provider, "endpoint_uri", "http://127.0.0.1:1/SECRET")
        responses = [
            http.release(request, session),
            http.tokens([request], session),
            http.client.get("/health"),
        ]
    for response in responses:
        # Where the node is may be a secret, as with a key in its address.
        assert refused(response, 503, "ConnectionFailed") == {}
        assert "127.0.0.1" not in response.text
        assert "SECRET" not in response.text
    assert receipts.releases() == ()


def test_health_says_what_the_gateway_sees(http, ledger, who):
    assert http.client.get("/health").json() == {
        "custodian": who.hospital.address,
        "chain_id": ledger.chain_id,
        "block": ledger.block_number(),
        "block_age": 0,
    }

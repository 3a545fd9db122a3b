"""Tokens for viewers: what they permit, until when, and that the chain is asked in each block."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from radledger.access import Acknowledgement
from radledger.consent import Terms
from radledger.gateway import Gateway, create_application, permissions
from radledger.imaging.model import NONE
from tests.gateway.conftest import URL, Http, refused

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CARE = Terms(("CC",))
HOUR = 3600


@pytest.fixture
def granted(consents, patient_with_ether, reader, who):
    consents.grant(reader.address, CARE).send(who.patient)


@pytest.fixture
def viewer(http, granted, reader, ask):
    """The headers of a viewer that has a token for the image set."""
    return http.token([ask(reader)], reader)


@pytest.mark.usefixtures("granted")
def test_a_token_is_issued_against_receipts_and_no_secret_leaves(
    http, holding, image_set, other_image_set, ledger, receipts, reader, ask
):
    requests = [ask(reader), ask(reader, image_set=other_image_set)]
    response = http.tokens(requests, http.sign_in(reader))
    assert response.status_code == 201, response.text
    token = response.json()
    image_ids = [image_set.image_id, other_image_set.image_id]
    assert token["reader"] == reader.address
    assert token["purposes"] == ["CC"]
    assert token["image_ids"] == image_ids
    assert token["expires_at"] == ledger.now() + 12 * HOUR
    assert token["acknowledgements"] == []  # no recorder was appointed
    assert holding.secret(image_set.image_id) not in response.text

    kept = receipts.releases()
    assert [release.signed for release in kept] == requests
    assert {(release.manifest, release.signer) for release in kept} == {(NONE, reader.address)}

    viewer = {"Authorization": f"Bearer {token['token']}"}
    assert http.permitted(viewer) == image_ids
    for request in requests:
        receipt = request.receipt
        assert http.check(receipt.image_id, viewer).json() == {
            "image_id": receipt.image_id,
            "grant_id": receipt.grant_id,
        }


@pytest.mark.usefixtures("granted")
def test_receipts_of_a_token_are_acknowledged(
    home, image_set, other_image_set, ledger, recorder, reader, ask, who
):
    gateway = Gateway(home, who.hospital, URL, recorder)
    http = Http(TestClient(create_application(gateway), URL))
    requests = [ask(reader), ask(reader, image_set=other_image_set)]
    acknowledgements = http.tokens(requests, http.sign_in(reader)).json()["acknowledgements"]
    for request, each in zip(requests, acknowledgements, strict=True):
        acknowledgement = Acknowledgement.from_json(each)
        acknowledgement.require_binding(ledger, request.receipt, who.hospital.address)
    gateway.close()


@pytest.mark.usefixtures("granted")
def test_a_recorder_who_was_dismissed_issues_no_token(
    home, access, receipts, recorder, reader, ask, who
):
    access.dismiss(recorder.address).send(who.hospital)
    gateway = Gateway(home, who.hospital, URL, recorder)
    http = Http(TestClient(create_application(gateway), URL))
    response = http.tokens([ask(reader)], http.sign_in(reader))
    values = refused(response, 403, "AccessRecorderNotAppointed")
    assert values == {"institution": who.hospital.address, "recorder": recorder.address}
    assert receipts.releases() == ()
    gateway.close()


@pytest.mark.usefixtures("viewer")
def test_a_set_is_not_encrypted_again_for_a_reader_who_was_only_shown_it(
    http, consents, holding, image_set, reader, ask, who
):
    before = holding.secret(image_set.image_id)
    consents.revoke(reader.address).send(who.patient)
    consents.grant(reader.address, Terms(("GRU",))).send(who.patient)
    request = ask(reader, purposes=("GRU",))
    assert http.release(request, http.sign_in(reader)).status_code == 201
    assert holding.secret(image_set.image_id) == before


def test_in_the_block_after_a_revocation_a_token_permits_nothing(
    http, viewer, consents, image_set, reader, who
):
    assert http.check(image_set.image_id, viewer).status_code == 200
    consents.revoke(reader.address).send(who.patient)
    values = refused(http.check(image_set.image_id, viewer), 403, "ConsentNotPermittedRevoked")
    assert values == {"subject": who.patient.address, "reader": reader.address}
    assert http.permitted(viewer) == []
    consents.grant(reader.address, CARE).send(who.patient)
    assert http.permitted(viewer) == [image_set.image_id]


def test_patients_have_tokens_for_their_own_images_without_a_grant(
    http, ledger, image_set, ask, who
):
    response = http.tokens([ask(who.patient)], http.sign_in(who.patient))
    assert response.status_code == 201, response.text
    assert response.json()["expires_at"] == ledger.now() + 12 * HOUR
    viewer = {"Authorization": f"Bearer {response.json()['token']}"}
    assert http.permitted(viewer) == [image_set.image_id]


def test_a_stolen_token_opens_no_other_image_set(http, viewer, image_set, other_image_set):
    other = other_image_set.image_id
    for image_id in (other, NONE):
        values = refused(http.check(image_id, viewer), 403, "TokenForOtherImages")
        assert values == {"image": image_id}
    assert http.permitted(viewer) == [image_set.image_id]


def test_a_token_is_not_a_session_nor_a_session_a_token(http, viewer, image_set, reader, ask):
    refused(http.release(ask(reader), viewer), 401, "SignInRequired")
    refused(http.tokens([ask(reader)], viewer), 401, "SignInRequired")
    session = http.sign_in(reader)
    refused(http.check(image_set.image_id, session), 401, "TokenInvalid")
    refused(http.client.get("/tokens/current", headers=session), 401, "TokenInvalid")
    refused(http.client.get("/tokens/current"), 401, "TokenInvalid")


def test_a_token_is_bound_to_its_grant(
    http, consents, image_set, other_image_set, reader, ask, who
):
    consents.grant(reader.address, CARE, scope=image_set.visit).send(who.patient)
    request = ask(reader)
    viewer = http.token([request], reader)
    consents.grant(reader.address, CARE).send(who.patient)
    values = refused(http.check(image_set.image_id, viewer), 403, "TokenGrantDiffers")
    assert values == {
        "bound": request.receipt.grant_id,
        "permits": ask(reader).receipt.grant_id,
    }
    assert http.permitted(viewer) == []


def test_a_token_ends_with_its_grant(http, consents, ledger, image_set, reader, ask, who, wall):
    until = ledger.now() + HOUR
    consents.grant(reader.address, Terms(("CC",), until=until)).send(who.patient)
    wall(0)
    response = http.tokens([ask(reader)], http.sign_in(reader))
    assert response.json()["expires_at"] == until
    viewer = {"Authorization": f"Bearer {response.json()['token']}"}
    left = until - ledger.now()
    wall(left - 1)
    assert http.permitted(viewer) == [image_set.image_id]
    # Also where no block comes that would end the grant on the chain.
    wall(left)
    refused(http.check(image_set.image_id, viewer), 401, "TokenInvalid")


def test_a_grant_that_was_shortened_ends_between_two_blocks(
    http, viewer, consents, ledger, image_set, reader, who, wall
):
    until = ledger.now() + HOUR
    consents.grant(reader.address, Terms(("CC",), until=until)).send(who.patient)
    left = until - ledger.now()
    wall(left - 1)
    assert http.permitted(viewer) == [image_set.image_id]
    wall(left)
    values = refused(http.check(image_set.image_id, viewer), 403, "ConsentNotPermittedExpired")
    assert values["until"] == until


def test_who_lost_the_readers_identity_loses_the_token(
    http, viewer, ledger, image_set, reader, who
):
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, who.clinic.address)
    values = refused(http.check(image_set.image_id, viewer), 403, "ReaderReplaced")
    assert values == {"reader": reader.address}
    assert http.permitted(viewer) == []


@pytest.mark.parametrize("act", ["erase", "disown"])
def test_what_was_erased_or_disowned_is_not_permitted(http, viewer, ledger, image_set, who, act):
    if act == "erase":
        ledger.send(who.hospital, "ImageRegistry", "erase", image_set.struct, b"\1" * 32)
    else:
        ledger.send(who.patient, "ImageRegistry", "disown", image_set.struct)
    error = {"erase": "ConsentNotPermittedErased", "disown": "ConsentNotPermittedDisowned"}[act]
    assert refused(http.check(image_set.image_id, viewer), 403, error) == {
        "image": image_set.image_id
    }


def test_a_suspended_member_sees_nothing_more(http, viewer, participants, image_set, reader, who):
    participants.suspend(reader.address).send(who.hospital)
    error = "ConsentNotPermittedReaderSuspended"
    refused(http.check(image_set.image_id, viewer), 403, error)


def test_a_chain_that_cannot_say_permits_nothing(
    http, viewer, ledger, image_set, monkeypatch, wall
):
    assert http.check(image_set.image_id, viewer).status_code == 200
    wall(61, max_block_age=60)
    values = refused(http.check(image_set.image_id, viewer), 503, "ChainStale")
    assert values["block_age"] == 61
    wall(0)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.web3.provider, "endpoint_uri", "http://127.0.0.1:1")
        refused(http.check(image_set.image_id, viewer), 503, "ConnectionFailed")
        refused(http.client.get("/tokens/current", headers=viewer), 503, "ConnectionFailed")
    assert http.check(image_set.image_id, viewer).status_code == 200


@pytest.mark.usefixtures("granted")
def test_receipts_of_a_token_are_kept_all_or_none(
    http, image_set, other_image_set, receipts, reader, ask, who
):
    session = http.sign_in(reader)
    second = ask(reader, image_set=other_image_set)
    for wrong, status, error in (
        (ask(reader, image_set=other_image_set, time=1), 422, "ReceiptStale"),
        (replace(second, signature="0x" + "11" * 65), 422, "ReceiptInvalid"),
        (ask(reader), 422, "ReceiptsDiffer"),  # two for one image set
        (ask(reader, other_image_set, ("CC",), ("IRB",)), 422, "ReceiptsDiffer"),
    ):
        refused(http.tokens([ask(reader), wrong], session), status, error)
    assert receipts.releases() == ()
    assert http.tokens([ask(reader), second], session).status_code == 201
    refused(http.tokens([ask(reader), second], session), 409, "ReceiptReplayed")
    assert len(receipts.releases()) == 2


def test_tokens_outlast_a_restart_and_are_kept_by_their_digests(
    http, home, viewer, image_set, reader, who
):
    token = viewer["Authorization"].removeprefix("Bearer ")
    restarted = Gateway(home, who.hospital, URL)
    viewing = restarted.viewing(token)
    assert (viewing.reader, viewing.account) == (reader.address, reader.address)
    assert restarted.permitted(viewing) == [image_set.image_id]
    restarted.close()
    database = home.home / "gateway" / f"{home.ledger.deployment.chain_slug}.sqlite3"
    assert database.stat().st_mode & 0o777 == 0o600
    stored = b"".join(path.read_bytes() for path in database.parent.iterdir())
    assert token.encode() not in stored
    connection = sqlite3.connect(database)
    ((digest,),) = connection.execute("SELECT digest FROM tokens")
    connection.close()
    refused(
        http.check(image_set.image_id, {"Authorization": f"Bearer {digest}"}), 401, "TokenInvalid"
    )


def test_tokens_that_have_ended_are_forgotten(http, home, viewer, ledger, reader, ask, wall):
    wall(13 * HOUR)
    http.token([ask(reader, time=ledger.now() + 13 * HOUR)], reader)
    database = home.home / "gateway" / f"{ledger.deployment.chain_slug}.sqlite3"
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT count(*) FROM tokens").fetchall() == [(1,)]
    connection.close()


def test_the_chain_is_asked_once_in_each_block(
    http, gateway, viewer, ledger, image_set, monkeypatch, travel
):
    monkeypatch.setattr(permissions, "_FRESH", 3600.0)
    asked, call = [], ledger.call

    def counted(*question):
        asked.append(question[1])
        return call(*question)

    monkeypatch.setattr(ledger, "call", counted)
    for _ in range(3):
        assert http.check(image_set.image_id, viewer).status_code == 200
    once = len(asked)
    assert asked.count("requirePermitted") == 1
    # Another block, which is not looked for before the time.
    travel(1)
    http.check(image_set.image_id, viewer)
    assert len(asked) == once
    monkeypatch.setattr(permissions, "_FRESH", 0.0)
    http.check(image_set.image_id, viewer)
    assert asked.count("requirePermitted") == 2
    http.check(image_set.image_id, viewer)
    assert asked.count("requirePermitted") == 2


def test_a_branch_of_the_same_height_is_another_block(
    http, viewer, consents, ledger, image_set, reader, who, travel
):
    """An answer of a block that was taken back does not count."""
    request = ledger.web3.provider.make_request
    snapshot = request("evm_snapshot", [])["result"]
    consents.revoke(reader.address).send(who.patient)
    revoked = ledger.block_number()
    assert http.permitted(viewer) == []
    request("evm_revert", [snapshot])
    travel(7)
    assert ledger.block_number() == revoked
    assert http.permitted(viewer) == [image_set.image_id]

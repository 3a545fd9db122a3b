"""A patient is shown who read their image sets, by who signs in for the patient and no one else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.access import Receipt, Release
from radledger.access.days import DAY, day_of
from radledger.access.model import Proof
from radledger.access.receipt_log import check_log_proof
from radledger.access.roots import Proven, Roots
from radledger.consent import Terms
from radledger.gateway import patients
from radledger.imaging.model import NONE
from tests.gateway.conftest import refused

pytestmark = pytest.mark.usefixtures("patient_with_ether")

UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def read(ledger, receipts, image_set, reader):
    """Keep receipts of the reader for the image set, as a key service does."""

    def read(count=1, image_id=image_set.image_id, **changes):
        releases = [
            Release(
                Receipt(
                    reader=reader.address,
                    image_id=image_id,
                    purposes=32,
                    fulfilled=0,
                    disease="0x" + "00" * 13,
                    grant_id=UNKNOWN,
                    time=ledger.now(),
                    chain_id=ledger.chain_id,
                    contract=ledger.address("ConsentRegistry"),
                    **changes,
                ).sign(reader),
                NONE,
                ledger.now(),
            )
            for _ in range(count)
        ]
        receipts.keep(*releases)
        return ["0x" + each.signed.receipt.digest.hex() for each in releases]

    return read


@pytest.fixture
def shown(http):
    """What is shown to an account of a patient, on all pages."""

    def shown(account, patient=None):
        headers, found, after = http.sign_in(account), [], 0
        while after is not None:
            query = {"after": after} | ({} if patient is None else {"patient": patient})
            response = http.client.get("/access-log", params=query, headers=headers)
            assert response.status_code == 200, response.text
            assert response.headers["cache-control"] == "no-store"
            page = response.json()
            found += page["receipts"]
            assert len(page["receipts"]) <= 25
            after = page["next"]
        return found

    return shown


def test_a_patient_is_shown_each_reading_once_whole_and_in_order(shown, read, who, receipts):
    digests = read(26)
    found = shown(who.patient)
    kept = receipts.releases()
    assert [each["receipt"] for each in found] == [each.signed.to_json() for each in kept]
    assert [each["released_at"] for each in found] == [each.released_at for each in kept]
    assert len(digests) == len(found)
    assert {(each["proof"], each["log_proof"]) for each in found} == {(None, None)}


def test_a_reading_that_was_released_over_http_is_shown(
    http, consents, ask, shown, reader, who, image_set
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    request = ask(reader)
    assert http.release(request, http.sign_in(reader)).status_code == 201
    (found,) = shown(who.patient)
    assert found["receipt"] == request.to_json()
    assert found["receipt"]["image_id"] == image_set.image_id


def test_others_are_shown_nothing_of_a_patient(http, read, who, reader, shown):
    read()
    for account in (who.stranger, reader, who.hospital):
        answer = http.client.get(
            "/access-log", params={"patient": who.patient.address}, headers=http.sign_in(account)
        )
        assert refused(answer, 403, "PatientNotRepresented") == {
            "account": account.address,
            "patient": who.patient.address,
        }
        assert shown(account) == []  # of their own
    assert refused(http.client.get("/access-log"), 401, "SignInRequired") == {}


def test_image_sets_of_other_patients_and_custodians_are_not_shown(
    shown, read, who, anchor, image_set
):
    theirs = anchor(patient=who.stranger)
    elsewhere = anchor(custodian=who.clinic)
    for each in (theirs, elsewhere):
        read(image_id=each.image_id)
    read()
    assert [each["receipt"]["image_id"] for each in shown(who.patient)] == [image_set.image_id]
    assert [each["receipt"]["image_id"] for each in shown(who.stranger)] == [theirs.image_id]


def test_a_delegate_and_a_new_owner_are_shown_and_guardians_and_the_old_key_are_not(
    http, shown, read, who, identities
):
    read()
    patient, parent, heir = who.patient.address, who.relatives[0], who.relatives[1]
    identities.set_guardians([who.relatives[2].address], 1).send(who.patient)
    identities.add_delegate(parent.address, validity=3600).send(who.patient)

    def require_refused(account):
        query = {"patient": patient}
        answer = http.client.get("/access-log", params=query, headers=http.sign_in(account))
        refused(answer, 403, "PatientNotRepresented")

    require_refused(who.relatives[2])
    assert len(shown(parent, patient)) == 1
    identities.change_owner(heir.address).send(who.patient)
    assert len(shown(heir, patient)) == 1
    for account in (who.patient, parent):
        require_refused(account)


def test_receipts_are_proven_under_the_root_of_their_day_and_in_the_log(
    home, http, shown, read, recorder, access, ledger, who, travel
):
    log = home.receipt_log
    log.create("gateway.example/log")
    digests, day = read(3), day_of(ledger.now())
    log.publish()
    hospital = who.hospital.address
    access.anchor(hospital, day).send(recorder)
    travel(DAY)
    later = read()
    found = shown(who.patient)
    roots = Roots(ledger, hospital)
    for digest, each in zip(digests, found, strict=False):
        proof = Proof.from_json(each["proof"])
        access.check(proof)
        assert roots.proven(bytes.fromhex(digest[2:]), day, proof) is Proven.ANCHORED
        assert check_log_proof(each["log_proof"].encode(), log.policy).receipt == digest
    # That of today is not anchored or published yet.
    assert (found[-1]["proof"], found[-1]["log_proof"]) == (None, None)
    assert len(found) == len(digests + later)


def test_a_book_that_lost_a_receipt_proves_nothing(
    shown, read, recorder, access, ledger, who, receipts, monkeypatch
):
    read(2)
    access.anchor(who.hospital.address, day_of(ledger.now())).send(recorder)
    on_day = receipts.on_day
    monkeypatch.setattr(receipts, "on_day", lambda *whose: on_day(*whose)[1:])
    assert [each["proof"] for each in shown(who.patient)] == [None, None]


def test_what_is_not_a_patient_or_a_page(http, who):
    headers = http.sign_in(who.patient)
    for query in ({"patient": "0x12"}, {"after": -1}, {"after": "x"}, {"after": 1 << 60}):
        assert http.client.get("/access-log", params=query, headers=headers).status_code == 422
    wrong = who.patient.address.swapcase().replace("0X", "0x")
    refused(
        http.client.get("/access-log", params={"patient": wrong}, headers=headers),
        422,
        "InvalidAddress",
    )


def test_a_chain_that_cannot_say_who_acts_shows_nothing(http, read, who, wall):
    read()
    wall(61, max_block_age=60)
    headers = http.sign_in(who.patient)
    for method, path in (("GET", ""), ("GET", "/notices"), ("DELETE", "/notices")):
        answer = http.client.request(method, f"/access-log{path}", headers=headers)
        assert refused(answer, 503, "ChainStale")["block_age"] == 61


def test_a_gateway_that_shows_many_their_logs_asks_others_to_wait(http, gateway, who):
    for _ in range(patients._MOST_SHOWN):
        gateway.patients._shown.acquire()
    answer = http.client.get("/access-log", headers=http.sign_in(who.patient))
    assert refused(answer, 503, "GatewayBusy") == {"most": patients._MOST_SHOWN}
    assert answer.headers["Retry-After"] == "60"


def test_a_proof_of_another_day_or_receipt_shows_nothing(read, recorder, access, ledger, who):
    (digest,), day, hospital = read(), day_of(ledger.now()), who.hospital.address
    access.anchor(hospital, day).send(recorder)
    proof, roots = access.prove(digest), Roots(ledger, hospital)
    key = bytes.fromhex(digest[2:])
    assert roots.proven(key, day, proof) is Proven.ANCHORED
    for wrong in (
        None,
        replace(proof, receipt=UNKNOWN),
        replace(proof, root=UNKNOWN),
        replace(proof, siblings=(UNKNOWN,)),
        replace(proof, institution=who.clinic.address),
    ):
        assert roots.proven(key, day, wrong) is Proven.UNPROVEN
    assert roots.proven(bytes(32), day, proof) is Proven.UNPROVEN

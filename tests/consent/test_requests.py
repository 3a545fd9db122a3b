"""Asking for a grant, and answering by it."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import (
    ConsentAlreadyRequested,
    ConsentNotRequested,
    ConsentRequesterNotAccredited,
    ConsentRequesterNotGrantee,
)
from radledger.consent.errors import InvalidRequestId, NoSuchRequest
from radledger.consent.model import ConsentRequest, Terms

pytestmark = pytest.mark.usefixtures("patient_with_ether")

NOW = 4_000_000_000


def test_a_request_waits_until_it_is_approved(consents, who, image_set):
    patient, clinician = who.patient, who.radiologist
    terms = Terms(("CC",), ("IRB",), start=0, until=NOW)
    requested = consents.request(
        patient.address, terms, scope=image_set.visit, grantee=who.hospital.address, exact=True
    ).send(clinician)
    (waiting,) = consents.requests(subject=patient.address)
    assert waiting == ConsentRequest(
        request_id=requested.request_id,
        subject=patient.address,
        requester=clinician.address,
        grantee=who.hospital.address,
        scope=image_set.visit,
        terms=terms,
        requested_at=requested.receipt.timestamp,
    )
    assert consents.requests(requester=clinician.address) == (waiting,)
    assert consents.requests(requester=who.stranger.address) == ()
    assert not consents.check(clinician.address, image_set, ["CC"], fulfilled=["IRB"]).permitted

    consents.approve(waiting.request_id).send(patient)

    assert consents.requests(subject=patient.address) == ()
    assert consents.check(clinician.address, image_set, ["CC"], fulfilled=["IRB"]).permitted
    with pytest.raises(ConsentNotRequested) as refusal:
        consents.approve(waiting.request_id).send(patient)
    assert refusal.value.values == {"request": waiting.request_id}
    with pytest.raises(ConsentNotRequested) as unsigned:
        consents.approve(waiting.request_id).sign(patient)
    assert unsigned.value.values == {"request": waiting.request_id}


def test_a_request_made_again_after_its_answer_is_one_request(consents, who):
    patient, clinician = who.patient, who.radiologist
    terms = Terms(("CC",), start=0)
    consents.request(patient.address, terms).send(clinician)
    (first,) = consents.requests(subject=patient.address)
    with pytest.raises(ConsentAlreadyRequested) as refusal:
        consents.request(patient.address, terms).send(clinician)
    assert refusal.value.values == {"request": first.request_id}
    consents.approve(first.request_id).send(patient)
    consents.request(patient.address, terms).send(clinician)
    (again,) = consents.requests(subject=patient.address)
    assert again.request_id == first.request_id


def test_who_asks_is_accredited_and_asks_for_itself(consents, who):
    with pytest.raises(ConsentRequesterNotAccredited) as unknown:
        consents.request(who.patient.address, Terms(("CC",))).send(who.stranger)
    assert unknown.value.values == {"requester": who.stranger.address}
    with pytest.raises(ConsentRequesterNotGrantee) as other:
        consents.request(who.patient.address, Terms(("CC",)), grantee=who.stranger.address).send(
            who.radiologist
        )
    assert other.value.values == {
        "requester": who.radiologist.address,
        "grantee": who.stranger.address,
    }
    assert consents.requests() == ()


def test_a_request_that_was_not_made_is_not_approved(consents, who):
    request_id = "0x" + "ab" * 32
    with pytest.raises(NoSuchRequest) as refusal:
        consents.approve(request_id).send(who.patient)
    assert refusal.value.values == {"request": request_id, "subject": who.patient.address}


@pytest.mark.parametrize("request_id", ["0x12", "first", ""])
def test_what_is_not_an_id_of_a_request_is_not_approved(consents, who, request_id):
    with pytest.raises(InvalidRequestId) as refusal:
        consents.approve(request_id).send(who.patient)
    assert refusal.value.values == {"text": request_id}

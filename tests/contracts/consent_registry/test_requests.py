"""Requests by accredited participants, and the subject's answer."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import error, plain
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    EMERGENCY,
    GRANTED,
    Condition,
    Purpose,
    Reason,
    code,
    use,
)


@pytest.fixture
def asked(image, patient, radiologist, accredited, terms):
    """What the radiologist asks of the patient: the arguments of `request`."""
    return (patient, radiologist, image.visit, terms(Purpose.GRU, Condition.NPOA))


@pytest.fixture
def request_id(consents, radiologist, asked):
    return str(consents.requestIdOf(radiologist, *asked))


def test_request(consents, patient, radiologist, asked, request_id, now):
    transaction = consents.request(*asked, {"from": radiologist})
    assert str(transaction.return_value) == request_id
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "ConsentRequested",
            {
                "subject": patient,
                "requester": radiologist,
                "grantee": radiologist,
                "scope": asked[2],
                "asked": asked[3].packed(),
            },
        )
    ]
    assert consents.requestedAt(request_id) == now()
    assert consents.grantOf(*asked[:3])[7] == 0


def test_request_ids_differ_in_each_value(consents, patient, radiologist, stranger, asked):
    subject, grantee, scope, stated = asked
    others = [
        (stranger, *asked),
        (radiologist, stranger, *asked[1:]),
        (radiologist, subject, stranger, scope, stated),
        (radiologist, subject, grantee, ALL, stated),
        *(
            (radiologist, *asked[:3], stated._replace(**{name: value}))
            for name, value in {
                "from_": 1,
                "until": 1,
                "purposes": 1,
                "conditions": 1,
                "disease": code("MONDO:0004992"),
            }.items()
        ),
    ]
    ids = {str(consents.requestIdOf(*values)) for values in [(radiologist, *asked), *others]}
    assert len(ids) == 1 + len(others)


def test_request_for_the_institution(consents, patient, radiologist, hospital, asked):
    transaction = consents.request(patient, hospital, *asked[2:], {"from": radiologist})
    assert transaction.events["ConsentRequested"]["grantee"] == hospital


def test_institution_requests_for_itself(consents, patient, hospital, asked):
    transaction = consents.request(patient, hospital, *asked[2:], {"from": hospital})
    assert transaction.events["ConsentRequested"]["requester"] == hospital


def test_request_for_another_grantee(consents, patient, radiologist, clinic, stranger, asked):
    for grantee in (stranger, clinic, patient):
        with error("ConsentRequesterNotGrantee", radiologist, grantee):
            consents.request(patient, grantee, *asked[2:], {"from": radiologist})


def test_only_accredited_participants_request(
    consents, participants, patient, radiologist, hospital, governor, stranger, asked
):
    with error("ConsentRequesterNotAccredited", stranger):
        consents.request(patient, stranger, *asked[2:], {"from": stranger})
    participants.suspend(hospital, {"from": governor})
    with error("ConsentRequesterNotAccredited", radiologist):
        consents.request(*asked, {"from": radiologist})
    participants.reinstate(hospital, {"from": governor})
    consents.request(*asked, {"from": radiologist})


def test_request_waits_once(consents, patient, radiologist, asked, request_id):
    consents.request(*asked, {"from": radiologist})
    with error("ConsentAlreadyRequested", request_id):
        consents.request(*asked, {"from": radiologist})
    consents.approve(radiologist, *asked, {"from": patient})
    consents.request(*asked, {"from": radiologist})


def test_approve(consents, patient, radiologist, asked, request_id, now):
    consents.request(*asked, {"from": radiologist})
    transaction = consents.approve(radiologist, *asked, {"from": patient})
    implied = Purpose.HMB | Purpose.DS | Purpose.CONTROL | Purpose.METHODS
    kept = asked[3].expanded(Purpose.GRU | implied)
    assert [(event.name, dict(event)) for event in transaction.events] == [
        ("ConsentRequestApproved", {"request": request_id}),
        (
            "ConsentGranted",
            {
                "subject": patient,
                "grantee": radiologist,
                "scope": asked[2],
                "given": kept.packed(now(), status=GRANTED),
                "actor": patient,
            },
        ),
    ]
    assert plain(consents.grantOf(*asked[:3])) == kept.kept(now())
    assert consents.requestedAt(request_id) == 0


def test_approved_use_is_permitted(consents, image, patient, radiologist, asked, permits):
    consents.request(patient, radiologist, image.visit, asked[3], {"from": radiologist})
    consents.approve(radiologist, patient, radiologist, image.visit, asked[3], {"from": patient})
    permits(radiologist, use(Purpose.HMB), radiologist, image.visit)


def test_approve_exactly(consents, patient, radiologist, stranger, asked, terms):
    """Only what was requested is approved, and a request is answered once."""
    consents.request(*asked, {"from": radiologist})
    wider = (*asked[:3], terms(Purpose.NRES))
    for requester, values in [(stranger, asked), (radiologist, wider)]:
        missing = str(consents.requestIdOf(requester, *values))
        with error("ConsentNotRequested", missing):
            consents.approve(requester, *values, {"from": patient})
    consents.approve(radiologist, *asked, {"from": patient})
    with error("ConsentNotRequested", str(consents.requestIdOf(radiologist, *asked))):
        consents.approve(radiologist, *asked, {"from": patient})


def test_approve_in_the_next_epoch(consents, patient, radiologist, asked):
    consents.request(*asked, {"from": radiologist})
    consents.revokeAll(patient, {"from": patient})
    consents.approve(radiologist, *asked, {"from": patient})
    assert consents.grantOf(*asked[:3])[6] == 1


def test_approve_what_a_suspended_requester_asked(
    consents, participants, image, patient, radiologist, hospital, asked, permits, refuses
):
    """The grant is the subject's to give; who is suspended does not read by it meanwhile."""
    consents.request(*asked, {"from": radiologist})
    participants.suspend(radiologist, {"from": hospital})
    consents.approve(radiologist, *asked, {"from": patient})
    suspended = (Reason.READER_SUSPENDED, "ConsentNotPermittedReaderSuspended", radiologist)
    refuses(radiologist, use(Purpose.HMB), *suspended)
    participants.reinstate(radiologist, {"from": hospital})
    permits(radiologist, use(Purpose.HMB), radiologist, asked[2])


@pytest.mark.parametrize("invalid", ["purposes", "disease", "period", "scope"])
def test_approval_is_refused_like_a_grant(
    consents, patient, radiologist, accredited, terms, invalid
):
    """A request is not judged before its answer."""
    over = terms(start=-DAY, lasts=DAY)
    methods = Purpose.DS | Purpose.METHODS
    scope, stated, *refusal = {
        "purposes": (ALL, terms(0), "ConsentPurposesInvalid", 0, 0),
        "disease": (ALL, terms(Purpose.DS), "ConsentDiseaseInvalid", methods, code("")),
        "period": (ALL, over, "ConsentPeriodInvalid", over.from_, over.until),
        "scope": (EMERGENCY, terms(), "ConsentScopeReserved", EMERGENCY),
    }[invalid]
    asked = (patient, radiologist, scope, stated)
    consents.request(*asked, {"from": radiologist})
    with error(*refusal):
        consents.approve(radiologist, *asked, {"from": patient})


def test_approve_for_the_caller(consents, radiologist, accredited, terms):
    """A participant who is a patient too cannot be its own grantee."""
    asked = (radiologist, radiologist, ALL, terms())
    consents.request(*asked, {"from": radiologist})
    with error("ConsentGranteeInvalid", radiologist):
        consents.approve(radiologist, *asked, {"from": radiologist})

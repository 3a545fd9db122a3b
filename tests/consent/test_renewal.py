"""Grants that end soon, and requests that renew them."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import ConsentPeriodInvalid
from radledger.consent import duo
from radledger.consent.errors import GrantNotRenewable, NoSuchGrant
from radledger.consent.model import SealedNote, Terms
from radledger.identity.errors import InvalidAddress

pytestmark = pytest.mark.usefixtures("patient_with_ether")

DAY = 24 * 3600
WEEK = 7 * DAY


@pytest.fixture
def granted(consents, ledger, who):
    """Grant for so many seconds from now; returns the grant."""

    def granted(lasts, grantee=None, scope="all", purposes=("CC",), **terms):
        now = ledger.now()
        until = {} if lasts is None else {"until": now + lasts}
        grantee = grantee or who.radiologist.address
        made = Terms(purposes, start=now, **until, **terms)
        consents.grant(grantee, made, scope=scope, exact=True).send(who.patient)
        (found,) = [each for each in consents.list(grantee=grantee) if each.scope == scope]
        return found

    return granted


def test_grants_that_end_soon_are_shown_to_both_sides(consents, granted, who, image_set):
    patient, reader = who.patient.address, who.radiologist.address
    later = granted(20 * DAY)
    soon = granted(5 * DAY, scope=image_set.image_id)
    to_house = granted(10 * DAY, who.hospital.address)
    to_other = granted(9 * DAY, who.clinic.address)
    granted(None, who.researcher.address)
    assert consents.expiring(patient, 14 * DAY) == (soon, to_other, to_house)
    assert consents.expiring(reader, 14 * DAY) == (soon, to_house)
    assert consents.expiring(who.hospital.address, 14 * DAY) == (to_house,)
    assert consents.expiring(reader, 21 * DAY) == (soon, to_house, later)
    assert consents.expiring(who.stranger.address, 21 * DAY) == ()
    with pytest.raises(InvalidAddress):
        consents.expiring("0x12", DAY)


def test_what_does_not_stand_does_not_end_soon(consents, granted, who, travel, ledger, image_set):
    reader = who.radiologist.address
    granted(2 * DAY)
    assert len(consents.expiring(reader, 2 * DAY + 60)) == 1
    assert consents.expiring(reader, DAY) == ()
    consents.revoke(reader).send(who.patient)
    assert consents.expiring(reader, WEEK) == ()
    granted(DAY, scope=image_set.image_id)
    travel(DAY + 1)
    assert consents.expiring(reader, WEEK) == ()
    start = ledger.now() + DAY
    terms = Terms(("CC",), start=start, until=start + DAY)
    consents.grant(reader, terms, exact=True).send(who.patient)
    assert consents.expiring(reader, WEEK) == ()


def test_emergency_access_is_not_renewed(consents, who):
    patient, clinician = who.patient.address, who.clinician
    consents.break_glass(patient, SealedNote.of("unconscious")).send(clinician)
    assert consents.expiring(clinician.address, WEEK) == ()
    (grant,) = consents.list(grantee=clinician.address)
    with pytest.raises(GrantNotRenewable, match="is emergency access"):
        consents.renew(grant.grant_id).send(clinician)


def test_a_grant_is_renewed_by_one_request_and_one_answer(
    consents, granted, who, travel, image_set, ledger
):
    reader, scope = who.radiologist, image_set.visit
    old = granted(WEEK, scope=scope, conditions=("IRB",), purposes=("HMB", "CC"))
    travel(WEEK - DAY)
    requested = consents.renew(old.grant_id, exact=True).send(reader)
    (waiting,) = consents.requests(subject=who.patient.address)
    assert (waiting.request_id, waiting.grantee) == (requested.request_id, reader.address)
    asked = waiting.terms
    assert (asked.purposes, asked.conditions) == (old.terms.purposes, old.terms.conditions)
    assert asked.until - asked.start == WEEK
    assert asked.until > old.terms.until
    consents.approve(requested.request_id).send(who.patient)
    (new,) = consents.list(grantee=reader.address)
    assert (new.grant_id, new.status) == (old.grant_id, "active")
    assert new.terms == asked
    travel(2 * DAY)
    assert consents.check(reader.address, image_set, ["CC"], fulfilled=["IRB"]).permitted


def test_a_member_renews_what_its_institution_has(consents, granted, who, ledger):
    old = granted(WEEK, who.hospital.address)
    until = ledger.now() + 3 * WEEK
    consents.renew(old.grant_id.upper().replace("X", "x"), until=until, exact=True).send(
        who.radiologist
    )
    (waiting,) = consents.requests(requester=who.radiologist.address)
    assert (waiting.grantee, waiting.terms.until) == (who.hospital.address, until)


def test_a_grant_that_has_ended_is_renewed(consents, granted, who, travel):
    old = granted(WEEK)
    travel(2 * WEEK)
    request = consents.renew(old.grant_id, exact=True).send(who.radiologist).request_id
    consents.approve(request).send(who.patient)
    (new,) = consents.list(grantee=who.radiologist.address)
    assert new.status == "active"


def test_the_end_of_a_renewal_is_rounded_as_that_of_a_grant(consents, granted, who):
    old = granted(4 * WEEK)
    consents.renew(old.grant_id).send(who.radiologist)
    (waiting,) = consents.requests(subject=who.patient.address)
    lasts = waiting.terms.until - waiting.terms.start
    assert 4 * WEEK - DAY <= lasts <= 4 * WEEK


def test_a_renewal_has_the_disease_with_its_salt(consents, granted, who):
    old = granted(WEEK, purposes=("DS",), disease="MONDO:0004992")
    assert old.terms.disease.startswith("MONDO:0004992@")
    requested = consents.renew(old.grant_id, exact=True).send(who.radiologist)
    assert requested.disease == old.terms.disease
    (waiting,) = consents.requests(subject=who.patient.address)
    assert waiting.terms.disease == old.terms.disease
    consents.approve(requested.request_id).send(who.patient)


def test_what_cannot_be_renewed(consents, granted, who, ledger):
    reader = who.radiologist
    endless, other = granted(None), granted(WEEK, who.clinic.address)
    with pytest.raises(GrantNotRenewable, match="has no end") as refusal:
        consents.renew(endless.grant_id).send(reader)
    assert refusal.value.values == {"grant": endless.grant_id, "status": "active"}
    for unknown in (other.grant_id, "0x" + "07" * 32, "text"):
        with pytest.raises(NoSuchGrant) as missing:
            consents.renew(unknown).send(reader)
        assert missing.value.values == {"grant": unknown, "account": reader.address}
    old = granted(WEEK)
    with pytest.raises(ConsentPeriodInvalid):
        consents.renew(old.grant_id, until=ledger.now() - 1).send(reader)
    consents.revoke(reader.address).send(who.patient)
    with pytest.raises(GrantNotRenewable, match="was revoked") as refusal:
        consents.renew(old.grant_id).send(reader)
    assert refusal.value.values == {"grant": old.grant_id, "status": "revoked"}
    assert consents.requests(subject=who.patient.address) == ()


def test_purposes_that_were_granted_are_asked_for_as_they_are():
    """A grant has what DUO's terms imply; to imply it again adds nothing."""
    conditions = sum(term.bit for term in duo.CONDITIONS)
    for purposes in range(1 << len(duo.PURPOSES)):
        for restricted in (0, conditions, *(term.bit for term in duo.CONDITIONS)):
            once = duo.expand(purposes, restricted)
            assert duo.expand(once, restricted) == once

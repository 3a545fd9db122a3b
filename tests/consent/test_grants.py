"""Granting and taking back: what a list then shows and what the oracle then answers."""

from __future__ import annotations

import pytest

from radledger.chain.ledger import Call
from radledger.chain.refusals import (
    ConsentDiseaseInvalid,
    ConsentGranteeInvalid,
    ConsentNotAuthorized,
    ConsentPeriodInvalid,
    ConsentPurposesInvalid,
    ConsentScopeReserved,
)
from radledger.consent import duo
from radledger.consent.diseases import disease_code, seal_disease
from radledger.consent.errors import InvalidDisease, InvalidScope, UnknownTerm
from radledger.consent.model import UNTIL_REVOKED, Decision, Terms
from radledger.identity.errors import InvalidAddress

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HOUR = 3600
CARE = Terms(("CC",))


def states(consents, patient):
    return [(grant.scope, grant.status) for grant in consents.list(subject=patient.address)]


def test_a_grant_permits_what_it_names_and_is_listed(consents, who, image_set):
    patient, reader = who.patient, who.radiologist.address
    assert consents.check(reader, image_set, ["CC"]) == Decision(False, "never granted", None)

    consents.grant(reader, Terms(("CC", "HMB"), ("IRB",))).send(patient)

    (grant,) = consents.list(subject=patient.address)
    assert consents.check(reader, image_set, ["CC"], fulfilled=["IRB"]) == Decision(
        True, "permitted", grant.grant_id
    )
    assert (grant.subject, grant.grantee) == (patient.address, reader)
    assert (grant.scope, grant.status, grant.granted_by) == ("all", "active", patient.address)
    assert grant.terms.purposes == ("HMB", "DS", "CC", "MDS", "CTRL")
    assert (grant.terms.conditions, grant.terms.until) == (("IRB",), UNTIL_REVOKED)
    assert consents.check(reader, image_set, ["CC"]).reason == "condition"
    assert consents.check(reader, image_set, ["TEACHING"]).reason == "purpose"
    assert consents.list(grantee=reader) == (grant,)
    assert consents.list(grantee=who.stranger.address) == ()


@pytest.mark.parametrize(
    ("start", "until"),
    [(-HOUR, 0), (2 * HOUR, HOUR), (HOUR, HOUR), (-(10**10), HOUR), (0, 10**13)],
)
def test_a_period_that_cannot_hold_is_neither_sent_nor_signed(consents, ledger, who, start, until):
    start, until = ledger.now() + start, ledger.now() + until
    terms, reader = Terms(("CC",), start=start, until=until), who.radiologist.address
    for act in (
        lambda: consents.grant(reader, terms).send(who.patient),
        lambda: consents.grant(reader, terms).sign(who.patient),
        lambda: consents.request(who.patient.address, terms).send(who.radiologist),
    ):
        with pytest.raises(ConsentPeriodInvalid) as refusal:
            act()
        assert refusal.value.values == {"from": start, "until": until}


def test_an_institution_covers_its_members_until_it_is_suspended(
    consents, participants, who, image_set
):
    reader = who.radiologist.address
    consents.grant(who.hospital.address, CARE).send(who.patient)
    assert consents.check(reader, image_set, ["CC"]).permitted
    assert not consents.check(who.stranger.address, image_set, ["CC"]).permitted

    participants.suspend(who.hospital.address).send(who.governor)
    assert consents.check(reader, image_set, ["CC"]).reason == "reader suspended"


@pytest.mark.parametrize("part", ["image_id", "visit", "course"])
def test_a_grant_covers_one_image_set_visit_or_course(
    consents, who, image_set, other_image_set, part
):
    reader = who.radiologist.address
    consents.grant(reader, CARE, scope=getattr(image_set, part)).send(who.patient)
    assert consents.check(reader, image_set, ["CC"]).permitted
    assert consents.check(reader, other_image_set, ["CC"]).reason == "never granted"


def test_a_grant_has_its_time(consents, ledger, who, image_set, travel):
    now = ledger.now()
    terms = Terms(("CC",), start=now + HOUR, until=now + 2 * HOUR)
    reader = who.radiologist.address
    consents.grant(reader, terms).send(who.patient)
    seen = []
    for _ in range(3):
        seen.append((states(consents, who.patient)[0][1], reader_sees(consents, reader, image_set)))
        travel(HOUR)
    assert seen == [("not yet", "not yet"), ("active", "permitted"), ("expired", "expired")]


def reader_sees(consents, reader, image_set):
    return consents.check(reader, image_set, ["CC"]).reason


def test_disease_specific_research_is_for_that_disease(consents, who, image_set):
    reader = who.researcher.address
    consents.grant(reader, Terms(("DS",), disease="MONDO:0004992")).send(who.patient)
    assert consents.check(reader, image_set, ["DS"], disease="MONDO:0004992").permitted
    assert consents.check(reader, image_set, ["DS"], disease="DOID:162").reason == "disease"
    assert disease_code(consents.list(grantee=reader)[0].terms.disease) == "MONDO:0004992"


def test_what_is_revoked_is_revoked_and_the_rest_stays(consents, who, image_set):
    patient, reader = who.patient, who.radiologist.address
    consents.grant(reader, CARE).send(patient)
    consents.grant(reader, CARE, scope=image_set.visit).send(patient)
    consents.revoke(reader).send(patient)
    assert states(consents, patient) == [("all", "revoked"), (image_set.visit, "active")]
    assert consents.check(reader, image_set, ["CC"]).permitted

    consents.revoke(reader, scope=image_set.visit).send(patient)
    assert consents.check(reader, image_set, ["CC"]).reason == "revoked"

    consents.grant(reader, CARE).send(patient)
    assert states(consents, patient) == [(image_set.visit, "revoked"), ("all", "active")]


def test_everything_is_revoked_at_once_and_granted_again(consents, who, image_set):
    patient, reader = who.patient, who.radiologist.address
    consents.grant(reader, CARE).send(patient)
    consents.grant(who.researcher.address, Terms(("GRU",)), scope=image_set.course).send(patient)
    consents.revoke_all().send(patient)
    assert states(consents, patient) == [("all", "revoked"), (image_set.course, "revoked")]
    assert consents.check(reader, image_set, ["CC"]).reason == "revoked"

    consents.grant(reader, CARE).send(patient)
    assert states(consents, patient) == [(image_set.course, "revoked"), ("all", "active")]
    assert consents.check(reader, image_set, ["CC"]).permitted


def test_a_delegate_grants_for_a_patient_and_a_stranger_does_not(
    consents, identities, who, image_set
):
    patient, parent, reader = who.patient, who.relatives[0], who.radiologist.address
    with pytest.raises(ConsentNotAuthorized) as refusal:
        consents.grant(reader, CARE, subject=patient.address).send(parent)
    assert refusal.value.values == {"subject": patient.address, "actor": parent.address}

    identities.add_delegate(parent.address, validity=HOUR).send(patient)
    consents.grant(reader, CARE, subject=patient.address).send(parent)
    (grant,) = consents.list(subject=patient.address)
    assert (grant.granted_by, grant.status) == (parent.address, "active")


def test_a_patient_needs_no_grant(consents, who, image_set):
    decision = consents.check(who.patient.address, image_set, ["CC"])
    assert decision == Decision(True, "permitted", None)


def test_inheritance_is_stated_as_the_contract_applies_it(consents, ledger, who):
    grantee, disease = who.researcher.address, seal_disease("MONDO:0004992")
    prohibitions = [(), ("NMDS",), ("NPOA",), ("NMDS", "NPOA")]
    combinations = [
        (term.name, conditions)
        for term in duo.PURPOSES
        for conditions in prohibitions
        if duo.expand(term.bit, duo.condition_bits(conditions))
    ]
    calls = []
    for number, (name, conditions) in enumerate(combinations, start=1):
        terms = Terms((name,), conditions, disease if name == "DS" else None, start=0)
        arguments = (who.patient.address, grantee, number.to_bytes(32), terms.encode(0))
        calls.append(Call("ConsentRegistry", "grant", arguments))
    ledger.send_batch(who.patient, calls)
    grants = consents.list(grantee=grantee)
    told = [
        duo.purpose_names(duo.expand(duo.purpose_bits([name]), duo.condition_bits(conditions)))
        for name, conditions in combinations
    ]
    # Nothing is left of methods under NMDS, nor of ancestry (and its methods) under NPOA.
    assert len(combinations) == len(prohibitions) * len(duo.PURPOSES) - 4
    assert [grant.terms.purposes for grant in grants] == told


def test_the_contract_refuses_by_name(consents, ledger, who):
    patient, reader = who.patient, who.radiologist.address
    with pytest.raises(ConsentGranteeInvalid) as self_grant:
        consents.grant(patient.address, CARE).send(patient)
    assert self_grant.value.values == {"grantee": patient.address}
    with pytest.raises(ConsentPeriodInvalid) as over:
        consents.grant(reader, Terms(("CC",), start=1, until=2)).send(patient)
    assert over.value.values == {"from": 1, "until": 2}
    with pytest.raises(ConsentDiseaseInvalid) as disease:
        consents.grant(reader, Terms(("DS",))).send(patient)
    assert disease.value.values["purposes"] == duo.purpose_bits(["DS", "MDS"])


@pytest.mark.parametrize(
    ("terms", "scope", "error"),
    [
        (Terms(("DS",)), "all", ConsentDiseaseInvalid),
        (Terms(("CC",), disease="MONDO:0004992"), "all", ConsentDiseaseInvalid),
        (Terms(("HMB",), disease="MONDO:0004992"), "all", ConsentDiseaseInvalid),
        (Terms(("MDS",), ("NMDS",)), "all", ConsentPurposesInvalid),
        (CARE, "emergency", ConsentScopeReserved),
    ],
    ids=["DS-alone", "disease-of-care", "disease-of-HMB", "nothing-left", "emergency"],
)
def test_what_would_never_hold_is_neither_signed_nor_requested(consents, who, terms, scope, error):
    patient, clinician = who.patient, who.radiologist
    with pytest.raises(error) as sent:
        consents.grant(clinician.address, terms, scope=scope).send(patient)
    with pytest.raises(error) as signed:
        consents.grant(clinician.address, terms, scope=scope).sign(patient)
    with pytest.raises(error) as requested:
        consents.request(patient.address, terms, scope=scope).send(clinician)
    assert signed.value.values.keys() == sent.value.values.keys()
    if terms.disease is None:  # a salt of its own each time
        assert signed.value.values == requested.value.values == sent.value.values


def test_no_grant_is_signed_to_the_subject_or_the_zero_address(consents, who):
    for grantee in (who.patient.address, "0x" + "00" * 20):
        with pytest.raises(ConsentGranteeInvalid) as signed:
            consents.grant(grantee, CARE).sign(who.patient)
        assert signed.value.values == {"grantee": grantee}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"terms": Terms(("CC", "IRB"))}, UnknownTerm),
        ({"terms": Terms(("CC",), ("GRU",))}, UnknownTerm),
        ({"terms": Terms(("DS",), disease="cancer")}, InvalidDisease),
        ({"scope": "everything"}, InvalidScope),
        ({"scope": "0x" + "00" * 32}, InvalidScope),
        ({"scope": "0x" + "ab" * 31}, InvalidScope),
        ({"grantee": "0x12"}, InvalidAddress),
        ({"grantee": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"}, InvalidAddress),
        ({"subject": "patient"}, InvalidAddress),
    ],
)
def test_what_makes_no_sense_is_not_sent(consents, who, changes, error):
    arguments = {"grantee": who.radiologist.address, "terms": CARE} | changes
    with pytest.raises(error):
        consents.grant(**arguments).send(who.patient)
    assert consents.list(subject=who.patient.address) == ()

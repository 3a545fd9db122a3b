"""Granting and taking back, by the subject itself."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import NOBODY, digest, error, next_block_at, plain
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    EMERGENCY,
    GRANTED,
    REVOKED,
    Condition,
    Purpose,
    Reason,
    Terms,
    code,
    use,
)

CARE = use(Purpose.CARE)


@pytest.fixture
def write(consents, patient, terms):
    """Grants as the patient."""

    def write(grantee, scope=ALL, stated=None):
        return consents.grant(patient, grantee, scope, stated or terms(), {"from": patient})

    return write


def test_grant(consents, write, patient, radiologist, terms, now):
    stated = terms(Purpose.HMB, Condition.NPU | Condition.IRB)
    transaction = write(radiologist, digest("course"), stated)
    kept = stated.expanded(Purpose.HMB | Purpose.DS | Purpose.CONTROL | Purpose.METHODS)
    (event,) = transaction.events
    assert event.name == "ConsentGranted"
    assert dict(event) == {
        "subject": patient,
        "grantee": radiologist,
        "scope": digest("course"),
        "given": kept.packed(now(), status=GRANTED),
        "actor": patient,
    }
    assert plain(consents.grantOf(patient, radiologist, digest("course"))) == kept.kept(now())


def test_every_field_at_its_limits(consents, write, patient, radiologist, now):
    """Neighbours in the packed word do not touch each other."""
    largest = Terms(2**32 - 2, 2**32 - 1, Purpose.DS, 0xFFFF, "0x" + "ff" * 13)
    write(radiologist, ALL, largest)
    assert plain(consents.grantOf(patient, radiologist, ALL)) == largest.kept(now())
    next_block_at(now() + 60)
    smallest = Terms(0, 2**32 - 1, Purpose.TEACHING, 0, code(""))
    write(radiologist, ALL, smallest)
    assert plain(consents.grantOf(patient, radiologist, ALL)) == smallest.kept(now())


def test_nothing_granted_is_all_zero(consents, patient, radiologist):
    assert plain(consents.grantOf(patient, radiologist, ALL)) == (0, 0, 0, 0, 0, code(""), 0, 0)
    assert (consents.epochOf(patient), consents.revokedAllAt(patient)) == (0, 0)


def test_grant_ids_differ(consents, patient, radiologist, stranger):
    ids = {
        str(consents.grantIdOf(*key))
        for key in [
            (patient, radiologist, ALL),
            (radiologist, patient, ALL),
            (patient, stranger, ALL),
            (patient, radiologist, digest("visit")),
        ]
    }
    assert len(ids) == 4


def test_later_grant_replaces(write, image, radiologist, terms, permits, refuses):
    write(radiologist, stated=terms(Purpose.CARE))
    permits(radiologist, CARE, radiologist)
    write(radiologist, stated=terms(Purpose.TEACHING))
    permits(radiologist, use(Purpose.TEACHING), radiologist)
    refuses(
        radiologist,
        CARE,
        Reason.PURPOSE,
        "ConsentNotPermittedPurpose",
        Purpose.TEACHING,
        Purpose.CARE,
    )


@pytest.mark.parametrize("grantee", ["nobody", "the patient"])
def test_grantee_is_not_the_subject(write, patient, radiologist, grantee):
    invalid = NOBODY if grantee == "nobody" else patient
    with error("ConsentGranteeInvalid", invalid):
        write(invalid)
    write(radiologist)


def test_emergency_scope_is_reserved(write, radiologist):
    with error("ConsentScopeReserved", EMERGENCY):
        write(radiologist, EMERGENCY)


def test_period(consents, write, patient, radiologist, terms, now):
    for start, lasts in [(0, 0), (100, -1), (-DAY, DAY)]:
        invalid = terms(start=start, lasts=lasts)
        with error("ConsentPeriodInvalid", invalid.from_, invalid.until):
            write(radiologist, stated=invalid)
    write(radiologist, stated=terms(start=-DAY, lasts=DAY + 60))
    write(radiologist, stated=terms(start=DAY, lasts=1))


@pytest.mark.parametrize(
    ("purposes", "conditions"),
    [
        (0, 0),
        (1 << 9, 0),
        (Purpose.HMB | 1 << 15, 0),
        (Purpose.METHODS, Condition.NMDS),
        (Purpose.POA, Condition.NPOA),
    ],
    ids=["none", "unknown", "known and unknown", "no methods", "no ancestry"],
)
def test_purposes(write, radiologist, terms, purposes, conditions):
    with error("ConsentPurposesInvalid", purposes, conditions):
        write(radiologist, stated=terms(purposes, conditions))


def test_disease_is_named_for_disease_research_alone(write, radiologist, terms):
    named = "MONDO:0004992"
    methods = Purpose.DS | Purpose.METHODS
    with error("ConsentDiseaseInvalid", methods, code("")):
        write(radiologist, stated=terms(Purpose.DS))
    for purposes, kept in [
        (Purpose.CARE, Purpose.CARE),
        (Purpose.HMB | Purpose.DS, Purpose.HMB | methods | Purpose.CONTROL),
    ]:
        with error("ConsentDiseaseInvalid", kept, code(named)):
            write(radiologist, stated=terms(purposes, disease=named))
    write(radiologist, stated=terms(Purpose.DS, disease=named))
    write(radiologist, stated=terms(Purpose.DS | Purpose.CARE, disease=named))


def test_revoke(consents, write, patient, radiologist, terms, permits, refuses, now):
    stated = terms()
    write(radiologist, stated=stated)
    permits(radiologist, CARE, radiologist)
    next_block_at(now() + 60)
    transaction = consents.revoke(patient, radiologist, ALL, {"from": patient})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "ConsentRevoked",
            {
                "subject": patient,
                "grantee": radiologist,
                "scope": ALL,
                "signed": now(),
                "actor": patient,
            },
        )
    ]
    assert plain(consents.grantOf(patient, radiologist, ALL)) == stated.kept(now(), status=REVOKED)
    refuses(radiologist, CARE, Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)


def test_revoke_leaves_other_grants(consents, write, patient, radiologist, hospital, permits):
    write(radiologist)
    write(hospital)
    consents.revoke(patient, radiologist, ALL, {"from": patient})
    permits(radiologist, CARE, hospital)


def test_grant_again_after_revoking(consents, write, patient, radiologist, permits):
    write(radiologist)
    consents.revoke(patient, radiologist, ALL, {"from": patient})
    write(radiologist)
    permits(radiologist, CARE, radiologist)


def test_revoke_what_was_not_granted(consents, write, patient, radiologist, permits, refuses, now):
    """It takes back what is still on its way, and a later call grants."""
    for _ in range(2):
        next_block_at(now() + 60)
        consents.revoke(patient, radiologist, ALL, {"from": patient})
        nothing = Terms(0, 0, 0, 0, code(""))
        revoked = nothing.kept(now(), status=REVOKED)
        assert plain(consents.grantOf(patient, radiologist, ALL)) == revoked
    write(radiologist)
    permits(radiologist, CARE, radiologist)


def test_revoke_all(
    consents, write, patient, radiologist, hospital, researcher, image, permits, refuses
):
    write(radiologist)
    write(hospital, image.visit)
    write(researcher, image.id)
    consents.revokeAll(patient, {"from": patient})
    for reader in (radiologist, hospital, researcher):
        refuses(reader, CARE, Reason.REVOKED, "ConsentNotPermittedRevoked", patient, reader)
    write(radiologist)
    permits(radiologist, CARE, radiologist)
    refuses(researcher, CARE, Reason.REVOKED, "ConsentNotPermittedRevoked", patient, researcher)
    assert consents.grantOf(patient, radiologist, ALL)[6] == 1


def test_revoke_all_is_announced(consents, patient, now):
    for epoch in (1, 2):
        transaction = consents.revokeAll(patient, {"from": patient})
        assert dict(transaction.events["ConsentRevokedAll"]) == {
            "subject": patient,
            "epoch": epoch,
            "signed": consents.revokedAllAt(patient),
            "actor": patient,
        }
        assert consents.epochOf(patient) == epoch
        assert consents.revokedAllAt(patient) >= now()


def test_revoke_all_leaves_other_subjects(
    consents, patient, stranger, radiologist, anchor, terms, permits, accredited
):
    theirs = anchor("theirs", patient=stranger)
    consents.grant(stranger, radiologist, ALL, terms(), {"from": stranger})
    consents.revokeAll(patient, {"from": patient})
    permits(radiologist, CARE, radiologist, image=theirs)


def test_only_the_subject_acts(consents, write, patient, radiologist, terms):
    """A grantee cannot act in the patient's name."""
    write(radiologist)
    before = plain(consents.grantOf(patient, radiologist, ALL))
    for call, arguments in {
        "grant": (patient, radiologist, ALL, terms(Purpose.NRES)),
        "revoke": (patient, radiologist, ALL),
        "revokeAll": (patient,),
        "approve": (radiologist, patient, radiologist, ALL, terms()),
    }.items():
        with error("ConsentNotAuthorized", patient, radiologist):
            getattr(consents, call)(*arguments, {"from": radiologist})
    assert plain(consents.grantOf(patient, radiologist, ALL)) == before
    assert consents.epochOf(patient) == 0

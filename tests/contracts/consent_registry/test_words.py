"""Purposes and conditions are signed in words, each under its own bit."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest

from tests.contracts.conftest import PATIENT_KEY, digest, error, plain
from tests.contracts.consent_registry.conftest import DAY, Condition, Purpose, Terms, code
from tests.contracts.consent_registry.signing import ACTIONS, WORDS, signature_of

GRANT = ACTIONS[0]
CANCER = "MONDO:0004992"
ALL_CONDITIONS = reduce(or_, Condition)


@pytest.fixture
def granted(consents, patient, radiologist, stranger, now):
    """Submits a grant that was signed with these words; returns what the registry then keeps."""

    def granted(purposes, conditions, signed_purposes=None, signed_conditions=None):
        scope, signed = digest(f"{purposes} {conditions}"), now()
        until = signed + DAY
        disease = code(CANCER if purposes == Purpose.DS else "")
        terms = Terms(signed, until, int(purposes), int(conditions), disease)
        values = {
            "subject": patient.address,
            "grantee": radiologist.address,
            "scope": scope,
            **terms.named(),
            "seen": 0,
            "epoch": 0,
            "signed": signed,
            "deadline": until,
        }
        if signed_purposes is not None:
            values["purposes"] = signed_purposes
        if signed_conditions is not None:
            values["conditions"] = signed_conditions
        signature = signature_of(consents, GRANT, values, PATIENT_KEY)
        authorization = (patient.address, signed, until, signature)
        asked = (patient, radiologist, scope, terms, (0, 0), authorization)
        consents.grantBySig(*asked, {"from": stranger})
        return consents.grantOf(patient, radiologist, scope)

    return granted


def test_each_bit_has_a_word():
    assert [len(words) for words in WORDS.values()] == [len(Purpose), len(Condition)]
    assert len({*WORDS["purposes"], *WORDS["conditions"]}) == len(Purpose) + len(Condition)


@pytest.mark.parametrize("purpose", Purpose)
def test_purpose(granted, patient, purpose):
    assert granted(purpose, 0)[3] & purpose
    other = Purpose.CARE if purpose != Purpose.CARE else Purpose.TEACHING
    for signed in (0, int(other), int(purpose | other)):
        with error("ConsentBadSignature", patient):
            granted(purpose, Condition.IRB, signed_purposes=signed)


@pytest.mark.parametrize("condition", Condition)
def test_condition(granted, patient, condition):
    assert granted(Purpose.CARE, condition)[4] == condition
    other = Condition.IRB if condition != Condition.IRB else Condition.NPU
    for signed in (0, int(other), int(condition | other)):
        with error("ConsentBadSignature", patient):
            granted(Purpose.TEACHING, condition, signed_conditions=signed)


def test_all_at_once(granted):
    kept = granted(Purpose.CARE | Purpose.TEACHING, ALL_CONDITIONS)
    assert plain(kept)[3:5] == (int(Purpose.CARE | Purpose.TEACHING), int(ALL_CONDITIONS))
    assert plain(granted(sum(Purpose), 0))[3] == sum(Purpose)


def test_a_purpose_without_a_word_is_refused(granted):
    """Nothing is granted beyond what can be shown."""
    unknown = 1 << 9
    with error("ConsentPurposesInvalid", Purpose.CARE | unknown, 0):
        granted(Purpose.CARE | unknown, 0, signed_purposes=int(Purpose.CARE))

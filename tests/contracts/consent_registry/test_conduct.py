"""What became of emergency accesses, and what follows while reviews are overdue."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.conftest import MOST_OVERDUE, Role, digest, error, next_block_at, plain, travel
from tests.contracts.consent_registry.conftest import (
    DAY,
    EMERGENCY,
    HOUR,
    Conduct,
    Reason,
    due,
    use,
)


@pytest.fixture
def conduct(consents):
    """An account's conduct, as a clinician and as an institution."""

    def conduct(account):
        as_clinician, as_institution = plain(consents.conductOf(account))
        return Conduct(*as_clinician), Conduct(*as_institution)

    return conduct


@pytest.fixture
def overdue(break_glass):
    """Declares emergencies and lets their reviews become overdue; returns when."""

    def overdue(count=1, **named):
        since = [break_glass(**named) for _ in range(count)]
        travel(due(since[-1]))
        return since

    return overdue


def test_counts_by_outcome(
    conduct, break_glass, review, patient, stranger, radiologist, colleague, hospital
):
    nothing = Conduct()
    assert conduct(radiologist) == conduct(hospital) == (nothing, nothing)
    first = break_glass()
    second = break_glass(subject=stranger)
    break_glass(clinician=colleague)
    assert conduct(radiologist) == (Conduct(declared=2, waiting=2), nothing)
    assert conduct(hospital) == (nothing, Conduct(declared=3, waiting=3))

    review(first, colleague)
    review(second, hospital, justified=False, subject=stranger)

    assert conduct(radiologist) == (Conduct(2, justified=1, unjustified=1), nothing)
    assert conduct(hospital) == (nothing, Conduct(3, justified=1, unjustified=1, waiting=1))
    assert conduct(colleague) == (Conduct(declared=1, waiting=1), nothing)


def test_an_institution_that_declares_itself_counts_as_both(conduct, break_glass, hospital):
    break_glass(clinician=hospital)
    one = Conduct(declared=1, waiting=1)
    assert conduct(hospital) == (one, one)


def test_a_clinician_who_moved_takes_its_own_conduct_along(
    participants, conduct, overdue, break_glass, radiologist, hospital, clinic, image
):
    overdue()
    participants.leaveInstitution({"from": radiologist})
    participants.admit(radiologist, Role.CLINICIAN, {"from": clinic})
    break_glass()
    assert conduct(radiologist)[0] == Conduct(declared=2, waiting=1, overdue=1)
    assert conduct(hospital)[1] == Conduct(declared=1, overdue=1)
    assert conduct(clinic)[1] == Conduct(declared=1, waiting=1)


@pytest.mark.no_call_coverage
def test_overdue_at_the_second(conduct, break_glass, review, radiologist, colleague, hospital):
    since = break_glass()
    for moment, expected in (
        (due(since) - 1, Conduct(declared=1, waiting=1)),
        (due(since), Conduct(declared=1, overdue=1)),
        (due(since) + 90 * DAY, Conduct(declared=1, overdue=1)),
    ):
        travel(moment)
        assert conduct(radiologist)[0] == conduct(hospital)[1] == expected
    review(since, colleague)
    assert conduct(radiologist)[0] == conduct(hospital)[1] == Conduct(declared=1, justified=1)


@pytest.mark.no_call_coverage
def test_while_a_review_is_overdue_an_emergency_lasts_an_hour(
    consents, overdue, break_glass, review, image, patient, radiologist, colleague, permits, refuses
):
    """It is cut and not refused: no clinician loses time over it."""
    (old,) = overdue()
    since = break_glass(lasts=DAY)
    assert plain(consents.emergencyOf(patient, radiologist, since))[1] == since + HOUR
    permits(radiologist, use(), radiologist, EMERGENCY)
    travel(since + HOUR)
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist)
    refuses(radiologist, use(), *expired, since + HOUR)
    shorter = break_glass(lasts=60)
    travel(shorter + 60)
    refuses(radiologist, use(), *expired, shorter + 60)
    assert break_glass(clinician=colleague, lasts=DAY)  # not the fault of others

    review(old, colleague)
    since = break_glass(lasts=DAY)
    travel(since + DAY - 1)
    permits(radiologist, use(), radiologist, EMERGENCY)


@pytest.mark.no_call_coverage
def test_a_review_that_becomes_overdue_cuts_the_emergency_in_force(
    consents, break_glass, review, image, patient, radiologist, colleague, permits, refuses
):
    old = break_glass()
    travel(due(old) - 2 * HOUR)
    since = break_glass(lasts=DAY)
    travel(due(old) - 1)
    permits(radiologist, use(), radiologist, EMERGENCY)
    travel(due(old))
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist, since + HOUR)
    refuses(radiologist, use(), *expired)
    review(old, colleague)
    permits(radiologist, use(), radiologist, EMERGENCY)


def test_an_emergency_in_force_is_cut_by_a_review_that_fell_overdue(
    consents, break_glass, image, patient, radiologist, permits, refuses
):
    """As above and not to the second, so that what the calls reach is measured as well."""
    old = break_glass()
    travel(due(old) - 2 * HOUR)
    since = break_glass(lasts=DAY)
    permits(radiologist, use(), radiologist, EMERGENCY)
    travel(due(old) + HOUR)
    expired = (Reason.EXPIRED, "ConsentNotPermittedExpired", patient, radiologist, since + HOUR)
    refuses(radiologist, use(), *expired)


@pytest.mark.no_call_coverage
def test_request_with_too_many_overdue_reviews(
    consents, overdue, review, image, patient, radiologist, colleague, hospital, clinic, terms
):
    since = overdue(MOST_OVERDUE + 2)
    refused = ("EmergencyReviewsOverdue", hospital, MOST_OVERDUE + 2, MOST_OVERDUE)
    asked = (digest("visit"), terms())
    for requester, grantee in (
        (radiologist, radiologist),
        (radiologist, hospital),
        (colleague, colleague),
        (hospital, hospital),
    ):
        with error(*refused):
            consents.request(patient, grantee, *asked, {"from": requester})
    consents.request(patient, clinic, *asked, {"from": clinic})

    # Once a review was written, the stored counts hold overdue ones alone.
    review(since[0], colleague)
    with error("EmergencyReviewsOverdue", hospital, MOST_OVERDUE + 1, MOST_OVERDUE):
        consents.request(patient, radiologist, *asked, {"from": radiologist})
    review(since[1], colleague)
    consents.request(patient, radiologist, *asked, {"from": radiologist})


def test_policy(consents):
    assert plain(consents.emergencyPolicy()) == (True, MOST_OVERDUE)


# --- the counting itself -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counter(deploy, isolate_module):
    return deploy("ConductCounter")


@pytest.mark.no_call_coverage
def test_counts_as_a_list_would(counter):
    """Any days between declarations and reviews, against a list of all that wait."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=25))
    def check(steps):
        from brownie import chain

        start = chain[-1].timestamp // DAY * DAY + DAY
        chain.snapshot()
        now, waiting, seen = start, deque(), Conduct()
        for days, step in steps:
            now += days * DAY + 1
            next_block_at(now)
            if step < 2 or not waiting:
                counter.declare()
                waiting.append(now)
                seen = seen._replace(declared=seen.declared + 1)
            else:
                waiting.rotate(step)
                counter.review(waiting.popleft(), step == 2)
                outcome = "justified" if step == 2 else "unjustified"
                seen = seen._replace(**{outcome: getattr(seen, outcome) + 1})
            late = sum(now >= due(since) for since in waiting)
            expected = seen._replace(waiting=len(waiting) - late, overdue=late)
            assert Conduct(*plain(counter.conduct())) == expected, steps
        chain.revert()

    check()


@pytest.mark.parametrize(
    ("full", "change"),
    [
        pytest.param(0xFFFF << 24, "declare", id="a day's count"),
        pytest.param(0xFFFFFFFF << 112, "declare", id="declared"),
        pytest.param(0xFFFFFFFF << 144, "review", id="justified"),
    ],
)
def test_a_full_count_stays_full(counter, now, full, change):
    day = now() // DAY
    counter.set(day | full)
    next_block_at(day * DAY + DAY - 10)
    counter.declare() if change == "declare" else counter.review(day * DAY, True)
    assert counter.slot() & full == full
    assert counter.slot() % 2**24 == day


def test_overdue_stays_full_and_nothing_falls_below_zero(counter, now):
    day = now() // DAY
    recent = 0xFFFF_FFFF_FFFF_FFFF << 24
    counter.set(day | recent | 0xFFFFFF << 88)
    travel((day + 1) * DAY)
    assert Conduct(*plain(counter.conduct())) == Conduct(waiting=3 * 0xFFFF, overdue=0xFFFFFF)
    travel((day + 9) * DAY)
    assert Conduct(*plain(counter.conduct())) == Conduct(overdue=0xFFFFFF)
    counter.set(day + 9)
    next_block_at((day + 9) * DAY + 10)
    counter.review((day + 9) * DAY, True)
    counter.review(day * DAY, False)
    assert Conduct(*plain(counter.conduct())) == Conduct(justified=1, unjustified=1)

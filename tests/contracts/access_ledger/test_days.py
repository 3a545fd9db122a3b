"""The root of a day: when it can be anchored and replaced, and what is known of it later."""

from __future__ import annotations

import pytest

from tests.contracts.access_ledger.conftest import (
    ANCHORED,
    DAY,
    MISSING,
    OPEN_DAYS,
    OVERWRITTEN,
    PENDING,
    RING,
    ROOT,
)
from tests.contracts.conftest import digest, error, plain

KEPT = ROOT[: 2 + 2 * 28]
NONE = "0x" + "00" * 28
LAST_SECOND = DAY - 1


@pytest.fixture
def anchor(appointed, hospital, recorder):
    """Anchor the root of a day as the hospital's recorder."""
    return lambda day, root=ROOT: appointed.anchorDay(hospital, day, root, {"from": recorder})


@pytest.fixture
def known(appointed, hospital):
    """What is known of the root of a day of the hospital."""
    return lambda day: plain(appointed.rootOf(hospital, day))


@pytest.mark.parametrize("later", range(OPEN_DAYS + 1))
def test_root_is_anchored_on_its_day_and_two_days_after(
    anchor, known, hospital, today, at_day, later
):
    day = today() + 1
    at_day(day + later, seconds=LAST_SECOND if later == OPEN_DAYS else 0)
    transaction = anchor(day)
    assert transaction.events["AccessDayAnchored"] == {
        "institution": hospital,
        "day": day,
        "root": ROOT,
    }
    assert known(day) == (ANCHORED, KEPT)


def test_back_dated_root_is_refused(anchor, known, today, at_day):
    day = today()
    at_day(day + OPEN_DAYS + 1)
    with error("AccessDayNotOpen", day, day + OPEN_DAYS + 1):
        anchor(day)
    assert known(day) == (MISSING, NONE)
    with error("AccessDayNotOpen", 0, day + OPEN_DAYS + 1):
        anchor(0)


def test_root_of_a_day_to_come_is_refused(anchor, known, today):
    day = today() + 1
    with error("AccessDayNotOpen", day, day - 1):
        anchor(day)
    with error("AccessDayNotOpen", 2**32 - 1, day - 1):
        anchor(2**32 - 1)
    assert known(day) == (PENDING, NONE)


def test_root_is_replaced_until_its_day_is_closed(anchor, known, today, at_day):
    day, later = today(), digest("later root")
    anchor(day)
    at_day(day + OPEN_DAYS, seconds=LAST_SECOND)
    anchor(day, later)
    assert known(day) == (ANCHORED, later[: len(KEPT)])
    at_day(day + OPEN_DAYS + 1)
    with error("AccessDayNotOpen", day, day + OPEN_DAYS + 1):
        anchor(day)
    assert known(day) == (ANCHORED, later[: len(KEPT)])


@pytest.mark.parametrize("root", ["0x" + "00" * 32, "0x" + "00" * 28 + "ffffffff"])
def test_empty_root_is_refused(anchor, today, root):
    with error("AccessRootMissing"):
        anchor(today(), root)


def test_root_that_differs_at_the_end_is_kept_alike(anchor, known, today):
    """28 bytes are kept; the event has all of them."""
    root = ROOT[:-8] + "00000001"
    assert anchor(today(), root).events["AccessDayAnchored"]["root"] == root
    assert known(today()) == (ANCHORED, KEPT)


def test_recorder_anchors_for_its_institution_alone(
    appointed, known, hospital, clinic, recorder, other_recorder, stranger, today
):
    for sender in (other_recorder, hospital, stranger):
        with error("AccessRecorderNotAppointed", hospital, sender):
            appointed.anchorDay(hospital, today(), ROOT, {"from": sender})
    assert known(today()) == (PENDING, NONE)
    appointed.anchorDay(clinic, today(), ROOT, {"from": other_recorder})
    assert known(today()) == (PENDING, NONE)
    assert plain(appointed.rootOf(clinic, today())) == (ANCHORED, KEPT)


def test_suspended_institution_still_anchors(
    anchor, known, participants, governor, hospital, today
):
    """So that a suspension does not excuse what was released before it."""
    participants.suspend(hospital, {"from": governor})
    anchor(today())
    assert known(today()) == (ANCHORED, KEPT)


def test_day_without_a_root_is_missing_once_it_is_closed(known, today, on_day):
    day = today()
    on_day(day + OPEN_DAYS, seconds=LAST_SECOND)
    assert known(day) == (PENDING, NONE)
    on_day(day + OPEN_DAYS + 1)
    assert known(day) == (MISSING, NONE)
    assert known(0) == (MISSING, NONE)


def test_slot_is_used_again_after_64_days(anchor, known, today, on_day, at_day):
    day, later = today(), digest("later root")
    anchor(day)
    on_day(day + RING - 1, seconds=LAST_SECOND)
    assert known(day) == (ANCHORED, KEPT)
    assert known(day + RING) == (PENDING, NONE)
    at_day(day + RING)
    anchor(day + RING, later)
    assert known(day) == (OVERWRITTEN, NONE)
    assert known(day + RING) == (ANCHORED, later[: len(KEPT)])


def test_slot_that_is_not_used_again_keeps_its_day(anchor, known, today, on_day):
    day = today()
    anchor(day)
    on_day(day + RING + OPEN_DAYS + 1)
    assert known(day) == (ANCHORED, KEPT)
    assert known(day + RING) == (MISSING, NONE)


def test_days_do_not_disturb_one_another(anchor, known, today, at_day):
    first = today() + 1
    for day in range(first, first + RING):
        at_day(day)
        anchor(day, digest(f"root {day}"))
    for day in range(first, first + RING):
        assert known(day) == (ANCHORED, digest(f"root {day}")[: len(KEPT)])

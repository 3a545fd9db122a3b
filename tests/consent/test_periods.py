"""The end of a grant is one that many others have, and never later than was said."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from radledger.consent import Terms
from radledger.consent.model import UNTIL_REVOKED
from radledger.consent.periods import rounded_end

DAY = 86_400
NOW = int(datetime(2027, 1, 15, 9, 30, 7, tzinfo=UTC).timestamp())


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def local(*moment):
    return int(datetime(*moment).timestamp())


@pytest.mark.parametrize(
    ("until", "rounded"),
    [
        ((2027, 1, 16, 9, 30, 7), (2027, 1, 16, 9, 30, 7)),
        ((2027, 1, 20), (2027, 1, 20)),
        ((2027, 1, 30, 17, 5, 9), (2027, 1, 30)),
        ((2027, 3, 31), (2027, 3, 31)),
        ((2027, 5, 1, 0, 0, 1), (2027, 5, 1)),
        ((2028, 2, 1), (2028, 2, 1)),
        ((2028, 2, 29, 23, 59, 59), (2028, 2, 1)),
        ((2099, 12, 31, 12), (2099, 12, 1)),
    ],
)
def test_ends_by_the_length_of_the_grant(zone, until, rounded):
    assert rounded_end(NOW, local(*until)) == local(*rounded)


def test_what_was_rounded_stays_and_lasts_nearly_as_long(zone):
    for days in range(0, 40_000, 7):
        for until in (NOW + days * DAY, NOW + days * DAY + 54_321):
            rounded = rounded_end(NOW, until)
            assert rounded <= until
            assert rounded_end(NOW, rounded) == rounded
            assert until - rounded <= (until - NOW) / 5


def test_a_grant_without_an_end_or_after_every_calendar_stays():
    assert rounded_end(NOW, UNTIL_REVOKED) == UNTIL_REVOKED
    assert rounded_end(NOW, 10**18) == 10**18


def test_ends_are_rounded_unless_they_are_to_be_exact(consents, ledger, who):
    now, reader = ledger.now(), who.radiologist.address
    until = now + 400 * DAY + 1
    terms = Terms(("CC",), until=until)
    rounded = consents.grant(reader, terms).sign(who.patient)["typedData"]["message"]["until"]
    assert rounded == rounded_end(now, until) != until
    exact = consents.grant(reader, terms, exact=True).sign(who.patient)
    assert exact["typedData"]["message"]["until"] == until
    asked = consents.request(who.patient.address, terms).send(who.radiologist)
    (waiting,) = consents.requests(subject=who.patient.address)
    assert (waiting.request_id, waiting.terms.until) == (asked.request_id, rounded)


def test_a_grant_that_began_long_ago_is_rounded_by_what_is_left(consents, ledger, who):
    until = ledger.now() + 3_600
    terms = Terms(("CC",), start=1, until=until)
    document = consents.grant(who.radiologist.address, terms).sign(who.patient)
    assert document["typedData"]["message"]["until"] == until

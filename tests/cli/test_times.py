"""Times as people write them: read as what they are, or refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.cli.times import InvalidTime, duration, moment, span
from radledger.consent.model import UNTIL_REVOKED

NOW = 1_800_000_000  # 2027-01-15 08:00:00 UTC


@pytest.fixture
def zone(monkeypatch):
    """Let this machine be in a time zone; afterwards where it was."""

    def be_in(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield be_in
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def last_second(monkeypatch):
    """The last second before that which stands for no end, where a time has 32 bits."""
    monkeypatch.setattr("radledger.consent.model.UNTIL_REVOKED", 2**32 - 1)
    return 2**32 - 2


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text", ["2027-01-31", "20270131", "2027-W04-7", "2027W047", "2027-w04-7", " 2027-01-31\n"]
)
def test_a_day_is_the_local_one_from_its_first_to_its_last_second(zone, text):
    zone("Europe/Berlin")
    assert moment(text, NOW) == utc("2027-01-30 23:00")
    assert moment(text, NOW, end=True) == utc("2027-01-31 23:00")
    zone("America/Los_Angeles")
    assert moment(text, NOW) == utc("2027-01-31 08:00")
    assert moment(text, NOW, end=True) == utc("2027-02-01 08:00")


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25)])
def test_a_day_on_which_clocks_change_is_included_whole(zone, day, hours):
    zone("Europe/Berlin")
    assert moment(day, NOW, end=True) - moment(day, NOW) == hours * 3600


@pytest.mark.parametrize(
    "text",
    [
        "2027-01-31T11:00:00Z",
        "2027-01-31t11:00:00z",
        "2027-01-31 11:00:00 UTC",
        "2027-01-31T11:00Z",
        "20270131T110000Z",
        "2027-01-31T12:00:00+01:00",
        "2027-01-31 12:00 +0100",
        "2027-01-31T06:00:00-05",
        "2027-W04-7T11:00Z",
        "2027-01-31T12:00",
        "2027-01-31 12",
        "2027-01-31T12:00:00,75",
        "1801393200",
    ],
)
def test_a_moment(zone, text):
    zone("Europe/Berlin")
    for end in (False, True):
        assert moment(text, NOW, end=end) == utc("2027-01-31 11:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+30s", NOW + 30),
        ("+90min", NOW + 5_400),
        ("+2H", NOW + 7_200),
        ("+30d", NOW + 30 * 86_400),
        ("+2w", NOW + 14 * 86_400),
        ("+0s", NOW),
        ("+6mo", utc("2027-07-15 08:00")),
        ("+12mo", utc("2028-01-15 08:00")),
        ("+1y", utc("2028-01-15 08:00")),
        ("+13mo", utc("2028-02-15 08:00")),
    ],
)
def test_a_span_counts_from_now(zone, text, expected):
    zone("UTC")
    assert moment(text, NOW) == expected


def test_a_month_ends_with_its_last_day(zone):
    zone("UTC")
    assert moment("+1mo", utc("2027-01-31 10:00")) == utc("2027-02-28 10:00")
    assert moment("+1y", utc("2028-02-29 10:00")) == utc("2029-02-28 10:00")


def test_a_month_by_the_calendar_keeps_the_local_time_of_day(zone):
    zone("Europe/Berlin")
    assert moment("+6mo", utc("2027-01-15 08:00")) == utc("2027-07-15 07:00")


@pytest.mark.parametrize("text", ["+6m", "+6M", "+1m"])
def test_what_may_be_minutes_or_months_is_refused(text):
    with pytest.raises(InvalidTime, match=f"{text[1]}min or {text[1]}mo"):
        moment(text, NOW)


# Digits of other scripts: Arabic, Devanagari and full-width ones.
FOREIGN = [
    {ord("0") + digit: zero + digit for digit in range(10)} for zero in (0x660, 0x966, 0xFF10)
]
UNREADABLE = [
    *("", " ", "soon", "now", "2027", "2027-01", "202701", "2027-031", "2027031", "270131"),
    *("2027-1-31", "2027-13-01", "2027-02-29", "20271301", "00000101", "0000-01-01"),
    *("31.01.2027", "31/01/2027", "01/31/2027", "2027/01/31", "2027.01.31", "20270131120000"),
    *("2027-W54-1", "2027-W04", "2027W04", "2027-W04-8", "2027W04-7"),
    *("2027-01-31T25:00", "2027-01-31T12:60", "2027-01-31T12:00+25:00", "2027-01-31T12:00 CET"),
    *("2027-01-31Z", "2027-01-31+01:00", "2027-01-31x12:00", "2027-01-31T", "T12:00"),
    *("0", "1", "123456789", "12345678901", "1893456000000", "1893456000000000", "9" * 5000),
    *("-1", "-1893456000", "-2027-01-31", "-30d", "1893456000.5", "1e9", "0x70dbd880"),
    *("12027-01-31", "+12027-01-31", "120270131", "10000-01-01"),
    *(text.translate(digits) for digits in FOREIGN for text in ("20270131", "2027-01-31", "+30d")),
    *(text.translate(digits) for digits in FOREIGN for text in ("1893456000", "2027-01-31T12:00Z")),
    *("2027\u201001\u201031", "2027-01-31T12:00\u221201:00", "\u00b2027-01-31"),
    *("+", "+d", "+3x", "++3d", "+-3d", "+3 d", "+3", "+3.5d", "+P6M", "+1d12h", "30d", "+3days"),
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_not_a_time_is_refused(text):
    for end in (False, True):
        with pytest.raises(InvalidTime) as refusal:
            moment(text, NOW, end=end)
        assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        *("1960-12-31", "19601231", "0001-01-01", "9999-12-31", "99991231", "9999-12-31T23:59Z"),
        *("+99999y", "+9999y", "+99999999mo", "+999999999999w", "+99999999999999s"),
        *("+" + "9" * 5000 + "y", "+" + "9" * 5000 + "s"),
    ],
)
def test_what_the_chain_cannot_hold_is_refused(zone, last_second, text):
    zone("UTC")
    for end in (False, True):
        with pytest.raises(InvalidTime):
            moment(text, NOW, end=end)


def test_the_last_time_differs_from_no_end(zone, last_second):
    zone("UTC")
    assert moment(str(last_second), NOW) == last_second
    assert moment("2106-02-06", NOW, end=True) == utc("2106-02-07")
    for text in (str(last_second + 1), "4294967296", "9999999999"):
        with pytest.raises(InvalidTime, match="2106-02-07 06:28:14 UTC"):
            moment(text, NOW)
    with pytest.raises(InvalidTime):
        moment("2106-02-07", NOW, end=True)


@settings(max_examples=2_000, deadline=None)
@given(
    st.text(alphabet="0123456789\u0661\u0967\uff11", max_size=24) | st.from_regex(r"\A\d{8,14}\Z")
)
def test_digits_are_seconds_a_day_or_refused(text):
    try:
        found = moment(text, NOW)
    except InvalidTime:
        return
    assert text.isascii()
    assert len(text) in (8, 10)
    if len(text) == 10:
        assert found == int(text)
    else:
        assert datetime.fromtimestamp(found).strftime("%Y%m%d") == text


@settings(max_examples=2_000, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"[+-]?[0-9TWZ:.,+ -]{1,30}(UTC|d|mo|min|y)?"))
def test_any_text_is_a_time_or_refused_as_none(text):
    for end in (False, True):
        try:
            found = moment(text, NOW, end=end)
        except InvalidTime:
            continue
        assert 0 <= found < UNTIL_REVOKED


def test_a_duration():
    assert [duration(text) for text in ("90min", "24h", "1d", "2w")] == [
        *(5_400, 86_400, 86_400, 1_209_600)
    ]
    for text in ("90m", "1mo", "1y", "-1h", "", "24", "1.5h", "9" * 20 + "h"):
        with pytest.raises(InvalidTime):
            duration(text)


def test_a_span_lasts():
    assert [span(text, 0) for text in ("1s", "2h", "30d")] == [1, 7_200, 2_592_000]
    for text in ("0d", "0y", "00h", "", "-1d", "200y"):
        with pytest.raises(InvalidTime):
            span(text, 0)

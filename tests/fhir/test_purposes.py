"""Codes of purposes, and FHIR's dates."""

from __future__ import annotations

import pytest

from radledger.consent import duo
from radledger.fhir import purposes, times
from radledger.fhir.purposes import ACT_REASON, DUO


def expanded(codes, system=ACT_REASON):
    terms, conditions = purposes.terms_of((system, code) for code in codes)
    bits = duo.expand(duo.purpose_bits(terms), duo.condition_bits(conditions))
    return set(duo.purpose_names(bits)), conditions


@pytest.mark.parametrize(
    ("codes", "permitted", "conditions"),
    [
        (["TREAT"], {"CC"}, []),
        (["TRAIN"], {"TEACHING"}, []),
        (["HRESCH"], {"HMB", "POA", "DS", "MDS", "CTRL"}, []),
        (["POARCH"], {"POA"}, ["NMDS"]),
        (["DSRCH"], {"DS"}, ["NMDS"]),
        (["POARCH", "TREAT"], {"POA", "CC"}, ["NMDS"]),
        (["POARCH", "HRESCH"], {"HMB", "POA", "DS", "MDS", "CTRL"}, []),
    ],
)
def test_a_code_permits_what_it_means(codes, permitted, conditions):
    assert expanded(codes) == (permitted, conditions)


def test_every_term_of_duo_is_taken_as_it_stands():
    for term in duo.PURPOSES:
        if term.duo_id is not None:
            names, conditions = expanded([term.duo_id], DUO)
            assert (names, conditions) == (set(duo.purpose_names(duo.expand(term.bit))), [])


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ACT_REASON, "COC"),
        (ACT_REASON, "ETREAT"),
        (ACT_REASON, "HPAYMT"),
        (ACT_REASON, "HOPERAT"),
        (ACT_REASON, "CLINTRCH"),
        (ACT_REASON, "PUBHLTH"),
        (ACT_REASON, "DUO:0000043"),
        (DUO, "TREAT"),
        (DUO, "DUO:0000045"),
        (None, "TREAT"),
        (ACT_REASON, None),
    ],
)
def test_what_means_less_or_more_than_any_term_is_refused(system, code):
    with pytest.raises(ValueError, match="has no purpose that means"):
        purposes.terms_of([(system, code)])


@pytest.mark.parametrize("bits", range(1, 512, 5))
def test_codings_mean_the_purposes_that_they_are_of(bits):
    names = duo.purpose_names(duo.expand(bits))
    codes = [(each["system"], each["code"]) for each in purposes.codings(names)]
    terms, conditions = purposes.terms_of(codes)
    assert (duo.purpose_names(duo.expand(duo.purpose_bits(terms))), conditions) == (names, [])


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2027-01-15T08:00:00Z", 1_800_000_000, 1_800_000_001),
        ("2027-01-15T09:00:00.000+01:00", 1_800_000_000, 1_800_000_001),
        ("2027-01-15T08:00:00.25Z", 1_800_000_001, 1_800_000_000),
    ],
)
def test_a_time_is_its_whole_second(text, start, end):
    assert (times.start_of(text), times.end_of(text)) == (start, end)


def test_a_date_is_whole_and_of_this_machines_zone():
    for text, after in (("2027", "2028"), ("2027-12", "2028"), ("2027-12-31", "2028-01-01")):
        assert times.end_of(text) == times.start_of(after)
    assert times.end_of("2024-02") == times.end_of("2024-02-29")


@pytest.mark.parametrize(
    "text",
    [
        *("", "27", "2027-1", "2027-13", "2027-02-30", "2027-01-15T08:00Z", "2027-01-15T08:00:00"),
        *(
            "2027-01T08:00:00Z",
            "0000",
            "2027-01-15T25:00:00Z",
            "\u0662\u0660\u0662\u0667",
            "2027-01-15 08:00:00Z",
        ),
        *("2027-01-15T08:00:00+99:00", "9999"),
    ],
)
def test_what_is_not_of_fhirs_form_is_refused(text):
    with pytest.raises(ValueError, match=r"date|calendar"):
        times.end_of(text)

"""Which of two image sets is a prior of the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.imaging.comparing import Description

LATER = Description("0x2", "1.2", "CT", "CHEST", "20240101", 1_800_000_000, 20)
EARLIER = Description("0x1", "1.1", "CT", "CHEST", "20230101", 1_800_000_000, 10)


def test_an_earlier_study_of_the_same_kind_and_region_is_a_prior():
    assert EARLIER.is_prior_to(LATER)
    assert not LATER.is_prior_to(EARLIER)
    # By their dates, not by when they were anchored.
    assert replace(EARLIER, block=30).is_prior_to(LATER)


@pytest.mark.parametrize("dated", [EARLIER, LATER])
def test_without_a_date_what_was_anchored_first_is_the_earlier(dated):
    one, other = (
        each if each is dated else replace(each, taken_on=None) for each in (EARLIER, LATER)
    )
    assert one.is_prior_to(other)
    assert not replace(one, block=20).is_prior_to(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"study": "1.2", "taken_on": None},
        {"modality": "MR"},
        {"region": "HEAD"},
        {"taken_on": "20240101"},
        {"taken_on": "20250101"},
    ],
)
def test_what_is_not_a_prior(changed):
    assert not replace(EARLIER, **changed).is_prior_to(LATER)


def test_what_names_no_region_is_comparable_to_nothing():
    assert not replace(EARLIER, region="").is_prior_to(replace(LATER, region=""))

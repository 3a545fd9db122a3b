"""``--with-priors``: an image set with its course or with comparable studies, in one choice."""

from __future__ import annotations

import pytest
from pydicom import dcmread

from radledger.consent.priors import comparable_scope
from radledger.dicom.synthetic import make_ct_series

DATE = "20240314"


@pytest.fixture
def add(home, cli, tmp_path):
    """Add a series of the patient's, taken on a day and of a region; returns its id."""
    seeds = iter(range(100, 200))

    def add(*options, date=DATE, region="CHEST", modality="CT", patient="patient"):
        folder = tmp_path / f"series {next(seeds)}"
        for path in make_ct_series(folder, 1, size=32, seed=next(seeds), patient=patient):
            dataset = dcmread(path)
            dataset.StudyDate, dataset.Modality = date, modality
            dataset.BodyPartExamined = region
            dataset.save_as(path)
        kept = ("--keep-identity",) if date else ()
        added = cli(
            "image", "add", folder, "--patient", patient, *kept, *options, "--as", "hospital"
        )
        assert added.code == 0, added
        return added.object["image_id"]

    return add


@pytest.fixture
def permitted(ok):
    """Which of some image sets the radiologist may use."""

    def permitted(*images, reader="radiologist"):
        return [
            image
            for image in images
            if ok("consent", "check", reader, image, "--purpose", "CC")["permitted"]
        ]

    return permitted


@pytest.fixture
def studies(add, image, signed, ok):
    """One image set, those that are comparable to it, and those that are not.

    The one of the home, which was de-identified, has no date, and was anchored before.
    """
    first = add(date="20200101")
    derived = ok("image", "deidentify", first, "--as", "hospital")["image_id"]
    one = add(date="20240101")
    comparable = [add(date="20231231", region="CHEST "), first, image]
    others = [
        add(date="20240102"),  # later
        add(date="20240101"),  # of the same day
        add(date="20200101", region="HEAD"),
        add(date="20200101", region=""),
        add(date="20200101", modality="MR"),
        add(date="20200101", patient="stranger"),
        derived,  # of one that is among them
        add(date="20200101"),  # and disowned
    ]
    signed("image", "disown", others[-1])
    return one, comparable, others


@pytest.fixture
def choose(cli, tmp_path):
    """Have the patient sign a choice, and the hospital pay for it; what was signed."""

    def choose(*arguments):
        file = tmp_path / "choice.json"
        signed = cli(*arguments, "--as", "patient", "--sign-only", file)
        assert signed.code == 0, signed
        if signed.objects:
            assert cli("submit", file, "--as", "hospital").code == 0
        return signed.objects

    return choose


GRANT = ("consent", "grant", "radiologist", "--purpose", "CC", "--until", "+30d")


def test_comparable_studies_are_one_choice_and_no_more(
    studies, choose, cli, permitted, tmp_path, addresses
):
    one, comparable, others = studies
    file = tmp_path / "signed.json"
    choice = ("--scope", one, "--with-priors", "comparable")
    signed = cli(*GRANT, *choice, "--as", "patient", "--sign-only", file).objects
    assert [each["image_id"] for each in signed] == [one, *comparable]
    assert [each["taken_on"] for each in signed] == ["20240101", "20231231", "20200101", None]
    assert {(each["modality"], each["region"]) for each in signed} == {("CT", "CHEST")}
    assert {each["unopened"] for each in signed} == {0}
    assert all(addresses["radiologist"] in each["summary"] for each in signed)
    assert permitted(one, *comparable) == []
    assert len(cli("submit", file, "--as", "hospital").objects) == 4
    assert permitted(one, *comparable, *others) == [one, *comparable]
    again = cli("submit", file, "--as", "hospital")
    assert again.refused("ConsentSuperseded")

    # To take it back takes back nothing else.
    choose(*GRANT, "--scope", others[2])
    revoke = ("consent", "revoke", "radiologist", *choice)
    assert [each["scope"] for each in choose(*revoke)] == [one, *comparable]
    assert permitted(one, *comparable, *others) == [others[2]]
    assert choose(*revoke) == []


def test_a_request_for_comparable_studies_is_answered_by_one_command(
    studies, ok, cli, permitted, tmp_path
):
    one, comparable, others = studies
    ask = ("consent", "request", "patient", "--purpose", "CC", "--until", "+30d", "--scope", one)
    asked = ok(*ask, "--with-priors", "comparable", "--as", "radiologist")
    (waiting,) = cli("consent", "list", "--requests").objects
    assert (waiting["scope"], waiting["comparable_to"]) == (comparable_scope(one), one)
    file = tmp_path / "signed.json"
    approve = ("consent", "approve", asked["request_id"], "--as", "patient", "--sign-only", file)
    *grants, answer = cli(*approve).objects
    assert [each["image_id"] for each in grants] == [one, *comparable]
    assert answer["request_id"] == asked["request_id"]
    assert len(cli("submit", file, "--as", "hospital").objects) == 5
    assert permitted(one, *comparable, *others) == [one, *comparable]
    assert cli("consent", "list", "--requests").objects == []
    given = {each["until"] for each in cli("consent", "list", "--subject", "patient").objects}
    assert given == {waiting["until"]}


def test_the_digest_of_a_request_for_comparable_studies_permits_nothing(
    add, signed, ok, cli, permitted
):
    """A program that knows nothing of priors approves the request as it is."""
    one = add()
    scope = comparable_scope(one)
    signed("consent", "grant", "radiologist", "--purpose", "CC", "--scope", scope)
    assert permitted(one) == []


def test_a_course_is_one_choice(add, signed, choose, ok, cli, permitted, image):
    one, prior = add("--course", "illness"), add("--course", "illness", region="HEAD")
    other = add("--course", "another illness")
    course = ok("image", "show", one)["course"]
    choice = ("--scope", one, "--with-priors", "course")
    asked = ok("consent", "request", "patient", "--purpose", "CC", *choice, "--as", "radiologist")
    (waiting,) = cli("consent", "list", "--requests").objects
    assert (waiting["request_id"], waiting["scope"]) == (asked["request_id"], course)
    assert waiting["comparable_to"] is None
    signed(*GRANT, *choice)
    (grant,) = cli("consent", "list", "--subject", "patient").objects
    assert grant["scope"] == course
    later = add("--course", "illness")
    assert permitted(one, prior, later, other, image) == [one, prior, later]
    (revoked,) = choose("consent", "revoke", "radiologist", *choice)
    assert revoked["scope"] == course
    assert permitted(one, prior, later) == []
    refused = cli(*GRANT, "--scope", image, "--with-priors", "course", "--as", "patient")
    assert refused.refused("PriorsUnknown") == {"image": image}


def test_without_dates_the_order_of_the_chain_counts(add, image, choose):
    later = add(date="")
    found = choose(*GRANT, "--scope", later, "--with-priors", "comparable")
    assert [each["image_id"] for each in found] == [later, image]
    assert {each["taken_on"] for each in found} == {None}
    found = choose(*GRANT, "--scope", image, "--with-priors", "comparable")
    assert [each["image_id"] for each in found] == [image]


def test_what_has_no_priors_that_can_be_known(add, home, cli, image, tmp_path):
    nameless = add(region="")
    choice = ("--with-priors", "comparable", "--as", "patient")
    refused = cli(*GRANT, "--scope", nameless, *choice)
    assert refused.refused("PriorsUnknown") == {"image": nameless}
    assert cli(*GRANT, *choice).refused("InvalidImageId", 2)
    unknown = "0x" + "07" * 32
    assert cli(*GRANT, "--scope", unknown, *choice).refused("ImageUnknown") == {"image": unknown}
    assert cli("consent", "list").objects == []

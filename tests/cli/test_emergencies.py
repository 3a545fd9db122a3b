"""``radledger consent``: emergency access and its reviews; ``radledger conduct``."""

from __future__ import annotations

import pytest

from radledger.consent.commands.conduct import sentence


@pytest.mark.parametrize("blank", ["", " \t"])
def test_an_emergency_is_neither_declared_nor_reviewed_without_words(home, cli, blank):
    glass = ("consent", "break-glass", "patient", "--reason", blank, "--as", "radiologist")
    assert cli(*glass).refused("UsageError", 2) == {}
    review = ("consent", "review", "patient", "radiologist", "--since", "2026-01-01T12:00Z")
    reviewed = cli(*review, "--opinion", blank, "--justified", "--as", "clinic")
    assert reviewed.refused("UsageError", 2) == {}


def test_break_glass_and_review(home, ok, cli, check, addresses):
    glass = ("consent", "break-glass", "patient", "--reason", "unconscious")
    assert cli(*glass, "--as", "stranger").refused("ParticipantNotAccredited")
    too_long = cli(*glass, "--for", "48h", "--as", "radiologist")
    assert too_long.refused("EmergencyTooLong")["longest"] == 86_400
    broken = ok(*glass, "--for", "2h", "--as", "radiologist")
    assert broken["reason"] == "unconscious"
    assert len(broken["salt"]) == 66
    assert check("radiologist", "--purpose", "CC")[0] is True

    (found,) = cli("consent", "emergencies", "--institution", "hospital").objects
    assert (found["clinician"], found["reviewer"]) == (addresses["radiologist"], None)
    assert cli("consent", "emergencies", "--institution", "clinic").objects == []

    opinion = ("--since", broken["since"], "--opinion", "right", "--justified", "--as")
    review = ("consent", "review", "patient", "radiologist", *opinion)
    for unclear in ("then", "2027-13-01"):
        assert cli(*review, "hospital", "--since", unclear).refused("InvalidTime", 2)
    assert cli(*review, "radiologist").refused("EmergencyReviewerInvalid")
    assert ok(*review, "hospital")["opinion"] == "right"
    (reviewed,) = cli("consent", "emergencies", "--subject", "patient").objects
    assert (reviewed["reviewer"], reviewed["justified"]) == (addresses["hospital"], True)


def test_conduct_is_shown_before_a_request_is_approved(
    home, ok, cli, plain_cli, addresses, machine_clock
):
    glass = ("consent", "break-glass", "patient", "--reason", "unconscious", "--as", "radiologist")
    declared = ok(*glass)
    assert declared["until"] - declared["since"] == 86_400
    expected = {"declared": 1, "justified": 0, "unjustified": 0, "waiting": 1, "overdue": 0}
    clinician = ok("conduct", "radiologist")
    assert (clinician["account"], clinician["institution"]) == (
        addresses["radiologist"],
        addresses["hospital"],
    )
    assert (clinician["as_clinician"], clinician["suspensions"]) == (expected, 0)
    assert ok("conduct", "hospital")["as_institution"] == expected

    request = ("consent", "request", "patient", "--purpose", "CC", "--as", "radiologist")
    id_ = ok(*request)["request_id"]
    (listed,) = cli("consent", "list", "--subject", "patient", "--requests").objects
    assert [each["account"] for each in listed["conduct"]] == [
        addresses["radiologist"],
        addresses["hospital"],
    ]
    approve = ("consent", "approve", id_, "--as", "patient", "--sign-only", home / "approved.json")
    machine_clock(0)
    told = plain_cli(*approve).err.splitlines()
    assert told == [
        f"{name} {addresses[name]}: emergency accesses: 1 (0 justified, 0 unjustified, 1 waiting "
        "for review, 0 with an overdue review); never suspended"
        for name in ("radiologist", "hospital")
    ]


@pytest.mark.parametrize(
    ("times", "words"), [(0, "never suspended"), (1, "suspended once"), (2, "suspended 2 times")]
)
def test_how_often_an_account_was_suspended_is_said_in_words(times, words):
    counts = dict.fromkeys(("declared", "justified", "unjustified", "waiting", "overdue"), 0)
    shown = {"account": "0x12", "institution": "0x34", "as_clinician": counts}
    assert sentence(shown | {"suspensions": times}).endswith(f"; {words}")


def test_forbid_emergencies_and_allow(home, ok, cli, signed):
    glass = ("consent", "break-glass", "patient", "--reason", "unconscious", "--as", "radiologist")
    signed("consent", "forbid-emergencies")
    assert cli(*glass).refused("EmergencyForbidden")
    signed("consent", "allow-emergencies")
    ok(*glass)
    signed("consent", "revoke", "radiologist", "--scope", "emergency")
    (grant,) = cli("consent", "list", "--subject", "patient").objects
    assert (grant["scope"], grant["status"]) == ("emergency", "revoked")

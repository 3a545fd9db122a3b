"""``radledger participant`` and ``identity``: who is who, and who acts for whom."""

from __future__ import annotations

import pytest


def test_admit_suspend_reinstate_leave(home, ok, cli, addresses):
    admit = ("participant", "admit", "stranger", "--role")
    assert cli(*admit, "bogus", "--as", "hospital").refused("UnknownRole", 2) == {"role": "bogus"}
    assert cli(*admit, "radiologist", "--as", "radiologist").code == 1
    ok(*admit, "radiologist", "--role", "clinician", "--as", "hospital")
    shown = ok("participant", "show", "stranger")
    assert (shown["institution"], shown["active"]) == (addresses["hospital"], True)
    assert set(shown["roles"]) == {"radiologist", "clinician"}

    refused = cli("participant", "suspend", "stranger", "--as", "patient")
    assert refused.refused("ParticipantNoAuthority")["account"] == addresses["stranger"]
    ok("participant", "suspend", "stranger", "--as", "governor")
    assert ok("participant", "show", "stranger")["active"] is False
    ok("participant", "reinstate", "stranger", "--as", "governor")
    assert ok("participant", "show", "stranger")["active"] is True
    ok("participant", "leave", "--as", "stranger")
    assert ok("participant", "show", addresses["stranger"])["institution"] is None


def test_admit_an_institution(home, ok, cli):
    admit = ("participant", "admit", "stranger", "--role", "custodian", "--institution", "--as")
    assert cli(*admit, "hospital").code == 1
    ok(*admit, "governor")
    assert ok("participant", "show", "stranger")["roles"] == ["custodian"]


def test_governors_vote(home, ok, cli):
    vote = ("participant", "vote-governor", "stranger")
    assert cli(*vote, "--as", "hospital").refused("ParticipantNotGovernor")
    ok(*vote, "--as", "governor")
    assert ok("participant", "show", "stranger")["roles"] == ["governor"]
    ok(*vote, "--remove", "--as", "governor")
    ok(*vote, "--remove", "--as", "stranger")
    assert ok("participant", "show", "stranger")["roles"] == []


@pytest.mark.parametrize(
    ("account", "error"),
    [
        ("0x12", "InvalidAddress"),
        ("0x" + "zz" * 20, "InvalidAddress"),
        ("nobody", "AccountUnknown"),
        ("", "AccountInvalid"),
        ("../x", "AccountInvalid"),
    ],
)
def test_accounts_that_are_not_there(home, cli, account, error):
    assert account in cli("participant", "show", account).refused(error, 2).values()


def test_encryption_keys(home, ok, plain_cli, signed):
    assert ok("identity", "show", "stranger")["encryption_key"] is None
    ok("identity", "set-key", "--as", "stranger")
    shown = ok("identity", "show", "stranger")
    assert (len(shown["encryption_key"]), shown["kem"]) == (2 + 2 * 1216, "MLKEM768-X25519")
    told = plain_cli("identity", "show", "stranger").out
    assert shown["encryption_key"][:34] + "… (1,216 bytes)" in told
    assert max(map(len, told.splitlines())) < 200
    before = ok("identity", "show", "patient")["encryption_key"]
    signed("identity", "set-key")
    assert ok("identity", "show", "patient")["encryption_key"] == before


def test_an_identity_gets_another_key(home, ok, cli, signed, addresses):
    grant = ("consent", "grant", "radiologist", "--purpose", "CC", "--subject", "patient")
    theft = ("identity", "change-owner", "stranger", "--identity", "patient", "--as", "stranger")
    assert cli(*theft).refused("IdentityNotOwner")
    signed("identity", "change-owner", "stranger")
    assert ok("identity", "show", "patient")["owner"] == addresses["stranger"]
    assert ok(*grant, "--as", "stranger")["tx"]
    ok("identity", "change-owner", "patient", "--identity", "patient", "--as", "stranger")
    assert cli(*grant, "--as", "stranger").refused("ConsentNotAuthorized")


def test_a_change_of_owner_says_what_it_ends(home, ok, plain_cli, addresses):
    ok("identity", "add-delegate", "clinic", "--as", "radiologist")
    ok("identity", "guardians", "clinic", "hospital", "--threshold", "2", "--as", "radiologist")
    change = ("identity", "change-owner", "radiologist", "--as", "radiologist")
    outcome = plain_cli(*change)
    assert outcome.code == 0
    delegate = f"the delegate clinic {addresses['clinic']}"
    assert f"these end: the encryption key, {delegate}, the guardians;" in outcome.err
    shown = ok("identity", "show", "radiologist")
    assert (shown["encryption_key"], shown["delegates"], shown["guardians"]) == (None, [], None)
    assert plain_cli(*change).err == ""


def test_a_recovered_parent_acts_for_the_child(home, ok, cli, signed, addresses):
    ok("identity", "change-owner", "patient", "--as", "radiologist")
    signed("identity", "change-owner", "stranger")
    shown = ok("identity", "show", "radiologist")
    assert shown["owner"] == addresses["patient"]
    assert shown["controller"] == addresses["stranger"]
    change = ("identity", "set-key", "--identity", "radiologist")
    lost = cli(*change, "--as", "patient", "--sign-only", "unused.json")
    assert lost.refused("IdentityNotOwner")["actor"] == addresses["patient"]
    ok(*change, "--as", "stranger")
    assert ok("identity", "show", "radiologist")["encryption_key"]


def test_a_guardian_has_an_address_for_each_identity(home, ok, cli, plain_cli, addresses, tmp_path):
    file = tmp_path / "signed.json"
    guards = {
        whose: ok("account", "derive", "--for", whose, "--as", "stranger")
        for whose in ("patient", "radiologist")
    }
    assert len({each["address"] for each in guards.values()} | {addresses["stranger"]}) == 3
    for whose, guard in guards.items():
        named = ("identity", "guardians", guard["name"], "--threshold", "1", "--as", whose)
        assert plain_cli(*named, "--sign-only", file).err == ""
        ok("submit", file, "--as", "hospital")

    recover = ("identity", "recover", "patient", "--new-owner", "clinic", "--sign-only", file)
    other = guards["radiologist"]["name"]
    refused = cli(*recover, "--as", other).refused("IdentityNotGuardian")
    assert refused["guardian"] == guards["radiologist"]["address"]
    ok(*recover, "--as", guards["patient"]["name"])
    ok("submit", file, "--as", "hospital")
    assert ok("identity", "show", "patient")["recoveries"][0]["approvals"] == 1


def test_a_guardian_in_common_is_reported(home, ok, plain_cli, addresses, tmp_path):
    guardians = ("identity", "guardians", "stranger", "clinic", "--threshold", "1")
    signing = ("--sign-only", tmp_path / "signed.json")
    assert plain_cli(*guardians, "--as", "patient", *signing).err == ""
    ok("submit", signing[1], "--as", "hospital")
    told = plain_cli("identity", "guardians", "stranger", "--threshold", "1", "--as", "radiologist")
    assert told.code == 0
    assert f"stranger {addresses['stranger']} guarded another identity before" in told.err
    assert f"account derive --for {addresses['radiologist']}" in told.err
    assert plain_cli(*guardians, "--as", "patient", *signing).err.count("guarded") == 1


def test_a_guardian_takes_an_approval_back(home, ok, cli, signed, addresses):
    signed("identity", "guardians", "hospital", "clinic", "--threshold", "2")
    to_stranger = ("patient", "--new-owner", "stranger")
    withdraw = ("identity", "withdraw-approval", *to_stranger, "--as", "hospital")
    assert cli(*withdraw).refused("IdentityNoApproval")["guardian"] == addresses["hospital"]
    ok("identity", "recover", *to_stranger, "--as", "hospital")
    assert ok("identity", "show", "patient")["recoveries"][0]["approvals"] == 1
    ok(*withdraw)
    assert ok("identity", "show", "patient")["recoveries"] == []

    # A guardian whose own identity another key acts for approves with that key.
    ok("identity", "change-owner", "radiologist", "--as", "hospital")
    approve = ("identity", "recover", *to_stranger, "--as", "radiologist")
    assert cli(*approve).refused("IdentityNotGuardian")["guardian"] == addresses["radiologist"]
    ok(*approve, "--guardian", "hospital")
    assert ok("identity", "show", "patient")["recoveries"][0]["approvals"] == 1


def test_a_delegate_acts_for_the_patient(home, ok, cli, signed, addresses):
    grant = ("consent", "grant", "radiologist", "--purpose", "CC", "--subject", "patient")
    not_yet = cli(*grant, "--as", "stranger").refused("ConsentNotAuthorized")
    assert not_yet == {"subject": addresses["patient"], "actor": addresses["stranger"]}
    signed("identity", "add-delegate", "stranger", "--for", "90d")
    assert ok(*grant, "--as", "stranger")["tx"]
    signed("identity", "revoke-delegate", "stranger")
    assert cli(*grant, "--as", "stranger").refused("ConsentNotAuthorized")
    wrong = cli("identity", "add-delegate", "clinic", "--for", "long", "--as", "patient")
    assert wrong.refused("InvalidTime", 2) == {"text": "long"}


def test_guardians_recover_and_the_owner_vetoes(home, ok, cli, signed, addresses):
    name = ("identity", "guardians", "hospital", "clinic", "--threshold")
    too_many = cli(*name, "3", "--as", "patient", "--sign-only", "unused.json")
    assert too_many.refused("IdentityThresholdOutOfRange") == {"threshold": 3, "guardians": 2}
    signed(*name, "2")
    recover = ("identity", "recover", "patient", "--new-owner", "stranger", "--as")
    assert cli(*recover, "stranger").refused("IdentityNotGuardian")
    ok(*recover, "hospital")
    ok(*recover, "clinic")
    early = cli(*recover, "stranger", "--execute")
    assert early.refused("IdentityRecoveryNotReady")["readyAt"] > 0
    assert ok("identity", "show", "patient")["recoveries"]
    signed("identity", "veto")
    assert ok("identity", "show", "patient")["recoveries"] == []
    assert ok("identity", "show", "patient")["owner"] == addresses["patient"]


def test_a_delegate_for_no_time_is_refused(home, cli, tmp_path):
    file = tmp_path / "signed.json"
    add = ("identity", "add-delegate", "clinic", "--for", "0d", "--as", "patient")
    for signing in ((), ("--sign-only", file)):
        assert cli(*add, *signing).refused("InvalidTime", 2) == {"text": "0d"}
    assert not file.exists()

"""Grants that end soon: listed for both sides, and renewed by request."""

from __future__ import annotations

UNKNOWN = "0x" + "07" * 32


def test_a_grant_that_ends_soon_is_renewed(home, signed, ok, cli, addresses, check):
    signed("consent", "grant", "radiologist", "--purpose", "CC", "--until", "+5d")
    signed("consent", "grant", "clinic", "--purpose", "GRU", "--until", "+30d", "--exact")
    (grant,) = cli("consent", "expiring", "--as", "radiologist").objects
    assert (grant["subject"], grant["status"]) == (addresses["patient"], "active")
    assert cli("consent", "expiring", "--account", "patient").objects == [grant]
    assert cli("consent", "expiring", "--within", "4d", "--as", "patient").objects == []
    assert len(cli("consent", "expiring", "--within", "5w", "--as", "patient").objects) == 2

    renew = ("consent", "request", "--renew", grant["grant_id"])
    asked = ok(*renew, "--until", "+40d", "--exact", "--as", "radiologist")
    (waiting,) = cli("consent", "list", "--requests").objects
    assert (waiting["request_id"], waiting["purposes"]) == (asked["request_id"], ["CC"])
    signed("consent", "approve", asked["request_id"])
    (again,) = cli("consent", "list", "--grantee", "radiologist").objects
    assert again["grant_id"] == grant["grant_id"]
    assert again["until"] == waiting["until"] > grant["until"] + 30 * 86_400
    assert cli("consent", "expiring", "--as", "radiologist").objects == []


def test_expiring_in_words(home, signed, plain_cli, addresses):
    assert plain_cli("consent", "expiring", "--as", "patient").err == "no grant ends that soon\n"
    signed("consent", "grant", "radiologist", "--purpose", "CC", "--until", "+5d")
    assert addresses["radiologist"] in plain_cli("consent", "expiring", "--as", "patient").out


def test_a_request_says_whom_and_for_what_or_which_grant_again(home, cli):
    for arguments in (
        ("patient",),
        ("--purpose", "CC"),
        (),
        ("patient", "--renew", UNKNOWN),
        ("--renew", UNKNOWN, "--purpose", "CC"),
        ("--renew", UNKNOWN, "--scope", UNKNOWN),
        ("--renew", UNKNOWN, "--from", "+1d"),
    ):
        told = cli("consent", "request", *arguments, "--as", "radiologist")
        assert told.refused("RequestUnclear", 2) == {}
    missing = cli("consent", "request", "--renew", UNKNOWN, "--as", "radiologist")
    assert missing.refused("NoSuchGrant")["grant"] == UNKNOWN

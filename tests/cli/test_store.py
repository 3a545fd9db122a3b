"""``radledger store``: who holds what; repair, pin and unpin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def clinic_store(tmp_path, home):
    """A home of the clinic's own, whose store has all of the hospital's, and keeps nothing."""
    own = tmp_path / "clinic"
    shutil.copytree(home, own)
    for pinned in (own / "store/pinned").glob("*/*"):
        target = own / "store/unpinned" / pinned.parent.name
        target.mkdir(exist_ok=True)
        pinned.rename(target / pinned.name)
    for journal in (own / "imaging").glob("*/journal*"):
        journal.unlink()
    return own


def lose(home, cid):
    (path,) = (home / "store").rglob(cid)
    path.unlink()


def test_status_and_repair(ok, cli, plain_cli, home, image):
    status = ok("store", "status", image)
    assert status.keys() == {"image_id", "state", "copies", "missing", "contents"}
    assert (status["image_id"], status["state"]) == (image, "anchored")
    assert (status["copies"], status["missing"]) == (1, 0)
    assert [each["nodes"] for each in status["contents"]] == [{"store": "pinned"}] * 3
    assert [each["instance"] is None for each in status["contents"]] == [True, False, False]
    assert ok("store", "repair", image) == {"image_id": image, "repaired": [], "contents": 3}

    lost = status["contents"][1]["cid"]
    lose(home, lost)
    assert ok("store", "status", image)["missing"] == 1
    assert "store=missing" in plain_cli("store", "status", image).out
    refused = cli("store", "repair", image).refused("CopiesMissing")
    assert (refused["image"], list(refused["missing"])) == (image, [lost])


def test_status_of_an_unknown_image_set(cli, image, clinic_store):
    there = ("--home", clinic_store)
    assert cli("store", "status", image, *there).refused("SecretUnknown") == {"image": image}
    assert cli("store", "repair", image, *there).refused("SecretUnknown") == {"image": image}
    unknown = "0x" + "12" * 32
    assert cli("store", "status", unknown).refused("ImageUnknown") == {"image": unknown}
    # The patient reads without a grant.
    status = cli("store", "status", image, "--as", "patient", *there).object
    assert [each["nodes"] for each in status["contents"]] == [{"store": "cached"}] * 3


def test_a_partner_s_own_copy(ok, cli, image, signed, clinic_store, home):
    refused = cli("store", "pin", image)
    assert refused.refused("AccountNotNamed", 2) == {}
    refused = cli("store", "pin", image, "--as", "clinic", "--purpose", "CC")
    assert refused.refused("ConsentNotPermittedNeverGranted")
    refused = cli("store", "pin", image, "--as", "clinic")
    assert refused.refused("PurposeNotNamed", 2) == {}

    there = ("--as", "patient", "--home", clinic_store)
    assert ok("store", "pin", image, *there) == {
        "image_id": image,
        "contents": 3,
        "pinned": 3,
        "unpinned": 0,
    }
    status = ok("store", "status", image, "--home", clinic_store)
    assert [each["nodes"] for each in status["contents"]] == [{"store": "pinned"}] * 3
    done = ok("store", "unpin", image, "--home", clinic_store)
    assert done == {"image_id": image, "unpinned": 3}
    assert not list(Path(clinic_store, "store").glob("*pinned/*/*"))

    # With a grant, in the hospital's own store there is nothing more to keep.
    signed("consent", "grant", "clinic", "--purpose", "CC")
    done = ok("store", "pin", image, "--as", "clinic", "--purpose", "CC")
    assert (done["contents"], done["pinned"]) == (3, 0)
    assert ok("store", "unpin", image)["unpinned"] == 0
    assert ok("store", "status", image)["missing"] == 0


def test_a_store_that_is_away_is_one_line(cli, plain_cli, image, monkeypatch):
    monkeypatch.setenv("RADLEDGER_STORE", "/ip4/127.0.0.1/tcp/1")
    status = cli("store", "status", image).object
    assert {str(each["nodes"]) for each in status["contents"]} == {
        "{'/ip4/127.0.0.1/tcp/1': 'unreachable'}"
    }
    assert cli("store", "repair", image).refused("CopiesMissing")["image"] == image
    lines = plain_cli("store", "repair", image).err.splitlines()
    assert len(lines) == 1
    assert "/ip4/127.0.0.1/tcp/1 does not serve" in lines[0]
    monkeypatch.setenv("RADLEDGER_STORE", "nonsense")
    assert cli("store", "status", image).refused("UsageError", 2) == {"address": "nonsense"}

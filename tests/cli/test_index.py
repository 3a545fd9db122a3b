"""``radledger index`` and ``history``."""

from __future__ import annotations


def test_the_index_follows_and_tells(home, ok, tmp_path):
    first = ok("index", "sync")
    assert first["added_events"] > 0
    assert ok("index", "sync")["added_events"] == 0
    status = ok("index", "status")
    assert (status["behind"], status["event_count"]) == (0, first["added_events"])
    assert status["url"].startswith(f"sqlite:///{home}")
    assert ok("index", "rebuild")["added_events"] == first["added_events"]

    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    assert ok("index", "status", "--index", other)["event_count"] == 0


def test_the_environment_names_another_database(home, ok, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    monkeypatch.setenv("RADLEDGER_INDEX", url)
    assert ok("index", "sync")["added_events"] > 0
    assert ok("index", "status")["url"] == url


def test_history_follows_the_chain_by_itself(home, cli, image, signed, addresses):
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    entries = cli("history", image).objects
    assert [entry["event"] for entry in entries] == ["ImageAnchored", "ConsentGranted"]
    assert entries[1]["who"] == addresses["patient"]
    assert cli("history", "patient").objects == cli("history", addresses["patient"]).objects


def test_history_is_told_to_people(plain_cli, home, image):
    told = plain_cli("history", image)
    assert (told.code, told.err) == (0, "")
    assert "ImageAnchored" in told.out
    assert "UTC" in told.out


def test_refusals_are_one_line(home, cli):
    unknown = "0x" + "12" * 32
    assert cli("history", unknown).refused("NothingKnown") == {"term": unknown}
    assert cli("history", "0x12").refused("NoIdOrAddress", code=2) == {"text": "0x12"}
    assert cli("history", "nobody").refused("AccountUnknown", code=2)
    assert cli("index", "sync", "--index", "mysql://x").refused("InvalidIndexUrl", code=2) == {}

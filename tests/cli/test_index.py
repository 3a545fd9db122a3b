"""``radledger index``, ``history``, ``lineage``, ``access-log`` and ``audit``."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest


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


def test_history_is_readable(plain_cli, home, image):
    told = plain_cli("history", image)
    assert (told.code, told.err) == (0, "")
    assert "ImageAnchored" in told.out
    assert "UTC" in told.out


def test_refusals_are_one_line(home, cli):
    unknown = "0x" + "12" * 32
    assert cli("history", unknown).refused("NothingKnown") == {"term": unknown}
    assert cli("history", "0x12").refused("NoIdOrAddress", code=2) == {"text": "0x12"}
    assert cli("history", "nobody").refused("AccountUnknown", code=2)
    assert cli("index", "sync", "--index", "").refused("UsageError", code=2) == {}
    assert cli("index", "sync", "--index", "mysql://x").refused("InvalidIndexUrl", code=2)


def test_the_lineage_of_no_id(home, cli):
    for text in ("foo", "0x12", "0x" + "ab" * 20):
        assert cli("lineage", text).refused("NoIdOrAddress", 2) == {"text": text}


def test_lineage_is_printed_drawn_and_exported(home, ok, plain_cli, image, tmp_path):
    files = {name: tmp_path / f"lineage.{name}" for name in ("dot", "png", "prov")}
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    derived = ok("image", "deidentify", image, "--as", "hospital")["image_id"]
    found = ok("lineage", image, *options)
    assert [node["id"] for node in found["nodes"]] == [image, derived]
    assert found["links"] == [
        {
            "source": image,
            "target": derived,
            "relation": "became",
            "details": {"kind": "deidentified"},
        }
    ]
    assert files["dot"].read_text().startswith("digraph")
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert f"eip155:{derived}" in json.loads(files["prov"].read_text())["entity"]
    told = plain_cli("lineage", derived)
    assert (told.code, told.err) == (0, "")
    assert "1  became  2 (deidentified)" in told.out or "2  became  1 (deidentified)" in told.out


def test_who_read_is_in_the_access_log(home, cli, ok, image, signed, addresses, tmp_path):
    assert cli("access-log").objects == []
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    reading = ("--to", tmp_path / "reading", "--purpose", "CC", "--as", "radiologist")
    ok("image", "fetch", image, *reading)
    granted, released = cli("access-log", image).objects
    assert (granted["event"], granted["images"], granted["purposes"]) == ("granted", "all", ["CC"])
    assert (released["event"], released["images"]) == ("released", image)
    assert released["reader"] == granted["reader"] == addresses["radiologist"]
    assert released["patient"] == addresses["patient"]
    assert released["grant_id"] == granted["grant_id"]
    for whose in ("radiologist", "patient"):
        assert len(cli("access-log", whose).objects) == 2
    assert cli("access-log", "stranger").objects == []


@pytest.mark.parametrize("command", ["fetch", "verify"])
@pytest.mark.parametrize("name", ["hospital", "patient"])
def test_who_reads_their_own_images_is_in_the_access_log(
    home, cli, image, study, addresses, tmp_path, command, name
):
    reading = {"fetch": ("--to", tmp_path / "reading"), "verify": (study,)}
    assert cli("image", command, image, *reading[command], "--as", name).code == 0
    (read,) = cli("access-log", image).objects
    assert (read["event"], read["images"]) == ("released", image)
    assert (read["reader"], read["patient"]) == (addresses[name], addresses["patient"])
    assert (read["purposes"], read["grant_id"]) == ([], "0x" + "00" * 32)


def test_services_answer_from_an_index_where_there_is_one(home, ok, image):
    from_chain = ok("image", "show", image)
    ok("index", "sync")
    assert ok("image", "show", image) == from_chain
    (file,) = (home / "index").glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE events SET timestamp = 1 WHERE name = 'ImageAnchored'")
    altered = ok("image", "show", image)
    assert altered == {**from_chain, "anchored_at": altered["anchored_at"]}
    assert altered["anchored_at"] != from_chain["anchored_at"]
    ok("index", "rebuild")
    assert ok("image", "show", image) == from_chain


def test_the_audit_fails_where_the_index_lies(home, ok, cli, plain_cli, image):
    audit = ok("audit")
    assert audit["differences"] == []
    assert audit["compared_views"] > 10

    (file,) = (home / "index").glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE events SET who = '0x00' WHERE name = 'ImageAnchored'")
    failed = cli("audit")
    assert (failed.code, failed.err) == (1, "")
    difference, mentions = failed.object["differences"]
    assert difference["index"] == {"who": "0x00"}
    assert mentions["what"] == "mentions of " + difference["what"]
    told = plain_cli("audit")
    assert told.code == 1
    assert difference["what"] in told.out
    ok("index", "rebuild")
    assert ok("audit")["differences"] == []

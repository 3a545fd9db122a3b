"""What users give by mistake: one line that says what it is, and what to give instead.

The exit code is 2 for what cannot be understood on this machine: it is malformed, or a file,
account, network or term that does not exist.  It is 1 for what is well formed and unknown.
"""

from __future__ import annotations

import pytest

UNKNOWN = "0x" + "07" * 32
# Commands that find the thing of an id in each of the ways that there are.
WITH_ID = [
    "image show {id}",
    "image verify {id} {file} --as patient",
    "image disown {id} --as patient",
    "bundle export {id} new",
    "store unpin {id}",
    "consent check radiologist {id} --purpose CC",
    "consent approve {id} --as patient",
    "dataset show {id}",
    "dataset contribute {id} {image} --as researcher",
    "dataset free {id} --as patient",
    "algorithm show {id}",
    "algorithm recall {id} {file} --as researcher",
    "history {id}",
    "lineage {id}",
    "access-log {id}",
]
READING = [
    "submit {path} --as hospital",
    "image add --list {path} --as hospital",
    "image verify {image} {path}",
    "bundle export {image} new --file {path}",
    "dataset create --purpose HMB --protocol {path} --as researcher",
    "dataset contribute {image} {image} --acceptance {path} --as researcher",
    "algorithm publish --name X --version 1 --weights {path} --as researcher",
    "algorithm recall {image} {path} --as researcher",
    "deploy import {path}",
]
WRITING = [
    "consent revoke-all --as patient --sign-only {path}",
    "lineage {image} --dot {path}",
    "lineage {image} --png {path}",
    "lineage {image} --prov {path}",
    "bundle export {image} {path}",
    "dataset accept {image} {image} {path} --as researcher",
    "image add {file} --patient patient --as hospital --report {path}",
]


@pytest.fixture
def file(tmp_path):
    """A file with no content of use."""
    path = tmp_path / "file"
    path.write_text("no image, list, record or document")
    return path


@pytest.fixture
def refused(home, image, file, plain_cli):
    """What a command says that was wrong, and what to do, in one line."""

    def call(command, code, **names):
        values = {"image": image, "file": file, **names}
        outcome = plain_cli(*(word.format(**values) for word in command.split()))
        (line,) = outcome.err.splitlines()
        name, _, message = line.partition(": ")
        assert (outcome.code, outcome.out) == (code, ""), line
        assert name.isidentifier(), line
        assert not name.startswith("Internal"), line
        return name, message

    return call


def test_an_id_that_is_malformed_or_unknown(refused):
    for command in WITH_ID:
        _, message = refused(command, 2, id="0x12")
        assert "'0x12' is n" in message, command
        _, message = refused(command, 1, id=UNKNOWN)
        assert UNKNOWN in message, command


def test_a_file_to_read_that_is_missing_or_a_folder(refused, tmp_path):
    for command in READING:
        _, message = refused(command, 2, path=tmp_path / "gone")
        assert str(tmp_path / "gone") in message, command
        if command != "image verify {image} {path}":
            _, message = refused(command, 2, path=tmp_path)
            assert str(tmp_path) in message, command


def test_a_file_to_write_where_there_is_no_folder_or_one_of_its_name(refused, ok, image, tmp_path):
    for command in WRITING:
        name, message = refused(command, 2, path=tmp_path / "gone" / "file")
        assert (name, "make the folder" in message) == ("InvalidFile", True), command
        name, message = refused(command, 2, path=tmp_path)
        assert (name, message) == ("InvalidFile", f"{tmp_path} is a folder; name the file to write")
    fetch = "image fetch {image} --to {path} --as patient"
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        name, message = refused(fetch, 2, path=path)
        assert (name, message) == (
            "InvalidFile",
            f"{tmp_path / 'file'} is a file; name a new or empty folder",
        )
    ok("lineage", image, "--dot", tmp_path / "lineage.dot")
    assert (tmp_path / "lineage.dot").read_text().startswith("digraph")


def test_a_wrong_file_is_reported_in_json(cli, tmp_path):
    """Wherever in the command line it is asked for."""
    outcome = cli("consent", "revoke-all", "--sign-only", tmp_path)
    assert outcome.refused("InvalidFile", 2) == {"path": str(tmp_path)}


def test_a_home_that_is_a_file(refused, file, monkeypatch):
    for command in ("account list", "image list", "devnet status", "network status", "deploy"):
        name, message = refused(f"{command} --home {{file}}", 2)
        assert (name, f"{file} is a file" in message) == ("InvalidHome", True), command
    monkeypatch.setenv("RADLEDGER_HOME", str(file))
    assert refused("account list", 2)[0] == "InvalidHome"


def test_a_journal_that_is_not_a_database(refused, monkeypatch):
    reading = "image fetch {image} --to new --as patient"
    for journal in ("foo", "sqlite:///journal", "mysql://user:secret@host/journal"):
        for command in (reading, "image list", "consent list"):
            name, message = refused(f"{command} --journal {journal}", 2)
            assert name == "InvalidJournalUrl"
            assert journal.rpartition("@")[2].split("/")[0] in message
            assert "secret" not in message
    monkeypatch.setenv("RADLEDGER_JOURNAL", "foo")
    assert refused(reading, 2)[0] == "InvalidJournalUrl"


def test_what_is_asked_of_an_account_that_has_none(refused, plain_cli):
    _, message = refused("lineage patient", 2)
    assert "`radledger history`" in message
    # An account may well have read nothing; an id that nothing is known of is a mistake.
    outcome = plain_cli("access-log", "stranger")
    assert (outcome.code, outcome.err) == (0, "no access\n")
    assert refused("access-log {id}", 1, id=UNKNOWN)[0] == "NothingKnown"


@pytest.mark.parametrize("content", ["", "junk", "{}", "[]", '{"format": 1}'])
def test_an_import_that_is_not_a_record(refused, file, content):
    file.write_text(content)
    name, message = refused("deploy import {file}", 2)
    assert name == "InvalidRecord"
    assert "deployments/CHAIN.json" in message
    assert "restore" not in message


def test_values_that_no_command_can_use(refused, file):
    file.write_bytes(b"\xff\xfe\x00")
    for command, told in (
        ("identity guardians hospital --threshold=-1 --as patient", "greater than or equal to 1"),
        ("consent revoke-all --sign-only new --valid-for 0d --as patient", "'0d' lasts no time"),
        ("consent break-glass patient --reason fall --for 0h --as radiologist", "'0h' lasts no"),
        ("image add --list {file} --as hospital", "line 1: it is not text in UTF-8"),
        ("deploy --resume --successor --as governor", "only one of --resume, --verify and"),
        ("deploy --verify --resume --as governor", "only one of --resume, --verify and"),
    ):
        assert told in refused(command, 2)[1], command


def test_a_document_of_which_a_part_is_missing(refused, file):
    file.write_text('{"kind": "radledger.consent", "format": 1}')
    name, message = refused("submit {file} --as hospital", 2)
    assert name == "DocumentMalformed"
    assert "it lacks summary, signer, typedData, signature;" in message


def test_a_record_at_an_address_of_another_scheme(refused):
    name, message = refused("deploy import ftp://user:secret@host/31337.json", 2)
    assert (name, "http:// or https://" in message) == ("InvalidRecord", True)
    assert "secret" not in message

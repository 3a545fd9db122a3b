"""``radledger account``: keys in files, and where passphrases come from."""

from __future__ import annotations

import io
import os
import pty
import stat
import subprocess

import pytest

from radledger.chain.accounts import Keystore
from tests.cli.conftest import Outcome, command, environment

JUNK = "test test test test test test test test test test test junk"
# The first account of that mnemonic, as Hardhat and anvil print it.
JUNK_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
JUNK_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
CUSTODIAN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
def keystore(tmp_path):
    return Keystore(tmp_path / "home")


@pytest.fixture
def passphrase(monkeypatch):
    """Give the passphrase by the environment."""

    def give(text):
        monkeypatch.setenv("RADLEDGER_PASSPHRASE", text)

    give("secret words")
    return give


def test_new_is_the_mnemonic_s_first_account(ok, cli, keystore, passphrase):
    made = ok("account", "new", "alice")
    assert set(made) == {"name", "address", "protected", "mnemonic"}
    assert (made["name"], made["protected"]) == ("alice", True)
    assert keystore.open("alice", "secret words").address == made["address"]
    assert keystore.import_("again", made["mnemonic"], "").address == made["address"]
    shown = ok("account", "show", "alice")
    assert shown == {name: made[name] for name in ("name", "address", "protected")}
    assert [each["name"] for each in cli("account", "list").objects] == ["again", "alice"]

    assert cli("account", "new", "alice").refused("AccountExists", 2) == {"account": "alice"}
    assert cli("account", "new", "../x").refused("AccountInvalid", 2) == {"account": "../x"}
    assert cli("account", "show", "bob").refused("AccountUnknown", 2) == {"account": "bob"}


def test_keys_are_the_owner_s_alone(ok, passphrase, tmp_path):
    ok("account", "new", "alice")
    folder = tmp_path / "home" / "keystore"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("secret", [JUNK, JUNK_KEY, JUNK_KEY[2:], f"  {JUNK}  "])
def test_import_from_standard_input(ok, passphrase, secret, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
    assert ok("account", "import", "junk") == {
        "name": "junk",
        "address": JUNK_ADDRESS,
        "protected": True,
    }


@pytest.mark.parametrize("secret", ["", "0x12", "junk " * 12, "0x" + "00" * 32])
def test_import_of_what_is_no_secret(passphrase, secret, tmp_path, monkeypatch, cli):
    monkeypatch.setattr("sys.stdin", io.StringIO(secret))
    outcome = cli("account", "import", "junk")
    outcome.refused("AccountInvalid", 2)
    assert secret.strip() in ("", "0x12") or secret.strip() not in outcome.out
    assert not (tmp_path / "home" / "keystore").exists()


def test_passphrase_from_a_file(ok, cli, keystore, tmp_path, monkeypatch):
    file = tmp_path / "passphrase"
    file.write_text(" of several words \n")
    monkeypatch.setenv("RADLEDGER_PASSPHRASE_FILE", str(file))
    address = ok("account", "new", "alice")["address"]
    assert keystore.open("alice", " of several words ").address == address

    derived = ok("account", "derive", "--for", CUSTODIAN, "--as", "alice")
    assert derived["name"] == f"alice-{CUSTODIAN[2:10].lower()}"
    assert derived["address"] not in (address, CUSTODIAN)
    file.write_text("another\n")
    wrong = cli("account", "derive", "--for", JUNK_ADDRESS, "--as", "alice")
    assert wrong.refused("PassphraseWrong", 2) == {"account": "alice"}
    file.unlink()
    missing = cli("account", "derive", "--for", CUSTODIAN, "--as", "alice")
    assert missing.refused("PassphraseMissing", 2) == {"path": str(file)}


def test_derived_addresses_are_one_for_each_custodian(ok, cli, keystore):
    keystore.new("alice", "")
    keystore.new("hospital", "")
    here = ok("account", "derive", "--for", CUSTODIAN, "--as", "alice")
    assert ok("account", "derive", "--for", CUSTODIAN, "--as", "alice") == here
    there = ok("account", "derive", "--for", "hospital", "--as", "alice")
    assert here["address"] != there["address"]

    assert cli("account", "derive", "--for", CUSTODIAN).refused("AccountNotNamed", 2) == {}
    wrong = cli("account", "derive", "--for", "0x12", "--as", "alice")
    assert wrong.refused("InvalidAddress", 2) == {"address": "0x12"}


def test_a_damaged_key_file_is_named(cli, keystore, tmp_path):
    keystore.new("alice", "")
    file = tmp_path / "home" / "keystore" / "alice.json"
    for content in ("{", "{}", "[]", '{"address": "xyz"}', '{"address": 3}'):
        file.write_text(content)
        outcome = cli("account", "show", "alice")
        assert outcome.refused("AccountInvalid", 2) == {"account": "alice"}
        assert str(file) in outcome.object["message"]


@pytest.mark.parametrize("given", ["", None])
def test_without_a_terminal_there_is_nobody_to_ask(tmp_path, monkeypatch, given):
    if given is not None:
        monkeypatch.setenv("RADLEDGER_PASSPHRASE", given)
    done = subprocess.run(
        command("account", "new", "alice", "--json"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    Outcome(done.returncode, done.stdout, done.stderr).refused("PassphraseMissing", 2)
    assert not (tmp_path / "home" / "keystore").exists()


def test_passphrase_from_the_terminal(keystore):
    transcript, code = _typed(["account", "new", "alice"], ["hidden", "hidden"])
    assert code == 0, transcript
    assert "hidden" not in transcript
    assert keystore.open("alice", "hidden").address in transcript


def _typed(arguments, answers):
    """Run a command on a terminal of its own, and type an answer at each question."""
    pid, terminal = pty.fork()
    if pid == 0:
        run = command(*arguments)
        os.execve(run[0], run, environment())  # noqa: S606
    transcript = ""
    try:
        for answer in answers:
            asked = transcript.count(": ")
            while transcript.count(": ") == asked:
                transcript += os.read(terminal, 1024).decode()
            os.write(terminal, f"{answer}\n".encode())
        while part := os.read(terminal, 1024):
            transcript += part.decode()
    except OSError:
        pass  # how a terminal says that nobody is left at the other end
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    return transcript, os.waitstatus_to_exitcode(status)

"""``radledger account``: keys in files, and where passphrases come from."""

from __future__ import annotations

import io
import json
import os
import pty
import stat
import subprocess

import pytest
from eth_account import Account

from radledger.chain.keystore import accounts
from radledger.chain.keystore.accounts import Keystore
from tests.cli.conftest import Outcome, command, environment

JUNK = "test test test test test test test test test test test junk"
# The first account of that mnemonic, as Hardhat and anvil print it.
JUNK_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
JUNK_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
CUSTODIAN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture(autouse=True)
def stretched_less(monkeypatch):
    """Passphrases are stretched less, for the tests' sake."""
    monkeypatch.setattr(accounts, "_STRETCHING", 2**10)


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


@pytest.fixture
def pipe(monkeypatch):
    """Give bytes on standard input."""

    def pipe(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "ascii"))

    return pipe


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
def test_import_from_standard_input(ok, passphrase, secret, pipe):
    pipe(f"{secret}\n".encode())
    assert ok("account", "import", "junk") == {
        "name": "junk",
        "address": JUNK_ADDRESS,
        "protected": True,
    }


@pytest.mark.parametrize("secret", ["", "0x12", "junk " * 12, "0x" + "00" * 32])
def test_import_of_what_is_not_a_secret(passphrase, secret, tmp_path, pipe, cli):
    pipe(secret.encode())
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


@pytest.mark.parametrize(
    "content",
    [
        "geheim",
        "geheim\n",
        "geheim\r\n",
        "\ufeffgeheim\r\n",
        "geheim\n".encode("utf-16"),
        "\ufeffgeheim\n".encode("utf-16-be"),
        "geheim\r\n".encode("utf-32"),
    ],
    ids=repr,
)
def test_passphrase_from_a_file_of_another_system(ok, keystore, tmp_path, monkeypatch, content):
    file = tmp_path / "passphrase"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setenv("RADLEDGER_PASSPHRASE_FILE", str(file))
    address = ok("account", "new", "alice")["address"]
    assert keystore.open("alice", "geheim").address == address


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("geheim\nzwei\n", "several lines"),
        ("geheim\r\nzwei", "several lines"),
        ("\n", "nothing"),
        ("", "nothing"),
        ("gehäim".encode("latin-1"), "not text in UTF-8"),
        ("geheim".encode("utf-16-le"), "not text in UTF-8"),
        (b"\xff\xfeg", "not text in UTF-8"),
    ],
    ids=repr,
)
def test_a_passphrase_that_cannot_be_typed_is_refused_and_not_shown(
    cli, tmp_path, monkeypatch, content, told
):
    content = content.encode() if isinstance(content, str) else content
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    monkeypatch.setenv("RADLEDGER_PASSPHRASE_FILE", str(file))
    outcome = cli("account", "new", "alice")
    assert outcome.refused("PassphraseMissing", 2) == {"path": str(file)}
    assert told in outcome.object["message"]
    assert "geh" not in outcome.out
    if content.strip():
        monkeypatch.delenv("RADLEDGER_PASSPHRASE_FILE")
        monkeypatch.setitem(os.environb, b"RADLEDGER_PASSPHRASE", content.replace(b"\0", b"\xff"))
        outcome = cli("account", "new", "alice")
        assert outcome.refused("PassphraseMissing", 2) == {}
        assert "geh" not in outcome.out
    assert not (tmp_path / "home" / "keystore").exists()


def test_an_account_without_an_address_acts_under_its_name(cli, keystore, tmp_path, passphrase):
    keystore.new("alice", "secret words")
    keystore.new("bob", "secret words")
    file = tmp_path / "home" / "keystore" / "alice.json"
    address = keystore.show("alice").address
    file.write_text(json.dumps(json.loads(file.read_text()) | {"address": ""}))
    assert keystore.show("alice").address is None
    by_name = cli("account", "derive", "--for", "alice", "--as", "bob").object
    assert by_name == cli("account", "derive", "--for", address, "--as", "bob").object


def test_a_file_without_an_account_is_reported_with_the_list(plain_cli, keystore, tmp_path):
    keystore.new("alice", "")
    (tmp_path / "home" / "keystore" / "notes.json").write_text("{}")
    outcome = plain_cli("account", "list")
    assert outcome.code == 0
    assert "alice" in outcome.out
    assert outcome.err.endswith("notes.json is not a keystore file; restore or remove it\n")
    for_programs = plain_cli("account", "list", "--json")
    assert ([each["name"] for each in for_programs.objects], for_programs.err) == (["alice"], "")


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(JUNK.split()),
        JUNK.upper(),
        f"\ufeff{JUNK}\r\n",
        JUNK.encode("utf-16"),
    ],
    ids=repr,
)
def test_import_of_what_another_system_wrote(ok, passphrase, pipe, content):
    pipe(content.encode() if isinstance(content, str) else content)
    assert ok("account", "import", "junk")["address"] == JUNK_ADDRESS


def test_import_names_the_word_that_is_wrong(cli, passphrase, pipe):
    pipe(JUNK.replace("junk", "junx").encode())
    outcome = cli("account", "import", "junk")
    assert outcome.refused("AccountInvalid", 2) == {"word": 12}
    assert "word 12, 'junx'," in outcome.object["message"]
    pipe(b"\xff\xff secret")
    outcome = cli("account", "import", "junk")
    assert outcome.refused("AccountInvalid", 2) == {}
    assert "secret" not in outcome.out


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
def test_without_a_terminal_no_passphrase_is_asked_for(tmp_path, monkeypatch, given):
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
    # No word of BIP-39, of which the mnemonic shows twelve.
    typed = "never-shown"
    transcript, code = _typed(["account", "new", "alice"], [typed, typed])
    assert code == 0, transcript
    assert typed not in transcript
    assert keystore.open("alice", typed).address in transcript


def test_an_empty_passphrase_is_asked_once(keystore, tmp_path):
    keystore.new("alice", "")
    file = tmp_path / "home" / "keystore" / "alice.json"
    content = json.loads(file.read_text())
    # As another wallet writes it: stretched in spite of being empty.
    key = bytes(keystore.open("alice").key)
    file.write_text(json.dumps(content | Account.encrypt(key, "", "pbkdf2", 2)))
    transcript, code = _typed(["account", "derive", "--as", "alice", "--for", CUSTODIAN], [""])
    assert code == 0, transcript
    assert "alice-5aaeb605" in transcript


def test_a_passphrase_in_another_encoding_is_not_shown(keystore):
    transcript, code = _typed(["account", "new", "alice"], ["geh\udce4im"])
    assert code == 2, transcript
    assert transcript.splitlines()[-1].startswith("PassphraseMissing: what was typed is not text")
    assert "geh" not in transcript
    assert keystore.list() == []


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
            os.write(terminal, f"{answer}\n".encode("utf-8", "surrogateescape"))
        while part := os.read(terminal, 1024):
            transcript += part.decode()
    except OSError:
        pass  # how a terminal reports that the other end is closed
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    return transcript, os.waitstatus_to_exitcode(status)

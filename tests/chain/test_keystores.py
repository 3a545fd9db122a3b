"""Keystore files of other wallets, and files beside them that hold no account."""

from __future__ import annotations

import hashlib
import json

import pytest
from Crypto.Cipher import AES
from eth_account import Account
from eth_hash.auto import keccak

from radledger.chain.errors import AccountExists, AccountInvalid, AccountUnknown, PassphraseWrong
from radledger.chain.keystore import accounts
from radledger.chain.keystore.accounts import Keystore

KEY = b"\x11" * 32
ADDRESS = Account.from_key(KEY).address
CUSTODIAN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
def keystore(tmp_path, monkeypatch):
    """A keystore that stretches passphrases less, for the tests' sake."""
    monkeypatch.setattr(accounts, "_STRETCHING", 2**10)
    (tmp_path / "keystore").mkdir()
    return Keystore(tmp_path)


@pytest.fixture
def write(tmp_path):
    """Write a keystore file as another wallet does: of any key, with other fields."""

    def write(name, key=KEY, passphrase=b"pw", count=1000, encoding="utf-8", **changes):
        derived = hashlib.pbkdf2_hmac("sha256", passphrase, b"s" * 32, count, 32)
        cipher = AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=b"i" * 16)
        content = cipher.encrypt(key)
        parameters = {"c": count, "dklen": 32, "prf": "hmac-sha256", "salt": (b"s" * 32).hex()}
        crypto = {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": (b"i" * 16).hex()},
            "ciphertext": content.hex(),
            "kdf": "pbkdf2",
            "kdfparams": parameters,
            "mac": keccak(derived[16:] + content).hex(),
        }
        whole = {"version": 3, "id": "x", "address": ADDRESS[2:].lower(), "crypto": crypto}
        whole = {name: each for name, each in (whole | changes).items() if each is not None}
        (tmp_path / "keystore" / f"{name}.json").write_text(json.dumps(whole), encoding)

    return write


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"address": ADDRESS},
        {"address": "0X" + ADDRESS[2:].upper()},
        {"version": "3"},
        {"id": None},
        {"encoding": "utf-8-sig"},
        {"encoding": "utf-16"},
    ],
    ids=str,
)
def test_files_of_other_wallets_open(keystore, write, changes):
    write("alice", **changes)
    assert keystore.show("alice").address == ADDRESS
    assert keystore.open("alice", "pw").address == ADDRESS
    with pytest.raises(PassphraseWrong):
        keystore.open("alice", "Pw")


def test_the_fields_may_be_in_capitals(keystore, write, tmp_path):
    write("alice")
    file = tmp_path / "keystore" / "alice.json"
    for name in ("crypto", "kdf", "kdfparams", "cipherparams"):
        file.write_text(file.read_text().replace(f'"{name}"', f'"{name.title()}"'))
    assert keystore.open("alice", "pw").address == ADDRESS


@pytest.mark.parametrize("address", [None, "", "0x", 7, "unknown"])
def test_a_keystore_file_needs_no_address(keystore, write, address):
    write("nameless", address=address)
    write("good")
    found = {each.name: each.address for each in keystore.list()}
    assert found == {"good": ADDRESS, "nameless": None}
    assert keystore.unreadable() == ()
    assert keystore.open("nameless", "pw").address == ADDRESS
    assert keystore.derive("nameless", CUSTODIAN, "pw").address
    with pytest.raises(PassphraseWrong):
        keystore.open("nameless")


def test_without_a_passphrase_the_key_tells_the_address(keystore, write):
    write("nameless", address=None, passphrase=b"", count=1)
    shown = keystore.show("nameless")
    assert (shown.address, shown.protected) == (ADDRESS, False)
    assert keystore.open("nameless").address == ADDRESS


def test_weak_key_stretching_is_not_a_missing_passphrase(keystore, write):
    write("alice", count=1)
    assert keystore.show("alice").protected
    assert keystore.open("alice", "pw").address == ADDRESS


def test_an_empty_passphrase_that_was_stretched_opens(keystore, write):
    write("alice", passphrase=b"")
    assert keystore.open("alice", "").address == ADDRESS


@pytest.mark.parametrize("length", [1, 28, 31])
def test_a_key_whose_leading_zeros_were_cut_off_is_padded(keystore, write, length):
    whole = b"\x22" * length
    padded = whole.rjust(32, b"\0")
    write("short", whole, address=None)
    keystore.import_("padded", "0x" + padded.hex(), "")
    assert bytes(keystore.open("short", "pw").key) == padded
    derived = [keystore.derive(name, CUSTODIAN, "pw").address for name in ("short", "padded")]
    assert derived[0] == derived[1]


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, b"\1" * 33], ids=len)
def test_what_is_not_a_key_is_refused(keystore, write, key):
    write("alice", key, address=None)
    with pytest.raises(AccountInvalid, match="not a private key"):
        keystore.open("alice", "pw")


def test_a_file_that_names_another_address_is_refused(keystore, write):
    other = Account.from_key(b"\x22" * 32).address
    write("alice", address=other)
    with pytest.raises(AccountInvalid) as refusal:
        keystore.open("alice", "pw")
    assert refusal.value.values == {"account": "alice", "stated": other, "found": ADDRESS}


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"version": None},
        {"crypto": {}},
        {"crypto": {"kdf": "pbkdf2", "kdfparams": {"c": 1}}},
        {"crypto": {"kdf": "pbkdf2", "kdfparams": []}},
        {"crypto": {"kdf": ["pbkdf2"], "cipher": None}},
    ],
    ids=str,
)
def test_what_cannot_be_opened_is_reported_with_its_file(keystore, write, tmp_path, changes):
    write("alice", **changes)
    with pytest.raises(AccountInvalid) as refusal:
        keystore.open("alice", "pw")
    assert str(tmp_path / "keystore" / "alice.json") in refusal.value.message
    assert refusal.value.values == {"account": "alice"}


@pytest.fixture
def crypto(write, tmp_path):
    """Write a file whose stretching or cipher is another one, named in lower case or capitals."""

    def crypto(capitals=False, /, **changes):
        write("alice", address=None)
        file = tmp_path / "keystore" / "alice.json"
        content = json.loads(file.read_text())
        given = content["crypto"] | changes
        if capitals:
            given["kdfparams"] = {key.upper(): each for key, each in given["kdfparams"].items()}
            given = {key.upper(): each for key, each in given.items()}
        file.write_text(json.dumps(content | {"crypto": given}))

    return crypto


SCRYPT = {"n": 2**18, "r": 8, "p": 1, "dklen": 32, "salt": "73" * 32}
PBKDF2 = {"c": 1000, "prf": "hmac-sha256", "dklen": 32, "salt": "73" * 32}


@pytest.mark.parametrize("capitals", [False, True])
@pytest.mark.parametrize(
    ("kdf", "change"),
    [
        *(("scrypt", {"n": n}) for n in (2**21, 2**22, 2**63, 2**4000)),
        ("scrypt", {"r": 2**20}),
        ("scrypt", {"p": 2**20}),
        *(("pbkdf2", {"c": count}) for count in (10**7 + 1, 2**31 - 1, 10**30)),
        ("pbkdf2", {"dklen": 2**26}),
        ("pbkdf2", {"c": 1, "dklen": 2**40}),
        ("scrypt", {"dklen": 2**40}),
    ],
)
def test_no_file_takes_all_time_or_memory(keystore, crypto, capitals, kdf, change):
    """The largest is four times what geth takes, 1 GiB, and ten million rounds."""
    crypto(capitals, kdf=kdf, kdfparams={"scrypt": SCRYPT, "pbkdf2": PBKDF2}[kdf] | change)
    assert keystore.list() == [keystore.show("alice")]
    with pytest.raises(AccountInvalid, match=r"hours|more or less than|not a positive number"):
        keystore.open("alice", "pw")


@pytest.mark.parametrize(
    "change",
    [
        *({"n": n} for n in (0, -1, None, "262144", 2.5, True, [])),
        *({name: 0} for name in ("r", "p", "dklen")),
        {"dklen": 16},
    ],
    ids=str,
)
def test_stretching_that_makes_no_sense_is_refused(keystore, crypto, change):
    crypto(kdf="scrypt", kdfparams=SCRYPT | change)
    with pytest.raises(AccountInvalid):
        keystore.open("alice", "pw")


@pytest.mark.parametrize("cipher", ["aes-128-cbc", None, 7])
def test_another_cipher_would_give_another_key(keystore, crypto, cipher):
    crypto(cipher="AES-128-CTR")
    assert keystore.open("alice", "pw").address == ADDRESS
    crypto(cipher=cipher)
    with pytest.raises(AccountInvalid, match="not aes-128-ctr"):
        keystore.open("alice", "pw")


def test_more_than_is_needed_may_be_derived(keystore, crypto):
    crypto(kdfparams=PBKDF2 | {"dklen": 64})
    assert keystore.open("alice", "pw").address == ADDRESS


def test_a_file_that_is_too_long_is_not_read(keystore, write, tmp_path):
    write("good")
    with (tmp_path / "keystore" / "long.json").open("wb") as file:
        file.truncate(1 << 40)
    assert [each.name for each in keystore.list()] == ["good"]
    (reason,) = keystore.unreadable()
    assert "more than 100,000 bytes" in reason


NO_ACCOUNTS = {
    "empty": b"",
    "list": b"[]",
    "no crypto": b'{"address": "' + ADDRESS.encode() + b'"}',
    "crypto is text": b'{"crypto": "x"}',
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "odd name é": b"{}",
    "x" * 80: b"{}",
}


@pytest.mark.parametrize("name", NO_ACCOUNTS)
def test_a_file_without_an_account_stops_nothing(keystore, write, tmp_path, name):
    write("good")
    file = tmp_path / "keystore" / f"{name}.json"
    file.write_bytes(NO_ACCOUNTS[name])
    assert [each.name for each in keystore.list()] == ["good"]
    (reason,) = keystore.unreadable()
    assert name in reason
    assert keystore.open("good", "pw").address == ADDRESS
    with pytest.raises(AccountUnknown, match=r"there are .*good"):
        keystore.show("carol")
    with pytest.raises(AccountInvalid):
        keystore.show(name)


def test_folders_links_to_nowhere_and_hidden_files_stop_nothing(keystore, write, tmp_path):
    write("good")
    (tmp_path / "keystore" / "folder.json").mkdir()
    (tmp_path / "keystore" / "link.json").symlink_to("nowhere")
    (tmp_path / "keystore" / "._good.json").write_bytes(b"\0\5\x16\7")  # as macOS leaves them
    assert [each.name for each in keystore.list()] == ["good"]
    assert len(keystore.unreadable()) == 2


def test_a_damaged_file_is_not_written_over(keystore, tmp_path):
    file = tmp_path / "keystore" / "alice.json"
    file.write_text("{")
    with pytest.raises(AccountInvalid, match="restore or remove it"):
        keystore.import_("alice", "0x" + KEY.hex(), "")
    assert file.read_text() == "{"
    file.unlink()
    keystore.import_("alice", "0x" + KEY.hex(), "")
    with pytest.raises(AccountExists):
        keystore.import_("alice", "0x" + KEY.hex(), "")

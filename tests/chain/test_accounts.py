"""Accounts in files: opened by who may, by other wallets too, and derived alike each time."""

from __future__ import annotations

import errno
import json
import os
import re
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from eth_account import Account

from radledger.chain.errors import (
    AccountExists,
    AccountInvalid,
    AccountUnknown,
    PassphraseWrong,
)
from radledger.chain.keystore import accounts
from radledger.chain.keystore.accounts import Keystore

MNEMONIC = "test test test test test test test test test test test junk"
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # what every wallet derives from it
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
HOSPITAL = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CLINIC = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
FILES = ("alice.mlkem768-x25519.pem", "alice.x25519.pem")
X25519 = bytes(range(32))


@pytest.fixture
def keystore(tmp_path, monkeypatch):
    """A keystore that stretches passphrases less, for the tests' sake."""
    monkeypatch.setattr(accounts, "_STRETCHING", 2**10)
    return Keystore(tmp_path / "home")


def test_a_passphrase_is_stretched(tmp_path):
    Keystore(tmp_path).import_("alice", KEY, "secret")
    parameters = json.loads((tmp_path / "keystore/alice.json").read_text())["crypto"]["kdfparams"]
    assert (parameters["n"], parameters["r"]) == (2**17, 8)


def test_a_new_account_opens_with_its_passphrase_alone(keystore):
    stored, mnemonic = keystore.new("alice", "correct horse")
    assert keystore.open("alice", "correct horse").address == stored.address
    assert stored.protected
    assert len(mnemonic.split()) == 12
    for wrong in ("Correct horse", "", None):
        with pytest.raises(PassphraseWrong) as error:
            keystore.open("alice", wrong)
        assert error.value.values == {"account": "alice"}


def test_a_mnemonic_and_a_key_give_the_account_that_other_wallets_give(keystore):
    assert keystore.import_("words", f" {MNEMONIC}\n", "").address == FIRST
    assert keystore.import_("key", KEY, "").address == FIRST
    assert keystore.import_("bare", KEY[2:], "").address == FIRST
    fresh, mnemonic = keystore.new("fresh", "")
    assert keystore.import_("restored", mnemonic, "").address == fresh.address


def test_another_wallet_opens_the_file(keystore, tmp_path):
    keystore.import_("alice", KEY, "")
    content = json.loads((tmp_path / "home/keystore/alice.json").read_text())
    assert content["version"] == 3
    assert "0x" + Account.decrypt(content, "").hex() == KEY


def test_only_the_owner_can_read(keystore, tmp_path):
    keystore.import_("alice", KEY, "")
    keystore.encryption_key("alice")
    folder = tmp_path / "home/keystore"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert {path.name for path in files} == {"alice.json", "alice.mlkem768-x25519.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_accounts_are_listed_without_opening(keystore):
    assert keystore.list() == []
    keystore.import_("bob", KEY, "")
    keystore.import_("alice", MNEMONIC, "")
    assert [(each.name, each.address, each.protected) for each in keystore.list()] == [
        ("alice", FIRST, False),
        ("bob", FIRST, False),
    ]
    assert keystore.show("bob") == keystore.list()[1]


def test_names(keystore):
    keystore.import_("alice", KEY, "")
    with pytest.raises(AccountExists):
        keystore.new("alice", "")
    assert keystore.open("alice").address == FIRST
    for name in ("", ".hidden", "../alice", "a/b", "a b", "x" * 65):
        with pytest.raises(AccountInvalid):
            keystore.new(name, "")
    with pytest.raises(AccountUnknown) as error:
        keystore.open("carol")
    assert error.value.values == {"account": "carol"}
    assert "alice" in error.value.message


@pytest.mark.parametrize(
    "secret", ["", "0x12", "0x" + "00" * 32, "0x" + "ff" * 32, "test " * 12, "no words at all"]
)
def test_what_is_not_a_key_is_refused_and_never_repeated(keystore, secret):
    with pytest.raises(AccountInvalid) as error:
        keystore.import_("alice", secret, "")
    assert keystore.list() == []
    if secret.strip():
        assert secret.strip() not in str(error.value)


def test_a_patient_has_another_address_at_each_custodian(keystore, tmp_path):
    keystore.import_("alice", MNEMONIC, "")
    hospital = keystore.derive("alice", HOSPITAL)
    clinic = keystore.derive("alice", CLINIC)
    assert len({FIRST, hospital.address, clinic.address}) == 3
    assert keystore.derive("alice", HOSPITAL.lower()) == hospital
    assert keystore.open(hospital.name).address == hospital.address
    # Another computer, the same words: the same address.
    elsewhere = Keystore(tmp_path / "elsewhere")
    elsewhere.import_("me", MNEMONIC, "")
    assert elsewhere.derive("me", HOSPITAL).address == hospital.address


def test_a_derived_account_is_the_documented_one(keystore):
    import hashlib
    import hmac

    keystore.import_("alice", KEY, "")
    message = b"RadLedger derived account, version 1\0" + bytes.fromhex(HOSPITAL[2:]) + b"\0"
    expected = hmac.new(bytes.fromhex(KEY[2:]), message, hashlib.sha256).digest()
    derived = keystore.derive("alice", HOSPITAL)
    assert bytes(keystore.open(derived.name).key) == expected


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "is not a file"),
        (os.mkfifo, "is not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a file"),
        (lambda path: path.write_text("[]"), "is not a keystore file"),
    ],
    ids=["directory", "fifo", "device", "other file"],
)
def test_what_holds_no_account_is_named_and_not_waited_for(keystore, tmp_path, make, reason):
    keystore.import_("alice", KEY, "")
    path = tmp_path / "home" / "keystore" / "bob.json"
    make(path)
    assert [each.name for each in keystore.list()] == ["alice"]
    assert keystore.unreadable() == (f"{path} {reason}; restore or remove it",)
    for use in (keystore.show, keystore.open, lambda name: keystore.import_(name, KEY, "")):
        with pytest.raises(AccountInvalid) as refusal:
            use("bob")
        assert refusal.value.message == f"{path} {reason}; restore or remove it"
        assert refusal.value.values == {"account": "bob"}


def test_a_file_that_may_not_be_read_is_named(keystore, tmp_path, monkeypatch):
    keystore.import_("alice", KEY, "")
    path = tmp_path / "home" / "keystore" / "alice.json"

    def refuse(self, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    assert keystore.unreadable() == (f"{path} cannot be read: Permission denied",)
    with pytest.raises(AccountInvalid, match="cannot be read: Permission denied"):
        keystore.open("alice")


@pytest.mark.parametrize("file", FILES)
def test_an_encryption_key_that_is_a_directory_is_named(keystore, tmp_path, file):
    keystore.import_("alice", KEY, "")
    path = tmp_path / "home" / "keystore" / file
    path.mkdir()
    with pytest.raises(AccountInvalid) as refusal:
        keystore.encryption_key("alice")
    assert refusal.value.message == f"{path} is not a file; restore or remove it"


def test_deriving_needs_the_passphrase_and_an_address(keystore):
    keystore.new("alice", "secret")
    with pytest.raises(PassphraseWrong):
        keystore.derive("alice", HOSPITAL)
    derived = keystore.derive("alice", HOSPITAL, "secret")
    assert derived.protected
    assert keystore.open(derived.name, "secret").address == derived.address
    with pytest.raises(AccountInvalid):
        keystore.derive("alice", "hospital", "secret")


def test_the_encryption_key_stays_the_same_and_under_the_passphrase(keystore, tmp_path):
    keystore.new("alice", "secret")
    key = keystore.encryption_key("alice", "secret")
    assert (len(key.hybrid), key.x25519) == (96, None)
    assert keystore.encryption_key("alice", "secret") == key
    content = (tmp_path / "home/keystore/alice.mlkem768-x25519.pem").read_bytes()
    assert content.count(b"BEGIN ENCRYPTED PRIVATE KEY") == 2
    for wrong in ("Secret", "", None):
        with pytest.raises(PassphraseWrong):
            keystore.encryption_key("alice", wrong)
    keystore.new("bob", "secret")
    with pytest.raises(PassphraseWrong):
        keystore.encryption_key("bob", "mistyped")
    assert keystore.encryption_key("bob", "secret") != key


@pytest.mark.parametrize("file", FILES)
def test_a_file_without_an_encryption_key_is_not_a_wrong_passphrase(keystore, tmp_path, file):
    keystore.new("alice", "")
    keystore.encryption_key("alice")
    (tmp_path / "home/keystore" / file).write_text("damaged")
    with pytest.raises(AccountInvalid, match="restore it"):
        keystore.encryption_key("alice")


@pytest.mark.parametrize("passphrase", ["secret", ""])
def test_the_key_of_a_release_before_hybrid_ones_is_kept_beside(keystore, tmp_path, passphrase):
    keystore.new("alice", passphrase)
    secret = passphrase.encode()
    encryption = BestAvailableEncryption(secret) if secret else NoEncryption()
    earlier = X25519PrivateKey.from_private_bytes(X25519)
    content = earlier.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    (tmp_path / "home/keystore/alice.x25519.pem").write_bytes(content)
    key = keystore.encryption_key("alice", passphrase)
    assert (len(key.hybrid), key.x25519) == (96, X25519)
    assert keystore.encryption_key("alice", passphrase) == key


def test_each_half_of_a_hybrid_key_is_a_key_that_openssl_reads(keystore, tmp_path):
    keystore.new("alice", "secret")
    key = keystore.encryption_key("alice", "secret")
    content = (tmp_path / "home/keystore/alice.mlkem768-x25519.pem").read_text()
    first, second = re.findall("-----BEGIN.*?-----END [^\n]*\n", content, re.DOTALL)
    halves = [load_pem_private_key(half.encode(), b"secret") for half in (first, second)]
    assert b"".join(half.private_bytes_raw() for half in halves) == key.hybrid
    for other in (first, second, second + first, content + second, ""):
        (tmp_path / "home/keystore/alice.mlkem768-x25519.pem").write_text(other)
        with pytest.raises(AccountInvalid, match="this kind of encryption key"):
            keystore.encryption_key("alice", "secret")

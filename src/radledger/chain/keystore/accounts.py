"""Keys in files: each account in a keystore V3 file under its name.

A file can be opened by any Ethereum wallet with its passphrase, and those of other wallets can be
opened here; the address, which some of them leave out, is not part of the standard.  An account
made here comes with a mnemonic of twelve words (BIP-39) and is the first of the usual path,
``m/44'/60'/0'/0/0``.

A patient uses a different address at each custodian, and a guardian or delegate a different one for
each address of a patient, so that nothing in the addresses links what belongs to one person
(`docs/privacy.md` says what else may).  Such an address is derived from the person's own key alone
and needs no backup of its own: its private key is HMAC-SHA256, keyed with that key, of
``"RadLedger derived account, version 1" ‖ 0x00 ‖ the other's address (20 bytes) ‖ counter``,
where the counter is one byte, 0 unless that gives no valid key (probability below 2^-127).

Beside an account lies its encryption key (:mod:`radledger.crypto.keys`), in a PKCS#8 file under the
same passphrase.

References
----------
.. [1] Web3 Secret Storage Definition, version 3
.. [2] BIP-39, BIP-32 and BIP-44 for mnemonics and the path
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import (
    AccountExists,
    AccountInvalid,
    AccountUnknown,
    PassphraseWrong,
)
from radledger.chain.keystore.keyfiles import decrypted, parsed, stated_address, unprotected_key
from radledger.chain.keystore.mnemonics import PATH, key_from_text
from radledger.chain.signatures import ORDER
from radledger.files import locked, private_folder, write_atomically

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.keystore.pem import Kinds
    from radledger.crypto.keys import PrivateKey

__all__ = ["Keystore", "StoredAccount"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Bytes of a keystore file; usual ones have 500.
_LONGEST = 100_000
# scrypt's N with r = 8, p = 1, as the OWASP Password Storage Cheat Sheet recommends.
_STRETCHING = 2**17
_DERIVATION = b"RadLedger derived account, version 1\0"


@dataclass(frozen=True)
class StoredAccount:
    """An account in the keystore.

    Attributes
    ----------
    name
        That of its file.
    address
        In its EIP-55 form; None where another wallet left it out and a passphrase hides the key.
    protected
        Whether a passphrase protects it.
    """

    name: str
    address: str | None
    protected: bool


class Keystore:
    """The accounts of one home folder.

    Parameters
    ----------
    home
        RadLedger's folder; the files are in its ``keystore``, readable by their owner alone.

    Examples
    --------
    >>> import tempfile
    >>> keystore = Keystore(Path(tempfile.mkdtemp()))
    >>> account, mnemonic = keystore.new("alice", "")
    >>> len(mnemonic.split()), keystore.open("alice").address == account.address
    (12, True)
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "keystore"

    def new(self, name: str, passphrase: str) -> tuple[StoredAccount, str]:
        """Make an account, and return it with its mnemonic, which is kept nowhere.

        With an empty passphrase, anyone who can read the file can read the key.

        Raises
        ------
        AccountExists, AccountInvalid
            If the name is taken, or cannot be a file's name.
        """
        self._require_free(name)
        account, mnemonic = _wallet().create_with_mnemonic(num_words=12, account_path=PATH)
        return self._store(name, bytes(account.key), passphrase), str(mnemonic)

    def import_(self, name: str, secret: str, passphrase: str) -> StoredAccount:
        """Store an account from its private key (``0x…``) or its mnemonic.

        Raises
        ------
        AccountInvalid
            If ``secret`` is neither; see :func:`radledger.chain.keystore.mnemonics.key_from_text`.
        AccountExists
            If the name is taken.
        """
        self._require_free(name)
        return self._store(name, key_from_text(secret), passphrase)

    def list(self) -> list[StoredAccount]:
        """All accounts, by name."""
        return [found for found in self._shown() if isinstance(found, StoredAccount)]

    def unreadable(self) -> tuple[str, ...]:
        """Why files of the keystore hold no account, a sentence each."""
        return tuple(found for found in self._shown() if isinstance(found, str))

    def show(self, name: str) -> StoredAccount:
        """One account, without opening it.

        Raises
        ------
        AccountUnknown, AccountInvalid
            If there is none of that name, or its file holds none.
        """
        content = self._read(name)
        key = unprotected_key(content)
        address = stated_address(content) or (key and _account(key).address)
        return StoredAccount(name, address or None, protected=key is None)

    def open(self, name: str, passphrase: str | None = None) -> LocalAccount:
        """Return an account ready to sign.

        Raises
        ------
        AccountUnknown, AccountInvalid
            If there is none of that name, or its file holds none.
        PassphraseWrong
            If the passphrase is wrong, or None where one is needed.
        """
        return _account(self._private_key(name, passphrase))

    def derive(self, name: str, for_address: str, passphrase: str | None = None) -> StoredAccount:
        """Store and return the account that is used with one other address alone.

        Parameters
        ----------
        name
            The person's own account.
        for_address
            A custodian's address, for a patient; that of a patient at one custodian, for the
            patient's guardian or delegate.
        passphrase
            That of the person's account, and then of the derived one.

        Returns
        -------
        StoredAccount
            Named ``<name>-<first 8 digits of the other address>``; the same each time.

        Raises
        ------
        AccountUnknown, AccountInvalid, PassphraseWrong
            As :meth:`open` does, or if ``for_address`` is not an address.
        """
        other = _address(for_address)
        key = _derived_key(self._private_key(name, passphrase), other)
        derived = f"{name}-{other.hex()[:8]}"
        if self._path(derived).exists():
            return self.show(derived)
        return self._store(derived, key, passphrase or "")

    def encryption_key(self, name: str, passphrase: str | None = None) -> PrivateKey:
        """The private keys that open what is wrapped to an account.

        The hybrid one, whose public half the account registers, is made when it is first asked
        for.  A home of an earlier release has a key of X25519 alone, for what was wrapped to that.

        Raises
        ------
        AccountUnknown, AccountInvalid, PassphraseWrong
            As :meth:`open` does, or if the file of a key holds none, or one of another kind.
        """
        from radledger.chain.keystore import pem
        from radledger.crypto.keys import PrivateKey

        secret = passphrase.encode() if passphrase and self.show(name).protected else None
        hybrid = self._folder / f"{name}.mlkem768-x25519.pem"
        x25519 = self._folder / f"{name}.x25519.pem"
        if not hybrid.exists():
            self._private_key(name, passphrase)  # never protect a key with a mistyped passphrase
            with locked(self._folder):
                if not hybrid.exists():
                    write_atomically(hybrid, pem.new_keys(pem.HYBRID, secret), private=True)
        return PrivateKey(
            hybrid=_encryption_key(hybrid, name, pem.HYBRID, secret),
            x25519=_encryption_key(x25519, name, pem.X25519, secret) if x25519.exists() else None,
        )

    # ----------------------------------------------------------------------------- internals

    def _store(self, name: str, key: bytes, passphrase: str) -> StoredAccount:
        from eth_account import Account

        # An empty passphrase protects nothing, so no time is spent on stretching it.
        content = (
            Account.encrypt(key, passphrase, kdf="scrypt", iterations=_STRETCHING)
            if passphrase
            else Account.encrypt(key, "", kdf="pbkdf2", iterations=1)
        )
        private_folder(self._folder)
        write_atomically(
            self._folder / f"{name}.json", json.dumps(content, indent=2) + "\n", private=True
        )
        return self.show(name)

    def _private_key(self, name: str, passphrase: str | None) -> bytes:
        content = self._read(name)
        key = unprotected_key(content)
        if key is None and passphrase is None:
            raise PassphraseWrong(f"{name} needs its passphrase; give it", account=name)
        try:
            key = key or decrypted(content, passphrase or "")
        except ValueError as error:
            raise AccountInvalid(
                f"{self._path(name)} cannot be opened: {error}; restore it", account=name
            ) from None
        if key is None:
            raise _wrong_passphrase(name)
        found, stated = _account(key).address, stated_address(content)
        if stated not in (None, found):
            raise AccountInvalid(
                f"{self._path(name)} names the address {stated} and holds the key of {found}; "
                "restore it",
                account=name,
                stated=stated,
                found=found,
            )
        return key

    def _read(self, name: str) -> dict[str, Any]:
        path = self._path(name)
        if not path.exists():
            known = ", ".join(each.stem for each in self._files() if each.is_file())
            raise AccountUnknown(
                f"no account {name!r}; "
                + (f"there are {known}" if known else "make one with `radledger account new`"),
                account=name,
            )
        content = parsed(_content(path, name))
        if content is None:
            raise AccountInvalid(
                f"{path} is not a keystore file; restore or remove it", account=name
            )
        return content

    def _shown(self) -> Iterator[StoredAccount | str]:
        """The account in each file, or why there is none."""
        for path in self._files():
            try:
                yield self.show(path.stem)
            except (AccountInvalid, AccountUnknown) as error:
                yield error.message

    def _files(self) -> Sequence[Path]:
        return sorted(self._folder.glob("[!.]*.json"))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise AccountInvalid(
                "an account's name has up to 64 letters, digits, dots, dashes and underscores, "
                f"and begins with a letter or digit; {name!r} does not",
                account=name,
            )
        return self._folder / f"{name}.json"

    def _require_free(self, name: str) -> None:
        if self._path(name).exists():
            self._read(name)  # another name would not help against a damaged file
            raise AccountExists(f"there is an account {name!r}; take another name", account=name)


def _content(path: Path, name: str) -> bytes:
    """What a file of the keystore holds; a pipe or device, which might never end, is not opened."""
    if not path.is_file():
        raise AccountInvalid(f"{path} is not a file; restore or remove it", account=name)
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise AccountInvalid(f"{path} cannot be read: {error.strerror}", account=name) from error
    if len(content) > _LONGEST:
        raise AccountInvalid(
            f"{path} has more than {_LONGEST:,} bytes, as no file of a key has; restore or remove "
            "it",
            account=name,
        )
    return content


def _encryption_key(path: Path, name: str, kinds: Kinds, secret: bytes | None) -> bytes:
    from radledger.chain.keystore import pem

    content = _content(path, name)
    try:
        return pem.read_keys(content, kinds, secret)
    except pem.WrongPassphrase as error:
        raise _wrong_passphrase(name) from error
    except ValueError:
        raise AccountInvalid(
            f"{path} does not hold this kind of encryption key; restore it", account=name
        ) from None


def _wallet() -> Any:
    from eth_account import Account

    # Its authors' name for BIP-39 and BIP-32; the tests have the vectors of both.
    Account.enable_unaudited_hdwallet_features()
    return Account


def _account(key: bytes) -> LocalAccount:
    from eth_account import Account

    account: LocalAccount = Account.from_key(key)
    return account


def _derived_key(key: bytes, other: bytes) -> bytes:
    for counter in range(256):
        message = _DERIVATION + other + bytes([counter])
        derived = hmac.new(key, message, hashlib.sha256).digest()
        if 0 < int.from_bytes(derived) < ORDER:
            return derived
    raise AssertionError("256 digests in a row above the order of the curve")


def _address(text: str) -> bytes:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise AccountInvalid(f"{text!r} is not an address; one has 0x and 40 digits", address=text)
    return bytes.fromhex(text[2:])


def _wrong_passphrase(name: str) -> PassphraseWrong:
    return PassphraseWrong(f"the passphrase does not open {name}; try again", account=name)

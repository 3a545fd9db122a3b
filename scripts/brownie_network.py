"""Brownie's network and accounts, as the library takes them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from brownie import accounts, web3
from brownie._config import CONFIG
from eth_account import Account
from eth_account.hdaccount import key_from_seed

from radledger.chain.keystore.accounts import Keystore
from radledger.chain.rpc import genesis_hash
from radledger.consent import Terms
from radledger.consent.model import UNTIL_REVOKED
from radledger.devnet.people import FUNDED
from radledger.errors import RadLedgerError
from radledger.facade import RadLedger, default_home
from radledger.wording import humanize

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.crypto.keys import PrivateKey

__all__ = [
    "address",
    "encryption_key",
    "funded",
    "home",
    "is_development",
    "name",
    "number",
    "opened",
    "payer",
    "script",
    "signer",
    "terms",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_DAY = 24 * 3600

# What anvil takes where Brownie's network names no other.
_MNEMONIC = "test test test test test test test test test test test junk"


def script(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Report what goes wrong in one line, as the command line does; Brownie prints the stack."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except RadLedgerError as error:
            raise SystemExit(f"{error.name}: {' '.join(humanize(error).split())}") from None

    return run


def is_development() -> bool:
    """Whether Brownie knows the chain as one for development, where Ether has no value."""
    return bool(CONFIG.network_type == "development")


def name() -> str:
    """Name of the network in Brownie."""
    return str(CONFIG.active_network["id"])


def home() -> Path:
    """The library's folder: the default, or on a development chain one for that chain alone."""
    if not is_development():
        return default_home()
    return Path("build", "brownie", genesis_hash(web3)[2:14]).absolute()


def opened() -> RadLedger:
    """The library on Brownie's network, after ``brownie run deploy``."""
    _require_deployed()
    return RadLedger.open(web3, home=home())


def signer(who: str) -> LocalAccount:
    """The account that signs.

    On a development chain that person of `radledger.devnet.people`.  Elsewhere an account that
    Brownie keeps (``brownie accounts new NAME``) under the name in ``RADLEDGER_ACCOUNT``, or
    ``who``; ``RADLEDGER_PASSPHRASE`` is its passphrase (default: asked for).
    """
    return _account(os.environ.get("RADLEDGER_ACCOUNT", who))


def payer(who: str) -> LocalAccount:
    """The account that sends what another one signed, and pays.

    On a development chain the hospital; elsewhere the one named in ``RADLEDGER_PAYER``, or the
    signer's own.
    """
    if is_development():
        return _account("hospital")
    return _account(os.environ.get("RADLEDGER_PAYER") or os.environ.get("RADLEDGER_ACCOUNT", who))


def address(who: str) -> str:
    """An address, given as such or as the name of an account."""
    return who if who.startswith("0x") else str(_account(who).address)


def encryption_key(who: str) -> PrivateKey:
    """The key that opens what is wrapped to the signer: in the library's keystore, by the name."""
    name = who if is_development() else os.environ.get("RADLEDGER_ACCOUNT", who)
    return Keystore(home()).encryption_key(name, os.environ.get("RADLEDGER_PASSPHRASE"))


def terms(radledger: RadLedger, purposes: str, days: str) -> Terms:
    """Terms for purposes, divided by commas; for so many days, or until they are revoked."""
    span = number(days, "DAYS") * _DAY if days else None
    until = UNTIL_REVOKED if span is None else radledger.ledger.present().time + span
    return Terms(tuple(purposes.split(",")), until=until)


def funded() -> dict[str, LocalAccount]:
    """An account with Ether for each name of `FUNDED`: the mnemonic's first, or Brownie's own."""
    if not is_development():
        return {who: _account(who) for who in FUNDED}
    mnemonic = CONFIG.active_network["cmd_settings"].get("mnemonic", _MNEMONIC)
    found = [_of_mnemonic(mnemonic, index) for index in range(len(FUNDED))]
    if found[0].address not in web3.eth.accounts:
        raise SystemExit(f"the chain was not started with the mnemonic {mnemonic!r}")
    return dict(zip(FUNDED, found, strict=True))


def number(text: str, what: str) -> int:
    """A whole number that a script was given."""
    if not (text.isascii() and text.isdigit()):
        raise SystemExit(f"{what} is {text!r}; give a whole number")
    return int(text)


def _require_deployed() -> None:
    """Check that a development chain has the contracts, as one that was just started has not."""
    if is_development() and not (home() / "deployments").is_dir():
        raise SystemExit(
            "nothing is deployed on this chain, which ends with the script if Brownie has just "
            "started it: keep one running with `brownie console` in another terminal, then run "
            "`brownie run deploy` and this again"
        )


def _of_mnemonic(mnemonic: str, index: int) -> LocalAccount:
    """An account of a mnemonic: one of BIP-39, or any other words, such as Brownie's."""
    seed = hashlib.pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", 2048, 64)
    account: LocalAccount = Account.from_key(key_from_seed(seed, f"m/44'/60'/0'/0/{index}"))
    return account


def _account(who: str) -> LocalAccount:
    if is_development():
        _require_deployed()
        return Keystore(home()).open(who)
    # An address that the node itself could sign for would come without its key.
    accounts.clear()
    kept = accounts.load(who, password=os.environ.get("RADLEDGER_PASSPHRASE"))
    account: LocalAccount = Account.from_key(kept.private_key)
    return account

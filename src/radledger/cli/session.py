"""The session of one run: home, network, account and output."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.errors import RadLedgerError, UsageError
from radledger.files import expanded
from radledger.texts import decoded, visible

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.deployments import Deployment
    from radledger.chain.keystore.accounts import Keystore
    from radledger.chain.ledger import Ledger
    from radledger.chain.nodes.networks import Network
    from radledger.chain.sending.tables import Intent
    from radledger.facade import RadLedger

__all__ = ["Session", "session"]

_FROM_ENVIRONMENT = "RADLEDGER_PASSPHRASE"
_FROM_FILE = "RADLEDGER_PASSPHRASE_FILE"


class AccountNotNamed(UsageError):
    """A command that signs was given no signer."""


class PassphraseMissing(UsageError):
    """A passphrase is needed, and was neither given nor can be asked for."""


@dataclass
class Session:
    """Where a command acts, as whom, and how it prints."""

    json: bool = False
    network: str | None = None
    account: str | None = None
    home: Path | None = None
    journal: str | None = None

    def reset(self) -> None:
        """Reset the session, in a process that runs several commands."""
        vars(self).clear()  # what the class says stands again

    @property
    def folder(self) -> Path:
        """The home folder.

        Raises
        ------
        InvalidHome
            If it is a file.
        """
        from radledger.facade import home_folder

        return home_folder(self.home)

    @cached_property
    def radledger(self) -> RadLedger:
        """The services, connected when they are first needed."""
        from radledger.facade import RadLedger

        opened = RadLedger.open(self.network, home=self.folder, journal=self.journal)
        if not self.json:
            opened.ledger.sender.on_finished = partial(_tell_finished, opened.ledger)
        return opened

    def chosen_network(self) -> Network:
        """The network that ``--network`` or ``RADLEDGER_NETWORK`` names, or the default one."""
        from radledger.chain.nodes import networks

        named = self.network or os.environ.get("RADLEDGER_NETWORK") or None
        return networks.load(named, self.folder)

    def recorded_deployment(self) -> Deployment:
        """What is recorded of the deployment here, of whichever release; no node need answer.

        Raises
        ------
        DeploymentMissing
            If nothing is.
        """
        from radledger.chain import deployments
        from radledger.chain.nodes.connect import connect
        from radledger.chain.rpc import request

        network = self.chosen_network()
        chain_id = network.chain_id
        if chain_id is None:
            chain_id = int(request(connect(network), "eth_chainId", []), 16)
        return deployments.require(self.folder / "deployments", chain_id)

    @property
    def keystore(self) -> Keystore:
        """The accounts of the home."""
        from radledger.chain.keystore.accounts import Keystore

        return Keystore(self.folder)

    @cached_property
    def signer(self) -> LocalAccount:
        """The account that ``--as`` names.

        Raises
        ------
        AccountNotNamed
            If it names none.
        """
        return self.open(self.name)

    @property
    def name(self) -> str:
        """The name that ``--as`` gives."""
        if self.account is None:
            raise AccountNotNamed(
                "say who acts with --as ACCOUNT; `radledger account list` shows them"
            )
        return self.account

    def open(self, name: str) -> LocalAccount:
        """An account of the keystore, its passphrase asked for if it has one."""
        return self.keystore.open(name, self.passphrase(name))

    def passphrase(self, name: str) -> str | None:
        """The passphrase of an account: from the environment, a file or the terminal."""
        if not self.keystore.show(name).protected:
            return None
        given = given_passphrase()
        return _ask(f"passphrase of {name}", default="") if given is None else given

    def new_passphrase(self, name: str) -> str:
        """The passphrase for a new account."""
        return given_passphrase() or _ask(f"new passphrase for {name}", confirm=True)

    def named(self, text: str) -> str:
        """A text for people: an address of an account of this home has its name before it."""
        try:
            known = self.keystore.list() if "0x" in text else []
        except (RadLedgerError, OSError):
            return text
        for account in known:
            if account.address is not None:
                text = text.replace(account.address, f"{account.name} {account.address}")
        return text

    def address(self, text: str) -> str:
        """An address, given as such or as the name of an account of the keystore."""
        from radledger.identity.address import parse_address

        if text.startswith("0x"):
            return parse_address(text)
        return self.keystore.show(text).address or str(self.open(text).address)

    def whose(self, text: str | None) -> str | None:
        """As `address`; None for an option that was not given."""
        return None if text is None else self.address(text)


def _tell_finished(ledger: Ledger, intent: Intent) -> None:
    from radledger.chain.transactions import described

    done = described(ledger.sender.intents, ledger.deployment, intent)
    where = f"in block {done.block}" if done.block else done.reason
    message = f"an earlier run had left {done.call} of {done.account} open: {done.state}, {where}"
    print(visible(message), file=sys.stderr)


def given_passphrase() -> str | None:
    """The passphrase that the environment gives, itself or by the name of a file; not an empty one.

    A variable that a script forgot to fill must not leave a key without protection.

    Raises
    ------
    PassphraseMissing
        If what is given cannot be typed: no text, or several lines.
    """
    given, file = os.environb.get(_FROM_ENVIRONMENT.encode()), os.environ.get(_FROM_FILE)
    if given:
        return _line(given, _FROM_ENVIRONMENT)
    if not file:
        return None
    try:
        content = expanded(file).read_bytes()
    except OSError as error:
        raise PassphraseMissing(
            f"{file}, which {_FROM_FILE} names, cannot be read: {error.strerror}; name a file that "
            "holds the passphrase",
            path=file,
        ) from error
    return _line(content, f"{file}, which {_FROM_FILE} names,", path=file)


def _line(content: bytes, where: str, **values: str) -> str:
    """The one line that a passphrase is, as it would be typed."""
    try:
        text = decoded(content).rstrip("\r\n")
    except ValueError as error:
        raise PassphraseMissing(f"{where} holds no passphrase: {error}", **values) from None
    if not text or "\n" in text or "\r" in text:
        what = "several lines; leave one" if text else "nothing; write it there"
        raise PassphraseMissing(f"{where} holds no passphrase, but {what}", **values)
    return text


def _ask(prompt: str, *, confirm: bool = False, default: str | None = None) -> str:
    import typer

    if not _terminal():
        raise PassphraseMissing(
            f"there is no terminal to ask for the {prompt}; set {_FROM_ENVIRONMENT}, or "
            f"{_FROM_FILE} to the name of a file that holds it"
        )
    try:
        answer: str = typer.prompt(
            prompt,
            default=default,
            hide_input=True,
            show_default=False,
            confirmation_prompt=confirm,
            err=True,
        )
        answer.encode()
    except UnicodeError:  # its own text would show what was typed
        typer.echo(err=True)  # the prompt's line is not ended yet
        raise PassphraseMissing(
            "what was typed is not text in UTF-8; set the terminal to UTF-8"
        ) from None
    return answer


def _terminal() -> bool:
    try:
        Path("/dev/tty").open("rb").close()
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


session = Session()

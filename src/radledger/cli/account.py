"""``radledger account``: keys in files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.output import show, show_all
from radledger.cli.session import session

__all__ = ["group"]

group = typer.Typer(help="Keys in files, each under a passphrase.")

# Of a mnemonic or key, with whatever stands around it.
_LONGEST = 100_000
Name = Annotated[str, typer.Argument(help="Name of the account.")]


@group.command()
def new(name: Name) -> None:
    """Make an account; its mnemonic is shown once and kept nowhere."""
    from radledger.cli.output import plain

    account, mnemonic = session.keystore.new(name, session.new_passphrase(name))
    show({**plain(account), "mnemonic": mnemonic})


@group.command(name="import")
def import_(name: Name) -> None:
    """Store an account from its private key or mnemonic, read from standard input or asked for."""
    if sys.stdin.isatty():
        secret = typer.prompt("private key or mnemonic", hide_input=True, err=True)
    else:
        secret = _piped()
    show(session.keystore.import_(name, secret, session.new_passphrase(name)))


@group.command(name="list")
def list_() -> None:
    """List the accounts."""
    show_all(session.keystore.list(), empty="no accounts; make one with `radledger account new`")
    for reason in session.keystore.unreadable() if not session.json else ():
        print(reason, file=sys.stderr)


@group.command(name="show")
def show_(name: Name) -> None:
    """Show an account's address."""
    show(session.keystore.show(name))


@group.command()
def derive(
    custodian: Annotated[
        str, typer.Option("--for", metavar="ADDRESS", help="The custodian's address or name.")
    ],
) -> None:
    """Give the address that a patient uses at one custodian, which nobody can link to another."""
    name = session.name
    show(session.keystore.derive(name, session.address(custodian), session.passphrase(name)))


def _piped() -> str:
    """What standard input holds, all lines of it and whatever the locale says of bytes."""
    from radledger.chain.errors import AccountInvalid
    from radledger.texts import decoded

    try:
        return decoded(sys.stdin.buffer.read(_LONGEST))
    except ValueError as error:
        raise AccountInvalid(f"standard input holds no key: {error}") from None

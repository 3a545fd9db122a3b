"""``radledger account``: keys in files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.output import show, show_all
from radledger.cli.session import session
from radledger.texts import visible

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
    """Store an account from its private key or mnemonic, read from standard input or a prompt."""
    if sys.stdin is not None and sys.stdin.isatty():
        secret = typer.prompt("private key or mnemonic", hide_input=True, err=True)
    else:
        secret = _piped()
    show(session.keystore.import_(name, secret, session.new_passphrase(name)))


@group.command(name="list")
def list_() -> None:
    """List the accounts."""
    show_all(session.keystore.list(), empty="no accounts; make one with `radledger account new`")
    for reason in session.keystore.unreadable() if not session.json else ():
        print(visible(reason), file=sys.stderr)


@group.command(name="show")
def show_(name: Name) -> None:
    """Show an account's address."""
    show(session.keystore.show(name))


@group.command()
def derive(
    other: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="ADDRESS",
            help="Address or name of a custodian, or of the patient whom you guard or act for.",
        ),
    ],
) -> None:
    """Derive an account that you use with one other address alone.

    A patient has one for each custodian, a guardian or delegate one for each address of a patient.
    Two of them have nothing in common. What links them is how they are used: guardians, delegates
    or new owners in common, the same end of a grant to the second, rewards paid to one account,
    Ether from one source, what is done at the same time, or sent to a relayer from one place.
    docs/privacy.md says what anyone can find out.
    """
    name = session.name
    show(session.keystore.derive(name, session.address(other), session.passphrase(name)))


def _piped() -> str:
    """What standard input holds, all lines of it and whatever the locale says of bytes."""
    from radledger.chain.errors import AccountInvalid
    from radledger.texts import decoded

    if sys.stdin is None:
        raise AccountInvalid("standard input is closed; write the key or mnemonic to it")
    try:
        return decoded(sys.stdin.buffer.read(_LONGEST))
    except ValueError as error:
        raise AccountInvalid(f"standard input holds no key: {error}") from None

"""``radledger identity``: keys, delegates, guardians and recovery."""

from __future__ import annotations

from typing import Annotated

import typer

from radledger.cli.acting import act, submit_document
from radledger.cli.output import show
from radledger.cli.parameters import Address, DocumentFile, RelayUrl, SignOnly
from radledger.cli.session import session
from radledger.cli.times import moment

__all__ = ["group"]

group = typer.Typer(help="Keys, delegates, guardians and recovery.")

Identity = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Whose identity, where it is not one's own address."),
]


@group.command(name="show")
def show_(address: Address) -> None:
    """Show who owns an identity, who acts for it, and what it publishes."""
    show(session.radledger.identities.show(session.address(address)))


@group.command()
def set_key(sign_only: SignOnly = None, identity: Identity = None) -> None:
    """Register the encryption key that lies beside the account, made if there is none."""
    from radledger.crypto.keys import public_key

    name = session.name
    key = public_key(session.keystore.encryption_key(name, session.passphrase(name)))
    act(session.radledger.identities, "set_key", sign_only, key, identity=session.whose(identity))


@group.command()
def change_owner(new_owner: Address, sign_only: SignOnly = None, identity: Identity = None) -> None:
    """Hand one's identity over to another key, which alone acts for it from then on."""
    act(
        session.radledger.identities,
        "change_owner",
        sign_only,
        session.address(new_owner),
        identity=session.whose(identity),
    )


@group.command()
def add_delegate(
    delegate: Address,
    valid_for: Annotated[
        str, typer.Option(metavar="SPAN", help="For how long, such as 365d.")
    ] = "365d",
    sign_only: SignOnly = None,
    identity: Identity = None,
) -> None:
    """Let somebody grant and revoke for oneself, as a parent does."""
    now = session.radledger.ledger.present().time
    act(
        session.radledger.identities,
        "add_delegate",
        sign_only,
        session.address(delegate),
        valid_for=moment(f"+{valid_for}", now) - now,
        identity=session.whose(identity),
    )


@group.command()
def revoke_delegate(
    delegate: Address, sign_only: SignOnly = None, identity: Identity = None
) -> None:
    """End what a delegate may do."""
    act(
        session.radledger.identities,
        "revoke_delegate",
        sign_only,
        session.address(delegate),
        identity=session.whose(identity),
    )


@group.command()
def guardians(
    guardian: Annotated[
        list[str],
        typer.Argument(help="Guardians: addresses, or names of accounts here."),
    ],
    threshold: Annotated[int, typer.Option(metavar="N", help="How many of them a recovery takes.")],
    sign_only: SignOnly = None,
    identity: Identity = None,
) -> None:
    """Name who can recover one's identity."""
    named = [session.address(each) for each in guardian]
    act(
        session.radledger.identities,
        "set_guardians",
        sign_only,
        named,
        threshold,
        identity=session.whose(identity),
    )


@group.command()
def recover(
    identity: Address,
    new_owner: Annotated[
        str,
        typer.Option(
            metavar="ACCOUNT", help="Who is to own it: address, or name of an account here."
        ),
    ],
    execute: Annotated[
        bool,
        typer.Option(
            "--execute", help="Carry it out, after the delay in which its owner can veto."
        ),
    ] = False,
    sign_only: SignOnly = None,
) -> None:
    """Approve the recovery of a lost identity as its guardian, or carry an approved one out."""
    whose, owner = session.address(identity), session.address(new_owner)
    if execute:
        show(session.radledger.identities.execute_recovery(session.signer, whose, owner))
    else:
        act(session.radledger.identities, "approve_recovery", sign_only, whose, owner)


@group.command()
def veto(sign_only: SignOnly = None, identity: Identity = None) -> None:
    """Cancel every recovery of one's identity that is under way."""
    act(session.radledger.identities, "veto", sign_only, identity=session.whose(identity))


@group.command()
def submit(file: DocumentFile, relay: RelayUrl = None) -> None:
    """Send what somebody signed, and pay for it."""
    submit_document("identities", file, relay)

"""``radledger identity``: keys, delegates, guardians and recovery."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.acting import act, submit_document
from radledger.cli.output import show
from radledger.cli.parameters import Address, DocumentFile, RelayUrl, SignOnly
from radledger.cli.session import session
from radledger.cli.times import moment
from radledger.identity.records import KEY_ATTRIBUTE, X25519_ATTRIBUTE

__all__ = ["group"]

group = typer.Typer(help="Keys, delegates, guardians and recovery.")

Identity = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Identity to act for (default: your own address)."),
]

Guardian = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Guardian to approve as (default: your own address)."),
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
    """Hand an identity over to another key, which alone acts for it from then on."""
    whose, owner = session.whose(identity), session.address(new_owner)
    ends = _ends(whose or session.signer.address)
    act(session.radledger.identities, "change_owner", sign_only, owner, identity=whose)
    if ends and not session.json:
        print(
            f"with the change of owner these end: {', '.join(ends)}; the new owner sets again what "
            "is to stay, also for identities that this one owns (`radledger identity set-key`, "
            "`add-delegate`, `guardians`)",
            file=sys.stderr,
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
    """Let another account grant and revoke for you, as a parent does for a child."""
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
    """Name the guardians who can recover your identity.

    Anyone can read whom you name. Have each guardian make an address for this identity alone,
    with `radledger account derive --for` your address: guardians in common link your addresses.
    """
    named = [session.address(each) for each in guardian]
    whose = session.whose(identity) or session.signer.address
    act(
        session.radledger.identities,
        "set_guardians",
        sign_only,
        named,
        threshold,
        identity=whose,
    )
    others = session.radledger.identities.guards_of_others(named, identity=whose)
    if others and not session.json:
        print(
            f"{', '.join(map(session.named, others))} guarded another identity before, which "
            "anyone can link with this one; have the guardian make an address for this one "
            f"(`radledger account derive --for {whose}`), and name that",
            file=sys.stderr,
        )


@group.command()
def recover(
    identity: Address,
    new_owner: Annotated[
        str,
        typer.Option(
            metavar="ACCOUNT", help="The new owner: an address, or the name of an account here."
        ),
    ],
    execute: Annotated[
        bool,
        typer.Option(
            "--execute", help="Carry it out, after the delay in which its owner can veto."
        ),
    ] = False,
    sign_only: SignOnly = None,
    guardian: Guardian = None,
) -> None:
    """Approve the recovery of a lost identity as its guardian, or carry an approved one out."""
    whose, owner = session.address(identity), session.address(new_owner)
    if execute:
        show(session.radledger.identities.execute_recovery(session.signer, whose, owner))
    else:
        named = session.whose(guardian)
        act(
            session.radledger.identities,
            "approve_recovery",
            sign_only,
            whose,
            owner,
            guardian=named,
        )


@group.command()
def withdraw_approval(
    identity: Address,
    new_owner: Annotated[
        str,
        typer.Option(metavar="ACCOUNT", help="To whom the recovery was approved."),
    ],
    sign_only: SignOnly = None,
    guardian: Guardian = None,
) -> None:
    """Take back the approval of a recovery, as the guardian who gave it."""
    act(
        session.radledger.identities,
        "withdraw_approval",
        sign_only,
        session.address(identity),
        session.address(new_owner),
        guardian=session.whose(guardian),
    )


@group.command()
def veto(sign_only: SignOnly = None, identity: Identity = None) -> None:
    """Cancel every recovery of your identity that is under way."""
    act(session.radledger.identities, "veto", sign_only, identity=session.whose(identity))


@group.command()
def submit(file: DocumentFile, relay: RelayUrl = None) -> None:
    """Send a signed document, and pay for it."""
    submit_document("identities", file, relay)


def _ends(identity: str) -> list[str]:
    """What a change of owner ends, in words."""
    shown = session.radledger.identities.show(identity)
    others = [
        each.name for each in shown.attributes if each.name not in (KEY_ATTRIBUTE, X25519_ATTRIBUTE)
    ]
    ends = ["the encryption key"] if shown.encryption_key else []
    ends += [f"the delegate {session.named(each.delegate)}" for each in shown.delegates]
    ends += [f"the attribute {name!r}" for name in others]
    return ends + (["the guardians"] if shown.guardians else [])

"""``radledger identity``: keys, delegates, guardians and recovery."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.acting import act
from radledger.cli.output import show
from radledger.cli.parameters import Address, SignOnly, ValidFor
from radledger.cli.session import session
from radledger.cli.times import span as lasting

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
def set_key(
    sign_only: SignOnly = None, valid_for: ValidFor = "7d", identity: Identity = None
) -> None:
    """Register the account's encryption key, which is made if there is none."""
    from radledger.crypto.keys import public_key

    identities = session.radledger.identities  # before a key is made: a refusal leaves none
    name = session.name
    key = public_key(session.keystore.encryption_key(name, session.passphrase(name)))
    action = identities.set_key(key, identity=session.whose(identity))
    act(action, sign_only, valid_for)


@group.command()
def set_gateway(
    url: Annotated[str, typer.Argument(metavar="URL", help="Public address of the gateway.")],
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Publish the address of your gateway, where readers ask for image sets."""
    action = session.radledger.identities.set_gateway(url, identity=session.whose(identity))
    act(action, sign_only, valid_for)


@group.command()
def withdraw_gateway(
    url: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="Only this one (default: all that you published)."),
    ] = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Withdraw the address of your gateway, so that readers no longer look for one there."""
    action = session.radledger.identities.withdraw_gateway(url, identity=session.whose(identity))
    act(action, sign_only, valid_for)


@group.command()
def change_owner(
    new_owner: Address,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Hand an identity over to another key, which alone can act for it afterwards."""
    whose, owner = session.whose(identity), session.address(new_owner)
    ends = _ends(whose or session.signer.address)
    action = session.radledger.identities.change_owner(owner, identity=whose)
    act(action, sign_only, valid_for)
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
    span: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="For how long, such as 365d.")
    ] = "365d",
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Let another account grant and revoke for you, as a parent does for a child."""
    now = session.radledger.ledger.present().time
    action = session.radledger.identities.add_delegate(
        session.address(delegate),
        validity=lasting(span, now),
        identity=session.whose(identity),
    )
    act(action, sign_only, valid_for)


@group.command()
def revoke_delegate(
    delegate: Address,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Revoke a delegate."""
    action = session.radledger.identities.revoke_delegate(
        session.address(delegate), identity=session.whose(identity)
    )
    act(action, sign_only, valid_for)


@group.command()
def guardians(
    guardian: Annotated[
        list[str],
        typer.Argument(help="Guardians: addresses, or names of accounts here."),
    ],
    threshold: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many of them a recovery takes.")
    ],
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    identity: Identity = None,
) -> None:
    """Name the guardians who can recover your identity.

    Anyone can read whom you name. Have each guardian make an address for this identity alone,
    with `radledger account derive --for` your address: guardians in common link your addresses.
    """
    named = [session.address(each) for each in guardian]
    whose = session.whose(identity) or session.signer.address
    action = session.radledger.identities.set_guardians(named, threshold, identity=whose)
    act(action, sign_only, valid_for)
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
    valid_for: ValidFor = "7d",
    guardian: Guardian = None,
) -> None:
    """Approve the recovery of a lost identity as its guardian, or carry an approved one out."""
    identities = session.radledger.identities
    whose, owner = session.address(identity), session.address(new_owner)
    if execute:
        show(identities.execute_recovery(whose, owner).send(session.signer))
    else:
        action = identities.approve_recovery(whose, owner, guardian=session.whose(guardian))
        act(action, sign_only, valid_for)


@group.command()
def withdraw_approval(
    identity: Address,
    new_owner: Annotated[
        str,
        typer.Option(metavar="ACCOUNT", help="To whom the recovery was approved."),
    ],
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
    guardian: Guardian = None,
) -> None:
    """Take back the approval of a recovery, as the guardian who gave it."""
    action = session.radledger.identities.withdraw_approval(
        session.address(identity), session.address(new_owner), guardian=session.whose(guardian)
    )
    act(action, sign_only, valid_for)


@group.command()
def veto(sign_only: SignOnly = None, valid_for: ValidFor = "7d", identity: Identity = None) -> None:
    """Cancel every recovery of your identity that is under way."""
    action = session.radledger.identities.veto(identity=session.whose(identity))
    act(action, sign_only, valid_for)


def _ends(identity: str) -> list[str]:
    """What a change of owner ends, in words."""
    from radledger.identity.records import KEY_ATTRIBUTE, X25519_ATTRIBUTE

    shown = session.radledger.identities.show(identity)
    others = [
        each.name for each in shown.attributes if each.name not in (KEY_ATTRIBUTE, X25519_ATTRIBUTE)
    ]
    ends = ["the encryption key"] if shown.encryption_key else []
    ends += [f"the delegate {session.named(each.delegate)}" for each in shown.delegates]
    ends += [f"the attribute {name!r}" for name in others]
    return ends + (["the guardians"] if shown.guardians else [])

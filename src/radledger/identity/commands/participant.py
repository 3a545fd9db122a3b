"""``radledger participant``: accreditation of institutions and members."""

from __future__ import annotations

from typing import Annotated

import typer

from radledger.cli.output import show
from radledger.cli.parameters import Address
from radledger.cli.session import session

__all__ = ["group"]

_HELP = """Who is accredited as what, by whom.

Governors, institutions and their members send what they decide themselves and pay for it, so
there is no --sign-only here.
"""
group = typer.Typer(help=_HELP)


@group.command()
def admit(
    address: Address,
    role: Annotated[
        list[str], typer.Option(metavar="ROLE", help="Role, such as radiologist; repeatable.")
    ],
    institution: Annotated[
        bool, typer.Option("--institution", help="Admit an institution, as a governor does.")
    ] = False,
) -> None:
    """Admit a member of your institution, or, as a governor, an institution."""
    participants = session.radledger.participants
    admit = participants.admit_institution if institution else participants.admit
    show(admit(session.address(address), role).send(session.signer))


@group.command()
def suspend(address: Address) -> None:
    """Suspend a member, or, as a governor, any account; a suspended account can use no grant."""
    show(session.radledger.participants.suspend(session.address(address)).send(session.signer))


@group.command()
def reinstate(address: Address) -> None:
    """Lift a suspension that you imposed."""
    show(session.radledger.participants.reinstate(session.address(address)).send(session.signer))


@group.command()
def leave() -> None:
    """Leave your institution."""
    show(session.radledger.participants.leave().send(session.signer))


@group.command()
def vote_governor(
    address: Address,
    remove: Annotated[
        bool, typer.Option("--remove", help="Vote to remove instead of to add.")
    ] = False,
) -> None:
    """As a governor, vote to add or remove one; more than half of them carry it out."""
    participants, account = session.radledger.participants, session.address(address)
    show(participants.vote_governor(account, add=not remove).send(session.signer))


@group.command(name="show")
def show_(address: Address) -> None:
    """Show what an account may do now."""
    show(session.radledger.participants.show(session.address(address)))

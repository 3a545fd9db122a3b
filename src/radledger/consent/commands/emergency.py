"""Commands of ``radledger consent`` about emergency access."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from radledger.cli.acting import act
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import Address, SignOnly, Subject, ValidFor
from radledger.cli.session import session
from radledger.cli.times import duration, moment

__all__ = [
    "allow_emergencies",
    "break_glass",
    "emergencies",
    "forbid_emergencies",
    "review",
]


def break_glass(
    subject: Address,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; its salted digest goes on chain.")
    ],
    hours: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="For how long, 24h at most.")
    ] = "24h",
) -> None:
    """As a clinician, use everything of a patient for care in an emergency.

    While a review of your earlier emergency accesses is overdue, each lasts one hour at most.
    """
    from radledger.consent import SealedNote

    note, asked = SealedNote.of(reason), duration(hours)
    action = session.radledger.consents.break_glass(session.address(subject), note, duration=asked)
    receipt = action.send(session.signer)
    declared = receipt.event("EmergencyDeclared").args
    times = {"since": declared["since"], "until": declared["until"]}
    if declared["until"] < declared["since"] + asked and not session.json:
        print(
            "a review of your earlier emergency access is overdue, so this one lasts an hour; see "
            "`radledger consent emergencies --clinician`",
            file=sys.stderr,
        )
    show({**plain(receipt), **times, "reason": note.text, "salt": plain(note.salt)})


def review(
    subject: Address,
    clinician: Address,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="When the emergency access was declared, as `consent emergencies` shows it.",
        ),
    ],
    opinion: Annotated[
        str, typer.Option(metavar="TEXT", help="The finding; its salted digest goes on chain.")
    ],
    justified: Annotated[
        bool, typer.Option("--justified/--unjustified", help="Outcome of the review.")
    ],
) -> None:
    """Review emergency access, as a second person of the clinician's institution.

    Access that is found unjustified ends at once. Once the review is overdue, a governor may review
    as well.
    """
    from radledger.consent import SealedNote

    note, declared = SealedNote.of(opinion), moment(since, 0)
    action = session.radledger.consents.review(
        session.address(subject),
        session.address(clinician),
        declared,
        justified=justified,
        opinion=note,
    )
    show({**plain(action.send(session.signer)), "opinion": note.text, "salt": plain(note.salt)})


def emergencies(
    subject: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Of one patient.")] = None,
    institution: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Of one institution.")
    ] = None,
    clinician: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Of one clinician.")
    ] = None,
) -> None:
    """List emergency accesses, whether they were reviewed, and whether that is overdue."""
    found = session.radledger.consents.emergencies(
        subject=session.whose(subject),
        institution=session.whose(institution),
        clinician=session.whose(clinician),
    )
    show_all(found, empty="no emergency access")


def forbid_emergencies(
    subject: Subject = None, sign_only: SignOnly = None, valid_for: ValidFor = "7d"
) -> None:
    """Forbid emergency access to your images, where the deployment allows that.

    Emergency access in force ends at once. From then on no clinician sees more than you granted,
    also where your life depends on it.
    """
    action = session.radledger.consents.forbid_emergencies(subject=session.whose(subject))
    act(action, sign_only, valid_for)


def allow_emergencies(
    subject: Subject = None, sign_only: SignOnly = None, valid_for: ValidFor = "7d"
) -> None:
    """Allow emergency access to your images again."""
    action = session.radledger.consents.allow_emergencies(subject=session.whose(subject))
    act(action, sign_only, valid_for)

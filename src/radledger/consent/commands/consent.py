"""``radledger consent``: who may use whose images for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.chain.clock import STALE
from radledger.cli.acting import act, act_all
from radledger.cli.files import document, file_to_read, file_to_write, write_document
from radledger.cli.output import plain, show
from radledger.cli.parameters import (
    Address,
    Disease,
    Fulfils,
    ImageId,
    SignOnly,
    Subject,
    ValidFor,
)
from radledger.cli.session import session
from radledger.cli.times import moment
from radledger.consent.commands.conduct import tell_conduct
from radledger.consent.commands.emergency import (
    allow_emergencies,
    break_glass,
    emergencies,
    forbid_emergencies,
    review,
)
from radledger.consent.commands.listing import expiring, list_
from radledger.consent.commands.priors import (
    WithPriors,
    act_with_priors,
    answer_with_priors,
    requested_scope,
    revoke_with_priors,
)
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.chain.ledger import Receipt
    from radledger.consent import Terms

__all__ = ["group"]


class RequestUnclear(UsageError):
    """A request does not say whom to ask for what, or says it twice."""


group = typer.Typer(help="Who may use whose images for what.")

Purpose = Annotated[
    list[str],
    typer.Option(metavar="TERM", help="DUO purpose, such as CC, GRU, HMB or DS; repeatable."),
]
Condition = Annotated[
    list[str] | None,
    typer.Option(metavar="TERM", help="DUO condition, such as NPUNCU or IRB; repeatable."),
]
OnlyDisease = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Code of the one disease for DS, such as MONDO:0004992. The chain gets its digest "
        "with a salt; pass the CODE@SALT that is shown on to the other side.",
    ),
]
ForDataset = Annotated[
    str | None,
    typer.Option(
        "--dataset", metavar="DATASET", help="Data set that it is for, instead of --disease."
    ),
]
Exact = Annotated[
    bool,
    typer.Option("--exact", help="Keep --until to the second, by which a grant is recognised."),
]
StatedDisease = Annotated[
    str | None,
    typer.Option(
        metavar="CODE@SALT", help="The disease, as the requester passed it on with the request."
    ),
]
Scope = Annotated[
    str,
    typer.Option(
        metavar="SCOPE", help="all, or the id of an image set, or the digest of a visit or course."
    ),
]
RevokedScope = Annotated[
    str,
    typer.Option(
        metavar="SCOPE",
        help="As it was granted, as `radledger consent list` shows it; emergency for that.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="2027-01-31, 2027-01-31T12:00+01:00, +30d, +6mo or Unix seconds (default: now).",
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="End, written as --from; a day is included (default: until revoked). From a week on "
        "rounded down to a day, from half a year on to the end of a month.",
    ),
]


@group.command()
def grant(
    grantee: Address,
    purpose: Purpose,
    scope: Scope = "all",
    condition: Condition = None,
    disease: OnlyDisease = None,
    start: Start = None,
    end: End = None,
    exact: Exact = False,
    dataset: ForDataset = None,
    with_priors: WithPriors = None,
    subject: Subject = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Let a person, or an institution with its members, use your images.

    Purposes are terms of the Data Use Ontology: CC clinical care, TEACHING teaching, GRU general
    research, HMB health or medical research, DS research on one disease, POA on ancestry, MDS
    method development, CTRL research control, NRES anything. Conditions are terms as well,
    such as NCU not commercial, NPU not for profit, NPUNCU both, IRB with ethics approval;
    docs/duo.md lists all.

    The chain is public: docs/privacy.md says what anyone can read of a grant.
    """
    terms = _terms(purpose, condition, _disease(disease, dataset), start, end, exact=exact)
    to, whose = session.address(grantee), session.whose(subject)

    def granted(scope: str) -> Action[Receipt]:
        exact = True  # rounded already
        return session.radledger.consents.grant(to, terms, scope=scope, subject=whose, exact=exact)

    if with_priors is None:
        act(granted(scope), sign_only, valid_for, _stated(terms))
    else:
        act_with_priors(with_priors, scope, granted, sign_only, valid_for, _stated(terms))


@group.command()
def revoke(
    grantee: Address,
    scope: RevokedScope = "all",
    with_priors: WithPriors = None,
    subject: Subject = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Take one grant back, and each for this grantee and scope that was signed before.

    With `--scope emergency` it ends the emergency access of a clinician.

    The answer says in was_granted whether one stood; what has not arrived yet will not count.
    """
    consents, whose, to = (
        session.radledger.consents,
        session.whose(subject),
        session.address(grantee),
    )
    if with_priors is not None:
        revoke_with_priors(with_priors, scope, to, whose, sign_only, valid_for)
        return
    granted = consents.has_granted(whose or session.signer.address, to, scope=scope)
    action = consents.revoke(to, scope=scope, subject=whose)
    act(action, sign_only, valid_for, {"was_granted": granted})


@group.command()
def revoke_all(
    subject: Subject = None, sign_only: SignOnly = None, valid_for: ValidFor = "7d"
) -> None:
    """Take every grant back, at the same cost for any number of them."""
    action = session.radledger.consents.revoke_all(subject=session.whose(subject))
    act(action, sign_only, valid_for)


@group.command()
def request(
    subject: Annotated[
        str | None, typer.Argument(help="Whose images: address, or name of an account here.")
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(metavar="TERM", help="DUO purpose, such as CC; repeatable."),
    ] = None,
    scope: Scope = "all",
    condition: Condition = None,
    disease: OnlyDisease = None,
    start: Start = None,
    end: End = None,
    grantee: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Your institution, if it is to be the grantee."),
    ] = None,
    exact: Exact = False,
    dataset: ForDataset = None,
    with_priors: WithPriors = None,
    renew: Annotated[
        str | None,
        typer.Option(
            metavar="GRANT",
            help="Ask for this grant again from now on, as long as it lasts or --until, instead.",
        ),
    ] = None,
) -> None:
    """Ask a patient for a grant; a patient who is to approve a disease needs its CODE@SALT.

    `consent expiring` shows which grants end soon; with --renew one is asked for again.
    """
    if renew is not None:
        others = (subject, purpose, condition, disease, start, grantee, dataset, with_priors)
        if any(others) or scope != "all":
            raise RequestUnclear("--renew takes a grant and --until alone; leave the rest out")
        _renew(renew, end, exact=exact)
        return
    if subject is None or not purpose:
        raise RequestUnclear("say whom to ask and --purpose TERM, or --renew GRANT")
    terms = _terms(purpose, condition, _disease(disease, dataset), start, end, exact=exact)
    action = session.radledger.consents.request(
        session.address(subject),
        terms,
        scope=scope if with_priors is None else requested_scope(with_priors, scope),
        grantee=session.whose(grantee),
        exact=True,  # rounded already
    )
    show({**plain(action.send(session.signer)), **_stated(terms)})


def _renew(grant: str, end: str | None, *, exact: bool) -> None:
    radledger = session.radledger
    until = moment(end, radledger.ledger.present().time, end=True)
    action = radledger.consents.renew(grant, until=until, exact=exact)
    show(action.send(session.signer))


@group.command()
def approve(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="Id of the request.")],
    disease: StatedDisease = None,
    subject: Subject = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Grant exactly what was requested; for less, use `grant`.

    What the requester and its institution did with emergency access is shown first. Of a request
    for comparable studies, each image set that is there now gets a grant.
    """
    asked = session.address(subject or session.name)
    tell_conduct(asked, request_id)
    whose = session.whose(subject)
    action = session.radledger.consents.approve(request_id, subject=whose, disease=disease)
    grants = list(answer_with_priors(request_id, asked, disease, whose))
    if grants:
        # The request last: while a grant is missing, it waits.
        act_all([*grants, (action, {"request_id": request_id})], sign_only, valid_for)
    else:
        act(action, sign_only, valid_for)


@group.command()
def sign(
    file: Annotated[
        Path,
        typer.Argument(parser=file_to_read, metavar="FILE", help="A document without a signature."),
    ],
    to: Annotated[
        Path,
        typer.Argument(parser=file_to_write, metavar="NEW", help="The signed document, to write."),
    ],
) -> None:
    """Sign a consent that another party prepared, for any account to submit.

    A gateway prepares them for FHIR Consents (docs/fhir.md). What it says is printed in the words
    that are signed; one whose words are not those of its data is refused.
    """
    from radledger.consent import messages

    ledger, signer = session.radledger.ledger, session.signer
    signed = messages.sign(ledger, document(file), signer)
    write_document(to, signed)
    summary = signed["summary"]
    show({"signed": to, "summary": summary if session.json else session.named(summary)})


@group.command()
def check(
    reader: Address,
    image: ImageId,
    purpose: Purpose,
    disease: Disease = None,
    fulfils: Fulfils = None,
) -> None:
    """Say whether an account may use an image set now, and why.

    It cannot be said while the chain makes no blocks: the command ends with 1 then.
    """
    radledger = session.radledger
    image_set = radledger.images.show(image).image_set
    decision = radledger.consents.check(
        session.address(reader), image_set, purpose, fulfilled=fulfils or (), disease=disease
    )
    show(decision)
    if decision.reason == STALE:
        raise typer.Exit(1)


group.command(name="list")(list_)
for command in (expiring, break_glass, review, emergencies, forbid_emergencies, allow_emergencies):
    group.command()(command)


def _terms(
    purpose: list[str],
    condition: list[str] | None,
    disease: str | None,
    start: str | None,
    end: str | None,
    *,
    exact: bool,
) -> Terms:
    from radledger.consent import Terms
    from radledger.consent.periods import rounded_end

    now = session.radledger.ledger.present().time
    begins, until = moment(start, now), moment(end, now, end=True)
    if until is not None and not exact:
        until = rounded_end(max(now, begins or 0), until)
    limits = {} if until is None else {"until": until}
    return Terms(tuple(purpose), tuple(condition or ()), disease, start=begins, **limits)


def _disease(disease: str | None, dataset: str | None) -> str | None:
    """A disease with its salt: a new one for a code, that of a data set where one is named."""
    diseases = session.radledger.diseases
    if dataset is None:
        return diseases.sealed(disease)
    return diseases.require(session.radledger.datasets.show(dataset).terms.disease, disease)


def _stated(terms: Terms) -> dict[str, Any]:
    """From when until when, and on which disease, as it was understood."""
    start = {} if terms.start is None else {"start": terms.start}
    disease = {} if terms.disease is None else {"disease": terms.disease}
    return {**start, "until": terms.until, **disease}

"""What ``radledger consent`` lists: grants, requests, and what ends soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.output import plain, show_all
from radledger.cli.session import session
from radledger.cli.times import duration
from radledger.consent.commands.conduct import conduct_behind

if TYPE_CHECKING:
    from radledger.consent.model import ConsentRequest

__all__ = ["expiring", "list_"]


def expiring(
    account: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Patient or reader (default: the one that acts)."),
    ] = None,
    within: Annotated[str, typer.Option(metavar="TIME", help="How soon.")] = "14d",
) -> None:
    """List grants that end soon: those that you gave, and those to you or your institution.

    A reader asks for one again with `consent request --renew GRANT`, and the patient answers with
    `consent approve REQUEST`.
    """
    whose = session.whose(account) or session.signer.address
    ending = session.radledger.consents.expiring(whose, duration(within))
    show_all([_flat(each) for each in ending], empty="no grant ends that soon")


def list_(
    subject: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Whose grants.")] = None,
    grantee: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Grants to whom.")] = None,
    requests: Annotated[
        bool,
        typer.Option("--requests", help="Requests that wait for an answer, instead of grants."),
    ] = False,
) -> None:
    """List grants, or the requests that wait for an answer with what their requesters did."""
    consents = session.radledger.consents
    if requests:
        waiting = consents.requests(
            subject=session.whose(subject), requester=session.whose(grantee)
        )
        show_all(
            [{**_asked(each), "conduct": plain(conduct_behind(each))} for each in waiting],
            empty="no requests wait for an answer",
        )
    else:
        grants = consents.list(subject=session.whose(subject), grantee=session.whose(grantee))
        show_all([_flat(each) for each in grants], empty="no grants")


def _asked(request: ConsentRequest) -> dict[str, Any]:
    """A request, and the image set whose comparable studies it is for."""
    image = session.radledger.priors.requested(request.subject, request.scope)
    return {**_flat(request), "comparable_to": image}


def _flat(record: Any) -> dict[str, Any]:
    """A grant or request with its terms beside the rest."""
    value = plain(record)
    return {**{name: item for name, item in value.items() if name != "terms"}, **value["terms"]}

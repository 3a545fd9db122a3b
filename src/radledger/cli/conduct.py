"""``radledger conduct``: what a clinician or an institution did with access."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from radledger.cli.output import plain, show
from radledger.cli.parameters import Address
from radledger.cli.session import session

if TYPE_CHECKING:
    from radledger.consent import Conduct, ConsentRequest

__all__ = ["conduct", "conduct_behind", "tell_conduct"]


def conduct(account: Address) -> None:
    """Show what a clinician or an institution did with access.

    That is its emergency accesses and what their reviews found, how many of these reviews are
    overdue, and how often it was suspended.
    """
    show(session.radledger.consents.conduct(session.address(account)))


def conduct_behind(request: ConsentRequest) -> list[Conduct]:
    """The conduct of who made a request, and of the institution that answers for it."""
    consents = session.radledger.consents
    requester = consents.conduct(request.requester)
    if requester.institution in (None, requester.account):
        return [requester]
    return [requester, consents.conduct(str(requester.institution))]


def tell_conduct(subject: str, request_id: str) -> None:
    """Print the conduct behind a request that waits, for the person who is about to approve it."""
    if session.json:
        return
    for request in session.radledger.consents.requests(subject=subject):
        if request.request_id == request_id.lower():
            for each in conduct_behind(request):
                print(session.named(_sentence(plain(each))), file=sys.stderr)


def _sentence(conduct: dict[str, Any]) -> str:
    is_institution = conduct["institution"] == conduct["account"]
    counts = conduct["as_institution" if is_institution else "as_clinician"]
    told = (
        "{declared} emergency accesses, of which {justified} were justified, {unjustified} were "
        "not, {waiting} wait for a review and {overdue} have a review overdue"
    ).format(**counts)
    times = conduct["suspensions"]
    suspended = f"suspended {times} times" if times else "never suspended"
    return f"{conduct['account']}: {told}; {suspended}"

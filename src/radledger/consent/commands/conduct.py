"""``radledger conduct``: what a clinician or an institution did with access."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from radledger.cli.output import plain, show
from radledger.cli.parameters import Address
from radledger.cli.session import session

if TYPE_CHECKING:
    from radledger.consent import Conduct, ConsentRequest

__all__ = ["conduct", "conduct_behind", "sentence", "tell_conduct"]


def conduct(account: Address) -> None:
    """Show what a clinician or an institution did with access.

    That is: emergency accesses and the outcome of their reviews, how many reviews are overdue, and
    how often the account was suspended.
    """
    show(session.radledger.consents.conduct(session.address(account)))


def conduct_behind(request: ConsentRequest) -> list[Conduct]:
    """The conduct of a requester, and of the institution that answers for it."""
    consents = session.radledger.consents
    requester = consents.conduct(request.requester)
    if requester.institution in (None, requester.account):
        return [requester]
    return [requester, consents.conduct(str(requester.institution))]


def tell_conduct(subject: str, request_id: str) -> None:
    """Print the conduct behind a pending request, for the person who is about to approve it."""
    if session.json:
        return
    for request in session.radledger.consents.requests(subject=subject):
        if request.request_id == request_id.lower():
            for each in conduct_behind(request):
                print(session.named(sentence(plain(each))), file=sys.stderr)


def sentence(conduct: dict[str, Any]) -> str:
    """The conduct of one account in a sentence."""
    is_institution = conduct["institution"] == conduct["account"]
    counts = conduct["as_institution" if is_institution else "as_clinician"]
    emergencies = (
        "emergency accesses: {declared} ({justified} justified, {unjustified} unjustified, "
        "{waiting} waiting for review, {overdue} with an overdue review)"
    ).format(**counts)
    times = conduct["suspensions"]
    suspended = {0: "never suspended", 1: "suspended once"}.get(times, f"suspended {times} times")
    return f"{conduct['account']}: {emergencies}; {suspended}"

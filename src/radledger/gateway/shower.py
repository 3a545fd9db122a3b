"""What a custodian's gateway shows a patient who signs in there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from radledger.access.shown import Page
from radledger.forms import Form, integer, optional, text
from radledger.gateway.notices.store import Channel
from radledger.gateway.signed_in import SignedIn

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.shown import ShownReceipt

__all__ = ["GatewayAccessLog", "NoticeSettings"]

_NOTICES: Mapping[str, Form] = {
    "channel": optional(Channel),
    "destination": optional(text("(?s:.{1,2000})")),
    "waiting": integer(0, 1 << 40),
    "failed": integer(0, 1 << 40),
    "secret": optional(text("whsec_[A-Za-z0-9+/=]{24,200}")),
}


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Where a gateway sends a patient notices.

    Attributes
    ----------
    channel, destination
        A webhook's URL or a mail address; none without notices.
    waiting, failed
        How many notices wait to be sent, and how many could not be delivered.
    secret
        Of a webhook that was just set: the key of its signatures, shown once.
    """

    channel: Channel | None
    destination: str | None
    waiting: int
    failed: int
    secret: str | None


class GatewayAccessLog:
    """The receipts that a gateway shows a patient; a ``Shower`` of `radledger.access`.

    Parameters
    ----------
    url
        The gateway's public address, with TLS unless it is on this machine.
    account
        Who signs in: the patient, or who acts for the patient.
    chain_id
        The chain that the patient asks.

    Attributes
    ----------
    where
        The gateway's address.

    Raises
    ------
    InvalidGatewayUrl
        If ``url`` is not such an address.
    """

    def __init__(self, url: str, account: LocalAccount, chain_id: int) -> None:
        self._gateway = SignedIn(url, account, chain_id)
        self.where = self._gateway.url

    def receipts(self, patient: str) -> Iterator[ShownReceipt]:
        """All receipts for a patient's image sets, oldest first.

        Raises
        ------
        PatientNotRepresented
            If the account does not act for the patient.
        GatewayUnreachable
            If no gateway answers at the address.
        """
        after: int | None = 0
        with self._gateway.session() as (ask, bearer):
            while after is not None:
                query = {"patient": patient, "after": after}
                fields = ("receipts", "next")
                answer = ask("GET", "/access-log", fields, params=query, headers=bearer)
                read = self._gateway.read(
                    {"page": partial(Page.from_json, after=after)}, {"page": answer}
                )
                page = read["page"]
                yield from page.receipts
                after = page.next

    def notices(self, patient: str) -> NoticeSettings:
        """Where notices of readings of a patient's image sets are sent.

        Raises
        ------
        PatientNotRepresented
            If the account does not act for the patient.
        GatewayUnreachable
            If no gateway answers at the address.
        """
        return self._asked("GET", patient)

    def notify(self, patient: str, channel: Channel, destination: str) -> NoticeSettings:
        """Have notices sent there at each reading from now on.

        Raises
        ------
        DestinationInvalid, MailNotSent, NoticesExceeded, PatientUnknown
            If the gateway sends none there.
        PatientNotRepresented, GatewayUnreachable
            As `notices` does.
        """
        wanted = {"channel": channel.value, "destination": destination}
        return self._asked("PUT", patient, json=wanted)

    def end_notices(self, patient: str) -> NoticeSettings:
        """Have no further notices sent; errors are those of `notices`."""
        return self._asked("DELETE", patient)

    def _asked(self, method: str, patient: str, **named: Any) -> NoticeSettings:
        query = {"patient": patient}
        with self._gateway.session() as (ask, bearer):
            named |= {"params": query, "headers": bearer}
            answer = ask(method, "/access-log/notices", _NOTICES, **named)
        return NoticeSettings(**self._gateway.read(_NOTICES, answer))

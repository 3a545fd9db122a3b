"""A client of a relayer: submits a signed document and waits until it is confirmed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from radledger.chain.ledger import Receipt
from radledger.chain.sending.polling import polls
from radledger.consent.messages import without_disease
from radledger.endpoints import shown
from radledger.httpapi.remote import Remote
from radledger.relay.errors import RELAYER, InvalidRelayUrl, RelayUnreachable, TicketPending

__all__ = ["RelayClient"]

_TICKET = (
    "ticket",
    "state",
    "transaction",
    "block",
    "timestamp",
    "gas",
    "error",
    "values",
    "detail",
)

_FIRST_POLL, _SLOWEST_POLL = 0.05, 1.0
_OUTAGE = 30.0


class RelayClient:
    """A relayer at a URL.

    Parameters
    ----------
    url
        Its address, ``http://…`` or ``https://…``.
    give_up_after
        Seconds after which waiting ends with :class:`TicketPending`.

    Raises
    ------
    InvalidRelayUrl
        If ``url`` is not such an address.

    Examples
    --------
    >>> relay = RelayClient("https://relay.hospital.example")      # doctest: +SKIP
    >>> relay.submit(consents.revoke_all().sign(patient)).block    # doctest: +SKIP
    1234
    """

    def __init__(self, url: str, *, give_up_after: float = 300.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidRelayUrl(
                f"{shown(url)!r} is not the address of a relayer; give one such as "
                "http://127.0.0.1:8090",
                relay=shown(url),
            )
        self._url = url
        self._remote = Remote(RELAYER, url)
        self._give_up_after = give_up_after

    def submit(self, document: Mapping[str, Any]) -> Receipt:
        """Submit a signed document, and wait until it is confirmed.

        Returns
        -------
        Receipt
            Of the transaction that executed it, without its events.

        Raises
        ------
        RadLedgerError
            As the relayer or the contract refuses, of the type of its own error.
        RelayUnreachable
            If no relayer answers at the address.
        TicketPending
            If it is not confirmed in time; the same document can be submitted again.
        """
        # Who pays for a document need not know the disease that it names.
        document = without_disease(document)
        with self._remote.connected() as ask:
            ticket = ask("POST", "/documents", _TICKET, json=document)
            answered = time.monotonic()
            for delay in self._polls(str(ticket["ticket"])):
                if ticket["state"] == "confirmed":
                    break
                if ticket["state"] == "refused":
                    raise self._remote.error(ticket)
                time.sleep(delay)
                try:
                    ticket = ask("GET", f"/tickets/{ticket['ticket']}", _TICKET)
                    answered = time.monotonic()
                except RelayUnreachable:
                    # It may be on its way up again, and the ticket is on its disk.
                    if time.monotonic() > answered + _OUTAGE:
                        raise
        return Receipt(
            transaction=ticket["transaction"],
            block=ticket["block"],
            timestamp=ticket["timestamp"],
            gas_used=ticket["gas"],
            events=(),
        )

    def _polls(self, ticket: str) -> Iterator[float]:
        yield from polls(self._give_up_after, first=_FIRST_POLL, slowest=_SLOWEST_POLL)
        raise TicketPending(
            f"the relayer has not confirmed it within {self._give_up_after:.0f} s; submit the same "
            "document again to go on waiting",
            ticket=ticket,
            relay=shown(self._url),
        )

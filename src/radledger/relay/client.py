"""A client of a relayer: submits a signed document and waits until it is confirmed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.ledger import Receipt
from radledger.chain.sending.polling import polls
from radledger.consent.messages import without_disease
from radledger.endpoints import is_loopback, proxy_for, shown
from radledger.errors import RadLedgerError
from radledger.relay.errors import InvalidRelayUrl, RelayError, RelayUnreachable, TicketPending
from radledger.transport import Deadline, within

if TYPE_CHECKING:
    import httpx

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

_REQUEST_TIMEOUT, _ANSWER_TIMEOUT = 30.0, 60.0  # for one read, and for all of an answer
_MOST_BYTES = 1 << 20
"""Bytes of an answer: a ticket has less than 1 kB, and a refusal names some values."""
# Its size says how much is read, as that of a compressed answer does not.
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
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
        self._url = url.rstrip("/")
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
        with self._client() as client:
            ticket = self._answer(client, "POST", "/documents", json=document)
            answered = time.monotonic()
            for delay in self._polls(str(ticket["ticket"])):
                if ticket["state"] == "confirmed":
                    break
                if ticket["state"] == "refused":
                    raise _error(ticket)
                time.sleep(delay)
                try:
                    ticket = self._answer(client, "GET", f"/tickets/{ticket['ticket']}")
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

    def _client(self) -> httpx.Client:
        import httpx

        from radledger.transport import over_httpx

        try:
            client = httpx.Client(
                base_url=self._url,
                headers=_UNCOMPRESSED,
                timeout=_REQUEST_TIMEOUT,
                trust_env=not is_loopback(self._url),
            )
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            raise self._unreachable(error) from None  # of a proxy that cannot be used
        over_httpx.hold_to_deadlines(client)
        return client

    def _answer(self, client: httpx.Client, method: str, path: str, **named: Any) -> dict[str, Any]:
        import httpx

        deadline = Deadline(_ANSWER_TIMEOUT)
        try:
            with within(deadline), client.stream(method, path, **named) as response:
                answer = json.loads(self._content(response))
            if not isinstance(answer, dict):
                raise ValueError("no JSON object")
            if response.is_success:
                return {name: answer[name] for name in _TICKET}
            if not isinstance(answer.get("detail"), str):
                raise ValueError("no problem object")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, RecursionError) as error:
            if deadline.passed:
                took = f"sends its answer for more than {_ANSWER_TIMEOUT:.0f} s"
                raise self._no_relayer(took) from None
            raise self._unreachable(error) from None  # its text may hold the whole address
        raise _error(answer)

    def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for piece in response.iter_raw():
            content += piece
            if len(content) > _MOST_BYTES:
                raise self._no_relayer(f"answers with more than {_MOST_BYTES:,} bytes")
        return bytes(content)

    def _no_relayer(self, what: str) -> RelayUnreachable:
        return RelayUnreachable(
            f"{shown(self._url)} {what}, as no relayer does; check the address",
            relay=shown(self._url),
        )

    def _unreachable(self, error: Exception) -> RelayUnreachable:
        proxy = proxy_for(self._url)
        by = "" if proxy is None else f" by way of the proxy {proxy}, from the environment"
        return RelayUnreachable(
            f"no relayer answers at {shown(self._url)}{by}; check the address, or try again later",
            relay=shown(self._url),
            cause=type(error).__name__,
        )


def _error(answer: Mapping[str, Any]) -> RadLedgerError:
    """The error that a problem or a refused ticket reports, as its own type."""
    kind = _kinds().get(str(answer.get("error")), RelayError)
    values = answer.get("values")
    return kind(str(answer.get("detail")), **(values if isinstance(values, dict) else {}))


def _kinds(root: type[RadLedgerError] = RadLedgerError) -> dict[str, type[RadLedgerError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds

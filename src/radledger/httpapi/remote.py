"""Asks a service over HTTP, whose answers need be neither its own nor end."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from radledger.endpoints import is_loopback, proxy_for, shown
from radledger.errors import RadLedgerError
from radledger.transport import Deadline, within

if TYPE_CHECKING:
    import httpx

    from radledger.httpapi.service import Service

__all__ = ["Ask", "Remote"]

_REQUEST_TIMEOUT, _ANSWER_TIMEOUT = 30.0, 60.0  # for one read, and for all of an answer
_MOST_BYTES = 1 << 20
"""Bytes of an answer: a ticket has less than 1 kB, and a refusal names some values."""
# Its size says how much is read, as that of a compressed answer does not.
_UNCOMPRESSED = {"Accept-Encoding": "identity"}


class Ask(Protocol):
    """Sends one request; the answer is an object with the fields that are asked for."""

    def __call__(
        self, method: str, path: str, fields: Collection[str], **named: Any
    ) -> dict[str, Any]: ...


class Remote:
    """A service somewhere else.

    Parameters
    ----------
    service
        What it is.
    url
        Its address, ``http://…`` or ``https://…``.
    """

    def __init__(self, service: Service, url: str) -> None:
        self._service = service
        self._url = url.rstrip("/")

    @contextmanager
    def connected(self, *, wait: float = 0.0) -> Iterator[Ask]:
        """Give what asks the service.

        Parameters
        ----------
        wait
            Seconds that the service may take before it answers, beside the usual time.

        Raises
        ------
        RadLedgerError
            The service's own refusals, of their own types, or that it cannot be reached.
        """
        with self._client(_REQUEST_TIMEOUT + wait) as client:

            def ask(
                method: str, path: str, fields: Collection[str], **named: Any
            ) -> dict[str, Any]:
                answer = self._answer(client, Deadline(_ANSWER_TIMEOUT + wait), method, path, named)
                try:
                    return {name: answer[name] for name in fields}
                except KeyError as error:
                    raise self.unreachable(error) from None

            yield ask

    def error(self, answer: Mapping[str, Any]) -> RadLedgerError:
        """The error that a problem reports, as its own type."""
        kind = _kinds().get(str(answer.get("error")), self._service.refused)
        values = answer.get("values")
        return kind(str(answer.get("detail")), **(values if isinstance(values, dict) else {}))

    def unreachable(self, error: Exception) -> RadLedgerError:
        """That no such service answers; of the error, whose text may hold the address, its type."""
        proxy = proxy_for(self._url)
        by = "" if proxy is None else f" by way of the proxy {proxy}, from the environment"
        return self._service.unreachable(
            f"no {self._service.name} answers at {shown(self._url)}{by}; check the address, or "
            "try again later",
            **{self._service.key: shown(self._url), "cause": type(error).__name__},
        )

    def _client(self, timeout: float) -> httpx.Client:
        import httpx

        from radledger.transport import over_httpx

        try:
            client = httpx.Client(
                base_url=self._url,
                headers=_UNCOMPRESSED,
                timeout=timeout,
                trust_env=not is_loopback(self._url),
            )
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            raise self.unreachable(error) from None  # of a proxy that cannot be used
        over_httpx.hold_to_deadlines(client)
        return client

    def _answer(
        self,
        client: httpx.Client,
        deadline: Deadline,
        method: str,
        path: str,
        named: Mapping[str, Any],
    ) -> dict[str, Any]:
        import httpx

        try:
            with within(deadline), client.stream(method, path, **named) as response:
                answer = json.loads(self._content(response))
            if not isinstance(answer, dict):
                raise ValueError("not a JSON object")
            if response.is_success:
                return answer
            if not isinstance(answer.get("detail"), str):
                raise ValueError("not a problem object")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            if deadline.passed:
                raise self._other(
                    f"sends its answer for more than {deadline.seconds:.0f} s"
                ) from None
            raise self.unreachable(error) from None
        raise self.error(answer)

    def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for piece in response.iter_raw():
            content += piece
            if len(content) > _MOST_BYTES:
                raise self._other(f"answers with more than {_MOST_BYTES:,} bytes")
        return bytes(content)

    def _other(self, what: str) -> RadLedgerError:
        return self._service.unreachable(
            f"{shown(self._url)} {what}, as no {self._service.name} does; check the address",
            **{self._service.key: shown(self._url)},
        )


def _kinds(root: type[RadLedgerError] = RadLedgerError) -> dict[str, type[RadLedgerError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds

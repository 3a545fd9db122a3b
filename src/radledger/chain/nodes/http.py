"""One node over HTTP; an answer from a proxy or another server is reported as such.

Providers of nodes answer in their own ways: with an HTTP status beside an error of JSON-RPC or in
place of it, with a page, or with a request to come back later.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from urllib3.exceptions import HTTPError
from web3.providers import JSONBaseProvider

from radledger.chain.errors import ConnectionFailed
from radledger.chain.nodes import answers
from radledger.endpoints import hidden, is_loopback, proxy_for, shown
from radledger.transport import Deadline, within
from radledger.transport.over_requests import hold_to_deadlines

__all__ = ["HttpNode"]

_NO_PROXY = {"http": "", "https": "", "all": ""}
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PAYMENT_REQUIRED)
# With these a node, or what stands before it, refuses the one request, as too large for instance.
_REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_PAUSE = 1.0
_sleep = time.sleep

_MOST_BYTES = 1 << 26
"""Bytes of an answer. A block of 30 million gas that is full of logs has receipts of 50 MB."""
_PIECE = 1 << 16
_MOST_WAITS = 10
"""How many times as long as for one piece of an answer a whole request may take."""
_WORTH_ANOTHER_TRY = (requests.ConnectionError, requests.Timeout)
# Of this a node that has much to say is asked again for a part.
_DIVISIBLE = "eth_getLogs"


class HttpNode(JSONBaseProvider):
    """A web3 provider over one JSON-RPC endpoint.

    Its errors and answers never hold the endpoint's user, password, path or query.

    Parameters
    ----------
    endpoint
        The JSON-RPC address.
    timeout
        Seconds to wait for a connection, and for each next piece of an answer; for a whole request
        ten times as long.
    tries
        How often a request is sent that meets no node.
    patience
        Seconds to wait in all where a node allows no more requests for now.
    """

    # A contract's revert must not make this process fetch an address of the contract's choice.
    global_ccip_read_enabled = False

    def __init__(
        self,
        endpoint: str,
        *,
        timeout: tuple[float, float],
        tries: int = 1,
        patience: float = 0.0,
    ) -> None:
        super().__init__()
        self.endpoint_uri = endpoint
        self._timeout = timeout
        self._tries = tries
        self._patience = patience
        self._local = threading.local()

    def make_request(self, method: Any, params: Any) -> Any:
        """Send one request.

        Raises
        ------
        ConnectionFailed
            If no node answers, or its answer is not JSON-RPC or does not end.
        """
        body, patience = self.encode_rpc_request(method, params), self._patience
        while True:
            response, answer = self._answer(body)
            if not _is_limited(response, answer):
                return self._normal(str(method), params, response, answer)
            patience -= self._wait(response, answer, patience)

    def make_batch_request(self, batch_requests: Any) -> Any:
        """Send many requests at once.

        Returns
        -------
        list or None
            The answers in the order of the requests; None if the node does not answer each of
            them, since it takes no batch, or a shorter one.

        Raises
        ------
        ConnectionFailed
            If no node answers, it refuses access, or an answer in the batch is not JSON-RPC.
        """
        calls = list(batch_requests)
        body = self.encode_batch_rpc_request(calls)
        response, answer = self._answer(body)
        if _is_limited(response, answer):
            self._wait(response, answer, self._patience)
            return None
        if _is_refusal(response, answer) or not isinstance(answer, list):
            return None
        found = {
            each["id"]: each
            for each in answer
            if isinstance(each, dict) and isinstance(each.get("id"), int)
        }
        numbers = [each["id"] for each in json.loads(body)]
        if not found.keys() >= set(numbers):
            return None
        return [
            self._normal(str(method), params, response, found[number])
            for number, (method, params) in zip(numbers, calls, strict=True)
        ]

    # ------------------------------------------------------------------------------- transport

    def _answer(self, body: bytes) -> tuple[requests.Response, Any]:
        """The response to a body, and the JSON in it."""
        with within(Deadline(_MOST_WAITS * self._timeout[1])) as deadline:
            response, content = self._sent(body, deadline)
        answer = _json(content)
        if response.status_code in _DENIED and not _is_limited(response, answer):
            told = self._message(response, answer)
            raise self._failed(
                f"refuses access ({told}); check the key or password in its address", response
            )
        return response, answer

    def _wait(self, response: requests.Response, answer: Any, patience: float) -> float:
        """Wait until a node accepts requests again, and return how long it took."""
        pause = _pause(response)
        if pause > patience:
            raise self._failed(
                f"allows no more requests for now ({self._message(response, answer)}); try again "
                f"in {math.ceil(pause)} s, or name another node",
                response,
            )
        _sleep(pause)
        return pause

    def _sent(self, body: bytes, deadline: Deadline) -> tuple[requests.Response, bytes | None]:
        """The response to a body, and its content; None if that is too long."""
        for left in reversed(range(self._tries)):
            try:
                with self._session.post(
                    self.endpoint_uri,
                    data=body,
                    headers={"Content-Type": "application/json"},
                    timeout=self._timeout,
                    proxies=_NO_PROXY if is_loopback(self.endpoint_uri) else None,
                    stream=True,
                ) as response:
                    return response, _content(response)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                if deadline.passed:
                    raise self._slow() from None
                if not left or not isinstance(error, _WORTH_ANOTHER_TRY):
                    raise self._unreachable(error) from None
        raise AssertionError("a request is sent at least once")

    @property
    def _session(self) -> requests.Session:
        """A session of this thread: it keeps a connection open, and is not made for several."""
        if not hasattr(self._local, "session"):
            self._local.session = _Session()
            # To look for a proxy that is not used takes a sixth of the time of a request; with TLS
            # the environment may name the certificates.
            plain = self.endpoint_uri.startswith("http://") and is_loopback(self.endpoint_uri)
            self._local.session.trust_env = not plain
            hold_to_deadlines(self._local.session)
        session: requests.Session = self._local.session
        return session

    def _normal(
        self, method: str, params: Sequence[Any], response: requests.Response, answer: Any
    ) -> dict[str, Any]:
        if _is_refusal(response, answer):
            told = self._message(response, answer)
            if response.status_code not in _REFUSED:
                raise self._failed(
                    f"does not serve JSON-RPC ({told}); check its address, or try again later",
                    response,
                )
            answer = {"error": {"message": told}}
        if answer is _TOO_LONG:
            much = f"more than {_MOST_BYTES:,} bytes"
            if method != _DIVISIBLE:
                raise self._nonsense(method, response, much)
            answer = {"error": {"message": f"the answer has {much}"}}
        if answer is _NO_JSON:
            kind = response.headers.get("Content-Type", "").split(";")[0]
            raise self._nonsense(method, response, "text" if kind in ("", _JSON_TYPE) else kind)
        try:
            found = answers.normal(method, params, answer)
        except ValueError as error:
            raise self._nonsense(method, response, str(error)) from None
        if "error" in found:
            found["error"] = self._without_secrets(found["error"])
        return found

    def _without_secrets(self, value: Any) -> Any:
        """A part of an error without the secret parts of the address; revert data stay."""
        if isinstance(value, str):
            return value if answers.is_data(value) else hidden(value, self.endpoint_uri)
        if isinstance(value, list):
            return [self._without_secrets(each) for each in value]
        if isinstance(value, dict):
            return {
                hidden(name, self.endpoint_uri): self._without_secrets(each)
                for name, each in value.items()
            }
        return value

    # ---------------------------------------------------------------------------------- errors

    def _message(self, response: requests.Response, answer: Any) -> str:
        """The status of a response, and the reason that comes with it."""
        told = f"HTTP {response.status_code} {response.reason or ''}".rstrip()
        if _is_error(answer):
            told += f": {answers.normal('', [], answer)['error']['message']}"
        return hidden(told, self.endpoint_uri)

    def _nonsense(self, method: str, response: requests.Response, what: str) -> ConnectionFailed:
        what = hidden(what, self.endpoint_uri)
        return self._failed(
            f"answers {method} with {what}, as no Ethereum node does; check its address, and "
            "whether a login page or a proxy stands before it",
            response,
        )

    def _failed(self, what: str, response: requests.Response) -> ConnectionFailed:
        endpoint = shown(self.endpoint_uri)
        return ConnectionFailed(
            f"{endpoint} {what}{self._by_proxy()}", endpoint=endpoint, status=response.status_code
        )

    def _slow(self) -> ConnectionFailed:
        endpoint = shown(self.endpoint_uri)
        return ConnectionFailed(
            f"{endpoint} sends its answer too slowly; try again later, or name another node"
            f"{self._by_proxy()}",
            endpoint=endpoint,
        )

    def _unreachable(self, error: Exception) -> ConnectionFailed:
        endpoint, proxy = shown(self.endpoint_uri), proxy_for(self.endpoint_uri)
        here = is_loopback(self.endpoint_uri)
        start = "start a local chain with `radledger devnet up`" if here else "start it"
        what = f"no Ethereum node answers at {endpoint}; {start}, or name another network"
        # A plain one is of a file of certificates that is not there.
        if isinstance(error, requests.exceptions.SSLError) or type(error) is OSError:
            what = (
                f"no TLS connection to {endpoint} can be trusted; name its authority's "
                "certificate in REQUESTS_CA_BUNDLE, or http:// where the node has no TLS"
            )
        elif proxy is None and isinstance(error, (requests.exceptions.InvalidURL, ValueError)):
            what = f"{endpoint} is not an address of a node; correct it"
        elif isinstance(error, HTTPError):
            what = f"the answer of {endpoint} breaks off or is damaged; try again"
        values = {} if proxy is None else {"proxy": proxy}
        return ConnectionFailed(
            f"{what}{self._by_proxy()}", endpoint=endpoint, cause=type(error).__name__, **values
        )

    def _by_proxy(self) -> str:
        proxy = proxy_for(self.endpoint_uri)
        return "" if proxy is None else f" (by way of the proxy {proxy}, from the environment)"


class _Session(requests.Session):
    """Follows no redirection.

    Where requests is asked not to follow one, it still reads its body to the end.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        pass


def _content(response: requests.Response) -> bytes | None:
    """The content of a response; None if it is too long."""
    content = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=True):
        content += piece
        if len(content) > _MOST_BYTES:
            return None
    return bytes(content)


_JSON_TYPE = "application/json"
_NO_JSON = object()
_TOO_LONG = object()


def _json(content: bytes | None) -> Any:
    if content is None:
        return _TOO_LONG
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return _NO_JSON


def _is_error(answer: Any) -> bool:
    return isinstance(answer, Mapping) and answer.get("error") is not None


def _is_refusal(response: requests.Response, answer: Any) -> bool:
    """Whether a response refuses by its HTTP status alone; a redirection does as well."""
    return response.status_code not in range(200, 300) and not _is_error(answer)


def _is_limited(response: requests.Response, answer: Any) -> bool:
    """Whether a node allows no more requests for now: as a whole, or one of a batch."""
    given = answer if isinstance(answer, list) else [answer]
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS or any(
        _is_error(each) and answers.is_rate_limit(each["error"]) for each in given
    )


def _pause(response: requests.Response) -> float:
    """Seconds until the node may be asked again (Retry-After, RFC 9110, section 10.2.3)."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return max(float(given[:9]), 0.1)
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return _PAUSE
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.1)

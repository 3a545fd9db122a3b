"""JSON-RPC requests to a node, one by one or in batches, with its errors as the library's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import ConnectionFailed, RequestFailed
from radledger.endpoints import shown
from radledger.texts import described

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["connection_errors", "genesis_hash", "request", "request_batch", "wrap"]

# A node takes at most this many requests at once without complaint (geth's limit is 1,000).
_BATCH = 250
# What geth answers to a request of a batch that is too long, takes too long, or whose answers do;
# others say of each request that they take no batch.
_OF_BATCHES = (-32600, -32002, -32003)
# Characters of the parameters of a batch: reverse proxies pass 1 MiB on, anvil takes 2 MB.
_BATCH_LENGTH = 900_000


def wrap(web3: Web3) -> Web3:
    """A Web3 of the library's own over the provider of another one.

    What others put between, as Brownie does, changes how a node's refusals look.
    """
    from web3 import Web3

    own = Web3(web3.provider)
    # It asks for the chain id twice around each call, which the genesis hash has settled, and
    # refuses proof-of-authority blocks, whose extraData is longer than 32 bytes.
    own.middleware_onion.remove("validation")
    return own


def request(web3: Web3, method: str, parameters: Sequence[Any]) -> Any:
    """Send one JSON-RPC request and return the result as the node gave it.

    Raises
    ------
    ConnectionFailed
        If nothing answers.
    RequestFailed
        If the node answers with an error; ``values["data"]`` has the revert data where it says.
    """
    with connection_errors(web3):
        answer: Any = web3.provider.make_request(method, parameters)  # type: ignore[arg-type]
    return _result(method, answer)


def request_batch(web3: Web3, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """Send many JSON-RPC requests at once and return each result, or the :class:`RequestFailed`
    it met, in order.

    A batch that the node does not take, or not answer as a whole, is sent in halves, at last one by
    one.
    """
    return [result for part in _parts(calls) for result in _results(web3, part)]


def _results(web3: Web3, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    with connection_errors(web3):
        provider: Any = web3.provider
        answers: Any = provider.make_batch_request(list(calls))
    if isinstance(answers, list):
        # Sorted by id; a node or what stands before it may leave one out, or answer twice.
        answers = list({answer.get("id"): answer for answer in answers}.values())
    if not isinstance(answers, list) or len(answers) != len(calls):
        if len(calls) == 1:
            return [_alone(web3, *calls[0])]
        middle = len(calls) // 2
        return _results(web3, calls[:middle]) + _results(web3, calls[middle:])
    return [
        _alone(web3, *call)
        if _is_refused_in_batch(answer)
        else _or_error(partial(_result, call[0], answer))
        for call, answer in zip(calls, answers, strict=True)
    ]


def _alone(web3: Web3, method: str, parameters: Sequence[Any]) -> Any:
    return _or_error(partial(request, web3, method, parameters))


def _is_refused_in_batch(answer: Any) -> bool:
    """Whether a request may be answered that is sent by itself."""
    error = answer.get("error")
    return isinstance(error, dict) and error.get("code") in _OF_BATCHES


def _or_error(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except RequestFailed as error:
        return error


def _parts(
    calls: Sequence[tuple[str, Sequence[Any]]],
) -> Iterator[Sequence[tuple[str, Sequence[Any]]]]:
    """Calls in the batches that a node takes."""
    start = length = 0
    for end, (_, parameters) in enumerate(calls):
        size = len(json.dumps(parameters, default=str))
        if end - start == _BATCH or (end > start and length + size > _BATCH_LENGTH):
            yield calls[start:end]
            start, length = end, 0
        length += size
    if start < len(calls):
        yield calls[start:]


def genesis_hash(web3: Web3) -> str:
    """Hash of block 0, which tells chains of the same id apart."""
    block = request(web3, "eth_getBlockByNumber", ["0x0", False])
    return str(block["hash"])


@contextmanager
def connection_errors(web3: Web3) -> Iterator[None]:
    """Raise :class:`ConnectionFailed` for whatever another provider's transport raises inside.

    That of :mod:`radledger.chain.node` raises it itself.
    """
    from requests.exceptions import RequestException
    from web3.exceptions import BadResponseFormat, CannotHandleRequest, ProviderConnectionError

    failures = (
        RequestException,
        OSError,
        ValueError,
        BadResponseFormat,
        CannotHandleRequest,
        ProviderConnectionError,
    )
    try:
        yield
    except failures as error:
        uri = getattr(web3.provider, "endpoint_uri", None)
        endpoint = type(web3.provider).__name__ if uri is None else shown(str(uri))
        raise ConnectionFailed(
            f"no Ethereum node answers at {endpoint}; start it, or name another network",
            endpoint=endpoint,
            cause=type(error).__name__,
        ) from None  # its text may hold the key in the node's address


def _result(method: str, answer: Any) -> Any:
    if not isinstance(answer, dict):
        answer = {"error": {"message": f"it answers with {described(answer)}"}}
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        error = {"message": str(error)}
    message = str(error.get("message", "no reason given"))
    raise RequestFailed(
        f"the node refused {method}: {message}",
        method=method,
        code=error.get("code"),
        reason=message,
        data=error.get("data"),
    )

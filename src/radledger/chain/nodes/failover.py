"""A web3 provider over several nodes of a chain.

Requests go to one node for as long as it can be relied on, so that what was written there is read
there; when it cannot be reached, to the next.  Every few seconds all nodes are surveyed
(:mod:`~radledger.chain.nodes.survey`), and those that lag, forked or serve another chain are left
out.  What decides, a view or events, is asked of a second node as well
(:mod:`~radledger.chain.nodes.compare`), and a node that most others contradict is left out for
good.

A request may reach two nodes: sending a signed transaction twice does nothing the second time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from web3.providers import JSONBaseProvider

from radledger.chain.errors import ConnectionFailed, NodesDisagree
from radledger.chain.nodes import compare
from radledger.chain.nodes.http import HttpNode
from radledger.chain.nodes.survey import SETTLED, NodeState, outage, survey
from radledger.endpoints import shown

__all__ = ["FailoverProvider"]

_LOG = logging.getLogger(__name__)
_SURVEY_EVERY = 5.0
_TIMEOUT = (3.0, 30.0)  # to connect, and to be answered
_PROBE_TIMEOUT = (2.0, 10.0)  # a busy node is not silent yet


class FailoverProvider(JSONBaseProvider):
    """A provider over several nodes.

    Parameters
    ----------
    endpoints
        JSON-RPC addresses, the preferred one first.
    chain_id
        The chain that is meant (EIP-155); None: the one that most serve.
    confirmations
        How many blocks below its head a transaction counts, and so branches are compared.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        chain_id: int | None = None,
        confirmations: int = 0,
    ) -> None:
        super().__init__()
        self._chain_id = chain_id
        self._depth = confirmations
        # Another node is asked where one fails, instead of the same again.
        named = _named(endpoints)
        self._nodes = {name: HttpNode(each, timeout=_TIMEOUT) for name, each in named.items()}
        self._probes = {
            name: HttpNode(each, timeout=_PROBE_TIMEOUT) for name, each in named.items()
        }
        self._states: dict[str, NodeState] = {}
        self._contradicted: set[str] = set()
        self._current: str | None = None
        self._surveyed = 0.0
        self._lock = threading.RLock()

    @property
    def endpoint_uri(self) -> str:
        """The nodes' addresses, for display."""
        return ", ".join(self._nodes)

    def states(self) -> list[NodeState]:
        """The present state of each node."""
        found = survey(self._probes, chain_id=self._chain_id, depth=self._depth)
        with self._lock:
            for state in found:
                gone = state.endpoint in self._contradicted and state.state == "good"
                self._states[state.endpoint] = (
                    replace(state, state="contradicted") if gone else state
                )
            self._surveyed = time.monotonic()
            return list(self._states.values())

    # ------------------------------------------------------------------------------ requests

    def make_request(self, method: Any, params: Any) -> Any:
        """Send a request to a healthy node, and compare the answer if a decision depends on it.

        Raises
        ------
        ConnectionFailed
            If there is no such node.
        NodesDisagree
            If nodes tell different things, and no majority of them the same.
        """
        answered, answer = self._sent(lambda node: node.make_request(method, params))
        return self._compared(str(method), params, answered, answer)

    def make_batch_request(self, batch_requests: Any) -> Any:
        """Send a batch to a healthy node, and compare the answers on which a decision depends.

        Raises
        ------
        ConnectionFailed, NodesDisagree
            As :meth:`make_request` does.
        """
        calls = list(batch_requests)
        answered, answers = self._sent(lambda node: node.make_batch_request(calls))
        if answers is None:  # the node takes no such batch
            return None
        return [
            self._compared(str(method), params, answered, answer)
            for (method, params), answer in zip(calls, answers, strict=True)
        ]

    def _sent(self, send: Callable[[HttpNode], Any]) -> tuple[str, Any]:
        """The node that answered, the current one or a replacement, and the answer."""
        for _ in range(2):
            for endpoint in self._reliable():
                try:
                    answer = send(self._nodes[endpoint])
                except ConnectionFailed as error:
                    self._leave_out(endpoint, outage(error), error.message)
                else:
                    self._current = endpoint
                    return endpoint, answer
        raise self._no_answer()

    def _reliable(self) -> list[str]:
        """Healthy nodes: the current one, then those with the latest block."""
        good = self._good()
        if not good:
            self.states()
            good = self._good()
        elif time.monotonic() - self._surveyed > _SURVEY_EVERY:
            # In the background: a node that does not answer would block the caller.
            self._surveyed = time.monotonic()
            threading.Thread(target=self._look_again, daemon=True).start()
        good.sort(key=lambda each: (each.endpoint != self._current, -(each.block or 0)))
        return [each.endpoint for each in good]

    def _look_again(self) -> None:
        with contextlib.suppress(RuntimeError):  # the interpreter is ending
            self.states()

    def _good(self) -> list[NodeState]:
        with self._lock:
            return [each for each in self._states.values() if each.state == "good"]

    def _leave_out(self, endpoint: str, state: str, reason: str | None = None) -> None:
        with self._lock:
            if state == "contradicted":
                self._contradicted.add(endpoint)
            self._states[endpoint] = replace(self._states[endpoint], state=state, reason=reason)

    def _no_answer(self) -> ConnectionFailed | NodesDisagree:
        told = "; ".join(f"{each.endpoint} {each.state}" for each in self._states.values())
        states = {each.endpoint: each.state for each in self._states.values()}
        if "forked" in states.values():
            return NodesDisagree(
                f"the nodes are on different branches of the chain ({told}); find out which is "
                "right, and name only nodes on it",
                nodes=states,
            )
        return ConnectionFailed(
            f"no node can be relied on: {told}; `radledger network status` says why; start one, or "
            "name other nodes",
            nodes=states,
        )

    # --------------------------------------------------------------------------- comparisons

    def _compared(self, method: str, params: Any, answered: str, answer: Any) -> Any:
        """The answer, if a second node gives the same; else the one of most nodes."""
        if not compare.is_compared(method, answer):
            return answer
        for other in self._reliable():
            if other == answered:
                continue
            second = self._asked(other, method, params)
            if second is None:
                continue
            if compare.same(answer, second):
                return answer
            return self._settled(method, params, answered, answer)
        return answer

    def _settled(self, method: str, params: Any, answered: str, answer: Any) -> Any:
        """Ask all nodes about a block that all have, and leave out those that most contradict."""
        heights = [state.block or 0 for state in self.states() if state.state == "good"]
        number = max(0, min(heights, default=0) - SETTLED)
        fixed = compare.at_block(method, params, number)
        answers = self._asked_all(method, fixed)
        right = compare.majority(answers)
        if right is None:
            raise NodesDisagree(
                f"of {len(answers)} nodes no majority gives the same answer to {method} at block "
                f"{number}; find out which is right, and name only such",
                method=method,
                block=number,
                nodes=sorted(answers),
            )
        for endpoint in answers.keys() - right:
            self._leave_out(endpoint, "contradicted")
            _LOG.warning(
                "%s is left out: most other nodes contradict its answer to %s at block %d; have "
                "its data checked",
                *(endpoint, method, number),
            )
        if answered in right:
            return answer
        return self.make_request(method, params)

    def _asked_all(self, method: str, params: Any) -> dict[str, Any]:
        endpoints = self._reliable()
        with ThreadPoolExecutor(max_workers=len(self._nodes)) as pool:
            answers = pool.map(lambda endpoint: self._asked(endpoint, method, params), endpoints)
            told = zip(endpoints, answers, strict=True)
            return {endpoint: answer for endpoint, answer in told if answer is not None}

    def _asked(self, endpoint: str, method: str, params: Any) -> Any | None:
        """What a node answers that can be compared; None if nothing."""
        try:
            answer = self._nodes[endpoint].make_request(method, params)
        except ConnectionFailed as error:
            self._leave_out(endpoint, outage(error), error.message)
            return None
        return answer if compare.is_compared(method, answer) else None


def _named(endpoints: Sequence[str]) -> dict[str, str]:
    """Each endpoint by what may be shown of it, which is the same for two keys of one provider."""
    named: dict[str, str] = {}
    for endpoint in endpoints:
        name = shown(endpoint)
        alike = sum(shown(each) == name for each in named.values())
        named[f"{name} ({alike + 1})" if alike else name] = endpoint
    return named

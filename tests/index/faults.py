"""A node that answers wrongly now and then, and a process that is killed."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

import requests
import sqlalchemy


class Killed(BaseException):
    """The process ends here; nothing catches it."""


class FaultyProvider:
    """Passes requests on to a node, and spoils one in a few of them or of their answers.

    What it does is what happens: connections break, nodes refuse, answers come twice or not at
    all, a block's events are not there yet, and the chain is reorganised between two requests.
    """

    def __init__(self, provider, random, reorganise):
        self._provider, self._random, self._reorganise = provider, random, reorganise
        self.endpoint_uri = provider.endpoint_uri
        self.probability = 0.0
        self.count = Counter()

    def make_request(self, method, parameters):
        fault = self._fault()
        if fault in ("refused", "missing"):
            return {"id": 1, "error": {"code": -32000, "message": "try again"}}
        answer = self._provider.make_request(method, parameters)
        if method == "eth_getLogs" and "result" in answer:
            return {**answer, "result": self._spoilt(fault, answer["result"])}
        return answer

    def make_batch_request(self, calls):
        fault = self._fault()
        if fault == "refused":
            return {"id": None, "error": {"code": -32000, "message": "try again"}}
        answers = self._provider.make_batch_request(calls)
        at = self._random.randrange(len(answers))
        if fault == "missing":
            return answers[:at] + answers[at + 1 :]
        if fault == "empty":
            return [*answers[:at], {**answers[at], "result": None}, *answers[at + 1 :]]
        if fault == "twice":
            return [*answers[:at], answers[at], *answers[at:]]
        return answers

    def _fault(self):
        """What goes wrong with this request, if anything."""
        if self._random.random() >= self.probability:
            return None
        kinds = ("broken", "refused", "missing", "empty", "twice", "moved", "killed")
        fault = self._random.choice(kinds)
        self.count[fault] += 1
        if fault == "broken":
            raise requests.ConnectionError
        if fault == "killed":
            raise Killed
        if fault == "moved":
            self._reorganise()
        return fault

    def _spoilt(self, fault, logs):
        if not logs:
            return logs
        chosen = self._random.choice(logs)
        if fault == "twice":
            return [*logs, chosen]
        if fault == "empty":
            return [log for log in logs if log["blockHash"] != chosen["blockHash"]]
        return logs


@contextmanager
def killed_at(engine, statement):
    """End the process before the so many-th statement to the database."""
    left = statement

    def count_down(*_):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    sqlalchemy.event.listen(engine, "before_cursor_execute", count_down)
    try:
        yield
    finally:
        sqlalchemy.event.remove(engine, "before_cursor_execute", count_down)

"""The state of ``AlgorithmRegistry``: every version, and whether it was recalled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radledger.area.fold import View

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["AlgorithmState"]


class AlgorithmState:
    """Versions of algorithms by id; registrations and executions leave no state.

    Examples
    --------
    >>> list(AlgorithmState().views(now=0))
    []
    """

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, str | int]] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        if event.name == "AlgorithmVersionPublished":
            self._versions[event.args["version"]] = {
                "institution": event.args["institution"],
                "publishedAt": event.timestamp,
                "recalledAt": 0,
            }
        elif event.name == "AlgorithmVersionRecalled":
            self._versions[event.args["version"]]["recalledAt"] = event.timestamp

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, version in self._versions.items():
            yield View("AlgorithmRegistry", "versionOf", (id_,), (version,))

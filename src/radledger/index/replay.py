"""The state of every contract, rebuilt in Python from the events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from radledger.area.declaration import load
from radledger.areas import CONTRACTS

if TYPE_CHECKING:
    from radledger.area.fold import Fold, View
    from radledger.chain.events import Event

__all__ = ["UNUSABLE", "replay"]

UNUSABLE = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised where an event is none that the contracts emit: another program has written it."""


def replay(events: Iterable[Event], now: int, unusable: Callable[[Event], None]) -> Iterator[View]:
    """What every view of every contract must answer after these events.

    Parameters
    ----------
    events
        From the deployment on, in the order of the chain.
    now
        Unix time at which the views will be asked.
    unusable
        Called with an event that no contract emits: another program has written it.
    """
    states: dict[str, Fold] = {
        name: load(contract.state)() for name, contract in CONTRACTS.items() if contract.state
    }
    for event in events:
        try:
            states[event.contract].apply(event)
        except UNUSABLE:
            unusable(event)
    for state in states.values():
        yield from state.views(now)

"""The state of every contract, rebuilt in Python from the events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from radledger.index.replay.consent import ConsentState
from radledger.index.replay.identity import ForwarderState, IdentityState, ParticipantState
from radledger.index.replay.imaging import ImageState
from radledger.index.replay.research import DatasetState
from radledger.index.replay.view import State, View

if TYPE_CHECKING:
    from radledger.index.events import ChainEvent

__all__ = ["View", "replay"]

_STATES: dict[str, type[State]] = {
    "Forwarder": ForwarderState,
    "IdentityRegistry": IdentityState,
    "ParticipantRegistry": ParticipantState,
    "ImageRegistry": ImageState,
    "ConsentRegistry": ConsentState,
    "DatasetRegistry": DatasetState,
}


def replay(
    events: Iterable[ChainEvent], now: int, unusable: Callable[[ChainEvent], None]
) -> Iterator[View]:
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
    states = {contract: state() for contract, state in _STATES.items()}
    for event in events:
        try:
            states[event.contract].apply(event)
        except (LookupError, TypeError, ValueError):
            unusable(event)
    for state in states.values():
        yield from state.views(now)

"""The events of a story, as its contracts recorded them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.chain import artifacts

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger
    from radledger.demo.runner import Record

__all__ = ["StoryEvent", "story_events"]


@dataclass(frozen=True)
class StoryEvent:
    """An event, and the number of the step in which it was recorded."""

    step: int
    event: Event


def story_events(ledger: Ledger, records: Sequence[Record]) -> list[StoryEvent]:
    """All events of a story's transactions, read from the chain, in the order of the ledger."""
    steps = {each.hash: record.number for record in records for each in record.transactions}
    first = min(each.block for record in records for each in record.transactions)
    found = [
        event
        for contract in ledger.deployment.contracts
        for entry in artifacts.load(contract).abi
        if entry["type"] == "event"
        for event in ledger.events(contract, entry["name"], from_block=first)
        if event.transaction in steps
    ]
    found.sort(key=lambda event: (event.block, event.log_index))
    return [StoryEvent(steps[event.transaction], event) for event in found]

"""Runs a story, compares what happens with what is expected, and records it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.chain.rpc import request, request_batch
from radledger.demo.checks import Unexpected
from radledger.demo.environment import move_clock
from radledger.demo.step import StepOutcome
from radledger.errors import RadLedgerError
from radledger.wording import humanize

if TYPE_CHECKING:
    from radledger.demo.stage import Stage
    from radledger.demo.step import Chapter, Step

__all__ = ["Record", "StepFailed", "Transaction", "run"]


class StepFailed(Exception):
    """A step did not do what the story expects."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(f"step “{step.name}”: {reason}")
        self.step = step


@dataclass(frozen=True)
class Transaction:
    """A mined transaction of a person in the story.

    ``function`` is ``Contract.function``, or ``Contract`` alone for a creation; ``sender`` a name.
    """

    hash: str
    block: int
    timestamp: int
    sender: str
    function: str
    gas: int


@dataclass(frozen=True)
class Record:
    """What happened in a step.

    Attributes
    ----------
    number, chapter, step
        Which, from 1 on.
    outcome
        What came of it; of a refusal, its message.
    refused
        Name of the error that refused it.
    values
        The values that decided the refusal.
    seconds
        How long it took.
    transactions
        All that were mined meanwhile.
    """

    number: int
    chapter: Chapter
    step: Step
    outcome: StepOutcome
    refused: str | None
    values: dict[str, Any] = field(hash=False)
    seconds: float
    transactions: tuple[Transaction, ...]

    @property
    def gas(self) -> int:
        """Gas of all its transactions."""
        return sum(each.gas for each in self.transactions)


def run(story: Iterable[Chapter], stage: Stage, report: Callable[[Record], None]) -> list[Record]:
    """Play a story; its first step opens the stage.

    Steps that move the clock are skipped where the chain does not allow it.

    Parameters
    ----------
    story
        What is to happen.
    stage
        Where.
    report
        Called after each step.

    Raises
    ------
    StepFailed
        At the first step that does not do what the story expects.
    """
    records: list[Record] = []
    watch: _Watch | None = None
    clock_moves = False
    for chapter in story:
        for step in chapter.steps:
            if step.moves_time and not clock_moves:
                continue
            started = time.perf_counter()
            outcome, error = _played(step, stage)
            seconds = time.perf_counter() - started
            if watch is None:
                watch = _Watch(stage)
                clock_moves = move_clock(stage.ledger.web3, 0)
            records.append(
                Record(
                    number=len(records) + 1,
                    chapter=chapter,
                    step=step,
                    outcome=outcome,
                    refused=error.name if error else None,
                    values=error.values if error else {},
                    seconds=seconds,
                    transactions=tuple(watch.new_transactions()),
                )
            )
            report(records[-1])
    return records


def _played(step: Step, stage: Stage) -> tuple[StepOutcome, RadLedgerError | None]:
    """The outcome of a step, if it is the expected one; a refusal has its error."""
    try:
        outcome = step.act(stage)
    except RadLedgerError as error:
        if error.name == step.refusal:
            return StepOutcome(humanize(error)), error
        expected = f"refused with {step.refusal}" if step.refusal else "done"
        raise StepFailed(step, f"should be {expected}, met {error.name}: {error}") from error
    except Unexpected as error:
        raise StepFailed(step, str(error)) from error
    except Exception as error:
        raise StepFailed(step, f"{type(error).__name__}: {error}") from error
    if step.refusal:
        raise StepFailed(step, f"should be refused with {step.refusal}, but {outcome.text}")
    return outcome, None


class _Watch:
    """Tells what was mined since it was last asked."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen = stage.environment.first_block - 1

    def new_transactions(self) -> Iterator[Transaction]:
        """The transactions of people in the story, oldest first."""
        ledger = self._stage.ledger
        names = {account.address.lower(): name for name, account in self._stage.people.items()}
        names_of_contracts = {
            each.address.lower(): name for name, each in ledger.deployment.contracts.items()
        }
        latest = ledger.block_number()
        numbers = range(self._seen + 1, latest + 1)
        self._seen = latest
        questions = [("eth_getBlockByNumber", [hex(number), True]) for number in numbers]
        for block in request_batch(ledger.web3, questions):
            for sent in block["transactions"]:
                if sent["from"].lower() not in names:
                    continue
                receipt = request(ledger.web3, "eth_getTransactionReceipt", [sent["hash"]])
                contract = names_of_contracts.get(
                    (sent["to"] or receipt["contractAddress"] or "").lower(), ""
                )
                yield Transaction(
                    hash=sent["hash"],
                    block=int(block["number"], 16),
                    timestamp=int(block["timestamp"], 16),
                    sender=names[sent["from"].lower()],
                    function=_function(ledger, contract, sent),
                    gas=int(receipt["gasUsed"], 16),
                )


def _function(ledger: Any, contract: str, sent: dict[str, Any]) -> str:
    """Contract and function of a transaction, ``transfer of Ether`` where it has neither."""
    if not contract:
        return "transfer of Ether"
    if not sent["to"]:
        return contract
    found = ledger.contract(contract).get_function_by_selector(sent["input"][:10])
    return f"{contract}.{found.fn_name}"

"""The state of ``AlgorithmRegistry``: algorithms, versions, recalls and executions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.algorithms.ids import execution_id, family_text, training_text
from radledger.algorithms.model import Algorithm, Execution, ExecutionBatch, Version
from radledger.area.fold import NOTHING, Fold, View
from radledger.consent import duo
from radledger.consent.diseases import decode_disease

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["AlgorithmState", "executed_id"]


def executed_id(args: Mapping[str, Any]) -> str:
    """The id of the execution that the arguments of ``AlgorithmExecutionRecorded`` describe."""
    names = ("version", "operator", "images", "use", "output")
    return execution_id(**{name: args[name] for name in names})


@dataclass
class _Version:
    published: Event
    recalled: Event | None = None
    executions: dict[str, Execution] = field(default_factory=dict)
    batches: list[ExecutionBatch] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """What ``versionOf`` answers."""
        return {
            "institution": self.published.args["institution"],
            "publishedAt": self.published.timestamp,
            "recalledAt": self.recalled.timestamp if self.recalled else 0,
        }

    def as_version(self) -> Version:
        args, stated = self.published.args, self.published.args["newVersion"]
        return Version(
            version_id=args["version"],
            algorithm_id=args["algorithm"],
            institution=args["institution"],
            label=args["label"],
            digest=stated["digest"],
            trained_on=training_text(stated["dataset"], stated["datasetVersion"]),
            conditions=_present(stated["conditions"]),
            parent=_present(stated["parent"]),
            developers=tuple(args["developers"]),
            published_at=self.published.timestamp,
            transaction=self.published.transaction,
            recalled_at=self.recalled.timestamp if self.recalled else None,
            recalled_by=self.recalled.args["actor"] if self.recalled else None,
            notice=_present(self.recalled.args["notice"]) if self.recalled else None,
            executions=tuple(self.executions.values()),
            batches=tuple(self.batches),
        )


class AlgorithmState(Fold):
    """Algorithms and versions by id, in the order in which they were first named.

    Examples
    --------
    >>> AlgorithmState.of([]).algorithms()
    []
    """

    def __init__(self) -> None:
        self._institutions: dict[str, str] = {}
        self._registered: dict[str, Event] = {}
        self._versions: dict[str, _Version] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        if "algorithm" in args:
            self._institutions.setdefault(args["algorithm"], args["institution"])
        if event.name == "AlgorithmRegistered":
            self._registered[args["algorithm"]] = event
            return
        if event.name == "AlgorithmVersionPublished":
            self._versions[args["version"]] = _Version(event)
            return
        version = self._versions.get(args["version"])
        if version is None:
            return  # its publication is missing, which the comparison of the events names
        match event.name:
            case "AlgorithmVersionRecalled":
                version.recalled = event
            case "AlgorithmExecutionRecorded":
                execution = _execution(event)
                version.executions.setdefault(execution.execution_id, execution)
            case "AlgorithmExecutionsRecorded":
                version.batches.append(_batch(event))

    def algorithms(self) -> list[Algorithm]:
        """Everything that is known of each algorithm."""
        versions: dict[str, list[Version]] = {id_: [] for id_ in self._institutions}
        for version in self.versions():
            versions[version.algorithm_id].append(version)
        return [self._algorithm(id_, of_it) for id_, of_it in versions.items()]

    def versions(self) -> list[Version]:
        """Everything that is known of each version."""
        return [version.as_version() for version in self._versions.values()]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, version in self._versions.items():
            yield View("AlgorithmRegistry", "versionOf", (id_,), (version.record(),))

    def _algorithm(self, id_: str, versions: Iterable[Version]) -> Algorithm:
        registered = self._registered.get(id_)
        return Algorithm(
            algorithm_id=id_,
            institution=self._institutions[id_],
            name=registered.args["name"] if registered else None,
            family=family_text(registered.args["family"]) if registered else None,
            versions=tuple(versions),
        )


def _execution(event: Event) -> Execution:
    args, use = event.args, event.args["use"]
    return Execution(
        execution_id=executed_id(args),
        operator=args["operator"],
        output=args["output"],
        images=tuple(args["images"]),
        purposes=duo.purpose_names(use["purposes"]),
        fulfilled=duo.condition_names(use["fulfilled"]),
        disease=decode_disease(bytes.fromhex(use["disease"][2:])),
        grant_ids=tuple(args["grantIds"]),
        timestamp=event.timestamp,
        transaction=event.transaction,
    )


def _batch(event: Event) -> ExecutionBatch:
    args = event.args
    return ExecutionBatch(
        root=args["root"],
        count=args["count"],
        operator=args["operator"],
        timestamp=event.timestamp,
        transaction=event.transaction,
    )


def _present(digest: str) -> str | None:
    return None if digest == NOTHING else digest

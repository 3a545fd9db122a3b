"""The state of ``DatasetRegistry``, to the last unit of money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.index.replay.view import View

if TYPE_CHECKING:
    from radledger.index.events import ChainEvent

__all__ = ["DatasetState"]

_BINARY_PLACES = 24
_COUNTED, _WITHDRAWN = 1, 2
_CONTRACT = "DatasetRegistry"


@dataclass
class _Contributor:
    weight: int = 0
    accrued: int = 0
    per_weight: int = 0
    free: bool = False


@dataclass
class _Class:
    """A class of contributors; the arithmetic is that of ``RewardAccounts.sol``."""

    weight: int = 0
    per_weight: int = 0
    contributors: defaultdict[str, _Contributor] = field(
        default_factory=lambda: defaultdict(_Contributor)
    )

    def due(self, contributor: _Contributor) -> int:
        earned = contributor.weight * (self.per_weight - contributor.per_weight)
        return contributor.accrued + (0 if contributor.free else earned >> _BINARY_PLACES)

    def credit(self, beneficiary: str, paid: int = 0) -> _Contributor:
        contributor = self.contributors[beneficiary]
        contributor.accrued = self.due(contributor) - paid
        contributor.per_weight = self.per_weight
        return contributor

    def add(self, beneficiary: str, weight: int) -> None:
        contributor = self.credit(beneficiary)
        contributor.weight += weight
        self.weight += 0 if contributor.free else weight

    def choose(self, beneficiary: str, *, free: bool) -> None:
        contributor = self.credit(beneficiary)
        if contributor.free != free:
            self.weight += -contributor.weight if free else contributor.weight
        contributor.free = free

    def share(self, amount: int) -> None:
        self.per_weight += (amount << _BINARY_PLACES) // self.weight


@dataclass
class _Dataset:
    record: dict[str, Any]
    classes: tuple[_Class, ...] = field(default_factory=lambda: tuple(_Class() for _ in range(4)))
    contributions: dict[tuple[int, str, str], dict[str, int]] = field(default_factory=dict)
    versions: dict[int, str] = field(default_factory=dict)

    def fund(self, received: int) -> None:
        """A class in which nobody has a weight leaves its part to the others."""
        shares = [
            share if of_class.weight else 0
            for share, of_class in zip(self.record["shares"], self.classes, strict=True)
        ]
        for share, of_class in zip(shares, self.classes, strict=True):
            if share:
                of_class.share(received * share // sum(shares))


class DatasetState:
    """Data sets, contributions, versions, and what is due to whom."""

    def __init__(self) -> None:
        self._datasets: dict[str, _Dataset] = {}

    def apply(self, event: ChainEvent) -> None:
        """Do what the contract did."""
        args = event.arguments
        if event.name == "DatasetCreated":
            self._datasets[args["dataset"]] = _Dataset(_record(args))
            return
        dataset = self._datasets.get(args["dataset"])
        if dataset is None:
            return  # the creation is missing, which the comparison of the events names
        match event.name:
            case "ContributionMade":
                key = (args["class"], args["item"], args["beneficiary"])
                dataset.contributions[key] = {
                    "weight": args["weight"],
                    "contributedAt": event.timestamp,
                    "state": _COUNTED,
                }
                dataset.classes[args["class"]].add(args["beneficiary"], args["weight"])
            case "ContributionWithdrawn":
                key = (args["class"], args["item"], args["beneficiary"])
                contribution = dataset.contributions.setdefault(key, {"weight": 0})
                contribution["state"] = _WITHDRAWN
                weight = -contribution["weight"]
                dataset.classes[args["class"]].add(args["beneficiary"], weight)
            case "FreeContributionChosen":
                of_class = dataset.classes[args["class"]]
                of_class.choose(args["beneficiary"], free=args["free"])
            case "DatasetFunded":
                dataset.fund(args["received"])
            case "RewardClaimed":
                dataset.classes[args["class"]].credit(args["beneficiary"], args["amount"])
            case "VersionFrozen":
                dataset.versions[args["version"]] = args["root"]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, dataset in self._datasets.items():
            record = {**dataset.record, "versions": len(dataset.versions)}
            yield View(_CONTRACT, "datasetOf", (id_,), (record,))
            for version, root in dataset.versions.items():
                yield View(_CONTRACT, "versionOf", (id_, version), (root,))
            for (number, *rest), contribution in dataset.contributions.items():
                yield View(_CONTRACT, "contributionOf", (id_, number, *rest), (contribution,))
            for number, of_class in enumerate(dataset.classes):
                yield View(_CONTRACT, "weightOf", (id_, number), (of_class.weight,))
                for beneficiary, each in of_class.contributors.items():
                    answers = (each.weight, of_class.due(each), each.free)
                    yield View(_CONTRACT, "contributorOf", (id_, number, beneficiary), answers)


def _record(args: Mapping[str, Any]) -> dict[str, Any]:
    terms = args["terms"]
    return {
        "institution": args["institution"],
        "rule": terms["rule"],
        "use": terms["use"],
        "shares": terms["shares"],
        "vault": args["vault"],
    }

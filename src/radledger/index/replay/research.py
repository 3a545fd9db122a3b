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
_COUNTED, _SUSPENDED, _WITHDRAWN = 1, 2, 3
_DATA, _CUSTODY = 0, 1
_RENEWAL_PERIOD = 30 * 24 * 3600
_MOST_ACCRUED = 2**96 - 1
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
        """What leaves and what chooses keeps 96 bits; what enters has no more, or is refused."""
        contributor = self.contributors[beneficiary]
        contributor.accrued = min(self.due(contributor) - paid, _MOST_ACCRUED)
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
class _Contribution:
    """A contribution and who earns with it, in the order of the classes."""

    weight: int
    contributed_at: int
    earners: tuple[str, ...]
    custody: bool = False
    state: int = _COUNTED
    suspended_at: int = 0

    def record(self, now: int) -> dict[str, Any]:
        """What a view answers: a suspension that lasted for the whole period is the end."""
        over = self.state == _SUSPENDED and now >= self.suspended_at + _RENEWAL_PERIOD
        return {
            "weight": self.weight,
            "contributedAt": self.contributed_at,
            "suspendedAt": self.suspended_at,
            "state": _WITHDRAWN if over else self.state,
            "custody": self.custody,
        }


@dataclass
class _Dataset:
    record: dict[str, Any]
    classes: tuple[_Class, ...] = field(default_factory=lambda: tuple(_Class() for _ in range(4)))
    image_sets: dict[str, _Contribution] = field(default_factory=dict)
    works: dict[tuple[int, str, str], _Contribution] = field(default_factory=dict)
    versions: dict[int, str] = field(default_factory=dict)

    def change(self, name: str, image: str, timestamp: int) -> None:
        """Suspend or resume an image set, or end it or its custody."""
        contribution = self.image_sets[image]
        counted = contribution.state == _COUNTED
        match name:
            case "DatasetCustodyWithdrawn":
                if counted:
                    self.classes[_CUSTODY].add(contribution.earners[_CUSTODY], -contribution.weight)
                contribution.custody = False
            case "DatasetImageResumed":
                contribution.state, contribution.suspended_at = _COUNTED, 0
                self.enter_image_set(image, 1)
            case _:
                if counted:
                    self.enter_image_set(image, -1)
                suspended = name == "DatasetImageSuspended"
                contribution.state = _SUSPENDED if suspended else _WITHDRAWN
                contribution.suspended_at = timestamp if suspended else 0

    def enter_image_set(self, image: str, sign: int) -> None:
        """Add an image set's weight to its accounts, or with -1 take it out."""
        contribution = self.image_sets[image]
        for number in (_DATA, _CUSTODY) if contribution.custody else (_DATA,):
            earner = contribution.earners[number]
            self.classes[number].add(earner, sign * contribution.weight)

    def fund(self, received: int) -> None:
        """A class without a weight leaves its part to the others."""
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
            case "DatasetImageContributed":
                dataset.image_sets[args["image"]] = _Contribution(
                    args["weight"],
                    event.timestamp,
                    earners=(args["patient"], args["custodian"]),
                    custody=True,
                )
                dataset.enter_image_set(args["image"], 1)
            case (
                "DatasetImageWithdrawn"
                | "DatasetCustodyWithdrawn"
                | "DatasetImageSuspended"
                | "DatasetImageResumed"
            ):
                dataset.change(event.name, args["image"], event.timestamp)
            case "DatasetWorkContributed":
                key = (args["class"], args["contributor"], args["work"])
                contributor = (args["contributor"],)
                dataset.works[key] = _Contribution(args["weight"], event.timestamp, contributor)
                dataset.classes[args["class"]].add(args["contributor"], args["weight"])
            case "DatasetWorkWithdrawn":
                work = dataset.works[args["class"], args["contributor"], args["work"]]
                work.state = _WITHDRAWN
                dataset.classes[args["class"]].add(args["contributor"], -work.weight)
            case "DatasetFreeSet":
                of_class = dataset.classes[args["class"]]
                of_class.choose(args["beneficiary"], free=args["free"])
            case "DatasetFunded":
                dataset.fund(args["received"])
            case "DatasetRewardClaimed":
                dataset.classes[args["class"]].credit(args["beneficiary"], args["amount"])
            case "DatasetVersionFrozen":
                dataset.versions[args["version"]] = args["root"]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, dataset in self._datasets.items():
            record = {**dataset.record, "versions": len(dataset.versions)}
            yield View(_CONTRACT, "datasetOf", (id_,), (record,))
            for version, root in dataset.versions.items():
                yield View(_CONTRACT, "versionOf", (id_, version), (root,))
            for image, contribution in dataset.image_sets.items():
                yield View(_CONTRACT, "imageSetOf", (id_, image), (contribution.record(now),))
            for key, contribution in dataset.works.items():
                yield View(_CONTRACT, "workOf", (id_, *key), (contribution.record(now),))
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
        "mostInstances": terms["mostInstances"],
        "use": terms["use"],
        "shares": terms["shares"],
        "vault": args["vault"],
    }

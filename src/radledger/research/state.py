"""The state of ``DatasetRegistry``, to the last unit of money."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.area.fold import NOTHING, Fold, View
from radledger.consent import duo
from radledger.consent.diseases import decode_disease
from radledger.research.bindings import Class, DatasetContributions, RewardAccounts
from radledger.research.bindings import ContributionState as State
from radledger.research.model import CLASSES, RULES, Contribution, Dataset, DatasetTerms, Share

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["DatasetState"]

_DATA, _CUSTODY = Class.DATA.number, Class.CUSTODY.number
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
        return contributor.accrued + (
            0 if contributor.free else earned >> RewardAccounts.BINARY_PLACES
        )

    def credit(self, beneficiary: str, paid: int = 0) -> _Contributor:
        """What leaves and what chooses keeps 96 bits; what enters has no more, or is refused."""
        contributor = self.contributors[beneficiary]
        contributor.accrued = min(self.due(contributor) - paid, RewardAccounts.MOST_UNITS)
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
        self.per_weight += (amount << RewardAccounts.BINARY_PLACES) // self.weight


@dataclass
class _Contribution:
    """A contribution and who earns with it, in the order of the classes."""

    made: Event
    earners: tuple[str, ...]
    custody: bool = False
    state: State = State.COUNTED
    suspended_at: int = 0

    @property
    def weight(self) -> int:
        return int(self.made.args["weight"])

    @property
    def ends_at(self) -> int:
        """When a suspension is the end."""
        return self.suspended_at + DatasetContributions.RENEWAL_PERIOD

    def state_at(self, now: int) -> State:
        """A suspension that lasted for the whole period is the end."""
        over = self.state is State.SUSPENDED and now >= self.ends_at
        return State.WITHDRAWN if over else self.state

    def record(self, now: int) -> dict[str, Any]:
        """What a view answers."""
        return {
            "weight": self.weight,
            "contributedAt": self.made.timestamp,
            "suspendedAt": self.suspended_at,
            "state": self.state_at(now).number,
            "custody": self.custody,
        }

    def contributions(self, now: int) -> Iterator[Contribution]:
        """An image set is one contribution of data and one of custody; a work is one."""
        args = self.made.args
        work = "work" in args
        names = (CLASSES[args["class"]],) if work else ("data", "custody")
        for name, earner in zip(names, self.earners, strict=True):
            ended = name == "custody" and not self.custody
            state = State.WITHDRAWN if ended else self.state_at(now)
            yield Contribution(
                item=args["work"] if work else args["image"],
                contribution_class=name,
                beneficiary=earner,
                weight=self.weight,
                grant_id=args.get("grantId", NOTHING),
                state=state.value,
                ends_at=self.ends_at if state is State.SUSPENDED else None,
                transaction=self.made.transaction,
            )


_Key = str | tuple[int, str, str]
"""Of an image set its id; of a work its class, contributor and id."""


@dataclass
class _Dataset:
    created: Event
    classes: tuple[_Class, ...] = field(default_factory=lambda: tuple(_Class() for _ in CLASSES))
    contributions: dict[_Key, _Contribution] = field(default_factory=dict)
    versions: dict[int, str] = field(default_factory=dict)
    funded: int = 0
    paid: Counter[tuple[int, str]] = field(default_factory=Counter)

    def record(self) -> dict[str, Any]:
        """What ``datasetOf`` answers."""
        args, terms = self.created.args, self.created.args["terms"]
        return {
            "institution": args["institution"],
            **{name: terms[name] for name in ("rule", "mostInstances", "use", "shares")},
            "vault": args["vault"],
            "versions": len(self.versions),
        }

    def apply(self, event: Event) -> None:
        """Change it as the contract did."""
        args = event.args
        match event.name:
            case "DatasetImageContributed":
                earners = (args["patient"], args["custodian"])
                contribution = _Contribution(event, earners, custody=True)
                self.contributions[args["image"]] = contribution
                self.enter_image_set(args["image"], 1)
            case (
                "DatasetImageWithdrawn"
                | "DatasetCustodyWithdrawn"
                | "DatasetImageSuspended"
                | "DatasetImageResumed"
            ):
                self.change(event.name, args["image"], event.timestamp)
            case "DatasetWorkContributed":
                self.contributions[_work(args)] = _Contribution(event, (args["contributor"],))
                self.classes[args["class"]].add(args["contributor"], args["weight"])
            case "DatasetWorkWithdrawn":
                work = self.contributions[_work(args)]
                work.state = State.WITHDRAWN
                self.classes[args["class"]].add(args["contributor"], -work.weight)
            case "DatasetFreeSet":
                of_class = self.classes[args["class"]]
                of_class.choose(args["beneficiary"], free=args["free"])
            case "DatasetFunded":
                self.fund(args["received"])
            case "DatasetRewardClaimed":
                self.pay(args["class"], args["beneficiary"], args["amount"])
            case "DatasetVersionFrozen":
                self.versions[args["version"]] = args["root"]

    def change(self, name: str, image: str, timestamp: int) -> None:
        """Suspend or resume an image set, or end it or its custody."""
        contribution = self.contributions[image]
        counted = contribution.state is State.COUNTED
        match name:
            case "DatasetCustodyWithdrawn":
                if counted:
                    self.classes[_CUSTODY].add(contribution.earners[_CUSTODY], -contribution.weight)
                contribution.custody = False
            case "DatasetImageResumed":
                contribution.state, contribution.suspended_at = State.COUNTED, 0
                self.enter_image_set(image, 1)
            case _:
                if counted:
                    self.enter_image_set(image, -1)
                suspended = name == "DatasetImageSuspended"
                contribution.state = State.SUSPENDED if suspended else State.WITHDRAWN
                contribution.suspended_at = timestamp if suspended else 0

    def enter_image_set(self, image: str, sign: int) -> None:
        """Add an image set's weight to its accounts, or with -1 take it out."""
        contribution = self.contributions[image]
        for number in (_DATA, _CUSTODY) if contribution.custody else (_DATA,):
            earner = contribution.earners[number]
            self.classes[number].add(earner, sign * contribution.weight)

    def fund(self, received: int) -> None:
        """A class without a weight leaves its part to the others."""
        self.funded += received
        shares = [
            share if of_class.weight else 0
            for share, of_class in zip(
                self.created.args["terms"]["shares"], self.classes, strict=True
            )
        ]
        for share, of_class in zip(shares, self.classes, strict=True):
            if share:
                of_class.share(received * share // sum(shares))

    def pay(self, number: int, beneficiary: str, amount: int) -> None:
        """Pay a beneficiary of a class."""
        self.classes[number].credit(beneficiary, amount)
        self.paid[number, beneficiary] += amount

    def as_dataset(self, now: int) -> Dataset:
        """Everything that is known of it."""
        made = [each for entry in self.contributions.values() for each in entry.contributions(now)]
        contributors = dict.fromkeys((each.contribution_class, each.beneficiary) for each in made)
        shares = tuple(self._share(*each) for each in contributors)
        args = self.created.args
        return Dataset(
            dataset_id=args["dataset"],
            institution=args["institution"],
            curator=args["curator"],
            terms=_terms(args["terms"]),
            vault=args["vault"],
            weights=dict(zip(CLASSES, (each.weight for each in self.classes), strict=True)),
            contributions=tuple(made),
            shares=shares,
            versions=tuple(self.versions.values()),
            funded=self.funded,
            paid=self.paid.total(),
            due=sum(share.due for share in shares),
        )

    def _share(self, name: str, contributor: str) -> Share:
        number = CLASSES.index(name)
        of_class = self.classes[number]
        account = of_class.contributors[contributor]
        paid = self.paid[number, contributor]
        due = of_class.due(account)
        return Share(name, contributor, account.weight, account.free, due, paid)


class DatasetState(Fold):
    """Data sets, contributions, versions, and what is due to whom."""

    def __init__(self) -> None:
        self._datasets: dict[str, _Dataset] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        id_ = event.args["dataset"]
        if event.name == "DatasetCreated":
            self._datasets[id_] = _Dataset(event)
        elif id_ in self._datasets:  # else the comparison of the events names the missing creation
            self._datasets[id_].apply(event)

    def datasets(self, now: int) -> list[Dataset]:
        """Everything that is known of each data set, in the order of their creation."""
        return [dataset.as_dataset(now) for dataset in self._datasets.values()]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for id_, dataset in self._datasets.items():
            yield View(_CONTRACT, "datasetOf", (id_,), (dataset.record(),))
            for version, root in dataset.versions.items():
                yield View(_CONTRACT, "versionOf", (id_, version), (root,))
            for key, contribution in dataset.contributions.items():
                view, names = ("imageSetOf", (key,)) if isinstance(key, str) else ("workOf", key)
                yield View(_CONTRACT, view, (id_, *names), (contribution.record(now),))
            for number, of_class in enumerate(dataset.classes):
                yield View(_CONTRACT, "weightOf", (id_, number), (of_class.weight,))
                for beneficiary, each in of_class.contributors.items():
                    answers = (each.weight, of_class.due(each), each.free)
                    yield View(_CONTRACT, "contributorOf", (id_, number, beneficiary), answers)


def _work(args: Mapping[str, Any]) -> tuple[int, str, str]:
    return args["class"], args["contributor"], args["work"]


def _terms(terms: Mapping[str, Any]) -> DatasetTerms:
    use = terms["use"]
    return DatasetTerms(
        token=terms["token"],
        shares=dict(zip(CLASSES, terms["shares"], strict=True)),
        purposes=duo.purpose_names(use["purposes"]),
        fulfilled=duo.condition_names(use["fulfilled"]),
        disease=decode_disease(bytes.fromhex(use["disease"][2:])),
        rule=RULES[terms["rule"]],
        most_instances=terms["mostInstances"],
        protocol=terms["protocol"],
    )

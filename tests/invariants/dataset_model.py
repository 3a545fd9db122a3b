"""A data set's money, shared exactly, in fractions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from tests.research_stage import CLASSES, COUNTED, CUSTODY, WITHDRAWN, Contract, ImageSet

BINARY_PLACES = 24
"""Of what the contract keeps per unit of weight."""
MOST = 2**96 - 1
"""Base units that one payment can be, and that an account can hold."""
MOST_WEIGHT = 2**32 - 1
MOST_PER_WEIGHT = 2**120 - 1


@dataclass
class Account:
    """What is exactly due to one contributor of one class."""

    weight: int = 0
    free: bool = False
    closed: bool = False
    earned: Fraction = Fraction(0)
    claimed: int = 0
    slack: Fraction = Fraction(1)
    """How much rounding can have kept from it: at each division less than one unit."""


@dataclass
class Contribution:
    """A contribution: with what weight, who earns in which class, and what became of it."""

    weight: int
    earners: dict[int, str]
    image_set: ImageSet | None = None
    state: int = COUNTED
    suspended_in: int = 0


@dataclass
class Dataset:
    """A data set as the model keeps it."""

    id: bytes
    token: Contract
    vault: str
    shares: tuple[int, ...]
    rule: int
    received: int = 0
    accounts: dict[tuple[int, str], Account] = field(default_factory=lambda: defaultdict(Account))
    contributions: dict[object, Contribution] = field(default_factory=dict)
    per_weight: list[int] = field(default_factory=lambda: [0] * len(CLASSES))

    def weight(self, class_: int) -> int:
        return sum(
            each.weight for (of, _), each in self.accounts.items() if of == class_ and not each.free
        )

    def weights(self) -> list[int]:
        return [self.weight(class_) for class_ in CLASSES]

    def present(self) -> dict[int, int]:
        """The shares of the classes with any weight."""
        return {
            class_: self.shares[class_]
            for class_ in CLASSES
            if self.shares[class_] and self.weight(class_)
        }

    def fits(self, amount: int) -> bool:
        """Whether what is kept per unit of weight can take a payment."""
        return max(self._after(amount), default=0) <= MOST_PER_WEIGHT

    def _after(self, amount: int) -> list[int]:
        present = self.present()
        total = sum(present.values())
        return [
            before + (amount * present[class_] // total << BINARY_PLACES) // self.weight(class_)
            if class_ in present
            else before
            for class_, before in enumerate(self.per_weight)
        ]

    def share(self, amount: int) -> None:
        """Divide a payment among the classes with weight, and there by weight."""
        present = self.present()
        self.per_weight = self._after(amount)
        self.received += amount
        for class_, share in present.items():
            part, total = Fraction(amount * share, sum(present.values())), self.weight(class_)
            for (of, _), each in self.accounts.items():
                if of == class_ and each.weight and not each.free:
                    each.earned += part * each.weight / total
                    each.slack += Fraction(each.weight, total) + Fraction(
                        each.weight, 2**BINARY_PLACES
                    )

    def settle(self, class_: int, beneficiary: str) -> Account:
        """The account, after the contract rounded what is due to it."""
        each = self.accounts[class_, beneficiary]
        each.slack += 1
        return each

    def cap(self, class_: int, beneficiary: str, due: int) -> Account:
        """The account, after what exceeds it was lost to its contributor, who leaves or chooses."""
        each = self.settle(class_, beneficiary)
        if due > MOST:
            each.earned, each.slack = Fraction(each.claimed + MOST), Fraction(1)
        return each

    def count(self, contribution: Contribution) -> None:
        contribution.state = COUNTED
        for class_, beneficiary in contribution.earners.items():
            self.settle(class_, beneficiary).weight += contribution.weight

    def lapse(self, contribution: Contribution, dues: dict[tuple[int, str], int]) -> None:
        """Take a contribution that counts out of its accounts."""
        for key in contribution.earners.items():
            self.cap(*key, dues[key]).weight -= contribution.weight

    def lapse_custody(self, contribution: Contribution, dues: dict[tuple[int, str], int]) -> None:
        key = (CUSTODY, contribution.earners.pop(CUSTODY))
        if contribution.state == COUNTED:
            self.cap(*key, dues[key]).weight -= contribution.weight

    def expire(self, month: int) -> None:
        """What has been suspended since a month before is withdrawn."""
        for each in self.contributions.values():
            if each.suspended_in and each.suspended_in < month:
                each.state, each.suspended_in = WITHDRAWN, 0

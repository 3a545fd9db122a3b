"""A data set's money, shared exactly, in fractions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from tests.research_stage import CLASSES

BINARY_PLACES = 24
"""Of what the contract keeps per unit of weight."""


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
class Dataset:
    """A data set as the model keeps it."""

    id: bytes
    vault: str
    shares: tuple[int, ...]
    rule: int
    received: int = 0
    accounts: dict[tuple[int, str], Account] = field(default_factory=lambda: defaultdict(Account))
    counted: dict[tuple[int, bytes, str], int] = field(default_factory=dict)
    withdrawn: set[tuple[int, bytes, str]] = field(default_factory=set)

    def weight(self, class_: int) -> int:
        return sum(
            each.weight for (of, _), each in self.accounts.items() if of == class_ and not each.free
        )

    def share(self, amount: int) -> None:
        """Divide a payment among the classes with weight, and there by weight."""
        present = {class_: self.shares[class_] for class_ in CLASSES if self.weight(class_)}
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

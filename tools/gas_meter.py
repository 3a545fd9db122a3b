"""A deployment on which operations are measured, and what they need."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from radledger.chain.ledger import ContractAt, Ledger, Receipt
from radledger.imaging.model import ImageSet

__all__ = ["YEAR", "Meter", "anchored", "digest", "image_set", "new_image", "parts"]

YEAR = 365 * 24 * 3600
_random = random.Random(2021)  # noqa: S311 - figures that repeat, not secrets


@dataclass
class Meter:
    """A deployment, its people, and the costs seen so far."""

    ledger: Ledger
    people: dict[str, Any]
    costs: dict[str, int] = field(default_factory=dict)

    def send(self, who: str, contract: str | ContractAt, function: str, *args: Any) -> Receipt:
        """Send as one of the people."""
        return self.ledger.send(self.people[who], contract, function, *args)

    def measure(self, key: str, who: str, contract: str, function: str, *args: Any) -> Receipt:
        """Send, and note what it cost."""
        receipt = self.send(who, contract, function, *args)
        self.costs[key] = receipt.gas_used
        return receipt

    def address(self, who: str) -> str:
        """Address of one of the people."""
        return str(self.people[who].address)


def digest() -> bytes:
    """A digest, the same in each run, without zero bytes, which make calldata cheaper."""
    return bytes(_random.randint(1, 255) for _ in range(32))


def new_image(meter: Meter, kind: int = 0) -> tuple[Any, ...]:
    """An image set of the hospital and the patient, as `anchor` takes it."""
    groups = (digest()[:12] + bytes.fromhex(meter.address("hospital")[2:]) for _ in range(2))
    return (meter.address("patient"), digest(), digest(), *groups, 300, kind)


def parts(meter: Meter, image: tuple[Any, ...]) -> tuple[Any, ...]:
    """The five values that name an image set, from what `anchor` took."""
    return (meter.address("hospital"), image[0], image[1], image[3], image[4])


def image_set(values: tuple[Any, ...]) -> ImageSet:
    """The five values of an image set, as the library has them."""
    return ImageSet(*(each if isinstance(each, str) else "0x" + each.hex() for each in values))


def anchored(meter: Meter) -> tuple[Any, ...]:
    """The five values of an image set that was just anchored."""
    image = new_image(meter)
    meter.send("hospital", "ImageRegistry", "anchor", image)
    return parts(meter, image)

"""Data sets, from the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from radledger.crypto.merkle import MerkleTree
from radledger.research.model import Contribution, Dataset, class_number
from radledger.research.state import DatasetState

if TYPE_CHECKING:
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger

__all__ = ["CONTRACT", "created", "dataset", "version_tree"]

CONTRACT = "DatasetRegistry"
_CHANGES = (
    "DatasetCustodyWithdrawn",
    "DatasetFunded",
    "DatasetFreeSet",
    "DatasetImageContributed",
    "DatasetImageResumed",
    "DatasetImageSuspended",
    "DatasetImageWithdrawn",
    "DatasetRewardClaimed",
    "DatasetVersionFrozen",
    "DatasetWorkContributed",
    "DatasetWorkWithdrawn",
)


def created(ledger: Ledger, **filters: Any) -> list[Event]:
    """The creations of data sets, oldest first."""
    return ledger.events(CONTRACT, "DatasetCreated", **filters)


def dataset(ledger: Ledger, creation: Event) -> Dataset:
    """A data set, from the event of its creation and later ones."""
    id_ = creation.args["dataset"]
    changes = ledger.events(CONTRACT, *_CHANGES, from_block=creation.block, dataset=id_)
    (found,) = DatasetState.of([creation, *changes]).datasets(ledger.present().time)
    return found


def version_tree(counted: Iterable[Contribution]) -> MerkleTree:
    """The Merkle tree over contributions, whose root freezes a version.

    A leaf is ``(uint8 class, bytes32 item, address beneficiary, uint32 weight)``, so that
    OpenZeppelin's ``StandardMerkleTree`` proves that a contribution is part of a version.
    """
    return MerkleTree(_Leaf(contribution) for contribution in counted)


class _Leaf:
    """The ABI encoding of a contribution: four words."""

    def __init__(self, contribution: Contribution) -> None:
        words = (
            class_number(contribution.contribution_class).to_bytes(32, "big"),
            bytes.fromhex(contribution.item[2:]),
            bytes.fromhex(contribution.beneficiary[2:]).rjust(32, b"\0"),
            contribution.weight.to_bytes(32, "big"),
        )
        self._encoded = b"".join(words)

    def __bytes__(self) -> bytes:
        return self._encoded

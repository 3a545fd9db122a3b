"""Data sets as the events and the chain's views tell them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from radledger.consent import duo
from radledger.consent.diseases import decode_disease
from radledger.crypto.merkle import MerkleTree
from radledger.research.model import (
    CLASSES,
    RULES,
    Contribution,
    Dataset,
    Share,
    Terms,
    class_number,
)

if TYPE_CHECKING:
    from radledger.chain.ledger import Event, Ledger

__all__ = ["CONTRACT", "contributions", "created", "dataset", "version_tree"]

CONTRACT = "DatasetRegistry"


def created(ledger: Ledger, **filters: Any) -> list[Event]:
    """The creations of data sets, oldest first."""
    return ledger.events(CONTRACT, "DatasetCreated", **filters)


def dataset(ledger: Ledger, creation: Event) -> Dataset:
    """All that is known of a data set, from the event of its creation on."""
    id_ = bytes(creation.args["dataset"])
    made = tuple(contributions(ledger, id_))
    paid = _paid(ledger, id_)
    shares = tuple(_shares(ledger, id_, made, paid))
    funded = sum(e.args["received"] for e in ledger.events(CONTRACT, "DatasetFunded", dataset=id_))
    versions = ledger.events(CONTRACT, "VersionFrozen", dataset=id_)
    return Dataset(
        dataset_id=_hex(id_),
        institution=creation.args["institution"],
        curator=creation.args["curator"],
        terms=_terms(creation),
        vault=creation.args["vault"],
        weights={
            name: ledger.call(CONTRACT, "weightOf", id_, number)
            for number, name in enumerate(CLASSES)
        },
        contributions=made,
        shares=shares,
        versions=tuple(_hex(event.args["root"]) for event in versions),
        funded=funded,
        paid=sum(paid.values()),
        due=sum(share.due for share in shares),
    )


def contributions(ledger: Ledger, dataset_id: bytes) -> Iterator[Contribution]:
    """Every contribution to a data set, in the order in which they were made."""
    withdrawn = {
        (event.args["class"], bytes(event.args["item"]), event.args["beneficiary"])
        for event in ledger.events(CONTRACT, "ContributionWithdrawn", dataset=dataset_id)
    }
    for event in ledger.events(CONTRACT, "ContributionMade", dataset=dataset_id):
        args = event.args
        key = (args["class"], bytes(args["item"]), args["beneficiary"])
        yield Contribution(
            item=_hex(args["item"]),
            contribution_class=CLASSES[args["class"]],
            beneficiary=args["beneficiary"],
            weight=args["weight"],
            grant_id=_hex(args["grantId"]),
            counted=key not in withdrawn,
            transaction=event.transaction,
        )


def version_tree(counted: list[Contribution]) -> MerkleTree:
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


def _shares(
    ledger: Ledger,
    dataset_id: bytes,
    made: tuple[Contribution, ...],
    paid: dict[tuple[str, str], int],
) -> Iterator[Share]:
    contributors = dict.fromkeys((c.contribution_class, c.beneficiary) for c in made)
    for name, contributor in contributors:
        weight, due, free = ledger.call(
            CONTRACT, "contributorOf", dataset_id, class_number(name), contributor
        )
        yield Share(name, contributor, weight, free, due, paid.get((name, contributor), 0))


def _paid(ledger: Ledger, dataset_id: bytes) -> dict[tuple[str, str], int]:
    """What has been paid, by class and beneficiary."""
    paid: dict[tuple[str, str], int] = {}
    for event in ledger.events(CONTRACT, "RewardClaimed", dataset=dataset_id):
        key = (CLASSES[event.args["class"]], event.args["beneficiary"])
        paid[key] = paid.get(key, 0) + event.args["amount"]
    return paid


def _terms(creation: Event) -> Terms:
    terms = creation.args["terms"]
    use = terms["use"]
    return Terms(
        token=terms["token"],
        shares=dict(zip(CLASSES, terms["shares"], strict=True)),
        purposes=duo.purpose_names(use["purposes"]),
        fulfilled=duo.condition_names(use["fulfilled"]),
        disease=decode_disease(use["disease"]),
        rule=RULES[terms["rule"]],
        protocol=_hex(terms["protocol"]),
    )


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()

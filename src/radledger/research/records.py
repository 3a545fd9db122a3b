"""Data sets as the events and the chain's views tell them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
_CHANGES = {
    "DatasetImageContributed": "counted",
    "DatasetWorkContributed": "counted",
    "DatasetImageWithdrawn": "withdrawn",
    "DatasetCustodyWithdrawn": "withdrawn",
    "DatasetWorkWithdrawn": "withdrawn",
    "DatasetImageSuspended": "suspended",
    "DatasetImageResumed": "counted",
}
"""The state of a contribution after each event about it."""


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
    versions = ledger.events(CONTRACT, "DatasetVersionFrozen", dataset=id_)
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
    events = sorted(
        (event for name in _CHANGES for event in ledger.events(CONTRACT, name, dataset=dataset_id)),
        key=lambda event: (event.block, event.log_index),
    )
    made: dict[tuple[str, bytes, str], Contribution] = {}
    for event in events:
        args = event.args
        if event.name == "DatasetImageContributed":
            item = bytes(args["image"])
            made["data", item, ""] = _made(event, "data", item, args["patient"])
            made["custody", item, ""] = _made(event, "custody", item, args["custodian"])
        elif event.name == "DatasetWorkContributed":
            name, item = CLASSES[args["class"]], bytes(args["work"])
            key = (name, item, args["contributor"])
            made[key] = _made(event, name, item, args["contributor"])
        else:
            for key in _changed(event):
                made[key] = _after(made[key], event)
    now = ledger.present().time
    for each in made.values():
        over = each.ends_at is not None and each.ends_at <= now
        yield replace(each, state="withdrawn", ends_at=None) if over else each


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


def _made(event: Event, name: str, item: bytes, beneficiary: str) -> Contribution:
    return Contribution(
        item=_hex(item),
        contribution_class=name,
        beneficiary=beneficiary,
        weight=event.args["weight"],
        grant_id=_hex(event.args.get("grantId", bytes(32))),
        state="counted",
        ends_at=None,
        transaction=event.transaction,
    )


def _changed(event: Event) -> Iterator[tuple[str, bytes, str]]:
    """The keys of the contributions that an event changed."""
    args = event.args
    if event.name == "DatasetWorkWithdrawn":
        yield CLASSES[args["class"]], bytes(args["work"]), args["contributor"]
        return
    if event.name != "DatasetCustodyWithdrawn":
        yield "data", bytes(args["image"]), ""
    yield "custody", bytes(args["image"]), ""


def _after(contribution: Contribution, event: Event) -> Contribution:
    if contribution.state == "withdrawn":
        return contribution  # a custodian's own withdrawal outlasts what becomes of the data
    state = _CHANGES[event.name]
    return replace(contribution, state=state, ends_at=event.args.get("endsAt"))


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
    for event in ledger.events(CONTRACT, "DatasetRewardClaimed", dataset=dataset_id):
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
        most_instances=terms["mostInstances"],
        protocol=_hex(terms["protocol"]),
    )


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()

"""Data sets, contributions and shares.

Amounts are base units of the data set's ERC-20 token; ids and digests are ``0x`` and 64
lower-case hexadecimal digits; times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger import texts
from radledger.research.bindings import Class, DatasetTreasury, WeightRule
from radledger.research.errors import (
    InvalidDigest,
    InvalidInstances,
    InvalidShares,
    UnknownClass,
    UnknownRule,
)

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt

__all__ = [
    "BASIS_POINTS",
    "CLASSES",
    "RULES",
    "Contribution",
    "CreatedDataset",
    "Dataset",
    "DatasetTerms",
    "FrozenVersion",
    "Share",
    "class_number",
    "instances_bound",
    "parse_digest",
    "rule_number",
    "share_struct",
]

CLASSES = tuple(each.value for each in Class)
"""Classes of contributions, in the chain's order."""

RULES = tuple(each.value for each in WeightRule)
"""How much an image set weighs, in the chain's order."""

BASIS_POINTS = DatasetTreasury.BASIS_POINTS
"""All shares together."""


@dataclass(frozen=True, slots=True)
class DatasetTerms:
    """The terms of a data set, which never change.

    Parameters
    ----------
    token
        Address of the ERC-20 token in which it is funded. One payment is at most 2^96 - 1 base
        units, so choose one of 18 decimals or fewer.
    shares
        Part of each class in basis points, 10,000 in all; a class left out has none.
    purposes, fulfilled, disease
        What the institution does with the images, in DUO terms; patients consent to this.  The
        disease is a code, to which a salt is added, or ``CODE@SALT``
        (`radledger.consent.diseases`).
    rule
        How much an image set weighs: ``per set``, ``per instance`` or ``scored``.
    most_instances
        How many instances of one image set count at most, where the rule is ``per instance``.
    protocol
        Digest of the document that describes the data set.

    Examples
    --------
    >>> DatasetTerms("0x" + "11" * 20, {"data": 7_000, "custody": 3_000}, ("HMB",)).rule
    'per set'
    """

    token: str
    shares: Mapping[str, int]
    purposes: tuple[str, ...]
    fulfilled: tuple[str, ...] = ()
    disease: str | None = None
    rule: str = "per set"
    most_instances: int = 0
    protocol: str = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class CreatedDataset:
    """A data set that was just created.

    Attributes
    ----------
    dataset_id, vault
        Its id, and where its money will lie.
    disease
        ``CODE@SALT``, where the terms name a disease: patients need it to consent.
    """

    dataset_id: str
    vault: str
    disease: str | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Contribution:
    """A contribution of an image set or a work; an image set is one of data and one of custody.

    ``state`` is ``counted``, ``suspended`` (consent is missing, so it earns nothing, and counts
    again if the patient consents before ``ends_at``) or ``withdrawn``.
    """

    item: str
    contribution_class: str
    beneficiary: str
    weight: int
    grant_id: str
    state: str
    ends_at: int | None
    transaction: str

    @property
    def counted(self) -> bool:
        """Whether it earns."""
        return self.state == "counted"


@dataclass(frozen=True, slots=True)
class Share:
    """The account of one contributor in one class.

    ``weight`` earns unless the contributor gives for ``free``; ``due`` has been earned and not
    been ``paid``.
    """

    contribution_class: str
    contributor: str
    weight: int
    free: bool
    due: int
    paid: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set: its terms, contents and money.

    Attributes
    ----------
    dataset_id, institution, curator
        Its id, whose it is, and who created it.
    terms
        As they were fixed at its creation.
    vault
        Where its money lies.
    weights
        Weight of all who contribute for reward, by class.
    contributions
        Every contribution ever made, withdrawn ones included.
    shares
        What each contributor has, by class.
    versions
        Merkle root of each frozen version, from the first.
    funded, paid, due
        What came in, what went out, and what contributors can claim now.
    """

    dataset_id: str
    institution: str
    curator: str
    terms: DatasetTerms
    vault: str
    weights: Mapping[str, int]
    contributions: tuple[Contribution, ...]
    shares: tuple[Share, ...]
    versions: tuple[str, ...]
    funded: int
    paid: int
    due: int


@dataclass(frozen=True, slots=True)
class FrozenVersion:
    """A version that was just frozen: its number, the root over its contributions, their count."""

    version: int
    root: str
    contributions: int
    receipt: Receipt


def class_number(name: str) -> int:
    """The number of a class on the chain.

    Raises
    ------
    UnknownClass
        If there is none of that name.

    Examples
    --------
    >>> class_number("custody")
    1
    """
    try:
        return CLASSES.index(name)
    except ValueError:
        raise UnknownClass(
            f"{name!r} is not a class of contributions; give one of {', '.join(CLASSES)}", name=name
        ) from None


def rule_number(name: str) -> int:
    """The number of a rule for weights on the chain.

    Raises
    ------
    UnknownRule
        If there is none of that name.

    Examples
    --------
    >>> rule_number("per instance")
    1
    """
    try:
        return RULES.index(name)
    except ValueError:
        raise UnknownRule(
            f"{name!r} is not a rule for weights; give one of {', '.join(RULES)}", name=name
        ) from None


def instances_bound(terms: DatasetTerms) -> int:
    """How many instances of one image set count at most, as the chain keeps it.

    Raises
    ------
    InvalidInstances
        If the rule counts instances without a bound, or has a bound and does not count them.

    Examples
    --------
    >>> shares = {"data": 10_000}
    >>> terms = DatasetTerms("0x", shares, ("HMB",), rule="per instance", most_instances=2_000)
    >>> instances_bound(terms)
    2000
    """
    allowed = range(1, 1 << 32) if terms.rule == "per instance" else range(1)
    if terms.most_instances not in allowed:
        raise InvalidInstances(
            f"{terms.most_instances} instances at most do not go with the rule {terms.rule!r}; "
            "give a number from 1 on with 'per instance', and none with the others",
            most_instances=terms.most_instances,
            rule=terms.rule,
        )
    return terms.most_instances


def parse_digest(text: str) -> bytes:
    """An id or digest as the chain holds it, 32 bytes.

    Raises
    ------
    InvalidDigest
        If it is not ``0x`` and 64 hexadecimal digits.

    Examples
    --------
    >>> parse_digest("0x" + "ab" * 32)[0]
    171
    """
    return texts.parse_digest(text, InvalidDigest)


def share_struct(shares: Mapping[str, int]) -> tuple[int, ...]:
    """The shares of all classes in the chain's order.

    Raises
    ------
    UnknownClass
        If a name is not a class.
    InvalidShares
        If they are not 10,000 basis points in all, or one is negative.

    Examples
    --------
    >>> share_struct({"custody": 3_000, "data": 7_000})
    (7000, 3000, 0, 0)
    """
    for name in shares:
        class_number(name)
    struct = tuple(shares.get(name, 0) for name in CLASSES)
    if sum(struct) != BASIS_POINTS or min(struct) < 0:
        raise InvalidShares(
            f"the shares add up to {sum(struct) / 100:g} per cent; make them 100 in all",
            shares=dict(shares),
        )
    return struct

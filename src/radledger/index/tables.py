"""The tables of the index.

``events`` holds every event as it was; the typed tables hold what each event changed, one row for
each change, so nothing in them is ever overwritten either: what holds now is the latest change.
Each row is named by the place of its event, ``(block, log_index)``; taking back the blocks of a
branch that the chain has left is the deletion of their rows.

Ids, digests and addresses are ``0x…`` in lower case, times Unix seconds, amounts base units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    TypeDecorator,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = [
    "blocks",
    "contributions",
    "dataset_versions",
    "datasets",
    "emergencies",
    "events",
    "fundings",
    "grants",
    "identities",
    "images",
    "metadata",
    "participants",
    "payouts",
    "position",
    "requests",
    "typed",
    "versions",
]


class Amount(TypeDecorator[int]):
    """A whole number of up to 256 bits; SQLite, whose numbers end at 64, keeps its digits."""

    impl = Numeric(78, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Digits where the database is SQLite."""
        exact = String(78) if dialect.name == "sqlite" else Numeric(78, 0)
        return dialect.type_descriptor(exact)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """As the database takes it."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """As Python has it."""
        return None if value is None else int(value)


metadata = MetaData()

position = Table(
    "position",
    metadata,
    Column("layout", Integer, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis", String, nullable=False),
    Column("contracts", JSON, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    comment="one row: whose index this is, and the last block in it",
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
    comment="the last blocks, by which a reorganisation is noticed",
)


def _table(name: str, comment: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        metadata,
        Column("block", BigInteger, primary_key=True, autoincrement=False),
        Column("log_index", Integer, primary_key=True, autoincrement=False),
        *columns,
        comment=comment,
        sqlite_with_rowid=False,  # the place is the row, not an index beside it
    )


def _text(name: str, *, index: bool = False, optional: bool = False) -> Column[Any]:
    return Column(name, String, index=index, nullable=optional)


def _id(name: str, *, optional: bool = False) -> Column[Any]:
    """An id or address by which a history finds the row; who acted is found in ``events``."""
    return _text(name, index=True, optional=optional)


def _number(name: str, *, optional: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=optional)


events = _table(
    "events",
    "every event of the contracts, as it was",
    _text("contract"),
    _text("name"),
    _id("who"),
    Column("arguments", JSON, nullable=False),
    _id("transaction"),
    _number("timestamp"),
)

images = _table(
    "images",
    "image sets, as they were anchored",
    _id("image"),
    _id("custodian"),
    _id("patient"),
    _text("root"),
    _text("manifest"),
    _id("visit"),
    _id("course"),
    _number("instances"),
    _text("kind"),
    _id("parent", optional=True),
)

versions = _table(
    "versions",
    "what became of an image set: superseded (successor), rekeyed (manifest), erased "
    "(certificate); disowned by its patient, acknowledged again",
    _id("image"),
    _text("change"),
    _id("successor", optional=True),
    _text("digest", optional=True),
)

grants = _table(
    "grants",
    "consent: granted or withdrawn; all withdrawn, emergencies forbidden or allowed (then without "
    "grantee and scope)",
    _text("change"),
    _id("subject"),
    _id("grantee", optional=True),
    _id("scope", optional=True),
    _id("grant_id", optional=True),
    _number("start", optional=True),
    _number("until", optional=True),
    _text("purposes", optional=True),
    _text("conditions", optional=True),
    _text("disease", optional=True),
    _number("signed"),
    _number("epoch", optional=True),
    _text("actor"),
)

requests = _table(
    "requests",
    "requests for consent: requested or approved",
    _id("request"),
    _text("change"),
    _id("subject", optional=True),
    _id("requester", optional=True),
    _id("grantee", optional=True),
    _id("scope", optional=True),
    _number("start", optional=True),
    _number("until", optional=True),
    _text("purposes", optional=True),
    _text("conditions", optional=True),
    _text("disease", optional=True),
)

emergencies = _table(
    "emergencies",
    "emergency access: declared or reviewed",
    _text("change"),
    _id("subject"),
    _id("clinician"),
    _id("institution", optional=True),
    _number("since"),
    _number("until", optional=True),
    _number("review_by", optional=True),
    _text("digest"),
    _text("reviewer", optional=True),
    Column("justified", Boolean, nullable=True),
)

datasets = _table(
    "datasets",
    "data sets, as they were created",
    _id("dataset"),
    _id("institution"),
    _text("curator"),
    _id("vault"),
    _text("token"),
    _text("rule"),
    _number("most_instances"),
    _text("purposes"),
    _text("fulfilled"),
    _text("disease", optional=True),
    _number("data"),
    _number("custody"),
    _number("annotation"),
    _number("development"),
    _text("protocol"),
)

dataset_versions = _table(
    "dataset_versions",
    "versions of data sets, as they were frozen",
    _id("dataset"),
    _number("version"),
    _id("root"),
    _number("contributions"),
)

fundings = _table(
    "fundings",
    "money paid into data sets",
    _id("dataset"),
    _text("funder"),
    Column("received", Amount, nullable=False),
)

contributions = _table(
    "contributions",
    "contributions to data sets: made, withdrawn, suspended, resumed (data and custody, where no "
    "class is named); or of all of a beneficiary's in a class: free, for reward",
    _id("dataset"),
    _text("change"),
    _text("class", optional=True),
    _id("item", optional=True),
    _id("beneficiary", optional=True),
    _id("custodian", optional=True),
    _number("weight", optional=True),
    _id("grant_id", optional=True),
    _number("ends_at", optional=True),
)

payouts = _table(
    "payouts",
    "money that data sets paid: claimed; or closed: only the identity's owner collects from now on",
    _id("dataset"),
    _text("change"),
    _text("class"),
    _id("beneficiary"),
    _id("recipient", optional=True),
    Column("amount", Amount, nullable=True),
)

participants = _table(
    "participants",
    "accreditation: admitted, roles changed, left, suspended, reinstated; governor added, removed",
    _text("change"),
    _id("account"),
    _id("institution", optional=True),
    _text("roles", optional=True),
    _text("actor", optional=True),
    _number("status", optional=True),
)

identities = _table(
    "identities",
    "identities: owner, delegate, attribute, guardians; recovery approved, vetoed, executed; "
    "approval withdrawn",
    _text("change"),
    _id("identity"),
    _id("account", optional=True),
    _text("name", optional=True),
    _text("value", optional=True),
    Column("valid_to", Amount, nullable=True),
)

typed = (
    images,
    versions,
    grants,
    requests,
    emergencies,
    datasets,
    dataset_versions,
    fundings,
    contributions,
    payouts,
    participants,
    identities,
)
"""The tables of what the events changed."""

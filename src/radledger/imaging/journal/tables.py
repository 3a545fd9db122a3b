"""The tables of the journal, and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from radledger.imaging.model import NONE

__all__ = [
    "SERIES",
    "FileRow",
    "IdentifierRow",
    "KnownFile",
    "Level",
    "Purpose",
    "SetRow",
    "Work",
    "bindings",
    "files",
    "garbage",
    "groups",
    "identifiers",
    "metadata",
    "patients",
    "rekeyed_files",
    "rekeys",
    "seals",
    "sets",
    "storing",
]

Work = Literal["adding", "rekeying"]
"""What files are stored for: the name of the lock under which it is done."""
Level = Literal["study", "series", "instance"]
"""What a UID is of."""

metadata = MetaData()

# Texts are compared byte by byte, whatever the database's language is.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_STRICT: dict[str, Any] = {"sqlite_strict": True}
_CLUSTERED: dict[str, Any] = {**_STRICT, "sqlite_with_rowid": False}


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, _TEXT, **{"nullable": False, **options})


def _bytes(name: str, **options: Any) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False, **options)


def _set_id() -> Column[int]:
    return Column("set_id", _NUMBER, ForeignKey("sets.set_id"), primary_key=True)


patients = Table(
    "patients",
    metadata,
    _text("custodian", primary_key=True),
    _text("patient", primary_key=True),
    _bytes("pseudonym_key"),
    **_CLUSTERED,
)
groups = Table(
    "groups",
    metadata,
    _text("custodian", primary_key=True),
    _text("patient", primary_key=True),
    _text("kind", primary_key=True),
    _text("name", primary_key=True),
    _bytes("salt"),
    _text("digest"),
    **_CLUSTERED,
)
sets = Table(
    "sets",
    metadata,
    Column("set_id", _NUMBER, primary_key=True),
    *map(_text, ("custodian", "patient", "profile", "parent")),
    *map(_text, ("visit", "course", "study", "series")),
    *map(_text, ("modality", "state")),
    _text("secret", nullable=True),
    _text("image_id", nullable=True, unique=True),
    *(_text(name, nullable=True) for name in ("root", "manifest_cid", "transaction_hash")),
    Column("gas", _NUMBER),
    **_STRICT,
)
files = Table(
    "files",
    metadata,
    _set_id(),
    _bytes("source_digest", primary_key=True),
    *map(_text, ("sop_instance", "sop_class", "transfer_syntax")),
    Column("number", _NUMBER),
    *map(_bytes, ("salt", "file_digest", "image_digest")),
    _text("cid"),
    Column("size", _NUMBER, nullable=False),
    UniqueConstraint("set_id", "sop_instance"),
    **_CLUSTERED,
)
identifiers = Table(
    "identifiers",
    metadata,
    _set_id(),
    *(_bytes(name, primary_key=True) for name in ("unit", "identifier")),
    **_CLUSTERED,
)
rekeys = Table(
    "rekeys", metadata, _set_id(), _text("secret"), _text("manifest_cid", nullable=True), **_STRICT
)
rekeyed_files = Table(
    "rekeyed_files",
    metadata,
    _set_id(),
    _text("sop_instance", primary_key=True),
    _text("cid"),
    **_CLUSTERED,
)
seals = Table(
    "seals",
    metadata,
    _set_id(),
    _text("what", primary_key=True),
    _bytes("code"),
    **_CLUSTERED,
)
bindings = Table(
    "bindings", metadata, _text("what", primary_key=True), _bytes("public_key"), **_CLUSTERED
)
garbage = Table("garbage", metadata, _text("cid", primary_key=True), **_CLUSTERED)
storing = Table("storing", metadata, _text("cid", primary_key=True), _text("work"), **_CLUSTERED)


def _index(
    name: str, *columns: Column[Any], state: str | None = None, unique: bool = False
) -> None:
    where = None if state is None else sets.c.state == state
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


SERIES = tuple(
    sets.c[name]
    for name in ("custodian", "patient", "profile", "parent", "visit", "course", "study", "series")
)
"""What the files of one open set have in common."""

_index("open_sets", *SERIES, state="open", unique=True)
_index("sealed_sets", sets.c.custodian, state="sealed")
_index("sets_by_patient", sets.c.custodian, sets.c.patient)
_index("sets_by_study", sets.c.study)
_index("sets_by_series", sets.c.series)
_index("files_by_source", files.c.source_digest)
_index("files_by_instance", files.c.sop_instance)
_index("groups_by_digest", groups.c.digest)
_index("identifiers_by_unit", identifiers.c.unit)


@dataclass(frozen=True, slots=True)
class Purpose:
    """For whom and how files are added; the same file again for the same purpose adds nothing.

    Attributes
    ----------
    custodian, patient
        Addresses.
    profile
        Name of the de-identification profile; empty where the identity is kept.
    parent
        Image id of the set that the files come from; `NONE` for files that were given.
    """

    custodian: str
    patient: str
    profile: str
    parent: str = NONE


@dataclass(frozen=True, slots=True)
class SetRow:
    """One row of ``sets``; what is not known yet is `None`, and the secret after erasure."""

    set_id: int
    custodian: str
    patient: str
    profile: str
    parent: str
    visit: str
    course: str
    study: str
    series: str
    modality: str
    state: str
    secret: str | None
    image_id: str | None
    root: str | None
    manifest_cid: str | None
    transaction_hash: str | None
    gas: int | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of ``files``: a file whose ciphertext is stored."""

    set_id: int
    source_digest: bytes
    sop_instance: str
    sop_class: str
    transfer_syntax: str
    number: int | None
    salt: bytes
    file_digest: bytes
    image_digest: bytes
    cid: str
    size: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that a set has already, and the set's state."""

    set_id: int
    source_digest: bytes
    cid: str
    state: str


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """One row of ``identifiers``: a Patient ID in a study or series of a set's files.

    Both are keyed digests, see :mod:`radledger.imaging.journal.identifiers`.
    """

    set_id: int
    unit: bytes
    identifier: bytes

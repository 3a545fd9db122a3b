"""The tables of release 0.1.0; journals from before it have no version and lack some of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make what is not there."""
    _table("patients", _key("custodian"), _key("patient"), _bytes("pseudonym_key"))
    _table(
        "groups",
        *map(_key, ("custodian", "patient", "kind", "name")),
        _bytes("salt"),
        _text("digest"),
    )
    _table(
        "sets",
        sa.Column("set_id", _NUMBER, primary_key=True),
        *map(_text, ("custodian", "patient", "profile", "parent", "visit", "course")),
        *map(_text, ("study", "series", "modality", "state")),
        _optional("secret"),
        sa.Column("image_id", _TEXT, unique=True),
        *map(_optional, ("root", "manifest_cid", "transaction_hash")),
        sa.Column("gas", _NUMBER),
        rowid=True,
    )
    _table(
        "files",
        _set_id(),
        _bytes("source_digest", primary_key=True),
        *map(_text, ("sop_instance", "sop_class", "transfer_syntax")),
        sa.Column("number", _NUMBER),
        *map(_bytes, ("salt", "file_digest", "image_digest")),
        _text("cid"),
        sa.Column("size", _NUMBER, nullable=False),
        sa.UniqueConstraint("set_id", "sop_instance"),
    )
    identifying = (_bytes(name, primary_key=True) for name in ("unit", "identifier"))
    _table("identifiers", _set_id(), *identifying)
    _table("rekeys", _set_id(), _text("secret"), _optional("manifest_cid"), rowid=True)
    _table("rekeyed_files", _set_id(), _key("sop_instance"), _text("cid"))
    _table("seals", _set_id(), _key("what"), _bytes("code"))
    _table("bindings", _key("what"), _bytes("public_key"))
    _table("garbage", _key("cid"))
    _table("storing", _key("cid"), _text("work"))
    series = ["custodian", "patient", "profile", "parent", "visit", "course", "study", "series"]
    _index("open_sets", "sets", series, state="open", unique=True)
    _index("sealed_sets", "sets", ["custodian"], state="sealed")
    _index("sets_by_patient", "sets", ["custodian", "patient"])
    _index("files_by_source", "files", ["source_digest"])
    _index("groups_by_digest", "groups", ["digest"])
    _index("identifiers_by_unit", "identifiers", ["unit"])


def _table(name: str, *items: Any, rowid: bool = False) -> None:
    op.create_table(name, *items, if_not_exists=True, sqlite_strict=True, sqlite_with_rowid=rowid)


def _index(
    name: str, table: str, columns: list[str], *, state: str | None = None, unique: bool = False
) -> None:
    where = None if state is None else sa.text(f"state = '{state}'")
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        if_not_exists=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False)


def _optional(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, primary_key=True)


def _bytes(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False, **options)


def _set_id() -> sa.Column[int]:
    return sa.Column("set_id", _NUMBER, sa.ForeignKey("sets.set_id"), primary_key=True)

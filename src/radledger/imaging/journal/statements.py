"""What a journal asks and writes for each file, put together once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Table, and_, bindparam, delete, exists, func, or_, select, update

from radledger.imaging.journal import tables as schema
from radledger.imaging.journal.tables import (
    FileRow,
    Purpose,
    SetRow,
    groups,
    identifiers,
    patients,
    rekeyed_files,
    rekeys,
    seals,
    storing,
)
from radledger.imaging.journal.tables import files as of_files
from radledger.imaging.journal.tables import sets as of_sets

__all__ = [
    "BOUND",
    "FILE",
    "FORGOTTEN",
    "GROUP",
    "HOLDING",
    "IDENTIFIED",
    "INSTANCE",
    "IS_OPEN",
    "KEPT",
    "KINDS",
    "KNOWN",
    "LISTED",
    "NAMED",
    "NOT_REKEYED",
    "OPEN",
    "PATIENT",
    "SEAL",
    "SET",
    "STATE",
    "UNSEALED",
    "columns_of",
    "deletion",
    "given",
    "rekeyed",
    "reopened",
    "series_of",
    "unpinned",
]


def given(*columns: Any) -> list[Any]:
    """Conditions that columns have the values which are given under their names."""
    return [column == bindparam(column.name) for column in columns]


_PURPOSE = tuple(field.name for field in fields(Purpose))
SET = select(*(of_sets.c[field.name] for field in fields(SetRow)))
FILE = select(*(of_files.c[field.name] for field in fields(FileRow)))
IS_OPEN = of_sets.c.state == "open"
# A series is added once at a time: its open set is the one that an interrupted addition left,
# even if that said another visit or course.
_GROUPED = and_(*given(of_sets.c.visit, of_sets.c.course))
_SERIES = given(*(column for column in schema.SERIES if column.name not in ("visit", "course")))
OPEN = SET.where(*_SERIES, IS_OPEN).order_by(of_sets.c.set_id)
STATE = select(of_sets.c.state).where(*given(of_sets.c.set_id)).with_for_update(read=True)
_OF_FILE = select(of_files.c.set_id, of_files.c.source_digest).join_from(of_files, of_sets)
KNOWN = _OF_FILE.add_columns(of_files.c.cid, of_sets.c.state).where(
    *given(of_files.c.source_digest, *(of_sets.c[name] for name in _PURPOSE))
)
INSTANCE = _OF_FILE.where(*_SERIES, *given(of_files.c.sop_instance), or_(IS_OPEN, _GROUPED))
KEPT = (
    select(of_sets.c.image_id, of_files.c.sop_class)
    .join_from(of_files, of_sets)
    .where(*given(of_files.c.sop_instance), of_sets.c.profile == "", of_sets.c.state == "confirmed")
)
_HELD = SET.where(of_sets.c.state != "erased").order_by(of_sets.c.set_id)
HOLDING = {
    "study": _HELD.where(*given(of_sets.c.study)),
    "series": _HELD.where(*given(of_sets.c.series)),
    "instance": _HELD.join(of_files).where(*given(of_files.c.sop_instance)),
}
"""The sets that have something of a study, series or instance, by the level."""

KINDS = (
    select(of_files.c.sop_class, of_files.c.transfer_syntax)
    .join_from(of_files, of_sets)
    .where(*given(of_sets.c.custodian), of_sets.c.state == "confirmed")
    .group_by(of_files.c.sop_class, of_files.c.transfer_syntax)
    .order_by(func.count().desc())
)
GROUP = select(groups.c.digest).where(*given(*groups.primary_key))
LISTED = (
    select(storing.c.cid)
    .where(storing.c.cid.in_(bindparam("cids", expanding=True)))
    .with_for_update()
)
FORGOTTEN = delete(of_files).where(
    *given(of_files.c.set_id, of_files.c.source_digest),
    exists().where(of_sets.c.set_id == of_files.c.set_id, IS_OPEN),
)
NOT_REKEYED = delete(rekeyed_files).where(*given(*rekeyed_files.primary_key))
NAMED = delete(storing).where(*given(storing.c.cid))
SEAL = select(seals.c.code).where(*given(*seals.primary_key))
UNSEALED = delete(seals).where(*given(*seals.primary_key))
BOUND = select(schema.bindings.c.public_key)
PATIENT = select(patients.c.pseudonym_key).where(*given(*patients.primary_key))

# The Patient IDs of the studies and series of some sets, in all sets of the same patient.
_SOUGHT, _SOUGHT_SET = identifiers.alias(), of_sets.alias()
IDENTIFIED = (
    select(of_sets.c.set_id, of_sets.c.state, identifiers.c.unit, identifiers.c.identifier)
    .join_from(identifiers, of_sets)
    .join(_SOUGHT, _SOUGHT.c.unit == identifiers.c.unit)
    .join(_SOUGHT_SET, _SOUGHT_SET.c.set_id == _SOUGHT.c.set_id)
    .where(
        _SOUGHT.c.set_id.in_(bindparam("set_ids", expanding=True)),
        of_sets.c.custodian == _SOUGHT_SET.c.custodian,
        of_sets.c.patient == _SOUGHT_SET.c.patient,
    )
    .distinct()
)


def series_of(purpose: Purpose, *rest: str) -> dict[str, str]:
    """What the files of a series have in common, by the names of the columns."""
    values = (*columns_of(purpose).values(), *rest)
    return {column.name: value for column, value in zip(schema.SERIES, values, strict=True)}


def columns_of(row: Any) -> dict[str, Any]:
    """A row's values by the names of the columns."""
    # `asdict` copies each value, deeply
    return {field.name: getattr(row, field.name) for field in fields(row)}


def deletion(table: Table, set_id: int) -> Any:
    """Deletes what a table has of a set."""
    return delete(table).where(table.c.set_id == set_id)


def reopened(set_id: int) -> list[Any]:
    """Conditions for a set to be opened again: it is sealed, and the series has no open one.

    Files of the same series may have begun another set meanwhile, which stays the open one.
    """
    other = of_sets.alias()
    same = [other.c[column.name] == column for column in schema.SERIES]
    begun = exists().where(*same, other.c.state == "open")
    return [of_sets.c.set_id == set_id, of_sets.c.state == "sealed", ~begun]


def unpinned(set_id: int) -> Any:
    """The manifest of a set that is opened again, unless another set names it as well."""
    other = of_sets.alias()
    same = (other.c.manifest_cid == of_sets.c.manifest_cid, other.c.set_id != set_id)
    return select(of_sets.c.manifest_cid).where(*reopened(set_id), ~exists().where(*same))


def rekeyed(set_id: int) -> list[Any]:
    """Puts the ciphertexts of a re-keying in place of the set's; removes it."""
    same = (
        rekeyed_files.c.set_id == of_files.c.set_id,
        rekeyed_files.c.sop_instance == of_files.c.sop_instance,
    )
    cid = select(rekeyed_files.c.cid).where(*same).scalar_subquery()
    return [
        update(of_files).where(of_files.c.set_id == set_id, exists().where(*same)).values(cid=cid),
        deletion(rekeyed_files, set_id),
        deletion(rekeys, set_id),
    ]

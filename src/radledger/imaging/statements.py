"""What a journal asks and writes for each file, put together once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import and_, bindparam, delete, or_, select

from radledger.imaging import schema
from radledger.imaging.schema import FileRow, Purpose, SetRow, groups, patients, storing
from radledger.imaging.schema import files as of_files
from radledger.imaging.schema import sets as of_sets

__all__ = [
    "FILE",
    "GROUP",
    "INSTANCE",
    "IS_OPEN",
    "KNOWN",
    "LISTED",
    "NAMED",
    "OPEN",
    "PATIENT",
    "SET",
    "STATE",
    "given",
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
GROUP = select(groups.c.digest).where(*given(*groups.primary_key))
LISTED = (
    select(storing.c.cid)
    .where(storing.c.cid.in_(bindparam("cids", expanding=True)))
    .with_for_update()
)
NAMED = delete(storing).where(*given(storing.c.cid))
PATIENT = select(patients.c.pseudonym_key).where(*given(*patients.primary_key))

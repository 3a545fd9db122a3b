"""The access log as a table in a file (CSV, RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.access.log import Access

__all__ = ["COLUMNS", "write_csv"]

COLUMNS = (
    *("time", "event", "emergency", "reader", "patient", "images", "purposes", "until"),
    *("grant_id", "custodian", "shown_by", "proven", "day", "root", "log_index", "evidence"),
)
"""The columns; times are of ISO 8601 in UTC, what is not known is empty."""


def write_csv(log: Iterable[Access], path: Path) -> None:
    """Write a log, one line for each entry, in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(map(_row, log))


def _row(access: Access) -> list[str]:
    proof = access.proof
    values = {
        "time": _moment(access.timestamp),
        "event": access.event,
        "emergency": "yes" if access.emergency else "no",
        "reader": access.reader,
        "patient": access.patient,
        "images": access.images,
        "purposes": " ".join(access.purposes),
        "until": None if access.until is None else _moment(access.until),
        "grant_id": access.grant_id,
        "custodian": access.custodian,
        "shown_by": access.shown_by,
        "proven": access.proven,
        "day": proof and proof.day,
        "root": proof and proof.root,
        "log_index": access.log_index,
        "evidence": access.evidence,
    }
    return ["" if values[name] is None else str(values[name]) for name in COLUMNS]


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")

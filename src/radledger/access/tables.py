"""The tables of what the events of ``AccessLedger`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radledger.access.days import from_number
from radledger.area.fold import NOBODY
from radledger.area.tables import (
    Maker,
    Rows,
    key_column,
    number_column,
    table,
    text_column,
)

__all__ = [
    "ROWS",
    "receipt_answers",
    "receipt_demands",
    "receipt_logs",
    "receipt_recorders",
    "receipt_roots",
    "recorded_receipts",
]

receipt_recorders = table(
    "receipt_recorders",
    "keys that record receipts for institutions: appointed, or dismissed with the last day for "
    "which they acknowledge",
    key_column("institution"),
    key_column("recorder"),
    text_column("change"),
    text_column("last_day", optional=True),
)

recorded_receipts = table(
    "recorded_receipts",
    "receipts that were recorded by themselves, with the signer where the signature was checked",
    key_column("receipt"),
    key_column("institution"),
    text_column("signer", optional=True),
)

receipt_roots = table(
    "receipt_roots",
    "roots of the receipts of a day (YYYY-MM-DD); the last one counts",
    key_column("institution"),
    text_column("day"),
    text_column("root"),
)

receipt_logs = table(
    "receipt_logs",
    "checkpoints of transparency logs of receipts, by SHA-256 of the log's origin; logs only grow",
    key_column("institution"),
    key_column("log"),
    number_column("size"),
    text_column("root"),
)

receipt_demands = table(
    "receipt_demands",
    "receipts that were demanded, each with the day (YYYY-MM-DD) for which it was acknowledged",
    key_column("demand"),
    key_column("receipt"),
    key_column("institution"),
    text_column("day"),
    number_column("due"),
)

receipt_answers = table(
    "receipt_answers",
    "demands that were answered",
    key_column("demand"),
)


def _appointed(args: Mapping[str, Any]) -> Rows:
    return [(receipt_recorders, {**args, "change": "appointed"})]


def _dismissed(args: Mapping[str, Any]) -> Rows:
    row = {
        "institution": args["institution"],
        "recorder": args["recorder"],
        "change": "dismissed",
        "last_day": _day_text(args["lastDay"]),
    }
    return [(receipt_recorders, row)]


def _recorded(args: Mapping[str, Any]) -> Rows:
    # A column of nothing is null.
    named = {name: value for name, value in args.items() if value != NOBODY}
    return [(recorded_receipts, named)]


def _anchored(args: Mapping[str, Any]) -> Rows:
    return [(receipt_roots, {**args, "day": _day_text(args["day"])})]


def _log_anchored(args: Mapping[str, Any]) -> Rows:
    return [(receipt_logs, dict(args))]


def _demanded(args: Mapping[str, Any]) -> Rows:
    return [(receipt_demands, {**args, "day": _day_text(args["day"])})]


def _answered(args: Mapping[str, Any]) -> Rows:
    return [(receipt_answers, dict(args))]


def _day_text(number: int) -> str:
    return from_number(number).isoformat()


ROWS: Mapping[str, Maker] = {
    "AccessRecorderAppointed": _appointed,
    "AccessRecorderDismissed": _dismissed,
    "AccessReceiptRecorded": _recorded,
    "AccessDayAnchored": _anchored,
    "AccessLogAnchored": _log_anchored,
    "AccessDemanded": _demanded,
    "AccessAnswered": _answered,
}
"""From the events to their rows."""

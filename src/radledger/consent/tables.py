"""The tables of what the events of ``ConsentRegistry`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column

from radledger.area.tables import (
    Maker,
    Rows,
    id_column,
    key_column,
    number_column,
    table,
    text_column,
)
from radledger.consent import duo
from radledger.consent.diseases import decode_disease
from radledger.consent.ids import grant_id, requested_id
from radledger.consent.model import unpack

__all__ = ["ROWS", "emergencies", "grants", "requests"]


def _term_columns() -> list[Column[Any]]:
    """What is granted or asked for; none in a row of another change."""
    return [
        number_column("start", optional=True),
        number_column("until", optional=True),
        text_column("purposes", optional=True),
        text_column("conditions", optional=True),
        text_column("disease", optional=True),
    ]


grants = table(
    "grants",
    "consent: granted or revoked; all revoked, emergencies forbidden or allowed (then without "
    "grantee and scope)",
    text_column("change"),
    key_column("subject"),
    key_column("grantee", optional=True),
    text_column("scope", optional=True),
    id_column("grant_id", optional=True),
    *_term_columns(),
    number_column("signed"),
    number_column("epoch", optional=True),
    text_column("actor"),
)

requests = table(
    "requests",
    "requests for consent: requested or approved",
    id_column("request"),
    text_column("change"),
    key_column("subject", optional=True),
    text_column("requester", optional=True),
    text_column("grantee", optional=True),
    text_column("scope", optional=True),
    *_term_columns(),
)

emergencies = table(
    "emergencies",
    "emergency access: declared or reviewed",
    text_column("change"),
    key_column("subject"),
    key_column("clinician"),
    text_column("institution", optional=True),
    number_column("since"),
    number_column("until", optional=True),
    number_column("review_by", optional=True),
    text_column("digest"),
    text_column("reviewer", optional=True),
    Column("justified", Boolean, nullable=True),
)


def _terms(word: int) -> tuple[dict[str, Any], dict[str, Any]]:
    (start, until, purposes, conditions, disease), signed, epoch = unpack(word)
    row = {
        "start": start,
        "until": until,
        "purposes": duo.purpose_text(purposes),
        "conditions": duo.condition_text(conditions),
        "disease": decode_disease(disease),
    }
    return row, {"signed": signed, "epoch": epoch}


def _grant_key(args: Mapping[str, Any]) -> dict[str, Any]:
    key = {name: args[name] for name in ("subject", "grantee", "scope")}
    return {**key, "grant_id": grant_id(**key), "actor": args["actor"]}


def _consent_granted(args: Mapping[str, Any]) -> Rows:
    terms, place = _terms(args["given"])
    return [(grants, {"change": "granted", **_grant_key(args), **terms, **place})]


def _consent_revoked(args: Mapping[str, Any]) -> Rows:
    row = {**_grant_key(args), "signed": args["signed"]}
    return [(grants, {"change": "revoked", **row})]


def _consent_revoked_all(args: Mapping[str, Any]) -> Rows:
    return [(grants, {"change": "all revoked", **args})]


def _emergencies_forbidden(args: Mapping[str, Any]) -> Rows:
    change = "emergencies forbidden" if args["forbidden"] else "emergencies allowed"
    row = {name: args[name] for name in ("subject", "signed", "actor")}
    return [(grants, {"change": change, **row})]


def _consent_requested(args: Mapping[str, Any]) -> Rows:
    terms, _ = _terms(args["asked"])
    who = {name: args[name] for name in ("requester", "subject", "grantee", "scope")}
    return [(requests, {"request": requested_id(args), "change": "requested", **who, **terms})]


def _consent_request_approved(args: Mapping[str, Any]) -> Rows:
    return [(requests, {"request": args["request"], "change": "approved"})]


def _emergency_declared(args: Mapping[str, Any]) -> Rows:
    row = {name: args[name] for name in ("subject", "clinician", "institution", "since", "until")}
    rest = {"review_by": args["reviewBy"], "digest": args["reason"]}
    return [(emergencies, {"change": "declared", **row, **rest})]


def _emergency_reviewed(args: Mapping[str, Any]) -> Rows:
    row = {name: args[name] for name in ("subject", "clinician", "since", "reviewer", "justified")}
    return [(emergencies, {"change": "reviewed", **row, "digest": args["opinion"]})]


ROWS: Mapping[str, Maker] = {
    "ConsentGranted": _consent_granted,
    "ConsentRevoked": _consent_revoked,
    "ConsentRevokedAll": _consent_revoked_all,
    "ConsentRequested": _consent_requested,
    "ConsentRequestApproved": _consent_request_approved,
    "EmergencyDeclared": _emergency_declared,
    "EmergencyReviewed": _emergency_reviewed,
    "EmergenciesForbidden": _emergencies_forbidden,
}
"""From the events to their rows."""

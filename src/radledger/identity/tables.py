"""The tables of what the events of ``ParticipantRegistry`` and ``IdentityRegistry`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radledger.area.tables import (
    Maker,
    Rows,
    amount_column,
    number_column,
    table,
    text_column,
)
from radledger.identity.roles import role_names

__all__ = ["IDENTITY_ROWS", "PARTICIPANT_ROWS", "identities", "participants"]

participants = table(
    "participants",
    "accreditation: admitted, roles changed, left, suspended, reinstated; governor added, removed",
    text_column("change"),
    text_column("account"),
    text_column("institution", optional=True),
    text_column("roles", optional=True),
    text_column("actor", optional=True),
    number_column("status", optional=True),
)

identities = table(
    "identities",
    "identities: owner, delegate, attribute, guardians; recovery approved, vetoed, executed; "
    "approval withdrawn",
    text_column("change"),
    text_column("identity"),
    text_column("account", optional=True),
    text_column("name", optional=True),
    text_column("value", optional=True),
    amount_column("valid_to", optional=True),
)


def _accreditation(change: str) -> Maker:
    def make(args: Mapping[str, Any]) -> Rows:
        row = {**args, "change": change}
        if "roles" in row:
            row["roles"] = " ".join(role_names(row["roles"]))
        return [(participants, row)]

    return make


def _identity(change: str, **renamed: str) -> Maker:
    """A change of an identity, with each column's value under its name in the event."""

    def make(args: Mapping[str, Any]) -> Rows:
        row = {column: args[name] for column, name in renamed.items()}
        return [(identities, {"change": change, "identity": args["identity"], **row})]

    return make


def _guardians_changed(args: Mapping[str, Any]) -> Rows:
    value = f"{args['threshold']} of {' '.join(args['guardians'])}" if args["guardians"] else ""
    row = {"change": "guardians", "identity": args["identity"], "value": value}
    return [(identities, row)]


PARTICIPANT_ROWS: Mapping[str, Maker] = {
    "ParticipantAdmitted": _accreditation("admitted"),
    "ParticipantRolesChanged": _accreditation("roles changed"),
    "ParticipantLeft": _accreditation("left"),
    "ParticipantSuspended": _accreditation("suspended"),
    "ParticipantReinstated": _accreditation("reinstated"),
    "ParticipantGovernorAdded": _accreditation("governor added"),
    "ParticipantGovernorRemoved": _accreditation("governor removed"),
}
"""From the events to their rows."""

IDENTITY_ROWS: Mapping[str, Maker] = {
    "DIDOwnerChanged": _identity("owner", account="owner"),
    "DIDDelegateChanged": _identity(
        "delegate", account="delegate", name="delegateType", valid_to="validTo"
    ),
    "DIDAttributeChanged": _identity("attribute", name="name", value="value", valid_to="validTo"),
    "IdentityGuardiansSet": _guardians_changed,
    "IdentityRecoveryApproved": _identity(
        "recovery approved", account="newOwner", value="guardian"
    ),
    "IdentityApprovalWithdrawn": _identity(
        "approval withdrawn", account="newOwner", value="guardian"
    ),
    "IdentityRecoveryVetoed": _identity("recovery vetoed"),
    "IdentityRecoveryExecuted": _identity(
        "recovery executed", account="newOwner", value="previousOwner"
    ),
}
"""From the events to their rows."""

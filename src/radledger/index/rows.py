"""From an event to the rows of the typed tables that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from radledger.consent import duo
from radledger.consent.diseases import decode_disease
from radledger.consent.model import unpack
from radledger.identity.roles import role_names
from radledger.imaging.model import NONE, Kind
from radledger.index import tables
from radledger.research.model import CLASSES, RULES

if TYPE_CHECKING:
    from sqlalchemy import Table

    from radledger.index.events import ChainEvent

__all__ = ["grant_id", "request_id", "rows_of"]

Row = dict[str, Any]
_Rows = list[tuple["Table", Row]]


def rows_of(event: ChainEvent) -> Iterator[tuple[Table, Row]]:
    """The rows that an event becomes: none, one or two, each with its table."""
    make = _MAKERS.get(event.name)
    if make is None:
        return
    place = {"block": event.block, "log_index": event.log_index}
    for table, row in make(event.arguments):
        # Every row of a table has the same columns, so that many are written by one statement.
        yield table, {**_empty(table), **row, **place}


def grant_id(subject: str, grantee: str, scope: str) -> str:
    """The id of a grant, as ``ConsentRegistry.grantIdOf`` computes it."""
    return _hash(subject, grantee, scope)


def request_id(requester: str, subject: str, grantee: str, scope: str, asked: int) -> str:
    """The id of a request, as ``ConsentRegistry.requestIdOf`` computes it."""
    return _hash(requester, subject, grantee, scope, f"0x{asked:064x}")


def _hash(*words: str) -> str:
    """keccak256 of addresses and words of 32 bytes, ABI-encoded."""
    from eth_hash.auto import keccak

    return "0x" + keccak(bytes.fromhex("".join(word[2:].rjust(64, "0") for word in words))).hex()


@cache
def _empty(table: Table) -> Row:
    return {column.name: None for column in table.columns}


# --- imaging -------------------------------------------------------------------------------------


def _image_anchored(args: Mapping[str, Any]) -> _Rows:
    parent = args["parent"] if args["parent"] != NONE else None
    row = {**args, "kind": Kind.of(args["kind"]).value, "parent": parent}
    made: _Rows = [(tables.images, row)]
    if parent is not None:
        superseded = {"image": parent, "change": "superseded", "successor": args["image"]}
        made.append((tables.versions, superseded))
    return made


def _image_rekeyed(args: Mapping[str, Any]) -> _Rows:
    row = {"image": args["image"], "change": "rekeyed", "digest": args["manifest"]}
    return [(tables.versions, row)]


def _image_erased(args: Mapping[str, Any]) -> _Rows:
    row = {"image": args["image"], "change": "erased", "digest": args["certificate"]}
    return [(tables.versions, row)]


def _image_said(change: str) -> Callable[[Mapping[str, Any]], _Rows]:
    return lambda args: [(tables.versions, {"image": args["image"], "change": change})]


# --- consent -------------------------------------------------------------------------------------


def _terms(word: int) -> tuple[Row, Row]:
    (start, until, purposes, conditions, disease), signed, epoch = unpack(word)
    row = {
        "start": start,
        "until": until,
        "purposes": _purposes(purposes),
        "conditions": _conditions(conditions),
        "disease": decode_disease(disease),
    }
    return row, {"signed": signed, "epoch": epoch}


@cache
def _purposes(bits: int) -> str:
    return " ".join(duo.purpose_names(bits))


@cache
def _conditions(bits: int) -> str:
    return " ".join(duo.condition_names(bits))


def _grant_key(args: Mapping[str, Any]) -> Row:
    key = {name: args[name] for name in ("subject", "grantee", "scope")}
    return {**key, "grant_id": grant_id(**key), "actor": args["actor"]}


def _consent_granted(args: Mapping[str, Any]) -> _Rows:
    terms, place = _terms(args["given"])
    return [(tables.grants, {"change": "granted", **_grant_key(args), **terms, **place})]


def _consent_withdrawn(args: Mapping[str, Any]) -> _Rows:
    row = {**_grant_key(args), "signed": args["signed"]}
    return [(tables.grants, {"change": "withdrawn", **row})]


def _consent_withdrawn_all(args: Mapping[str, Any]) -> _Rows:
    return [(tables.grants, {"change": "all withdrawn", **args})]


def _emergencies_forbidden(args: Mapping[str, Any]) -> _Rows:
    change = "emergencies forbidden" if args["forbidden"] else "emergencies allowed"
    row = {name: args[name] for name in ("subject", "signed", "actor")}
    return [(tables.grants, {"change": change, **row})]


def _consent_requested(args: Mapping[str, Any]) -> _Rows:
    terms, _ = _terms(args["asked"])
    who = {name: args[name] for name in ("requester", "subject", "grantee", "scope")}
    id_ = request_id(**who, asked=args["asked"])
    return [(tables.requests, {"request": id_, "change": "requested", **who, **terms})]


def _consent_request_approved(args: Mapping[str, Any]) -> _Rows:
    return [(tables.requests, {"request": args["request"], "change": "approved"})]


def _emergency_declared(args: Mapping[str, Any]) -> _Rows:
    row = {name: args[name] for name in ("subject", "clinician", "institution", "since", "until")}
    rest = {"review_by": args["reviewBy"], "digest": args["reason"]}
    return [(tables.emergencies, {"change": "declared", **row, **rest})]


def _emergency_reviewed(args: Mapping[str, Any]) -> _Rows:
    row = {name: args[name] for name in ("subject", "clinician", "since", "reviewer", "justified")}
    return [(tables.emergencies, {"change": "reviewed", **row, "digest": args["opinion"]})]


# --- research ------------------------------------------------------------------------------------


def _dataset_created(args: Mapping[str, Any]) -> _Rows:
    terms, use = args["terms"], args["terms"]["use"]
    row = {
        **{name: args[name] for name in ("dataset", "institution", "curator", "vault")},
        "token": terms["token"],
        "rule": RULES[terms["rule"]],
        "purposes": _purposes(use["purposes"]),
        "fulfilled": _conditions(use["fulfilled"]),
        "disease": decode_disease(bytes.fromhex(use["disease"][2:])),
        **dict(zip(CLASSES, terms["shares"], strict=True)),
        "most_instances": terms["mostInstances"],
        "protocol": terms["protocol"],
    }
    return [(tables.datasets, row)]


def _dataset_version_frozen(args: Mapping[str, Any]) -> _Rows:
    return [(tables.dataset_versions, dict(args))]


def _dataset_funded(args: Mapping[str, Any]) -> _Rows:
    return [(tables.fundings, dict(args))]


def _dataset_image_contributed(args: Mapping[str, Any]) -> _Rows:
    row = {name: args[name] for name in ("dataset", "custodian", "weight")}
    rest = {"item": args["image"], "beneficiary": args["patient"], "grant_id": args["grantId"]}
    return [(tables.contributions, {"change": "made", **row, **rest})]


def _work_contributed(args: Mapping[str, Any]) -> _Rows:
    return [(tables.contributions, {"change": "made", **_work(args), "weight": args["weight"]})]


def _work_withdrawn(args: Mapping[str, Any]) -> _Rows:
    return [(tables.contributions, {"change": "withdrawn", **_work(args)})]


def _work(args: Mapping[str, Any]) -> Row:
    return {
        "dataset": args["dataset"],
        "class": CLASSES[args["class"]],
        "item": args["work"],
        "beneficiary": args["contributor"],
    }


def _image_set_changed(change: str, **fixed: str) -> Callable[[Mapping[str, Any]], _Rows]:
    def make(args: Mapping[str, Any]) -> _Rows:
        row = {"dataset": args["dataset"], "item": args["image"], "ends_at": args.get("endsAt")}
        return [(tables.contributions, {"change": change, **row, **fixed})]

    return make


def _free_chosen(args: Mapping[str, Any]) -> _Rows:
    row = {
        "dataset": args["dataset"],
        "beneficiary": args["beneficiary"],
        "class": CLASSES[args["class"]],
        "change": "free" if args["free"] else "for reward",
    }
    return [(tables.contributions, row)]


def _dataset_reward_claimed(args: Mapping[str, Any]) -> _Rows:
    row = {name: args[name] for name in ("dataset", "beneficiary", "amount")}
    rest = {"class": CLASSES[args["class"]], "recipient": args["to"]}
    return [(tables.payouts, {"change": "claimed", **row, **rest})]


def _account_closed(args: Mapping[str, Any]) -> _Rows:
    row = {"dataset": args["dataset"], "beneficiary": args["beneficiary"]}
    return [(tables.payouts, {"change": "closed", **row, "class": CLASSES[args["class"]]})]


# --- identity ------------------------------------------------------------------------------------


def _accreditation(change: str) -> Callable[[Mapping[str, Any]], _Rows]:
    def make(args: Mapping[str, Any]) -> _Rows:
        row = {**args, "change": change}
        if "roles" in row:
            row["roles"] = " ".join(role_names(row["roles"]))
        return [(tables.participants, row)]

    return make


def _identity(change: str, **renamed: str) -> Callable[[Mapping[str, Any]], _Rows]:
    """A change of an identity, with each column's value under its name in the event."""

    def make(args: Mapping[str, Any]) -> _Rows:
        row = {column: args[name] for column, name in renamed.items()}
        return [(tables.identities, {"change": change, "identity": args["identity"], **row})]

    return make


def _guardians_set(args: Mapping[str, Any]) -> _Rows:
    value = f"{args['threshold']} of {' '.join(args['guardians'])}" if args["guardians"] else ""
    row = {"change": "guardians", "identity": args["identity"], "value": value}
    return [(tables.identities, row)]


_MAKERS: dict[str, Callable[[Mapping[str, Any]], _Rows]] = {
    "ImageAnchored": _image_anchored,
    "ImageRekeyed": _image_rekeyed,
    "ImageErased": _image_erased,
    "ImageDisowned": _image_said("disowned"),
    "ImageAcknowledged": _image_said("acknowledged"),
    "ConsentGranted": _consent_granted,
    "ConsentWithdrawn": _consent_withdrawn,
    "ConsentWithdrawnAll": _consent_withdrawn_all,
    "ConsentRequested": _consent_requested,
    "ConsentRequestApproved": _consent_request_approved,
    "EmergencyDeclared": _emergency_declared,
    "EmergencyReviewed": _emergency_reviewed,
    "EmergenciesForbidden": _emergencies_forbidden,
    "DatasetCreated": _dataset_created,
    "DatasetVersionFrozen": _dataset_version_frozen,
    "DatasetFunded": _dataset_funded,
    "DatasetImageContributed": _dataset_image_contributed,
    "DatasetImageWithdrawn": _image_set_changed("withdrawn"),
    "DatasetCustodyWithdrawn": _image_set_changed("withdrawn", **{"class": "custody"}),
    "DatasetImageSuspended": _image_set_changed("suspended"),
    "DatasetImageResumed": _image_set_changed("resumed"),
    "DatasetWorkContributed": _work_contributed,
    "DatasetWorkWithdrawn": _work_withdrawn,
    "DatasetFreeSet": _free_chosen,
    "DatasetRewardClaimed": _dataset_reward_claimed,
    "DatasetAccountClosed": _account_closed,
    "ParticipantAdmitted": _accreditation("admitted"),
    "ParticipantRolesChanged": _accreditation("roles changed"),
    "ParticipantLeft": _accreditation("left"),
    "ParticipantSuspended": _accreditation("suspended"),
    "ParticipantReinstated": _accreditation("reinstated"),
    "ParticipantGovernorAdded": _accreditation("governor added"),
    "ParticipantGovernorRemoved": _accreditation("governor removed"),
    "DIDOwnerChanged": _identity("owner", account="owner"),
    "DIDDelegateChanged": _identity(
        "delegate", account="delegate", name="delegateType", valid_to="validTo"
    ),
    "DIDAttributeChanged": _identity("attribute", name="name", value="value", valid_to="validTo"),
    "IdentityGuardiansSet": _guardians_set,
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

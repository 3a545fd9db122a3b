"""The tables of what the events of ``DatasetRegistry`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radledger.area.tables import (
    Maker,
    Rows,
    amount_column,
    key_column,
    number_column,
    table,
    text_column,
)
from radledger.consent import duo
from radledger.consent.diseases import decode_disease
from radledger.research.model import CLASSES, RULES

__all__ = ["ROWS", "contributions", "dataset_versions", "datasets", "fundings", "payouts"]

datasets = table(
    "datasets",
    "data sets, as they were created",
    key_column("dataset"),
    text_column("institution"),
    text_column("curator"),
    text_column("vault"),
    text_column("token"),
    text_column("rule"),
    number_column("most_instances"),
    text_column("purposes"),
    text_column("fulfilled"),
    text_column("disease", optional=True),
    number_column("data"),
    number_column("custody"),
    number_column("annotation"),
    number_column("development"),
    text_column("protocol"),
)

dataset_versions = table(
    "dataset_versions",
    "versions of data sets, as they were frozen",
    key_column("dataset"),
    number_column("version"),
    key_column("root"),
    number_column("contributions"),
)

fundings = table(
    "fundings",
    "money paid into data sets",
    text_column("dataset"),
    text_column("funder"),
    amount_column("received"),
)

contributions = table(
    "contributions",
    "contributions to data sets: made, withdrawn, suspended, resumed (data and custody, where no "
    "class is named); or of all of a beneficiary's in a class: free, for reward",
    key_column("dataset"),
    text_column("change"),
    text_column("class", optional=True),
    key_column("item", optional=True),
    text_column("beneficiary", optional=True),
    text_column("custodian", optional=True),
    number_column("weight", optional=True),
    text_column("grant_id", optional=True),
    number_column("ends_at", optional=True),
)

payouts = table(
    "payouts",
    "money that data sets paid: claimed; or closed: only the identity's owner collects from now on",
    key_column("dataset"),
    text_column("change"),
    text_column("class"),
    text_column("beneficiary"),
    text_column("recipient", optional=True),
    amount_column("amount", optional=True),
)


def _dataset_created(args: Mapping[str, Any]) -> Rows:
    terms, use = args["terms"], args["terms"]["use"]
    row = {
        **{name: args[name] for name in ("dataset", "institution", "curator", "vault")},
        "token": terms["token"],
        "rule": RULES[terms["rule"]],
        "purposes": duo.purpose_text(use["purposes"]),
        "fulfilled": duo.condition_text(use["fulfilled"]),
        "disease": decode_disease(bytes.fromhex(use["disease"][2:])),
        **dict(zip(CLASSES, terms["shares"], strict=True)),
        "most_instances": terms["mostInstances"],
        "protocol": terms["protocol"],
    }
    return [(datasets, row)]


def _version_frozen(args: Mapping[str, Any]) -> Rows:
    return [(dataset_versions, dict(args))]


def _dataset_funded(args: Mapping[str, Any]) -> Rows:
    return [(fundings, dict(args))]


def _image_set_contributed(args: Mapping[str, Any]) -> Rows:
    row = {name: args[name] for name in ("dataset", "custodian", "weight")}
    rest = {"item": args["image"], "beneficiary": args["patient"], "grant_id": args["grantId"]}
    return [(contributions, {"change": "made", **row, **rest})]


def _work_contributed(args: Mapping[str, Any]) -> Rows:
    return [(contributions, {"change": "made", **_work(args), "weight": args["weight"]})]


def _work_withdrawn(args: Mapping[str, Any]) -> Rows:
    return [(contributions, {"change": "withdrawn", **_work(args)})]


def _work(args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dataset": args["dataset"],
        "class": CLASSES[args["class"]],
        "item": args["work"],
        "beneficiary": args["contributor"],
    }


def _image_set_changed(change: str, **fixed: str) -> Maker:
    def make(args: Mapping[str, Any]) -> Rows:
        row = {"dataset": args["dataset"], "item": args["image"], "ends_at": args.get("endsAt")}
        return [(contributions, {"change": change, **row, **fixed})]

    return make


def _free_chosen(args: Mapping[str, Any]) -> Rows:
    row = {
        "dataset": args["dataset"],
        "beneficiary": args["beneficiary"],
        "class": CLASSES[args["class"]],
        "change": "free" if args["free"] else "for reward",
    }
    return [(contributions, row)]


def _reward_claimed(args: Mapping[str, Any]) -> Rows:
    row = {name: args[name] for name in ("dataset", "beneficiary", "amount")}
    rest = {"class": CLASSES[args["class"]], "recipient": args["to"]}
    return [(payouts, {"change": "claimed", **row, **rest})]


def _account_closed(args: Mapping[str, Any]) -> Rows:
    row = {"dataset": args["dataset"], "beneficiary": args["beneficiary"]}
    return [(payouts, {"change": "closed", **row, "class": CLASSES[args["class"]]})]


ROWS: Mapping[str, Maker] = {
    "DatasetCreated": _dataset_created,
    "DatasetVersionFrozen": _version_frozen,
    "DatasetFunded": _dataset_funded,
    "DatasetImageContributed": _image_set_contributed,
    "DatasetImageWithdrawn": _image_set_changed("withdrawn"),
    "DatasetCustodyWithdrawn": _image_set_changed("withdrawn", **{"class": "custody"}),
    "DatasetImageSuspended": _image_set_changed("suspended"),
    "DatasetImageResumed": _image_set_changed("resumed"),
    "DatasetWorkContributed": _work_contributed,
    "DatasetWorkWithdrawn": _work_withdrawn,
    "DatasetFreeSet": _free_chosen,
    "DatasetRewardClaimed": _reward_claimed,
    "DatasetAccountClosed": _account_closed,
}
"""From the events to their rows."""

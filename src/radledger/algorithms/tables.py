"""The tables of what the events of ``AlgorithmRegistry`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Column

from radledger.algorithms.ids import family_text, training_text
from radledger.algorithms.state import executed_id
from radledger.area.fold import NOTHING
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

__all__ = [
    "ROWS",
    "algorithm_recalls",
    "algorithm_versions",
    "algorithms",
    "execution_batches",
    "executions",
]

algorithms = table(
    "algorithms",
    "algorithms, as they were registered, the last one counts",
    key_column("algorithm"),
    text_column("institution"),
    text_column("name"),
    text_column("family", optional=True),
)

algorithm_versions = table(
    "algorithm_versions",
    "versions of algorithms, as they were published; trained on a version of a data set "
    "(DATASET/NUMBER)",
    key_column("version"),
    key_column("algorithm"),
    text_column("institution"),
    text_column("label"),
    text_column("digest"),
    key_column("trained_on", optional=True),
    text_column("conditions", optional=True),
    key_column("parent", optional=True),
    Column("developers", JSON, nullable=False),
)

algorithm_recalls = table(
    "algorithm_recalls",
    "versions of algorithms that were recalled",
    key_column("version"),
    text_column("actor"),
    text_column("notice"),
)

executions = table(
    "executions",
    "executions of versions on image sets, in the order in which the version took them",
    id_column("execution", key=True),
    key_column("version"),
    text_column("operator"),
    key_column("output"),
    text_column("purposes"),
    text_column("fulfilled"),
    text_column("disease", optional=True),
    Column("images", JSON, nullable=False),
    Column("grant_ids", JSON, nullable=False),
)

execution_batches = table(
    "execution_batches",
    "executions of versions that were recorded by the root over their ids",
    key_column("root"),
    key_column("version"),
    text_column("operator"),
    number_column("count"),
)


def _registered(args: Mapping[str, Any]) -> Rows:
    return [(algorithms, {**args, "family": family_text(args["family"])})]


def _published(args: Mapping[str, Any]) -> Rows:
    stated = args["newVersion"]
    row = {
        **{name: args[name] for name in ("version", "algorithm", "institution", "label")},
        "digest": stated["digest"],
        "trained_on": training_text(stated["dataset"], stated["datasetVersion"]),
        "developers": args["developers"],
        # A column of nothing is null.
        **{name: stated[name] for name in ("conditions", "parent") if stated[name] != NOTHING},
    }
    return [(algorithm_versions, row)]


def _recalled(args: Mapping[str, Any]) -> Rows:
    return [(algorithm_recalls, dict(args))]


def _executed(args: Mapping[str, Any]) -> Rows:
    use = args["use"]
    row = {
        "execution": executed_id(args),
        **{name: args[name] for name in ("version", "operator", "output", "images")},
        "purposes": duo.purpose_text(use["purposes"]),
        "fulfilled": duo.condition_text(use["fulfilled"]),
        "disease": decode_disease(bytes.fromhex(use["disease"][2:])),
        "grant_ids": args["grantIds"],
    }
    return [(executions, row)]


def _executed_many(args: Mapping[str, Any]) -> Rows:
    return [(execution_batches, dict(args))]


ROWS: Mapping[str, Maker] = {
    "AlgorithmRegistered": _registered,
    "AlgorithmVersionPublished": _published,
    "AlgorithmVersionRecalled": _recalled,
    "AlgorithmExecutionRecorded": _executed,
    "AlgorithmExecutionsRecorded": _executed_many,
}
"""From the events to their rows."""

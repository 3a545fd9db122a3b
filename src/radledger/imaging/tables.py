"""The tables of what the events of ``ImageRegistry`` changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radledger.area.tables import (
    Maker,
    Rows,
    id_column,
    key_column,
    number_column,
    table,
    text_column,
)
from radledger.imaging.model import NONE, Kind

__all__ = ["ROWS", "images", "versions"]

images = table(
    "images",
    "image sets, as they were anchored",
    key_column("image"),
    text_column("custodian"),
    text_column("patient"),
    text_column("root"),
    text_column("manifest"),
    id_column("visit"),
    id_column("course"),
    number_column("instances"),
    text_column("kind"),
    key_column("parent", optional=True),
)

versions = table(
    "versions",
    "what became of an image set: superseded (successor), rekeyed (manifest), erased "
    "(certificate); disowned by its patient, acknowledged again",
    key_column("image"),
    text_column("change"),
    text_column("successor", optional=True),
    text_column("digest", optional=True),
)


def _image_anchored(args: Mapping[str, Any]) -> Rows:
    parent = args["parent"] if args["parent"] != NONE else None
    row = {**args, "kind": Kind.of(args["kind"]).value, "parent": parent}
    made: list[Any] = [(images, row)]
    if parent is not None:
        superseded = {"image": parent, "change": "superseded", "successor": args["image"]}
        made.append((versions, superseded))
    return made


def _image_rekeyed(args: Mapping[str, Any]) -> Rows:
    row = {"image": args["image"], "change": "rekeyed", "digest": args["manifest"]}
    return [(versions, row)]


def _image_erased(args: Mapping[str, Any]) -> Rows:
    row = {"image": args["image"], "change": "erased", "digest": args["certificate"]}
    return [(versions, row)]


def _image_said(change: str) -> Maker:
    return lambda args: [(versions, {"image": args["image"], "change": change})]


ROWS: Mapping[str, Maker] = {
    "ImageAnchored": _image_anchored,
    "ImageRekeyed": _image_rekeyed,
    "ImageErased": _image_erased,
    "ImageDisowned": _image_said("disowned"),
    "ImageAcknowledged": _image_said("acknowledged"),
}
"""From the events to their rows."""

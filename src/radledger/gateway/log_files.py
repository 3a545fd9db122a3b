"""The files of the log of receipts over HTTP (C2SP tlog-tiles)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from radledger.gateway.authorization import TheGateway
from radledger.httpapi.problems import problems
from radledger.tlog.errors import LogUnreadable

__all__ = ["router"]

_INDEX = r"(x[0-9]{3}/){0,5}[0-9]{3}(\.p/[1-9][0-9]{0,2})?"
_SIZE = r"[1-9][0-9]{0,12}"
_NAME = rf"^(checkpoint|anchored/{_SIZE}|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/{_INDEX})$"
_FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter()


@router.get("/log/{name:path}", responses=problems(404, 422), response_class=Response)
def show_log_file(
    gateway: TheGateway,
    name: Annotated[
        str, Path(pattern=_NAME, description="Of C2SP tlog-tiles.", examples=["checkpoint"])
    ],
) -> Response:
    """Give a file of the log of receipts, for anyone: a checkpoint, a tile or a bundle.

    `checkpoint` is the latest; `anchored/` has those that are on the chain, by their size.
    """
    try:
        content = gateway.receipt_log.source.read(name)
    except LogUnreadable:  # which says where the home is
        raise LogUnreadable(
            f"the log has no file {name}; begin with its checkpoint, which says how many entries "
            "it has",
            file=name,
        ) from None
    kept = "no-cache" if name == "checkpoint" else _FOR_GOOD
    media_type = (
        "application/octet-stream" if name.startswith("tile/") else "text/plain; charset=utf-8"
    )
    return Response(content, 200, {"Cache-Control": kept}, media_type)

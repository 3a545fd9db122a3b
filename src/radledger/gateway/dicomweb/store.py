"""STOW-RS (PS3.18 section 10.5): instances of accounts that the custodian allows."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

from anyio import from_thread
from fastapi import APIRouter, Request, Response
from pydicom.datadict import dictionary_VR
from starlette.requests import ClientDisconnect

from radledger.gateway.authorization import Account, TheGateway
from radledger.gateway.dicomweb.json_model import entry, tag_of
from radledger.gateway.dicomweb.negotiation import choose
from radledger.gateway.dicomweb.parts import IncomingPart, incoming, media_type_of
from radledger.gateway.dicomweb.search import JSON, answers
from radledger.gateway.errors import (
    BodyMalformed,
    GatewayBusy,
    MediaTypeNotSupported,
    StoringNotAllowed,
)
from radledger.gateway.service import Gateway
from radledger.gateway.storing import InstanceStore, Stored
from radledger.httpapi.problems import problems
from radledger.texts import quoted

__all__ = ["LARGEST_BODY", "PATH", "router"]

_log = logging.getLogger(__name__)
PATH = "/studies"
LARGEST_BODY = 4 << 30
"""Bytes of a request: as many as one instance of C-STORE may have."""

_DICOM, _MULTIPART = "application/dicom", "multipart/related"
_MOST = 4
"""Requests at a time; each has a thread for as long as it arrives."""
_OUT_OF_RESOURCES, _CANNOT_UNDERSTAND = 0xA700, 0xC000  # PS3.18 table I.2-2
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")
_ANSWERS = answers(*(each.media_type for each in JSON))
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **_ANSWERS,
    202: _ANSWERS[200],
    409: _ANSWERS[200],
    **problems(400, 401, 403, 406, 413, 415, 429, 503),
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            f'{_MULTIPART}; type="{_DICOM}"; boundary=boundary': {"schema": {"type": "string"}}
        },
    }
}
_storing = threading.BoundedSemaphore(_MOST)

router = APIRouter(default_response_class=Response)


@router.post(PATH, responses=_RESPONSES, openapi_extra=_BODY)
def store_instances(request: Request, gateway: TheGateway, account: Account) -> Response:
    """Store instances."""
    return _answer(request, _store_of(gateway, account), None)


@router.post(f"{PATH}/{{study}}", responses=_RESPONSES, openapi_extra=_BODY)
def store_instances_of_study(
    request: Request, gateway: TheGateway, account: Account, study: str
) -> Response:
    """Store instances of a study."""
    return _answer(request, _store_of(gateway, account), study)


def _store_of(gateway: Gateway, account: str) -> InstanceStore:
    store = gateway.store
    if store is None or account not in store.allowed:
        raise StoringNotAllowed(
            f"{account} may not add instances here; ask the custodian for it", account=account
        )
    return store


def _answer(request: Request, store: InstanceStore, study: str | None) -> Response:
    choice = choose(request, JSON)
    boundary = _boundary(request.headers.get("content-type", ""))
    if not _storing.acquire(blocking=False):
        raise GatewayBusy(f"{_MOST} requests store instances; try again in a minute", most=_MOST)
    try:
        parts = incoming(_chunks(request), boundary)
        stored = [_stored(store, part, study) for part in parts]
    finally:
        _storing.release()
    if not stored:
        raise BodyMalformed("the body has no part; send each instance as one")
    failed = [each for each in stored if each.failure]
    status = 200 if not failed else 409 if len(failed) == len(stored) else 202
    content = json.dumps(_module(stored))
    return Response(content, status, {"Cache-Control": "no-store"}, choice.media_type)


def _boundary(content_type: str) -> str:
    media_type, parameters = media_type_of(content_type)
    if media_type != _MULTIPART or parameters.get("type", _DICOM).lower() != _DICOM:
        raise MediaTypeNotSupported(
            f"instances are not taken as {quoted(content_type)}; send them as "
            f'{_MULTIPART}; type="{_DICOM}"',
            media_type=content_type[:500],
        )
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise BodyMalformed(f"the media type's boundary is {quoted(boundary)}; give another one")
    return boundary


def _chunks(request: Request) -> Iterator[bytes]:
    """The body as it comes, in the thread of a request."""
    stream = aiter(request.stream())

    async def following() -> bytes | None:
        return await anext(stream, None)

    try:
        while (chunk := from_thread.run(following)) is not None:
            yield chunk
    except ClientDisconnect:
        raise BodyMalformed("the connection ended before the body; send it again") from None


def _stored(store: InstanceStore, part: IncomingPart, study: str | None) -> Stored:
    if part.media_type not in (_DICOM, "text/plain"):  # the latter where the part names none
        return Stored(None, None, _CANNOT_UNDERSTAND)
    try:
        with store.receiving() as file:
            for piece in part.content:
                file.write(piece)
            return store.hold(file, study)
    except OSError as error:
        _log.warning("an instance was refused: %s", error)
        return Stored(None, None, _OUT_OF_RESOURCES)


def _module(stored: list[Stored]) -> dict[str, Any]:
    """The Store Instances Response Module (PS3.18 table I.1-1).

    What is held cannot be retrieved before it is anchored, so there is no address.
    """
    sequences: dict[str, list[dict[str, Any]]] = {}
    for each in stored:
        failure = {} if not each.failure else _attributes(FailureReason=each.failure)
        if each.sop_instance is None:
            sequences.setdefault("OtherFailuresSequence", []).append(failure)
            continue
        item = _attributes(
            ReferencedSOPClassUID=each.sop_class, ReferencedSOPInstanceUID=each.sop_instance
        )
        if each.failure:
            sequences.setdefault("FailedSOPSequence", []).append(item | failure)
        else:
            address = _attributes(RetrieveURL=None)
            sequences.setdefault("ReferencedSOPSequence", []).append(item | address)
    module = _attributes(RetrieveURL=None)
    for keyword, items in sequences.items():
        module[tag_of(keyword)] = entry("SQ", *items)
    return dict(sorted(module.items()))


def _attributes(**values: Any) -> dict[str, Any]:
    return {
        tag_of(keyword): entry(dictionary_VR(keyword), *(() if value is None else (value,)))
        for keyword, value in sorted(values.items())
    }

"""QIDO-RS (PS3.18 section 10.6): what of a token's image sets matches, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydicom.datadict import dictionary_VR

from radledger.gateway.authorization import TheView
from radledger.gateway.dicomweb.json_model import entry
from radledger.gateway.dicomweb.matching import INSTANCE, SERIES, STUDY, Search, parsed
from radledger.gateway.dicomweb.negotiation import Offer, choose
from radledger.gateway.dicomweb.rows import (
    ADDED,
    IN_SERIES,
    IN_STUDY,
    SERIES_UID,
    STUDY_UID,
    Row,
    instance_rows,
    series_rows,
    study_rows,
)
from radledger.gateway.dicomweb.view import View
from radledger.httpapi.problems import problems

__all__ = ["JSON", "answers", "router"]

JSON = (Offer("application/dicom+json"), Offer("application/json"))
# How many, as PS3.18 section 8.3.4.4 has it, is not counted: each may have to be decrypted.
_MORE = '299 gateway "There are additional results that can be requested"'
_FUZZY = (
    '299 gateway "The fuzzymatching parameter is not supported. Only literal matching has been '
    'performed."'
)

router = APIRouter(default_response_class=Response)


def answers(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """What an operation's description says of its answer."""
    return {200: {"content": {each: {} for each in media_types}}}


_ROWS = answers(*(each.media_type for each in JSON)) | problems(400, 401, 403, 406, 429, 503)


@router.get("/studies", responses=_ROWS)
def search_studies(request: Request, view: TheView) -> Response:
    """Search for studies."""
    search = parsed(request.query_params, STUDY)
    rows = study_rows(view)
    return _answer(request, search, filter(search.matches, rows), (*STUDY, *IN_STUDY), STUDY)


@router.get("/series", responses=_ROWS)
def search_series(request: Request, view: TheView) -> Response:
    """Search for series of any study."""
    return _series_answer(request, view, None, (*STUDY, *SERIES))


@router.get("/studies/{study}/series", responses=_ROWS)
def search_series_of_study(request: Request, view: TheView, study: str) -> Response:
    """Search for series of a study."""
    return _series_answer(request, view, study, (STUDY_UID, *SERIES))


@router.get("/instances", responses=_ROWS)
def search_instances(request: Request, view: TheView) -> Response:
    """Search for instances of any study."""
    return _instances_answer(request, view, (), (*STUDY, *SERIES, *INSTANCE))


@router.get("/studies/{study}/instances", responses=_ROWS)
def search_instances_of_study(request: Request, view: TheView, study: str) -> Response:
    """Search for instances of a study."""
    return _instances_answer(request, view, (study,), (STUDY_UID, *SERIES, *INSTANCE))


@router.get("/studies/{study}/series/{series}/instances", responses=_ROWS)
def search_instances_of_series(
    request: Request, view: TheView, study: str, series: str
) -> Response:
    """Search for instances of a series."""
    return _instances_answer(request, view, (study, series), (STUDY_UID, SERIES_UID, *INSTANCE))


def _series_answer(
    request: Request, view: View, study: str | None, answered: tuple[str, ...]
) -> Response:
    search = parsed(request.query_params, (*STUDY, *SERIES))
    rows = filter(search.matches, series_rows(view, study).values())
    return _answer(request, search, rows, (*answered, IN_SERIES), (*STUDY, *SERIES))


def _instances_answer(
    request: Request, view: View, of: tuple[str, ...], answered: tuple[str, ...]
) -> Response:
    keys = (*STUDY, *SERIES, *INSTANCE)
    search = parsed(request.query_params, keys)
    return _answer(request, search, instance_rows(view, search, of), answered, keys)


def _answer(
    request: Request,
    search: Search,
    rows: Iterable[Row],
    answered: tuple[str, ...],
    level: tuple[str, ...],
) -> Response:
    """The page that is asked for, with the attributes that are asked for.

    Parameters
    ----------
    request, search
        Who asks, and what.
    rows
        The matches.
    answered
        Tags that each has, some without a value.
    level
        Tags of the attributes that belong to what is searched for.
    """
    choice = choose(request, JSON)
    deeper = {*SERIES, *INSTANCE}.difference(level)
    include = {*level} if search.include is None else search.include - deeper
    wanted = (*ADDED, *answered)
    page, more = search.of_page(rows)
    answer = [
        dict(
            sorted(
                {
                    **{tag: row.get(tag) or entry(dictionary_VR(int(tag, 16))) for tag in wanted},
                    **{tag: row[tag] for tag in include if tag in row},
                }.items()
            )
        )
        for row in page
    ]
    headers = {"Cache-Control": "no-store"}
    warnings = [_FUZZY] * search.fuzzy + [_MORE] * more
    if warnings:
        headers["Warning"] = ", ".join(warnings)
    return Response(json.dumps(answer, allow_nan=False), 200, headers, choice.media_type)

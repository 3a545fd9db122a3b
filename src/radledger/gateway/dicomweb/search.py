"""QIDO-RS (PS3.18 section 10.6): what of a token's image sets matches, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydicom.datadict import dictionary_VR, tag_for_keyword

from radledger.gateway.dicomweb.image_sets import OpenSet
from radledger.gateway.dicomweb.json_model import CHARACTER_SET, entry
from radledger.gateway.dicomweb.matching import (
    INSTANCE,
    MODALITIES,
    SERIES,
    STUDY,
    Search,
    parsed,
)
from radledger.gateway.dicomweb.negotiation import Offer, choose
from radledger.gateway.dicomweb.view import Located, TheView, View
from radledger.httpapi.problems import problems

__all__ = ["JSON", "answers", "router"]

JSON = (Offer("application/dicom+json"), Offer("application/json"))
_FUZZY = (
    '299 gateway "The fuzzymatching parameter is not supported. Only literal matching has been '
    'performed."'
)
_Row = dict[str, dict[str, Any]]

router = APIRouter(default_response_class=Response)


def answers(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """What an operation's description says of its answer."""
    return {200: {"content": {each: {} for each in media_types}}}


_ROWS = answers(*(each.media_type for each in JSON)) | problems(400, 401, 403, 406, 503)


def _tag(keyword: str) -> str:
    return f"{tag_for_keyword(keyword):08X}"


_AVAILABILITY, _RETRIEVE_URL = _tag("InstanceAvailability"), _tag("RetrieveURL")
_IN_STUDY = _tag("NumberOfStudyRelatedSeries"), _tag("NumberOfStudyRelatedInstances")
_IN_SERIES = _tag("NumberOfSeriesRelatedInstances")
_STUDY, _SERIES = _tag("StudyInstanceUID"), _tag("SeriesInstanceUID")
_ADDED = (CHARACTER_SET, _AVAILABILITY, _RETRIEVE_URL)
_MANIFEST = _tag("SOPClassUID"), _tag("SOPInstanceUID"), _tag("InstanceNumber")


@router.get("/studies", responses=_ROWS)
def search_studies(request: Request, view: TheView) -> Response:
    """Search for studies."""
    search = parsed(request.query_params, STUDY)
    rows = _studies(view)
    return _answer(request, search, filter(search.matches, rows), (*STUDY, *_IN_STUDY), STUDY)


@router.get("/series", responses=_ROWS)
def search_series(request: Request, view: TheView) -> Response:
    """Search for series of any study."""
    return _series_answer(request, view, None, (*STUDY, *SERIES))


@router.get("/studies/{study}/series", responses=_ROWS)
def search_series_of_study(request: Request, view: TheView, study: str) -> Response:
    """Search for series of a study."""
    return _series_answer(request, view, study, (_STUDY, *SERIES))


@router.get("/instances", responses=_ROWS)
def search_instances(request: Request, view: TheView) -> Response:
    """Search for instances of any study."""
    return _instances_answer(request, view, (), (*STUDY, *SERIES, *INSTANCE))


@router.get("/studies/{study}/instances", responses=_ROWS)
def search_instances_of_study(request: Request, view: TheView, study: str) -> Response:
    """Search for instances of a study."""
    return _instances_answer(request, view, (study,), (_STUDY, *SERIES, *INSTANCE))


@router.get("/studies/{study}/series/{series}/instances", responses=_ROWS)
def search_instances_of_series(
    request: Request, view: TheView, study: str, series: str
) -> Response:
    """Search for instances of a series."""
    return _instances_answer(request, view, (study, series), (_STUDY, _SERIES, *INSTANCE))


def _series_answer(
    request: Request, view: View, study: str | None, answered: tuple[str, ...]
) -> Response:
    search = parsed(request.query_params, (*STUDY, *SERIES))
    rows = filter(search.matches, _series(view, study).values())
    return _answer(request, search, rows, (*answered, _IN_SERIES), (*STUDY, *SERIES))


def _instances_answer(
    request: Request, view: View, of: tuple[str, ...], answered: tuple[str, ...]
) -> Response:
    keys = (*STUDY, *SERIES, *INSTANCE)
    search = parsed(request.query_params, keys)
    return _answer(request, search, _instances(view, search, of), answered, keys)


def _studies(view: View) -> Iterator[_Row]:
    for study, image_sets in _grouped(view.image_sets, "study").items():
        series = {each.manifest.series for each in image_sets}
        row = dict(view.header(image_sets[0]))
        row[MODALITIES] = entry("CS", *sorted({each.manifest.modality for each in image_sets}))
        row[_IN_STUDY[0]] = entry("IS", len(series))
        row[_IN_STUDY[1]] = entry("IS", len(view.select(study)))
        yield _located(row, f"{view.url}/studies/{study}")


def _series(view: View, study: str | None) -> dict[tuple[str, str], _Row]:
    """By the UIDs of study and series."""
    rows = {}
    for uid, of_study in _grouped(view.image_sets, "study").items():
        if study in (None, uid):
            modalities = sorted({each.manifest.modality for each in of_study})
            for series, image_sets in _grouped(of_study, "series").items():
                row = dict(view.header(image_sets[0]))
                row[MODALITIES] = entry("CS", *modalities)
                row[_IN_SERIES] = entry("IS", len(view.select(uid, series)))
                rows[uid, series] = _located(row, f"{view.url}/studies/{uid}/series/{series}")
    return rows


def _instances(view: View, search: Search, of: tuple[str, ...]) -> Iterator[_Row]:
    series = _series(view, of[0] if of else None)
    for located in view.select(*of):
        manifest = located.image_set.manifest
        row = series[manifest.study, manifest.series]
        # The header is read of those alone that may match.
        if search.matches(row, (*STUDY, *SERIES)) and search.matches(
            _of_manifest(located), _MANIFEST
        ):
            row = {**view.json(located), MODALITIES: row[MODALITIES]}
            if search.matches(row):
                yield _located(row, f"{view.url}{located.path}")


def _of_manifest(located: Located) -> _Row:
    instance = located.instance
    values = (instance.sop_class, instance.sop_instance, instance.number)
    return {
        tag: entry(dictionary_VR(int(tag, 16)), *(() if value is None else (value,)))
        for tag, value in zip(_MANIFEST, values, strict=True)
    }


def _located(row: _Row, url: str) -> _Row:
    """A row with what is said of each resource."""
    row[CHARACTER_SET] = entry("CS", "ISO_IR 192")
    row[_AVAILABILITY] = entry("CS", "ONLINE")
    row[_RETRIEVE_URL] = entry("UR", url)
    return row


def _answer(
    request: Request,
    search: Search,
    rows: Iterable[_Row],
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
    wanted = (*_ADDED, *answered)
    answer = [
        dict(
            sorted(
                {
                    **{tag: row.get(tag) or entry(dictionary_VR(int(tag, 16))) for tag in wanted},
                    **{tag: row[tag] for tag in include if tag in row},
                }.items()
            )
        )
        for row in search.of_page(rows)
    ]
    headers = {"Cache-Control": "no-store"} | ({"Warning": _FUZZY} if search.fuzzy else {})
    return Response(json.dumps(answer, allow_nan=False), 200, headers, choice.media_type)


def _grouped(image_sets: Iterable[OpenSet], uid: str) -> Mapping[str, list[OpenSet]]:
    """Image sets by the UID of their study or series."""
    groups: dict[str, list[OpenSet]] = {}
    for each in image_sets:
        groups.setdefault(getattr(each.manifest, uid), []).append(each)
    return groups

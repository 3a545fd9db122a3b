"""WADO-RS (PS3.18 section 10.4): files, headers, frames, pictures and values of a token's images.

A file is sent byte for byte as it was anchored, in the transfer syntax that it is stored in: in
another one, its digest would not be the one on the chain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from fastapi import APIRouter, Request, Response

from radledger.dicom.exchange import MEDIA_TYPES
from radledger.dicom.preview import Shown
from radledger.dicom.source import EXPLICIT_LITTLE
from radledger.dicom.values import element_of
from radledger.dicom.video import is_video
from radledger.gateway.authorization import TheView
from radledger.gateway.dicomweb.instances import OpenInstance
from radledger.gateway.dicomweb.json_model import BINARY
from radledger.gateway.dicomweb.multipart import Part, multipart, streamed
from radledger.gateway.dicomweb.negotiation import Choice, Offer, choose
from radledger.gateway.dicomweb.search import JSON, answers
from radledger.gateway.dicomweb.view import Located, View
from radledger.gateway.errors import FrameUnknown, NotAcceptable, QueryInvalid
from radledger.httpapi.problems import problems
from radledger.texts import quoted

__all__ = ["router"]

_DICOM, _OCTETS = "application/dicom", "application/octet-stream"
_PICTURES = (Offer("image/jpeg"), Offer("image/png"))
_RENDERING = frozenset({"accept", "window", "viewport", "quality"})
_REFUSALS = problems(400, 401, 403, 404, 406, 429, 503)
_FILES = answers("multipart/related", _DICOM) | _REFUSALS
_HEADERS = answers(*(each.media_type for each in JSON)) | _REFUSALS
_VALUES = answers("multipart/related", _OCTETS, *sorted({*MEDIA_TYPES.values()})) | _REFUSALS
_RENDERED = answers(*(each.media_type for each in _PICTURES)) | _REFUSALS
_WIDTHS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"

router = APIRouter(default_response_class=Response)


@router.get("/studies/{study}", responses=_FILES)
def retrieve_study(request: Request, view: TheView, study: str) -> Response:
    """Retrieve the files of a study."""
    return _files(request, view, view.require(study))


@router.get("/studies/{study}/series/{series}", responses=_FILES)
def retrieve_series(request: Request, view: TheView, study: str, series: str) -> Response:
    """Retrieve the files of a series."""
    return _files(request, view, view.require(study, series))


@router.get(_INSTANCE, responses=_FILES)
def retrieve_instance(
    request: Request, view: TheView, study: str, series: str, instance: str
) -> Response:
    """Retrieve the file of an instance."""
    return _files(request, view, view.require(study, series, instance))


@router.get("/studies/{study}/metadata", responses=_HEADERS)
def retrieve_metadata_of_study(request: Request, view: TheView, study: str) -> Response:
    """Retrieve the headers of a study's instances."""
    return _metadata(request, view, view.require(study))


@router.get("/studies/{study}/series/{series}/metadata", responses=_HEADERS)
def retrieve_metadata_of_series(
    request: Request, view: TheView, study: str, series: str
) -> Response:
    """Retrieve the headers of a series' instances."""
    return _metadata(request, view, view.require(study, series))


@router.get(f"{_INSTANCE}/metadata", responses=_HEADERS)
def retrieve_metadata_of_instance(
    request: Request, view: TheView, study: str, series: str, instance: str
) -> Response:
    """Retrieve the header of an instance."""
    return _metadata(request, view, view.require(study, series, instance))


@router.get(f"{_INSTANCE}/frames/{{frames}}", responses=_VALUES)
def retrieve_frames(
    request: Request, view: TheView, study: str, series: str, instance: str, frames: str
) -> Response:
    """Retrieve frames, such as ``1`` or ``2,3``."""
    (located,) = view.require(study, series, instance)
    with view.opened(located) as opened:
        indices = _indices(frames, opened)
        choice = choose(request, _frame_offers(opened, single=len(indices) == 1))
    return _frames(view, located, indices, choice)


@router.get(f"{_INSTANCE}/rendered", responses=_RENDERED)
def render_instance(
    request: Request, view: TheView, study: str, series: str, instance: str
) -> Response:
    """Retrieve an instance of one frame as a picture."""
    (located,) = view.require(study, series, instance)
    with view.opened(located) as opened:
        if opened.frames > 1:
            raise NotAcceptable(
                "the instance has several frames; ask for frames/1/rendered, for instance",
                frames=opened.frames,
            )
    return _rendered(request, view, located, "1")


@router.get(f"{_INSTANCE}/frames/{{frames}}/rendered", responses=_RENDERED)
def render_frame(
    request: Request, view: TheView, study: str, series: str, instance: str, frames: str
) -> Response:
    """Retrieve a frame as a picture."""
    (located,) = view.require(study, series, instance)
    return _rendered(request, view, located, frames)


@router.get(f"{_INSTANCE}/bulkdata/{{tag}}", responses=_VALUES)
def retrieve_value(
    request: Request, view: TheView, study: str, series: str, instance: str, tag: str
) -> Response:
    """Retrieve what metadata gives by address: a value that is long and binary, or all frames."""
    (located,) = view.require(study, series, instance)
    with view.opened(located) as opened:
        element = opened.source.pixels
        if element is not None and tag == f"{element.tag:08X}":
            indices = range(opened.frames)
            choice = choose(request, _frame_offers(opened, single=opened.frames == 1))
            value = None
        else:
            value = _value(opened, tag)
            choice = choose(request, (Offer(_OCTETS, EXPLICIT_LITTLE, parts=True),))
    if value is None:
        return _frames(view, located, indices, choice)
    return _sent(
        choice, [Part(choice.media_type, f"{view.url}{located.path}/bulkdata/{tag}", [value])]
    )


def _files(request: Request, view: View, found: Sequence[Located]) -> Response:
    syntaxes = {each.instance.transfer_syntax for each in found}
    # Of several syntaxes, all have to be accepted.
    for syntax in sorted(syntaxes):
        choice = choose(request, (Offer(_DICOM, syntax, single=len(found) == 1, parts=True),))
    parts = (
        Part(
            f"{_DICOM}; transfer-syntax={each.instance.transfer_syntax}",
            f"{view.url}{each.path}",
            view.file(each),
        )
        for each in found
    )
    return _sent(choice, parts)


def _metadata(request: Request, view: View, found: Sequence[Located]) -> Response:
    choice = choose(request, JSON)

    def pieces() -> Iterator[bytes]:
        for number, each in enumerate(found):
            yield b"," if number else b"["
            yield json.dumps(view.json(each), allow_nan=False).encode()
        yield b"]"

    return streamed(pieces(), choice.media_type)


def _frames(view: View, located: Located, indices: Iterable[int], choice: Choice) -> Response:
    def parts() -> Iterator[Part]:
        for index in indices:
            with view.opened(located) as opened:
                frame = opened.frame(index, stored=choice.offer.stored)
            where = f"{view.url}{located.path}/frames/{index + 1}"
            yield Part(choice.media_type, where, [frame])

    return _sent(choice, parts())


def _sent(choice: Choice, parts: Iterable[Part]) -> Response:
    if choice.in_parts:
        return multipart(parts, choice.offer.media_type)
    part = next(iter(parts))
    return streamed(part.content, part.media_type, {"Content-Location": part.location})


def _rendered(request: Request, view: View, located: Located, frames: str) -> Response:
    shown = _shown(request, choose(request, _PICTURES).offer.media_type)
    with view.opened(located) as opened:
        indices = _indices(frames, opened)
        if len(indices) > 1:
            raise QueryInvalid("one frame is rendered at a time; ask for one", frames=len(indices))
        picture = opened.picture(indices[0], shown)
    headers = {"Cache-Control": "no-store"}
    return Response(picture, 200, headers, f"image/{shown.encoding.lower()}")


def _shown(request: Request, media_type: str) -> Shown:
    """How a request has a frame shown: PS3.18 section 8.3.5.1."""
    parameters = request.query_params
    for name in parameters:
        if name not in _RENDERING:
            raise QueryInvalid(
                f"{quoted(name)} is not a parameter of pictures here; give "
                f"{', '.join(sorted(_RENDERING))} alone",
                parameter=name,
            )
    how: dict[str, object] = {"encoding": "PNG" if media_type == "image/png" else "JPEG"}
    if "window" in parameters:
        how["window"] = _window(parameters["window"])
    if "viewport" in parameters:
        size = re.fullmatch(r"([1-9]\d{0,4}),([1-9]\d{0,4})", parameters["viewport"])
        if size is None:
            raise QueryInvalid.of(
                "viewport", parameters["viewport"], "width and height, such as 512,512"
            )
        how["width"], how["height"] = int(size[1]), int(size[2])
    if "quality" in parameters:
        if not re.fullmatch(r"[1-9]\d?|100", parameters["quality"]):
            raise QueryInvalid.of("quality", parameters["quality"], "a number from 1 to 100")
        how["quality"] = int(parameters["quality"])
    return Shown(**how)  # type: ignore[arg-type]


def _window(text: str) -> tuple[float, float]:
    """From which gray value to which, as PS3.3 section C.11.2.1.2 says."""
    number = r"([+-]?\d{1,9}(?:\.\d{1,9})?)"
    found = re.fullmatch(rf"{number},{number},(linear|linear-exact)", text)
    if found is None or float(found[2]) < 1:
        raise QueryInvalid.of("window", text, "centre, width and function, such as 40,400,linear")
    center, width = float(found[1]), float(found[2])
    if found[3] == "linear":
        return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    return center - width / 2, center + width / 2


def _indices(frames: str, opened: OpenInstance) -> list[int]:
    """From 0."""
    if not re.fullmatch(r"[1-9]\d{0,8}(,[1-9]\d{0,8})*", frames):
        raise QueryInvalid.of("frames", frames, "numbers from 1, such as 1 or 2,3")
    numbers = [int(each) for each in frames.split(",")]
    if len(set(numbers)) < len(numbers):
        raise QueryInvalid.of("frames", frames, "each number once")
    for each in numbers:
        if each > opened.frames:
            raise FrameUnknown(
                f"the instance has no frame {each}; ask for one up to {opened.frames}",
                frames=opened.frames,
                frame=each,
            )
    return [each - 1 for each in numbers]


def _frame_offers(opened: OpenInstance, *, single: bool) -> list[Offer]:
    source = opened.source
    if opened.exchange is None:
        raise FrameUnknown("the instance has no pixel data; retrieve the instance", frames=0)
    syntax = source.transfer_syntax
    if is_video(syntax):
        raise NotAcceptable("a video is not sent frame by frame; get the instance", frames=0)
    offers = []
    if not source.native:
        # For a request that accepts any transfer syntax, or names this one.
        offers.append(Offer(_OCTETS, syntax, single, parts=True, unasked=False))
    if opened.exchange.can_be_plain:
        offers.append(Offer(_OCTETS, EXPLICIT_LITTLE, single, parts=True, stored=False))
    if syntax in MEDIA_TYPES:
        offers.append(Offer(MEDIA_TYPES[syntax], syntax, single, parts=True))
    return offers


def _value(opened: OpenInstance, tag: str) -> bytes:
    """A binary value as Explicit VR Little Endian has it."""
    dataset = opened.source.dataset
    if re.fullmatch(r"[0-9A-F]{8}", tag) and int(tag, 16) in dataset:
        element = element_of(dataset, dataset.get_item(int(tag, 16)))
        if element.VR in BINARY:
            value = bytes(element.value or b"")
            width = 1 if opened.source.encoding.little else _WIDTHS.get(element.VR, 1)
            return b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))
    raise FrameUnknown(
        "the instance has no binary value with that tag; metadata gives the addresses of those",
        tag=tag[:100],
    )

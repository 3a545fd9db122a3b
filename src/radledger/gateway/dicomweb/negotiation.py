"""In which form a request accepts what it asks for: PS3.18 section 8.7, RFC 9110 section 12.5.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.gateway.errors import NotAcceptable, QueryInvalid

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Choice", "Offer", "choose"]

_MULTIPART = "multipart/related"
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE = re.compile(rf"\s*({_NAME}/{_NAME})\s*")
# Some clients leave out the quotes around values that are not tokens.
_PARAMETER = re.compile(rf'\s*;\s*({_NAME})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))\s*')


@dataclass(frozen=True, slots=True)
class Offer:
    """A form in which a resource can be sent.

    Attributes
    ----------
    media_type
        Without parameters.
    transfer_syntax
        UID; `None` for what has none, such as JSON.
    single
        Whether it can be sent by itself, not as a part.
    parts
        Whether it can be sent in parts.
    unasked
        Whether it is sent where the request names no transfer syntax.
    stored
        Whether it is as the file has it.
    """

    media_type: str
    transfer_syntax: str | None = None
    single: bool = True
    parts: bool = False
    unasked: bool = True
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """The form that was chosen, and whether it is to be sent in parts."""

    offer: Offer
    in_parts: bool

    @property
    def media_type(self) -> str:
        """With its transfer syntax."""
        syntax = self.offer.transfer_syntax
        return self.offer.media_type + ("" if syntax is None else f"; transfer-syntax={syntax}")


@dataclass(frozen=True, slots=True)
class _Range:
    """What a request accepts."""

    media_type: str
    in_parts: bool | None
    transfer_syntax: str | None

    def takes(self, offer: Offer) -> bool | None:
        """Whether an offer is accepted, in parts (true) or by itself (false)."""
        if not _covers(self.media_type, offer.media_type):
            return None
        if self.transfer_syntax is None:
            if not offer.unasked:
                return None
        elif self.transfer_syntax not in ("*", offer.transfer_syntax):
            return None
        if offer.parts and self.in_parts is not False:
            return True
        return False if offer.single and not self.in_parts else None


def choose(request: Request, offers: Sequence[Offer]) -> Choice:
    """The form that a request prefers; of those that it likes equally, the first offer.

    The parameter ``accept`` of the URL stands for the header (PS3.18 section 8.3.3.1).

    Raises
    ------
    NotAcceptable
        If it accepts none of the offers.
    QueryInvalid
        If it says what it accepts in no known form.
    """
    stated = request.query_params.get("accept") or ", ".join(request.headers.getlist("accept"))
    ranges = list(_ranges(stated or "*/*"))
    for each in ranges:
        for offer in offers:
            in_parts = each.takes(offer)
            if in_parts is not None:
                return Choice(offer, in_parts)
    offered = [_described(each) for each in offers]
    raise NotAcceptable(
        f"this cannot be sent as is accepted; accept {' or '.join(offered)}",
        accept=stated[:500],
        offered=offered,
    )


def _described(offer: Offer) -> str:
    syntax = "" if offer.transfer_syntax is None else f"; transfer-syntax={offer.transfer_syntax}"
    if offer.parts:
        return f'{_MULTIPART}; type="{offer.media_type}"{syntax}'
    return f"{offer.media_type}{syntax}"


def _ranges(stated: str) -> Iterator[_Range]:
    """The ranges of an Accept header, most wanted first."""
    found: list[tuple[float, _Range]] = []
    for media_type, parameters in _parsed(stated):
        quality = _quality(parameters.get("q", "1"), stated)
        syntax = parameters.get("transfer-syntax")
        if media_type in (_MULTIPART, "multipart/*"):
            each = _Range(parameters.get("type", "*/*").lower(), True, syntax)
        else:
            each = _Range(media_type, None if media_type == "*/*" else False, syntax)
        if quality:
            found.append((quality, each))
    found.sort(key=lambda pair: -pair[0])
    return (each for _, each in found)


def _parsed(stated: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    place = 0
    while place < len(stated):
        matched = _RANGE.match(stated, place)
        if matched is None:
            raise _malformed(stated)
        media_type, place = matched[1].lower(), matched.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(stated, place):
            quoted = parameter[2]
            value = parameter[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(parameter[1].lower(), value)
            place = parameter.end()
        if stated[place : place + 1] not in ("", ","):
            raise _malformed(stated)
        place += 1
        yield media_type, parameters


def _quality(text: str, stated: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        raise _malformed(stated) from None
    if not 0 <= quality <= 1:
        raise _malformed(stated)
    return quality


def _malformed(stated: str) -> QueryInvalid:
    return QueryInvalid(
        "what the request accepts is not a list of media types; send a header such as Accept: "
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        accept=stated[:500],
    )


def _covers(media_range: str, media_type: str) -> bool:
    kind, _, subtype = media_range.partition("/")
    return media_range in ("*/*", media_type) or (
        subtype == "*" and media_type.startswith(f"{kind}/")
    )

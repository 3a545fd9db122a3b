"""An Accept header of any kind chooses an offer, or is refused in words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from radledger.gateway.dicomweb.negotiation import Offer, choose
from radledger.gateway.errors import NotAcceptable, QueryInvalid

FRAMES = (
    Offer("application/octet-stream", "1.2.840.10008.1.2.5", parts=True, unasked=False),
    Offer("application/octet-stream", "1.2.840.10008.1.2.1", parts=True, stored=False),
    Offer("image/dicom-rle", "1.2.840.10008.1.2.5", parts=True),
)
WORDS = st.sampled_from(
    [
        *("*", "/", "*/*", "multipart/related", "image/dicom-rle", "application/octet-stream"),
        *(";", ",", "=", '"', "\\", " ", "type", "transfer-syntax", "q", "0.5", "1.2", "nan"),
    ]
)


def request(accept, query=""):
    headers = [(b"accept", each.encode("utf-8", "replace")) for each in accept]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@given(st.one_of(st.text(), st.lists(WORDS).map("".join)))
def test_any_text_is_a_choice_or_a_refusal(text):
    with suppress(NotAcceptable, QueryInvalid):
        assert choose(request([text]), FRAMES).offer in FRAMES


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ([], 1),
        (["*/*"], 1),
        (["image/*"], 2),
        (["image/dicom-rle, */*"], 2),
        (["*/*;q=0.1", "image/dicom-rle;q=0.2"], 2),
        (['multipart/related; type="application/octet-stream"; transfer-syntax=*'], 0),
        (
            ["multipart/related;type=application/octet-stream;transfer-syntax=1.2.840.10008.1.2.5"],
            0,
        ),
        (['MULTIPART/Related; Type="Application/Octet-Stream"'], 1),
        (['multipart/related; type="application\\/octet-stream"'], 1),
        (['application/json;x="a,b;c", image/dicom-rle'], 2),
    ],
)
def test_the_offer_that_is_wanted_most_is_chosen(accept, chosen):
    assert choose(request(accept), FRAMES).offer is FRAMES[chosen]


def test_the_address_stands_for_the_header():
    assert choose(request(["text/html"], "accept=image/dicom-rle"), FRAMES).offer is FRAMES[2]
    with pytest.raises(NotAcceptable):
        choose(request(["*/*"], "accept=text/html"), FRAMES)

"""Bodies in parts are read as they come, however the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.gateway.dicomweb.parts import incoming, media_type_of
from radledger.gateway.errors import BodyMalformed

DICOM = b"Content-Type: application/dicom\r\n\r\n"


def read(body, boundary="b", size=7):
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    return [(part.media_type, b"".join(part.content)) for part in incoming(chunks, boundary)]


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n--", b"--b", b"\r\n-", b"\r\n--c"])),
    st.integers(1, 50),
)
def test_parts_are_the_same_however_they_are_cut(contents, size):
    contents = [each for each in contents if b"\r\n--b" not in b"\r\n" + each]
    body = b"".join(b"--b\r\n" + DICOM + each + b"\r\n" for each in contents) + b"--b--"
    assert read(body, size=size) == [("application/dicom", each) for each in contents]


def test_what_is_around_the_parts_does_not_count():
    body = b"preamble\r\n--b\r\n" + DICOM + b"content\r\n--b--\r\nepilogue"
    assert read(body) == [("application/dicom", b"content")]
    assert read(b"--b\r\n\r\ncontent\r\n--b--\r\n") == [("text/plain", b"content")]
    assert read(b"\r\n--b--") == []


def test_a_part_of_which_nothing_is_read_is_left():
    body = b"--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond\r\n--b--"
    assert len(list(incoming([body], "b"))) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        b"--b",
        b"--b\r\n",
        b"--b\r\nContent-Type: application/dicom\r\n",
        b"--b\r\n\r\ncontent",
        b"--b\r\n\r\ncontent\r\n--",
        b"--b\r\n\r\ncontent\r\n--b",
        b"--b-\r\n\r\ncontent\r\n--b--",
        b"--bc\r\n\r\ncontent\r\n--b--",
        b"--b\r\nX: " + b"a" * 20_000 + b"\r\n\r\ncontent\r\n--b--",
    ],
)
def test_what_is_not_such_a_body_is_refused(body):
    with pytest.raises(BodyMalformed):
        read(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("text/plain", {})),
        ("nonsense", ("text/plain", {})),
        ("a/b; c", ("a/b", {"c": ""})),
        ("a/b; Boundary=x; boundary*=UTF-8''y", ("a/b", {"boundary": "x", "boundary*": "y"})),
    ],
)
def test_media_types(text, expected):
    media_type, parameters = media_type_of(text)
    assert media_type == expected[0]
    assert all(isinstance(each, str) for each in parameters.values())

"""Texts from elsewhere: read whatever program wrote them, and shown whatever is in them."""

from __future__ import annotations

import codecs
import json
import re
import reprlib
from collections.abc import Mapping
from typing import Any

__all__ = ["decoded", "described", "digest_of", "one_line", "quoted", "visible"]

# UTF-32's mark in little endian begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DIGEST = re.compile("0x[0-9a-fA-F]{64}")
_QUOTE = reprlib.Repr()
_QUOTE.maxstring = _QUOTE.maxlong = 80
_QUOTE.maxlevel = 3


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, or what its byte order mark says, without that mark.

    Raises
    ------
    ValueError
        If it is not such a text.  The error does not hold the content, which may be a secret.

    Examples
    --------
    >>> decoded(b"\\xef\\xbb\\xbfsecret"), decoded("secret".encode("utf-16"))
    ('secret', 'secret')
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        # UTF-16 without its mark reads as UTF-8 with a zero byte at every second place.
        raise ValueError("it is not text in UTF-8; save it as such")
    return text


def described(value: Any) -> str:
    """A JSON value in a few words, for an error that quotes it.

    Examples
    --------
    >>> described(None), described([1, 2]), described("x" * 100)
    ('null', 'a list', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'")
    """
    if isinstance(value, Mapping):
        return "an object that lacks required fields"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= 30 else value[:30] + "…")
    return json.dumps(value) if value is None or isinstance(value, bool) else "a number"


def digest_of(text: str) -> bytes | None:
    """The 32 bytes of an id or digest that is written as ``0x…``; None for any other text.

    Examples
    --------
    >>> digest_of("0x" + "aB" * 32) == b"\\xab" * 32, digest_of("0x12"), digest_of("0X" + "ab" * 32)
    (True, None, None)
    """
    return bytes.fromhex(text[2:]) if _DIGEST.fullmatch(text) else None


def one_line(text: object, most: int = 200) -> str:
    r"""What a library says, perhaps on several lines, on one line of so many characters at most.

    Examples
    --------
    >>> one_line("all decoders failed:\n  first: cut")
    'all decoders failed: first: cut'
    """
    return " ".join(str(text).split())[:most]


def quoted(value: Any) -> str:
    """A value that an error quotes, as Python writes it, cut where it is long or deep.

    Examples
    --------
    >>> quoted("0x12"), quoted([[1, 2], {"a": None}])
    ("'0x12'", "[[1, 2], {'a': None}]")
    >>> len(quoted("x" * 10**6)) < 100
    True
    """
    return _QUOTE.repr(value)


def visible(text: str) -> str:
    r"""A text on one line in which nothing steers a terminal or hides: all of it is printable.

    Control characters, marks of the direction of writing and other signs without a picture of
    their own are written as Python writes them.

    Examples
    --------
    >>> visible("owned\x1b[8m\u202e")
    'owned\\x1b[8m\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in text
    )

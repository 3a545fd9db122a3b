"""Text from outside: decoded, and escaped for display."""

from __future__ import annotations

import codecs
import json
import re
import reprlib
import unicodedata
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

__all__ = [
    "decoded",
    "described",
    "digest_of",
    "literal",
    "one_line",
    "parse_digest",
    "quoted",
    "visible",
]

# UTF-32's mark in little endian begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DIGEST = re.compile("0x[0-9a-fA-F]{64}")
# Letters and symbols without a picture: fillers of Hangul, an empty Braille cell, a blank note.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
# Marks that no text needs and that are not drawn: joiners, variation selectors, inherent vowels.
_UNSEEN = frozenset(
    map(chr, (0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), 0x16FE4))
)
# Vietnamese letters have two marks, a Devanagari or Tibetan one up to three.
_MOST_MARKS = 3
_OVERLAY = 1  # the combining class of what strikes a letter out
# Scripts whose letters take the marks that Unicode calls combining ones.
_GENERAL = frozenset({"LATIN", "GREEK", "CYRILLIC", "HIRAGANA", "KATAKANA"})
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
        return visible(repr(value if len(value) <= 30 else value[:30] + "…"))
    return json.dumps(value) if value is None or isinstance(value, bool) else "a number"


def digest_of(text: str) -> bytes | None:
    """The 32 bytes of an id or digest that is written as ``0x…``; None for any other text.

    Examples
    --------
    >>> digest_of("0x" + "aB" * 32) == b"\\xab" * 32, digest_of("0x12"), digest_of("0X" + "ab" * 32)
    (True, None, None)
    """
    return bytes.fromhex(text[2:]) if _DIGEST.fullmatch(text) else None


def parse_digest(
    text: str, refused: Callable[..., Exception], what: str = "an id or digest"
) -> bytes:
    """The 32 bytes of an id or digest.

    Parameters
    ----------
    text
        As it was given.
    refused
        The type of the error for another text.
    what
        What it should be, for that error.

    Raises
    ------
    Exception
        Of the type that was given, if it is not ``0x`` and 64 hexadecimal digits.

    Examples
    --------
    >>> parse_digest("0x" + "ab" * 32, ValueError)[0]
    171
    """
    digest = digest_of(text)
    if digest is None:
        raise refused(
            f"{quoted(text)} is not {what}; give 0x and 64 hexadecimal digits, copied whole",
            text=text,
        )
    return digest


def literal(text: str, most: int = 200) -> str:
    r"""A text in quotes for who decides by it: all of it can be seen, or how much cannot.

    Examples
    --------
    >>> literal("nodules\u202e")
    "'nodules\\u202e'"
    >>> literal("x" * 300, most=5)[:41]
    "'xxxxx'… (300 characters with SHA-256 0x0"
    """
    if len(text) <= most:
        return visible(repr(text))
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{visible(repr(text[:most]))}… ({len(text)} characters with SHA-256 0x{digest})"


def one_line(text: object, most: int = 200) -> str:
    r"""What a library says, perhaps on several lines, on one line of so many characters at most.

    Examples
    --------
    >>> one_line("all decoders failed:\n  first: cut")
    'all decoders failed: first: cut'
    """
    return visible(" ".join(str(text).split()))[:most]


def quoted(value: Any) -> str:
    """A value that an error quotes, as Python writes it, cut where it is long or deep.

    Examples
    --------
    >>> quoted("0x12"), quoted([[1, 2], {"a": None}])
    ("'0x12'", "[[1, 2], {'a': None}]")
    >>> len(quoted("x" * 10**6)) < 100
    True
    """
    return visible(_QUOTE.repr(value))


def visible(text: str) -> str:
    r"""A text on one line in which nothing steers a terminal or hides: all of it is seen.

    Control characters, marks of the direction of writing, blank letters and other signs without a
    picture of their own are written as Python writes them, and so are combining marks, except up
    to three after a letter of their script.

    Examples
    --------
    >>> visible("owned\x1b[8m\u202e")
    'owned\\x1b[8m\\u202e'
    >>> visible("Zoë"), visible("r\u0336")
    ('Zoë', 'r\\u0336')
    """
    if text.isascii() and text.isprintable():
        return text
    shown, base, marks = [], "", 0
    for sign in text:
        if unicodedata.category(sign)[0] == "M":
            marks += 1
            seen = marks <= _MOST_MARKS and _belongs(sign, base)
        else:
            base, marks = sign, 0
            seen = sign.isprintable() and sign not in _BLANK
        shown.append(sign if seen else sign.encode("unicode_escape", "surrogatepass").decode())
    return "".join(shown)


def _belongs(mark: str, base: str) -> bool:
    """Whether a combining mark is one of the script of the letter before it."""
    if not base.isalpha() or mark in _UNSEEN or unicodedata.category(mark) == "Me":
        return False
    script, _, _ = unicodedata.name(base, "").partition(" ")
    of, _, _ = unicodedata.name(mark, "").partition(" ")
    if of == "COMBINING":
        return script in _GENERAL and unicodedata.combining(mark) != _OVERLAY
    return of == script

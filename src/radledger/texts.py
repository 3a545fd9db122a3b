"""Texts from files and pipes, whatever program wrote them."""

from __future__ import annotations

import codecs

__all__ = ["decoded"]

# UTF-32's mark in little endian begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, or what its byte order mark says, without that mark.

    Raises
    ------
    ValueError
        If it is no such text.  The error does not hold the content, which may be a secret.

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
        raise ValueError("it is no text in UTF-8; save it as such")
    return text

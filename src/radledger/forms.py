"""The forms of values in JSON that others wrote: whatever is not exactly of its form is refused.

A form takes a value and gives it back, or raises `ValueError`.  In Python ``True`` is the integer
1 and ``1.0`` equals it; as a form, neither is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from radledger.texts import quoted

__all__ = ["Form", "digits", "fields", "integer", "optional", "text"]

Form = Callable[[Any], Any]


def integer(least: int, most: int) -> Form:
    """A whole number within bounds.

    Examples
    --------
    >>> integer(0, 255)(7)
    7
    >>> integer(0, 255)(True)
    Traceback (most recent call last):
        ...
    ValueError: True is not an integer from 0 to 255
    """

    def form(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{quoted(value)} is not an integer from {least} to {most}")
        return value

    return form


def text(pattern: str = "(?s:.*)") -> Form:
    """A text that a regular expression matches as a whole; default: any text."""

    def form(value: Any) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError(f"{quoted(value)} is not of the form {pattern}")
        return value

    return form


def digits(size: int) -> Form:
    """``0x`` and so many bytes in hexadecimal, given back in lower case."""
    of_text = text(f"0x[0-9a-fA-F]{{{2 * size}}}")
    return lambda value: of_text(value).lower()


def optional(form: Form) -> Form:
    """Null, or a value of a form."""
    return lambda value: None if value is None else form(value)


def fields(forms: Mapping[str, Form], value: Any) -> dict[str, Any]:
    """The named fields of an object, each of its form; others are left out.

    Raises
    ------
    ValueError
        If it is not an object, or lacks a field, or one is of another form.
    """
    if not isinstance(value, Mapping) or not forms.keys() <= value.keys():
        raise ValueError(f"fields are missing: it needs {', '.join(forms)}")
    read = {}
    for name, form in forms.items():
        try:
            read[name] = form(value[name])
        except ValueError:
            raise ValueError(f"{name} is {quoted(value[name])}") from None
    return read

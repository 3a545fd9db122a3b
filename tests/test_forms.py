"""The forms of values in JSON that others wrote."""

from __future__ import annotations

import json

import pytest

from radledger.forms import digits, fields, integer, optional, text


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, -1, 256, [1], float("nan")])
def test_an_integer_is_nothing_else(value):
    assert [integer(0, 255)(each) for each in (0, 255)] == [0, 255]
    with pytest.raises(ValueError, match="is not an integer from 0 to 255"):
        integer(0, 255)(value)


@pytest.mark.parametrize("value", ["0X12", "0x1", "0x123", "12", "0x12\n", 18, None, b"0x12"])
def test_digits_are_whole_bytes(value):
    assert digits(1)("0xaB") == "0xab"
    with pytest.raises(ValueError, match="is not of the form"):
        digits(1)(value)


def test_an_object_has_its_fields():
    forms = {"number": integer(0, 9), "name": optional(text("[a-z]+"))}
    given = {"name": None, "number": 3, "other": []}
    assert list(fields(forms, given).items()) == [("number", 3), ("name", None)]
    assert fields(forms, {**given, "name": "abc"})["name"] == "abc"
    for wrong in ([], None, {"number": 3}, "number name"):
        with pytest.raises(ValueError, match="fields are missing: it needs number, name"):
            fields(forms, wrong)
    with pytest.raises(ValueError, match=r"^number is True$"):
        fields(forms, json.loads('{"number": true, "name": "abc"}'))
    with pytest.raises(ValueError, match=r"^name is 'ABC'$"):
        fields(forms, {"number": 3, "name": "ABC"})

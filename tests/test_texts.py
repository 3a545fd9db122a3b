"""Texts from elsewhere: what people see of them, and that nothing in them hides."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.texts import described, digest_of, literal, one_line, quoted, visible

NAMES = (
    *("Zoë Müller-Lüdenscheidt", "Ngô Thị Ánh Nguyệt", "Þorgerður Ægisdóttir", "Ọlábísí Adébáyọ̀"),
    *("王小明", "山田 がじろう", "김철수", "Дмитрий Ёлкин", "Γιώργος Παπαδάκης"),
    *("محمد بن سلمان", "مُحَمَّد", "שִׁמְעוֹן", "सुरेश क्षीरसागर", "ज़ींनत", "สุรศักดิ์ ที่รัก"),
    *("བསྒྲུབས", "ശ്രീകുമാർ", "ភ្នំពេញ"),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_stay_readable(name, form):
    """File names of macOS are decomposed."""
    text = unicodedata.normalize(form, name)
    assert visible(text) == text


@pytest.mark.parametrize(
    "hidden",
    [
        *("\0", "\x1b", "\x7f", "\x85", "\n", "\t", "\xa0", "\xad"),
        *("\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\U0001d159", "\u3000"),
        *("\u034f", "\u17b4", "\u180b", "\u180e", "\ufe0f", "\U000e0041", "\U000e0100"),
        *("\u200b", "\u200d", "\u202e", "\u2066", "\u2028", "\u2029", "\ufeff"),
        *("\ue000", "\ud800", "\uffff", "\u0378"),
        # Marks that strike out or enclose, and those of another script or of no letter.
        *("\u0336", "\u0338", "\u20dd", "\u20e0", "\u0e49", "\u093f", "1\u0301", " \u0301"),
    ],
)
def test_what_has_no_picture_of_its_own_is_escaped(hidden):
    shown = visible(f"a{hidden}b")
    assert hidden[-1] not in shown
    assert shown.endswith(f"{hidden[-1].encode('unicode_escape', 'surrogatepass').decode()}b")


def test_marks_are_not_heaped():
    assert visible("e" + "\u0301" * 3) == "e" + "\u0301" * 3
    assert visible("e" + "\u0301" * 5) == "e" + "\u0301" * 3 + r"\u0301" * 2


@given(st.text(max_size=40))
def test_every_sign_is_seen(text):
    for shown in (visible(text), quoted(text), literal(text), one_line(text), described(text)):
        assert shown.isprintable()
        assert visible(shown) == shown
        assert not set(shown) & {"\u3164", "\u2800", "\u0336", "\u20dd", "\ufe0f"}


def test_a_long_text_says_how_long_it_is():
    shown = literal("weight 1" + " " * 300 + "weight 99")
    assert shown.startswith("'weight 1   ")
    assert "… (317 characters with SHA-256 0x" in shown
    assert literal("weight 2" + " " * 300 + "weight 99")[-70:] != shown[-70:]
    assert literal("a\nb") == r"'a\nb'"


@pytest.mark.parametrize("text", ["0X" + "ab" * 32, "ab" * 32, "0x" + "ab " * 32, "0x" + "٣" * 64])
def test_a_digest_is_64_digits_after_0x(text):
    assert digest_of(text) is None
    assert digest_of("0x" + "aB" * 32) == b"\xab" * 32

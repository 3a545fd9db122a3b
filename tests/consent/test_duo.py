"""Data use terms: the same bits as the contract's, by every name that the field has for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radledger.consent import duo
from radledger.consent.errors import UnknownTerm

SOURCE = (Path(__file__).parents[2] / "contracts" / "lib" / "DataUse.sol").read_text()
NOTICED = re.compile(
    r"@notice (?P<notice>[^\n]+)\n\s+uint16 internal constant (?P<name>\w+) = 1 << (?P<shift>\d+);"
)


def test_purposes_have_the_contracts_bits() -> None:
    purposes = [found for found in NOTICED.finditer(SOURCE) if int(found["shift"]) < 9]
    assert [1 << int(found["shift"]) for found in purposes] == [t.bit for t in duo.PURPOSES]
    for found, term in zip(purposes, duo.PURPOSES, strict=True):
        assert (term.duo_id or "DUO has no term") in found["notice"]
    assert "ALL_PURPOSES = (1 << 9) - 1" in SOURCE


def test_conditions_have_the_contracts_bits() -> None:
    listed = re.findall(r"\b([A-Z]{2,3}) \((\d+)\)", SOURCE)
    requirements = [term for term in duo.CONDITIONS if term.bit & duo.REQUIREMENTS]
    assert listed == [(t.name, str(int((t.duo_id or "")[4:]))) for t in requirements]
    assert [term.bit for term in requirements] == [1 << n for n in range(len(listed))]
    prohibitions = {
        1 << int(found["shift"]): found["notice"][:11]
        for found in NOTICED.finditer(SOURCE)
        if int(found["shift"]) > 9
    }
    assert prohibitions == {t.bit: t.duo_id for t in duo.CONDITIONS[len(listed) :]}
    assert "REQUIREMENTS = (1 << 14) - 1" in SOURCE


@pytest.mark.parametrize("term", duo.PURPOSES, ids=lambda term: term.name)
def test_a_purpose_goes_by_name_and_by_id(term: duo.Term) -> None:
    for name in filter(None, [term.name, term.name.lower(), term.duo_id]):
        assert duo.purpose_names(duo.purpose_bits([name])) == (term.name,)


@pytest.mark.parametrize("term", duo.CONDITIONS, ids=lambda term: term.name)
def test_a_condition_goes_by_name_and_by_id(term: duo.Term) -> None:
    for name in filter(None, [term.name, term.name.lower(), term.duo_id]):
        assert duo.condition_names(duo.condition_bits([name])) == (term.name,)


@pytest.mark.parametrize("name", ["NPUNCU", "npuncu", "DUO:0000018"])
def test_not_for_profit_non_commercial_is_both(name: str) -> None:
    assert duo.condition_names(duo.condition_bits([name])) == ("NPU", "NCU")
    assert duo.fulfilled_bits([name]) == duo.condition_bits(["NPU", "NCU"])


@pytest.mark.parametrize("name", ["", "NPU", "DUO:0000018", "DUO:42", "research"])
def test_an_invalid_purpose_is_refused(name: str) -> None:
    with pytest.raises(UnknownTerm, match="NRES, GRU, HMB") as refusal:
        duo.purpose_bits(["GRU", name])
    assert refusal.value.values == {"term": name}


def test_a_purpose_is_needed_and_a_condition_is_not() -> None:
    with pytest.raises(UnknownTerm, match="no purpose was given"):
        duo.purpose_bits([])
    assert duo.condition_bits([]) == duo.fulfilled_bits([]) == 0


@pytest.mark.parametrize("name", ["NMDS", "NPOA", "DUO:0000015", "DUO:0000044", "GRU"])
def test_a_prohibition_cannot_be_fulfilled(name: str) -> None:
    with pytest.raises(UnknownTerm, match="can fulfil"):
        duo.fulfilled_bits([name])


@pytest.mark.parametrize("disease", ["X:1\x1b[8m", "X:1\0Y", "A:1), all", "B:1\n", "x:1", "0x12"])
def test_a_code_that_is_none_reads_as_none_in_a_sentence(disease):
    sentence = duo.describe(duo.purpose_bits(["DS"]), duo.condition_bits(["IRB"]), disease)
    assert sentence.isprintable()
    assert sentence.endswith("; on condition: with ethics approval")
    assert "which is not a disease code)" in sentence

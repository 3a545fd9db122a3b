"""Data use: what DUO's terms imply, and the published matching rules of DUOS row by row.

The rules are version 2 in ``docs/Algorithms.md`` of DataBiosphere/consent-ontology, the matching
service of the Broad Institute's Data Use Oversight System.  ``docs/duo.md`` has the same table in
words, and says why we differ where we do.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brownie import web3
from eth_utils import keccak, to_checksum_address

from tests.contracts.conftest import plain
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    Condition,
    Purpose,
    Reason,
    Terms,
    code,
    use,
)

# These ask thousands of questions; coverage of the views comes from the other modules.
pytestmark = pytest.mark.no_call_coverage

DOCUMENT = (Path(__file__).parents[3] / "docs" / "duo.md").read_text()
X, Y = "MONDO:0004992", "MONDO:0005015"
NPUNCU = Condition.NPU | Condition.NCU
RESEARCH = Purpose.HMB | Purpose.DS | Purpose.CONTROL | Purpose.METHODS
IMPLIED = {
    Purpose.NRES: sum(Purpose),
    Purpose.GRU: Purpose.GRU | RESEARCH | Purpose.POA,
    Purpose.HMB: RESEARCH,
    Purpose.DS: Purpose.DS | Purpose.METHODS,
    Purpose.POA: Purpose.POA | Purpose.METHODS,
    Purpose.CARE: Purpose.CARE,
    Purpose.METHODS: Purpose.METHODS,
    Purpose.CONTROL: Purpose.CONTROL,
    Purpose.TEACHING: Purpose.TEACHING,
}
TAKEN_AWAY = {
    0: 0,
    Condition.NMDS: Purpose.METHODS | Purpose.NRES,
    Condition.NPOA: Purpose.POA | Purpose.NRES,
    Condition.NMDS | Condition.NPOA: Purpose.METHODS | Purpose.POA | Purpose.NRES,
}

# How a data set, in DUOS' words, is consented.
DATASETS = {
    "NRES": (Purpose.NRES, 0, ""),
    "GRU": (Purpose.GRU, 0, ""),
    "HMB": (Purpose.HMB, 0, ""),
    "DS-X": (Purpose.DS, 0, X),
    "DS-Y": (Purpose.DS, 0, Y),
    "POA": (Purpose.POA, 0, ""),
    "GRU NMDS": (Purpose.GRU, Condition.NMDS, ""),
    "HMB NMDS": (Purpose.HMB, Condition.NMDS, ""),
    "DS-X NMDS": (Purpose.DS, Condition.NMDS, X),
    "DS-Y NMDS": (Purpose.DS, Condition.NMDS, Y),
    "POA NMDS": (Purpose.POA, Condition.NMDS, ""),
    "GRU NPOA": (Purpose.GRU, Condition.NPOA, ""),
    "GRU NPU": (Purpose.GRU, Condition.NPU, ""),
    "GRU NCU": (Purpose.GRU, Condition.NCU, ""),
    "GRU NPUNCU": (Purpose.GRU, NPUNCU, ""),
    "HMB NPUNCU": (Purpose.HMB, NPUNCU, ""),
    "DS-X NPU": (Purpose.DS, Condition.NPU, X),
    "DS-X NCU": (Purpose.DS, Condition.NCU, X),
}
COMMERCIAL = {name for name, (_, conditions, _) in DATASETS.items() if not conditions & NPUNCU}
GENERAL = {name for name in DATASETS if name.split()[0] in ("NRES", "GRU")}
BIOMEDICAL = {name for name in DATASETS if name.startswith("HMB")}
OF_X = {name for name in DATASETS if name.startswith("DS-X")}
NMDS = {name for name in DATASETS if "NMDS" in name}

# DUOS' rows: a research purpose as a use, and the data sets that it is shown.  All but the rows
# on commerce are asked by a not-for-profit organisation for a use that is not commercial.
ROWS = {
    "disease X": (use(Purpose.DS, NPUNCU, X), GENERAL | BIOMEDICAL | OF_X),
    "methods": (use(Purpose.METHODS, NPUNCU), GENERAL | (set(DATASETS) - NMDS)),
    "methods for disease X": (
        use(Purpose.DS | Purpose.METHODS, NPUNCU, X),
        GENERAL | (BIOMEDICAL - NMDS) | OF_X,
    ),
    "methods for disease X, without DS": (
        use(Purpose.METHODS, NPUNCU, X),
        GENERAL | (BIOMEDICAL - NMDS) | OF_X,
    ),
    "control set": (use(Purpose.CONTROL, NPUNCU), GENERAL | BIOMEDICAL),
    "control set for disease X": (use(Purpose.CONTROL, NPUNCU, X), GENERAL | BIOMEDICAL | OF_X),
    "ancestry": (use(Purpose.POA, NPUNCU), GENERAL),
    "commercial, disease X": (
        use(Purpose.DS, 0, X),
        (GENERAL | BIOMEDICAL | OF_X) & COMMERCIAL,
    ),
    "commercial, methods": (
        use(Purpose.METHODS, 0),
        (GENERAL | (set(DATASETS) - NMDS)) & COMMERCIAL,
    ),
}
# Where we answer otherwise: the arguments are in docs/duo.md.
DIFFERENCES = {
    # NMDS takes methods away from general research too.
    ("methods", "GRU NMDS"),
    ("commercial, methods", "GRU NMDS"),
    ("methods for disease X", "GRU NMDS"),
    ("methods for disease X, without DS", "GRU NMDS"),
    # A permission for ancestry research permits it; DUOS' row lists general research alone.
    ("ancestry", "POA"),
    ("ancestry", "POA NMDS"),
    # DUOS does not know the prohibition.
    ("ancestry", "GRU NPOA"),
}


@pytest.fixture(scope="module")
def datasets(consents, image, patient):
    """One reader for each way of consenting, who was granted just that."""
    since = web3.eth.get_block("latest").timestamp
    readers = {name: to_checksum_address(keccak(text=name)[-20:]) for name in DATASETS}
    for name, (purposes, conditions, disease) in DATASETS.items():
        stated = Terms(since, since + DAY, int(purposes), int(conditions), code(disease))
        consents.grant(patient, readers[name], ALL, stated, {"from": patient})
    return readers


@pytest.fixture
def permitted_by(consents, image, datasets):
    """The data sets that permit a use; both ways to ask must agree."""

    def permitted_by(asked):
        answers = set()
        for name, reader in datasets.items():
            if consents.permitted(reader, image, asked)[0] == Reason.PERMITTED:
                consents.requirePermitted(reader, image, asked)
                answers.add(name)
        return answers

    return permitted_by


@pytest.mark.parametrize("row", ROWS)
def test_duos(permitted_by, row):
    asked, theirs = ROWS[row]
    different = {name for of, name in DIFFERENCES if of == row}
    assert permitted_by(asked) == theirs ^ different


@pytest.mark.parametrize(
    ("fulfilled", "refused"),
    [
        (0, {"GRU NPU", "GRU NCU", "GRU NPUNCU"}),
        (Condition.NPU, {"GRU NCU", "GRU NPUNCU"}),
        (Condition.NCU, {"GRU NPU", "GRU NPUNCU"}),
        (NPUNCU, set()),
    ],
    ids=["neither", "not for profit", "not commercial", "both"],
)
def test_npuncu_is_both(permitted_by, fulfilled, refused):
    """NPU and NCU are each below NPUNCU in DUO's tree, but neither satisfies it alone."""
    asked = use(Purpose.DS, fulfilled, X)
    assert {"GRU NPU", "GRU NCU", "GRU NPUNCU"} - permitted_by(asked) == refused


def test_disease_needs_its_very_code(permitted_by):
    """A chain holds no ontology: an ancestor, or another spelling, is another disease."""
    assert "DS-X" in permitted_by(use(Purpose.DS, NPUNCU, X))
    for other in ("", "MONDO:0004993", "mondo:0004992", "DOID:162", "MONDO:000499"):
        assert permitted_by(use(Purpose.DS, NPUNCU, other)) & OF_X == set()


def test_same_disease_opens_methods_and_controls_alone(permitted_by):
    for purposes in (Purpose.HMB, Purpose.POA, Purpose.CARE, Purpose.TEACHING, Purpose.NRES):
        assert permitted_by(use(purposes | Purpose.METHODS, NPUNCU, X)) & OF_X == set()


@pytest.mark.parametrize("purpose", [Purpose.CARE, Purpose.TEACHING], ids=["care", "teaching"])
def test_no_research_purpose_implies_care_or_teaching(permitted_by, purpose):
    assert permitted_by(use(purpose, NPUNCU)) == {"NRES"}
    assert permitted_by(use(purpose | Purpose.HMB, NPUNCU)) == {"NRES"}


def test_no_restriction_is_asked_by_itself(permitted_by):
    """Even general research is a restriction."""
    assert permitted_by(use(Purpose.NRES, 0xFFFF, X)) == {"NRES"}


@pytest.mark.parametrize("conditions", TAKEN_AWAY)
def test_expansion(consents, image, patient, stranger, terms, conditions):
    """Each purpose with what it implies, less what a prohibition takes away."""
    for purpose, implied in IMPLIED.items():
        if purpose == Purpose.POA and conditions & Condition.NPOA:
            continue  # nothing is left of it, not even the methods that it implies
        kept = implied & ~TAKEN_AWAY[conditions]
        if kept:
            disease = X if kept & Purpose.DS and not kept & Purpose.HMB else ""
            stated = terms(purpose, conditions, disease)
            consents.grant(patient, stranger, ALL, stated, {"from": patient})
            assert plain(consents.grantOf(patient, stranger, ALL))[3] == kept, purpose


def test_purposes_add_up(consents, image, patient, stranger, terms):
    for purposes in (
        Purpose.HMB | Purpose.TEACHING,
        Purpose.POA | Purpose.CONTROL,
        Purpose.GRU | Purpose.CARE,
    ):
        consents.grant(patient, stranger, ALL, terms(purposes), {"from": patient})
        kept = 0
        for purpose in purposes:
            kept |= IMPLIED[purpose]
        assert consents.grantOf(patient, stranger, ALL)[3] == kept


def test_document_lists_each_term_with_its_bit():
    """``docs/duo.md`` says of each bit which term it is, as the contract's source does."""
    rows = re.findall(r"^\| (\d+) \| (DUO:\d{7}|none) \| (\w+) \|", DOCUMENT, flags=re.MULTILINE)
    source = (Path(__file__).parents[3] / "contracts" / "lib" / "DataUse.sol").read_text()
    purposes, conditions = rows[: len(Purpose)], rows[len(Purpose) :]
    assert [int(bit) for bit, _, _ in purposes] == list(range(9))
    assert [int(bit) for bit, _, _ in conditions] == list(range(16))
    assert [name for _, _, name in conditions] == [each.name for each in Condition]
    for _, term, name in purposes:
        assert name == "TEACHING" or f"{term}," in source, name
    for bit, term, name in conditions:
        number = int(term.removeprefix("DUO:"))
        assert f"{name} ({number})" in source or f"{term}," in source, (bit, name)

"""Terms of the Data Use Ontology (DUO): what a grant permits and requires.

A grant permits *purposes* and requires *conditions*; a use states its purposes and the conditions
that it fulfils.  The chain holds each as bits; here they have the short names that the field uses
("GRU", "NPU") and DUO's ids ("DUO:0000042").  Both forms are accepted; short names are returned.

References
----------
.. [1] Lawson et al., "The Data Use Ontology to streamline responsible access to human biomedical
   datasets", Cell Genomics 1 (2021) 100028; release 2021-02-23 of https://github.com/EBISPOT/DUO
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from radledger.consent.bindings import DataUse
from radledger.consent.diseases import is_code, is_digest
from radledger.consent.errors import UnknownTerm

__all__ = [
    "CONDITIONS",
    "PURPOSES",
    "REQUIREMENTS",
    "Term",
    "condition_bits",
    "condition_names",
    "condition_text",
    "describe",
    "expand",
    "fulfilled_bits",
    "names_disease",
    "purpose_bits",
    "purpose_names",
    "purpose_text",
    "words",
]


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its short name, its DUO id (none where DUO has no such term), words and bit."""

    name: str
    duo_id: str | None
    label: str
    bit: int


def _terms(*rows: tuple[str, str | None, str]) -> tuple[Term, ...]:
    return tuple(Term(*row, bit=1 << position) for position, row in enumerate(rows))


PURPOSES = _terms(
    ("NRES", "DUO:0000004", "any use, without restriction"),
    ("GRU", "DUO:0000042", "general research use"),
    ("HMB", "DUO:0000006", "health, medical or biomedical research"),
    ("DS", "DUO:0000007", "disease-specific research"),
    ("POA", "DUO:0000011", "research on population origins or ancestry"),
    ("CC", "DUO:0000043", "clinical care"),
    ("MDS", "DUO:0000031", "method development"),
    ("CTRL", "DUO:0000036", "research control"),
    ("TEACHING", None, "teaching"),
)
"""What may be done, in the order of their bits."""

CONDITIONS = _terms(
    ("NPU", "DUO:0000045", "by a not-for-profit organisation only"),
    ("NCU", "DUO:0000046", "for non-commercial use only"),
    ("GSO", "DUO:0000016", "for genetic studies only"),
    ("PUB", "DUO:0000019", "results are published"),
    ("COL", "DUO:0000020", "in collaboration with the primary investigators"),
    ("IRB", "DUO:0000021", "with ethics approval"),
    ("GS", "DUO:0000022", "in the agreed region only"),
    ("MOR", "DUO:0000024", "no publication before the agreed date"),
    ("TS", "DUO:0000025", "for the agreed time only"),
    ("US", "DUO:0000026", "by the agreed users only"),
    ("PS", "DUO:0000027", "for the agreed project only"),
    ("IS", "DUO:0000028", "at the agreed institution only"),
    ("RTN", "DUO:0000029", "results are returned to the database"),
    ("RS", "DUO:0000012", "for the agreed type of research only"),
    ("NMDS", "DUO:0000015", "no general methods research"),
    ("NPOA", "DUO:0000044", "no research on population origins or ancestry"),
)
"""What a use must fulfil, in the order of their bits; the last two are prohibitions."""

REQUIREMENTS = DataUse.REQUIREMENTS
"""Bits of the conditions that a use can fulfil: all but the prohibitions."""

_PURPOSE = {term.name: term.bit for term in PURPOSES}
_CONDITION = {term.name: term.bit for term in CONDITIONS}
_BOTH_PROFITS = _CONDITION["NPU"] | _CONDITION["NCU"]
_PURPOSE_BITS = _PURPOSE | {term.duo_id: term.bit for term in PURPOSES if term.duo_id}
_CONDITION_BITS = (
    _CONDITION
    | {term.duo_id: term.bit for term in CONDITIONS if term.duo_id}
    # NPUNCU is the conjunction of two terms that have bits of their own.
    | {"NPUNCU": _BOTH_PROFITS, "DUO:0000018": _BOTH_PROFITS}
)
_FULFILLABLE_BITS = {name: bit for name, bit in _CONDITION_BITS.items() if bit & ~REQUIREMENTS == 0}


def purpose_bits(names: Iterable[str]) -> int:
    """Bits of purposes given by short name or DUO id, in any case.

    Raises
    ------
    UnknownTerm
        If a name is not that of a purpose, or none is given.

    Examples
    --------
    >>> purpose_bits(["GRU", "DUO:0000043"])
    34
    """
    return _bits(names, _PURPOSE_BITS, "purpose", required=True)


def condition_bits(names: Iterable[str]) -> int:
    """Bits of conditions given by short name or DUO id; ``NPUNCU`` is ``NPU`` and ``NCU``.

    Raises
    ------
    UnknownTerm
        If a name is not that of a condition.

    Examples
    --------
    >>> condition_bits(["NPUNCU"]) == condition_bits(["NPU", "NCU"])
    True
    """
    return _bits(names, _CONDITION_BITS, "condition")


def fulfilled_bits(names: Iterable[str]) -> int:
    """Bits of the conditions that a use fulfils; a prohibition cannot be fulfilled.

    Raises
    ------
    UnknownTerm
        If a name is not that of a condition, or is ``NMDS`` or ``NPOA``.

    Examples
    --------
    >>> condition_names(fulfilled_bits(["irb", "npuncu"]))
    ('NPU', 'NCU', 'IRB')
    """
    return _bits(names, _FULFILLABLE_BITS, "condition that a use can fulfil")


def purpose_names(bits: int) -> tuple[str, ...]:
    """Short names of purposes, in the order of their bits.

    Examples
    --------
    >>> purpose_names(34)
    ('GRU', 'CC')
    """
    return tuple(term.name for term in PURPOSES if bits & term.bit)


def condition_names(bits: int) -> tuple[str, ...]:
    """Short names of conditions, in the order of their bits.

    Examples
    --------
    >>> condition_names(0b100011)
    ('NPU', 'NCU', 'IRB')
    """
    return tuple(term.name for term in CONDITIONS if bits & term.bit)


@cache
def purpose_text(bits: int) -> str:
    """Short names of purposes in one text.

    Examples
    --------
    >>> purpose_text(34)
    'GRU CC'
    """
    return " ".join(purpose_names(bits))


@cache
def condition_text(bits: int) -> str:
    """Short names of conditions in one text."""
    return " ".join(condition_names(bits))


def words(terms: Iterable[Term], bits: int) -> list[str]:
    """The words of the terms that are set, as a subject signs them.

    Examples
    --------
    >>> words(PURPOSES, 34)
    ['general research use', 'clinical care']
    """
    return [term.label for term in terms if bits & term.bit]


def describe(purposes: int, conditions: int = 0, disease: str | None = None) -> str:
    """Describe purposes, conditions and disease in words that a patient understands.

    Examples
    --------
    >>> describe(purpose_bits(["DS"]), condition_bits(["IRB"]), "MONDO:0004992")
    'disease-specific research (MONDO:0004992); on condition: with ethics approval'
    >>> describe(purpose_bits(["DS"]), 0, "X:1), all")
    "disease-specific research ('X:1), all', which is not a disease code)"
    """
    if disease and not (is_code(disease) or is_digest(disease)):
        # What a requester wrote must not read as a part of the sentence.
        disease = f"{disease!r}, which is not a disease code"
    uses = [
        f"{term.label} ({disease})" if term.name == "DS" and disease else term.label
        for term in PURPOSES
        if purposes & term.bit
    ]
    asked = words(CONDITIONS, conditions)
    return ", ".join(uses) + (f"; on condition: {', '.join(asked)}" if asked else "")


def expand(purposes: int, conditions: int = 0) -> int:
    """What a grant of these purposes permits, DUO's inheritance applied as the contract does it.

    Examples
    --------
    >>> purpose_names(expand(purpose_bits(["HMB"]), condition_bits(["NMDS"])))
    ('HMB', 'DS', 'CTRL')
    """
    bit = _PURPOSE
    if purposes & bit["NRES"]:
        purposes = DataUse.ALL_PURPOSES
    if purposes & bit["GRU"]:
        purposes |= bit["HMB"] | bit["POA"]
    if purposes & bit["HMB"]:
        purposes |= bit["DS"] | bit["CTRL"]
    # What is left after a prohibition is not without restriction; ancestry research that is
    # prohibited implies no methods either.
    if conditions & _CONDITION["NPOA"]:
        purposes &= ~(bit["NRES"] | bit["POA"])
    if purposes & (bit["DS"] | bit["POA"]):
        purposes |= bit["MDS"]
    if conditions & _CONDITION["NMDS"]:
        purposes &= ~(bit["NRES"] | bit["MDS"])
    return purposes


def names_disease(purposes: int) -> bool:
    """Whether expanded purposes are limited to one disease, which a grant must then name.

    Examples
    --------
    >>> names_disease(expand(purpose_bits(["DS"]))), names_disease(expand(purpose_bits(["HMB"])))
    (True, False)
    """
    return bool(purposes & _PURPOSE["DS"]) and not purposes & _PURPOSE["HMB"]


def _bits(names: Iterable[str], known: dict[str, int], what: str, *, required: bool = False) -> int:
    bits = 0
    for name in names:
        if name.upper() not in known:
            raise UnknownTerm(
                f"{name!r} is not a {what}; give {', '.join(n for n in known if ':' not in n)}, "
                "or a DUO id",
                term=name,
            )
        bits |= known[name.upper()]
    if required and not bits:
        raise UnknownTerm(f"no {what} was given; give one such as GRU or CC", term=None)
    return bits

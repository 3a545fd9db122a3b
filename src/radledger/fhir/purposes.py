"""Purposes of use: codes of FHIR that say exactly what purposes of the chain say.

Each code of HL7's ActReason that is here means what the terms beside it permit, with what DUO has
them imply.  A code that means less than the nearest term, such as coordination of care (``COC``),
or more than all, such as healthcare operations (``HOPERAT``), is not: its grant would be another
one.  DUO's own codes are taken as they stand.

References
----------
.. [1] HL7 v3 Code System ActReason, https://terminology.hl7.org/CodeSystem-v3-ActReason.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from radledger.consent import duo

__all__ = ["ACT_REASON", "BREAK_GLASS", "DISEASE", "DUO", "codings", "terms_of"]

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
DUO = "http://purl.obolibrary.org/obo/duo.owl"
BREAK_GLASS = "BTG"
DISEASE = "DSRCH"
# Health care research includes that on ancestry, by its definition and by the codes below it.
_TERMS: Mapping[str, tuple[str, ...]] = {
    "TREAT": ("CC",),
    "HRESCH": ("HMB", "POA"),
    "POARCH": ("POA",),
    DISEASE: ("DS",),
    "TRAIN": ("TEACHING",),
}
_DUO_TERMS = {term.duo_id: term.name for term in duo.PURPOSES if term.duo_id}
# The terms that DUO has imply methods of any kind, which these codes do not mean.
_WITHOUT_METHODS = frozenset({"POARCH", DISEASE})


def terms_of(codes: Iterable[tuple[str | None, str | None]]) -> tuple[list[str], list[str]]:
    """Purposes that codes permit, and the conditions without which these would permit more.

    Parameters
    ----------
    codes
        Each with its system.

    Raises
    ------
    ValueError
        If a code has no purpose of the same meaning; its text says which.

    Examples
    --------
    >>> terms_of([(ACT_REASON, "TREAT"), (ACT_REASON, "HRESCH")])
    (['CC', 'HMB', 'POA'], [])
    >>> terms_of([(ACT_REASON, "POARCH")])
    (['POA'], ['NMDS'])
    """
    named: dict[str, None] = {}
    narrow, wide = 0, 0
    for system, code in codes:
        terms = _terms(system, code)
        named |= dict.fromkeys(terms)
        if system == ACT_REASON and code in _WITHOUT_METHODS:
            narrow |= duo.purpose_bits(terms)
        else:
            wide |= duo.purpose_bits(terms)
    methods = duo.purpose_bits(["MDS"])
    limited = bool(narrow) and not duo.expand(wide) & methods
    return list(named), ["NMDS"] if limited else []


def codings(purposes: Iterable[str]) -> list[dict[str, str]]:
    """Codes of purposes: those of ActReason where one says the same, else DUO's.

    What another purpose implies is left out where ActReason has one code for both.

    Examples
    --------
    >>> [each["code"] for each in codings(["HMB", "DS", "POA", "CC", "MDS", "CTRL"])]
    ['HRESCH', 'TREAT']
    """
    left = dict.fromkeys(purposes)
    found = []
    if {"HMB", "POA"} <= left.keys() and not {"GRU", "NRES"} & left.keys():
        found.append(_coding("HRESCH"))
        for implied in duo.purpose_names(duo.expand(duo.purpose_bits(["HMB", "POA"]))):
            left.pop(implied, None)
    exact = {"CC": "TREAT", "TEACHING": "TRAIN"}
    labels = {term.name: term for term in duo.PURPOSES}
    for name in left:
        term = labels[name]
        if name in exact:
            found.append(_coding(exact[name]))
        elif term.duo_id is not None:
            found.append({"system": DUO, "code": term.duo_id, "display": term.label})
    return found


def _terms(system: str | None, code: str | None) -> tuple[str, ...]:
    if system == ACT_REASON and code is not None and code in _TERMS:
        return _TERMS[code]
    if system == DUO and code in _DUO_TERMS:
        return (_DUO_TERMS[code],)
    known = ", ".join([*_TERMS, *_DUO_TERMS])
    raise ValueError(
        f"the chain has no purpose that means what {code} of {system or 'no system'} means; it "
        f"has those of {known}"
    )


def _coding(code: str) -> dict[str, str]:
    return {"system": ACT_REASON, "code": code}

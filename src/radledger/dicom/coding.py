"""Codes: those of a public scheme stay, PS3.16 Table 8-1; of others nothing does."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from pydicom.dataset import Dataset

from radledger.dicom.keywords import tags
from radledger.dicom.uids import is_registered
from radledger.dicom.units import is_unit
from radledger.dicom.vocabulary import clean

__all__ = ["CODE_TAGS", "clean_code", "is_public_code"]

_CODE_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")
_OTHERS = ("CodingSchemeDesignator", "CodingSchemeVersion", "CodingSchemeUID", "CodeMeaning")
CODE_TAGS = tags(" ".join((*_CODE_VALUES, *_OTHERS)))
"""What `clean_code` decides about."""

_REMOVED = "REMOVED"
# neither a date nor the number of a patient
_VERSION = re.compile(r"[0-9]{1,4}|[0-9]{1,2}\.[0-9]{1,2}")


class _Scheme(NamedTuple):
    """The UID of a coding scheme, empty where Table 8-1 has none, and how its codes are written.

    Without a pattern a code stays if PS3.16 uses it: the scheme's codes look like words, or are
    numbers of persons.
    """

    uid: str
    code: str = ""


_US, _NEMA = "2.16.840.1.113883", "1.2.840.10008.2.16"
_LANGUAGE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
_ICD9 = r"[0-9]{3}(\.[0-9]{1,2})?|V[0-9]{2}(\.[0-9]{1,2})?|E[0-9]{3}(\.[0-9])?"
_ICD10 = r"[A-Z][0-9][0-9AB](\.?[0-9X]{1,3}[0-9A-Z]?)?"
_SNOMED = r"[A-Z][0-9]?-[0-9A-F]{4,5}"
_FEATURE = r"(?=[A-Z]*[0-9])[0-9A-Z]{4}"
_SCHEMES = {
    "99SDM": _Scheme(f"{_US}.6.53", _SNOMED),
    "ACR": _Scheme(f"{_US}.6.76", r"[0-9]{1,3}\.[0-9]{1,4}"),
    "ASTM-sigpurpose": _Scheme("1.2.840.10065.1.12", r"[0-9]{1,2}"),
    "BARI": _Scheme("", r"[0-9]{1,2}[A-Z]?"),
    "BI": _Scheme("", r"[IVX]{1,4}(\.([A-Za-z]|[0-9]{1,2})){1,5}"),
    "C4": _Scheme(f"{_US}.6.12", r"[0-9]{4}[0-9FTU]"),
    "C5": _Scheme(f"{_US}.6.82", r"[0-9]{4}[0-9FTU]"),
    "CD2": _Scheme(f"{_US}.6.13", r"[0-9D][0-9]{4}"),
    "CTV3": _Scheme(f"{_US}.6.6", r"(?=[A-Za-z]*[0-9])[0-9A-Z][0-9A-Za-z]{1,4}\.{0,3}"),
    "DC": _Scheme(
        f"{_NEMA}.10",
        "contributor|coverage|creator|date|description|format|identifier|language|publisher"
        "|relation|rights|source|subject|title|type",
    ),
    "DCM": _Scheme(f"{_NEMA}.4", r"[0-9]{5,6}"),
    "DCMUID": _Scheme("1.2.840.10008.2.6.1"),
    "FMA": _Scheme(f"{_US}.6.119", r"[0-9]{3,6}"),
    "HPC": _Scheme(f"{_US}.6.14", r"[A-V][0-9]{4}"),
    "I10": _Scheme(f"{_US}.6.3", _ICD10),
    "I10C": _Scheme(f"{_US}.6.90", _ICD10),
    "I10P": _Scheme(
        f"{_US}.6.4", r"([0-9][0-9A-HJ-NP-Z]{2}|[BCDFGHX][0-9A-HJ-NP-Z][0-9])[0-9A-HJ-NP-Z]{4}"
    ),
    "I11": _Scheme(f"{_NEMA}.16", r"[0-9A-Z][A-Z][0-9][0-9A-Z]{1,3}(\.[0-9A-Z]{1,2})?"),
    "I9": _Scheme(f"{_US}.6.42", _ICD9),
    "I9C": _Scheme(f"{_US}.6.2", rf"{_ICD9}|[0-9]{{2}}(\.[0-9]{{1,2}})?"),
    "IBSI": _Scheme(f"{_NEMA}.13", _FEATURE),
    "ICDO3": _Scheme(f"{_US}.6.43.1", r"C[0-9]{2}(\.?[0-9])?|(M-?)?[0-9]{4}/[0-9]{1,2}"),
    "IETF4646": _Scheme("", _LANGUAGE),
    "ISO3166_1": _Scheme("2.16.1", r"[A-Z]{2,3}|[0-9]{3}"),
    "ISO5218_1": _Scheme("", r"[0129]"),
    "ISO639_1": _Scheme(f"{_US}.6.99", r"[a-z]{2}"),
    "ISO639_2": _Scheme(f"{_US}.6.100", r"[a-z]{3}"),
    "ISO_OID": _Scheme(""),
    "ITIS_TSN": _Scheme(f"{_NEMA}.7", r"[0-9]{4,7}"),
    "LN": _Scheme(f"{_US}.6.1", r"(L[AGP])?[0-9]{1,6}-[0-9]"),
    "MA": _Scheme(f"{_NEMA}.5", r"(MA:)?[0-9]{7}"),
    "MAYOASRG": _Scheme(f"{_NEMA}.12", r"[0-9]{1,4}"),
    "MDC": _Scheme(f"{_US}.6.24", r"[0-9]{1,3}:[0-9]{1,6}|[0-9]{3,6}"),
    "MDNS": _Scheme("", r"[0-9]{2}-?[0-9]{3}"),
    "MGI": _Scheme(f"{_NEMA}.8", r"(MGI:)?[0-9]{4,8}"),
    "MSH": _Scheme(f"{_US}.6.177", r"[A-Z]([0-9]{6}|[0-9]{9})|[A-Z][0-9]{2}(\.[0-9]{3})*"),
    "NBD": _Scheme(f"{_US}.15.2"),
    "NBG": _Scheme(f"{_US}.15.3"),
    "NCDR": _Scheme("", r"[0-9]{1,5}"),
    "NCIt": _Scheme(f"{_US}.3.26.1.1", r"C[0-9]{3,7}"),
    "NDC": _Scheme(f"{_US}.6.69", r"[0-9]{4,5}-[0-9]{3,4}(-[0-9]{1,2})?"),
    "NEU": _Scheme(f"{_US}.6.210", r"[0-9]{1,5}"),
    "NICIP": _Scheme(f"{_US}.2.1.3.2.4.21"),
    "NPI": _Scheme(""),
    "NYUMCCG": _Scheme(f"{_NEMA}.11", r"[0-9]{1,4}"),
    "PATHLEX": _Scheme("1.3.6.1.4.1.19376.1.8.2.1", r"[0-9]{3,6}"),
    "POS": _Scheme(f"{_US}.6.50", r"[0-9]{1,2}"),
    "PUBCHEM_CID": _Scheme(f"{_NEMA}.9", r"[0-9]{1,9}"),
    "RADELEMENT": _Scheme(f"{_NEMA}.15", r"RDES?[0-9]{1,5}(\.[0-9]{1,2})?"),
    "RADLEX": _Scheme(f"{_US}.6.256", r"R(P)?ID[0-9]{1,6}"),
    "RFC-3881": _Scheme("", r"[0-9]{1,6}"),
    "RFC3066": _Scheme(f"{_US}.6.121", _LANGUAGE),
    "RFC5646": _Scheme(f"{_US}.6.316", _LANGUAGE),
    "RO": _Scheme(f"{_NEMA}.14", _FEATURE),
    "RRID": _Scheme(f"{_NEMA}.18", r"(RRID:)?[A-Z]{2,6}_[0-9]{3,9}"),
    "RXNORM": _Scheme(f"{_US}.6.88", r"[0-9]{1,7}"),
    "SCPECG": _Scheme("", r"5\.6\.3-9-[0-9]{1,3}"),
    "SCT": _Scheme(f"{_US}.6.96", r"[0-9]{6,18}"),
    "SNM3": _Scheme(f"{_US}.6.51", _SNOMED),
    "SRT": _Scheme(f"{_US}.6.96", _SNOMED),
    "UBERON": _Scheme(f"{_NEMA}.6", r"(UBERON:)?[0-9]{7}"),
    "UCUM": _Scheme(f"{_US}.6.8"),
    "UMLS": _Scheme(f"{_US}.6.86", r"C[0-9]{7}"),
    "UNS": _Scheme(f"{_NEMA}.17", r"[A-Z][0-9]{5}"),
    "UPC": _Scheme(f"{_US}.6.55", r"[0-9]{12}"),
    "caDSR": _Scheme(f"{_US}.3.26.2", r"[0-9]{5,8}"),
}
_CODES = {name: re.compile(scheme.code) for name, scheme in _SCHEMES.items() if scheme.code}


def is_public_code(scheme: str, code: str) -> bool:
    """Whether a code is written as its public coding scheme writes codes.

    Examples
    --------
    >>> is_public_code("SCT", "10200004"), is_public_code("99LOCAL", "MILLER")
    (True, False)
    >>> is_public_code("UCUM", "{SUVbw}g/ml"), is_public_code("UCUM", "{Miller}")
    (True, False)
    """
    if scheme in ("DCMUID", "ISO_OID"):
        return is_registered(code)
    pattern = _CODES.get(scheme)
    if pattern is not None and pattern.fullmatch(code):
        return True
    return code in _used_by_the_standard(scheme) or (scheme == "UCUM" and is_unit(code))


def clean_code(dataset: Dataset) -> None:
    """Keep a code of a public scheme with a meaning that says no more; drop any other.

    A private code becomes one that says that it was removed.  Where there is no code, none is
    put: a scheme that is only named stays with its UID, if it is a public one.
    """
    present = [keyword for keyword in _CODE_VALUES if _text(dataset, keyword)]
    scheme = _text(dataset, "CodingSchemeDesignator")
    code = _text(dataset, present[0]) if present else ""
    public = is_public_code(scheme, code) if len(present) == 1 else not code and scheme in _SCHEMES
    if public:
        _clean_public(dataset, scheme, code)
        return
    named = [keyword for keyword in (*_CODE_VALUES, *_OTHERS) if keyword in dataset]
    for keyword in named:
        delattr(dataset, keyword)
    if present:
        dataset.CodeValue, dataset.CodingSchemeDesignator = _REMOVED, "99RADLEDGER"
        dataset.CodeMeaning = _REMOVED


def _clean_public(dataset: Dataset, scheme: str, code: str) -> None:
    meaning = _text(dataset, "CodeMeaning")
    if code or meaning:
        harmless = clean(meaning).split() == meaning.split()
        dataset.CodeMeaning = meaning if meaning and harmless else code
    if not _VERSION.fullmatch(_text(dataset, "CodingSchemeVersion") or "0"):
        del dataset.CodingSchemeVersion
    if _text(dataset, "CodingSchemeUID") not in ("", _SCHEMES[scheme].uid):
        del dataset.CodingSchemeUID


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip(" \0")


@cache
def _used_by_the_standard(scheme: str) -> frozenset[str]:
    """The codes of a scheme that are in context groups and templates of PS3.16."""
    from pydicom.sr._concepts_dict import concepts

    named: Any = concepts.get(scheme, {})
    found = (code for codes in named.values() for code in codes)
    return frozenset(filter(None, found))

"""Which Patient IDs the files of a study or series have, as keyed digests.

All files of an addition are one patient's, by what its caller says.  Two Patient IDs in one study
or series say otherwise: most likely another patient's file is among them.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from radledger.imaging.journal.tables import IdentifierRow

__all__ = ["MIXED", "identifiers_of", "mixed", "spelled"]

MIXED = (
    "the series of this file is left out: files of its study or series have different Patient "
    "IDs; add those of each patient on their own, or state with --mixed-patient-ids that all "
    "are this patient's"
)


def spelled(patient_id: str) -> str:
    """A Patient ID without what tells no two patients apart: case, marks, zeros in front, issuer.

    Examples
    --------
    >>> spelled("MRN-0001 ") == spelled("mrn0001") == spelled("mrn0001^^^HOSPITAL")
    True
    >>> spelled("0004711"), spelled(" ")
    ('4711', '')
    """
    text = unicodedata.normalize("NFKC", patient_id).partition("^")[0].casefold()
    return "".join(filter(str.isalnum, text)).lstrip("0")


def identifiers_of(
    key: bytes, set_id: int, units: Iterable[str], patient_id: str
) -> list[IdentifierRow]:
    """What to write down of a file: its Patient ID for its study and its series.

    Parameters
    ----------
    key
        Of the patient's pseudonyms.
    set_id
        The image set that the file is in.
    units
        UIDs of its study and its series.
    patient_id
        As it is in the file; nothing is written down of none.
    """

    def digest(label: str, value: str) -> bytes:
        text = f"{label}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(key, text, "sha256")

    name = spelled(patient_id)
    if not name:
        return []
    return [IdentifierRow(set_id, digest("unit", each), digest("id", name)) for each in units]


def mixed(rows: Iterable[tuple[int, str, bytes, bytes]]) -> set[int]:
    """The open sets to which files with different Patient IDs belong.

    What a sealed set has was stated then: a Patient ID that it has is not refused again.

    Parameters
    ----------
    rows
        A set, its state, a study or series, and a Patient ID that a file has there.

    Examples
    --------
    >>> mixed([(1, "open", b"study", b"one"), (2, "open", b"study", b"other")])
    {1, 2}
    >>> mixed([(1, "sealed", b"study", b"one"), (2, "open", b"study", b"other")])
    {2}
    """
    stated: dict[bytes, set[bytes]] = defaultdict(set)
    found: dict[bytes, dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for set_id, state, unit, identifier in rows:
        if state == "open":
            found[unit][set_id].add(identifier)
        else:
            stated[unit].add(identifier)
    return {
        set_id
        for unit, sets in found.items()
        for set_id, names in sets.items()
        if len(stated[unit].union(*sets.values())) > 1 and not names <= stated[unit]
    }

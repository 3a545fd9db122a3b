"""Parameters of searches, of whatever resource.

What is not known is ignored, as ITI-108 wants it; the search's ``self`` link says what was used.

References
----------
.. [1] HL7 FHIR R4, Search, https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radledger.fhir import references
from radledger.fhir.elements import Identifier, Reference
from radledger.fhir.errors import SearchInvalid
from radledger.texts import quoted

__all__ = ["Query"]

_MOST, _USUAL = 200, 50
_PAGING = ("_count", "_offset")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one search that are used, in the order in which they were given."""

    stated: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls,
        parameters: Iterable[tuple[str, str]],
        known: Sequence[str],
        repeated: Sequence[str] = (),
    ) -> Query:
        """Take what is known, and of that what may be given several times.

        Raises
        ------
        SearchInvalid
            If another parameter is given twice, or the size of a page is not a number.
        """
        used = [each for each in parameters if each[0] in (*known, *_PAGING)]
        names = [name for name, _ in used if name not in repeated]
        for name in names:
            if names.count(name) > 1:
                raise SearchInvalid(
                    f"{name} is given twice; give it once, with alternatives after commas",
                    parameter=name,
                )
        query = cls(tuple(used))
        for name in _PAGING:
            if not re.fullmatch("[0-9]{1,9}", query.text(name) or "0", re.ASCII):
                raise SearchInvalid(
                    f"{name} is {quoted(query.text(name))}; give a number", parameter=name
                )
        return query

    @property
    def count(self) -> int:
        """How many resources a page has at most."""
        return min(int(self.text("_count") or _USUAL), _MOST)

    @property
    def offset(self) -> int:
        """How many are on the pages before."""
        return int(self.text("_offset") or 0)

    def page(self, offset: int) -> list[tuple[str, str]]:
        """The parameters of another page."""
        rest = [each for each in self.stated if each[0] != "_offset"]
        return [*rest, ("_offset", str(offset))] if offset else rest

    def text(self, name: str) -> str | None:
        """A parameter as it was given; an empty one counts as none."""
        return dict(self.stated).get(name) or None

    def all(self, name: str) -> list[str]:
        """A parameter each time that it was given."""
        return [value for given, value in self.stated if given == name and value]

    def values(self, name: str) -> list[str] | None:
        """The alternatives of a parameter."""
        text = self.text(name)
        return None if text is None else text.split(",")

    def codes(self, name: str) -> list[str] | None:
        """The alternatives of a token, without the system of each."""
        values = self.values(name)
        return None if values is None else [each.rpartition("|")[2] for each in values]

    def address(self, name: str, base: str, chain_id: int, type_: str | None = None) -> str | None:
        """The address of a person or institution that a parameter names.

        It is given as a reference, as its id alone, or in ``NAME.identifier`` as an identifier.

        Raises
        ------
        SearchInvalid
            If it names none.
        """
        text, token = self.text(name), self.text(f"{name}.identifier")
        if text is None and token is None:
            return None
        if text is not None:
            named = text if "/" in text else f"{type_ or 'Practitioner'}/{text}"
            reference = Reference(reference=named)
        else:
            system, _, value = (token or "").rpartition("|")
            reference = Reference(
                identifier=Identifier(system=system or references.DID, value=value)
            )
        try:
            found = references.party(reference, base, chain_id)
        except ValueError as error:
            raise SearchInvalid(f"{name}: {error}", parameter=name) from None
        if type_ is not None and found.type not in (None, type_):
            raise SearchInvalid(f"{name} is {quoted(text)}; refer to a {type_}", parameter=name)
        return found.address

"""What is found against a Consent while it is read, and what is known of the chain meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from radledger.fhir import references
from radledger.fhir.elements import Element, Reference
from radledger.fhir.errors import Issue
from radledger.fhir.references import Party

__all__ = ["Context", "Findings"]


class Context(Protocol):
    """What is known where a Consent is read."""

    @property
    def base(self) -> str:
        """Address of the server whose resources absolute URLs may name."""
        ...

    @property
    def chain_id(self) -> int:
        """The chain."""
        ...

    @property
    def policies(self) -> Collection[str]:
        """Policies, beside those of PCF, that forbid nothing but what a Consent says."""
        ...

    def now(self) -> int:
        """The present time (Unix time)."""
        ...

    def institution_of(self, address: str) -> str | None:
        """The accredited institution that an address is, or is a member of."""
        ...

    def may_act(self, subject: str, account: str) -> bool:
        """Whether an account may consent for a subject."""
        ...

    def may_forbid_emergencies(self) -> bool:
        """Whether this deployment lets subjects forbid emergency access."""
        ...

    def groups_of(self, subject: str) -> Collection[tuple[str, str]]:
        """Image sets, visits and courses of a subject: the system and the digest of each."""
        ...


class Findings:
    """The reasons against one Consent.

    Attributes
    ----------
    context
        Where it is read.
    issues
        What was found so far.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.issues: list[Issue] = []

    def refuse(self, element: str, code: str, reason: str) -> None:
        """Add a reason: where, of the value set ``issue-type``, and in words."""
        self.issues.append(Issue(element, code, reason))

    def refuse_stated(self, path: str, element: Element, reason: str, *names: str) -> None:
        """Add a reason for each of some elements that is there."""
        for name in names:
            if getattr(element, name):
                alias = type(element).model_fields[name].alias
                self.refuse(f"{path}.{alias or name}", "not-supported", reason)

    def party(self, path: str, reference: Reference, *types: str) -> Party | None:
        """Whom a reference names, of one of some types; none if that is a reason against it."""
        try:
            found = references.party(reference, self.context.base, self.context.chain_id)
        except ValueError as error:
            self.refuse(path, "not-found", str(error))
            return None
        if found.type is not None and found.type not in types:
            reason = f"a {found.type} cannot be held here; refer to one of {', '.join(types)}"
            self.refuse(path, "not-supported", reason)
        return found

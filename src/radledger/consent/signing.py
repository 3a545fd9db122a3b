"""A subject's documents: dated, and bound to the state of the chain when they are signed.

The time is that of the chain, since a device's clock may be wrong; the machine's clock counts as
far as the contract takes it to be ahead of the latest block, for chains that make few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from radledger.area.fold import NOBODY
from radledger.chain import documents
from radledger.chain.refusals import (
    ConsentDiseaseInvalid,
    ConsentGranteeInvalid,
    ConsentPeriodInvalid,
    ConsentPurposesInvalid,
    ConsentScopeReserved,
)
from radledger.chain.typed_data import typed_data
from radledger.consent import bindings, duo, messages, records
from radledger.consent.bindings import TYPED_DATA, GrantStore, Status
from radledger.consent.diseases import decode_disease
from radledger.consent.model import UNTIL_REVOKED
from radledger.consent.periods import rounded_end
from radledger.consent.scope import EMERGENCY_DIGEST

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.consent.diseases import Diseases
    from radledger.consent.model import Terms

__all__ = [
    "Consent",
    "epoch",
    "grant_fields",
    "is_granted",
    "last_signed",
    "require_grantable",
    "struct",
    "whose_fields",
]

# Seconds ahead of the block: a little less than the contract takes, for nodes that lag.
_AHEAD = {
    **dict.fromkeys(("Grant", "Approve", "ForbidEmergencies"), GrantStore.GRANT_AHEAD - 60),
    **dict.fromkeys(("Revoke", "RevokeAll"), GrantStore.CLOCK_ERROR - 3600),
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What a subject says, to be signed with the time at which it is.

    Attributes
    ----------
    ledger
        The chain that it is for, and the clocks.
    primary, fields
        The struct and its fields, but for the times.
    after
        A Unix time that it must be later than: that of what it takes back.
    disease
        ``CODE@SALT`` of the disease that the fields have as a digest, which the document carries.
    """

    ledger: Ledger
    primary: str
    fields: Mapping[str, Any]
    after: int = -1
    disease: str | None = None

    @property
    def words(self) -> str:
        """What it says, without the times."""
        return messages.words_of(self.primary, self.fields, self.disease)

    def sign(self, signer: LocalAccount, valid_for: int) -> dict[str, Any]:
        """Sign it as of now into a document that can be submitted for so many seconds."""
        return self._named(documents.sign(signer, messages.KIND, *self._dated(valid_for)))

    def unsigned(self, signer: str, valid_for: int) -> dict[str, Any]:
        """The document as of now, for its signer's wallet to sign."""
        return self._named(documents.unsigned(signer, messages.KIND, *self._dated(valid_for)))

    def _dated(self, valid_for: int) -> tuple[str, dict[str, Any]]:
        """The summary, and the typed data."""
        present = self.ledger.present()
        now = min(present.time, present.block_time + _AHEAD[self.primary])
        message = {
            **self.fields,
            "signed": max(now, self.after + 1),
            "deadline": present.time + valid_for,
        }
        fields = TYPED_DATA[self.primary]
        data = typed_data(messages.domain(self.ledger), self.primary, fields, message)
        return messages.summarise(self.primary, message, self.disease), data

    def _named(self, document: dict[str, Any]) -> dict[str, Any]:
        return document if self.disease is None else {**document, "disease": self.disease}


def is_granted(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> bool:
    """Whether a subject's last word on a grantee and scope is a grant."""
    return int(_standing(ledger, subject, grantee, scope).status) == Status.GRANTED.number


def last_signed(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> int:
    """When what stands for a grantee and scope was signed, Unix time; zero if nothing stands."""
    return int(_standing(ledger, subject, grantee, scope).signed)


def epoch(ledger: Ledger, subject: str) -> int:
    """How often a subject has taken everything back."""
    return int(ledger.call(records.CONTRACT, "epochOf", subject))


def grant_fields(
    ledger: Ledger, subject: str, grantee: str, scope: bytes, struct: bindings.Terms
) -> dict[str, Any]:
    """The message that a subject signs to grant: to whom, on which terms, after which other ones.

    Raises
    ------
    Refusal
        As :func:`require_grantable` does.
    """
    require_grantable(subject, grantee, scope, struct)
    return {
        **whose_fields(subject, grantee, scope),
        **messages.terms_fields(struct),
        "seen": last_signed(ledger, subject, grantee, scope),
        "epoch": epoch(ledger, subject),
    }


def whose_fields(subject: str, grantee: str, scope: bytes) -> dict[str, str]:
    """Which grant a message is about."""
    return {"subject": subject, "grantee": grantee, "scope": "0x" + scope.hex()}


def require_grantable(subject: str, grantee: str, scope: bytes, struct: bindings.Terms) -> None:
    """Refuse what the contract would never grant, before anyone signs or asks for it.

    Raises
    ------
    ConsentGranteeInvalid
        If the grantee is the zero address or the subject.
    ConsentScopeReserved
        If the scope is that of emergencies.
    ConsentPurposesInvalid
        If the conditions take all purposes away.
    ConsentDiseaseInvalid
        If disease-specific research lacks a disease, or something else names one.
    """
    _, _, stated, conditions, disease = struct
    if grantee in (subject, NOBODY):
        raise ConsentGranteeInvalid.of({"grantee": grantee})
    if scope == EMERGENCY_DIGEST:
        raise ConsentScopeReserved.of({"scope": "0x" + scope.hex()})
    purposes = duo.expand(stated, conditions)
    if not purposes:
        raise ConsentPurposesInvalid.of({"purposes": stated, "conditions": conditions})
    if duo.names_disease(purposes) != any(disease):
        raise ConsentDiseaseInvalid.of({"purposes": purposes, "disease": "0x" + disease.hex()})


def struct(ledger: Ledger, diseases: Diseases, terms: Terms, *, exact: bool) -> bindings.Terms:
    """Terms as the contract takes them, their disease with its salt, their end rounded or exact.

    Raises
    ------
    ConsentPeriodInvalid
        If they do not end after they begin, and later than now.
    DiseaseUnknown
        If which disease they name is not known.
    """
    present = ledger.present()
    sealed = replace(terms, disease=diseases.sealed(terms.disease))
    start, until, *_ = encoded = sealed.encode(present.block_time)
    diseases.require(decode_disease(encoded[-1]))
    if not 0 <= start < until <= UNTIL_REVOKED or until <= present.time:
        raise ConsentPeriodInvalid.of({"from": start, "until": until})
    end = until if exact else rounded_end(max(start, present.time), until)
    return encoded._replace(until=end)


def _standing(ledger: Ledger, subject: str, grantee: str, scope: bytes) -> Any:
    """What the registry keeps for a grantee and scope."""
    return ledger.call(records.CONTRACT, "grantOf", subject, grantee, scope)

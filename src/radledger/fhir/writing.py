"""From the chain to Consents: grants, and the choice to forbid emergency access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radledger.consent import duo
from radledger.consent.model import UNTIL_REVOKED, Terms
from radledger.consent.scope import ALL
from radledger.fhir import purposes
from radledger.fhir.policies import CONDITION, DISEASE, POLICY_ALL, POLICY_DENY
from radledger.fhir.references import IMAGE_SET, data_of_scope, reference_to
from radledger.fhir.times import instant

if TYPE_CHECKING:
    from radledger.consent.model import Grant
    from radledger.fhir.onchain import OnChain

__all__ = ["choice_elements", "grant_elements"]

_SCOPE = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }
    ]
}
_CATEGORY = [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}]
_RECIPIENT = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    ]
}


def grant_elements(grant: Grant, signed: int, chain: OnChain, custodian: str) -> dict[str, Any]:
    """The elements of a Consent that says what a grant permits.

    Parameters
    ----------
    grant, signed
        The grant, and when it was signed (Unix time).
    chain
        Where it is.
    custodian
        The organization that enforces it.
    """
    of = chain.institution_of(grant.grantee)
    type_ = "RelatedPerson"
    if of is not None:
        type_ = "Organization" if of == grant.grantee else "Practitioner"
    actor = {"role": _RECIPIENT, "reference": reference_to(type_, grant.grantee, chain.chain_id)}
    provision = {
        "modifierExtension": _limits(grant.terms),
        "type": "permit",
        "period": _period(grant.terms),
        "actor": [actor],
        "purpose": purposes.codings(grant.terms.purposes),
        "data": _data(grant, chain),
    }
    return {
        **_frame(grant.subject, grant.granted_by, signed, chain, custodian, POLICY_ALL),
        "sourceAttachment": _source(f"transaction {grant.transaction} of chain {chain.chain_id}"),
        "provision": {name: value for name, value in provision.items() if value},
    }


def choice_elements(subject: str, signed: int, chain: OnChain, custodian: str) -> dict[str, Any]:
    """The elements of a Consent by which a patient forbids emergency access."""
    return {
        **_frame(subject, subject, signed, chain, custodian, POLICY_DENY),
        "sourceAttachment": _source(f"chain {chain.chain_id}"),
        "provision": {
            "type": "deny",
            "purpose": [{"system": purposes.ACT_REASON, "code": purposes.BREAK_GLASS}],
        },
    }


def _frame(
    subject: str, performer: str, signed: int, chain: OnChain, custodian: str, policy: str
) -> dict[str, Any]:
    return {
        "scope": _SCOPE,
        "category": _CATEGORY,
        "patient": reference_to("Patient", subject, chain.chain_id),
        "dateTime": instant(signed),
        "performer": [
            reference_to(
                "Patient" if performer == subject else "RelatedPerson", performer, chain.chain_id
            )
        ],
        "organization": [reference_to("Organization", custodian, chain.chain_id)],
        "policy": [{"uri": policy}],
    }


def _source(title: str) -> dict[str, str]:
    """Where what was signed is: the chain has no document."""
    return {"contentType": "text/plain", "title": title}


def _data(grant: Grant, chain: OnChain) -> list[dict[str, Any]]:
    if grant.scope == ALL:
        return []
    systems = {digest: system for system, digest in chain.groups_of(grant.subject)}
    # A digest that nothing of the patient has may become that of an image set alone.
    return data_of_scope(grant.scope, systems.get(grant.scope, IMAGE_SET))


def _period(terms: Terms) -> dict[str, str]:
    period = {} if not terms.start else {"start": instant(terms.start)}
    if terms.until != UNTIL_REVOKED:
        period["end"] = instant(terms.until - 1)  # which is included
    return period


def _limits(terms: Terms) -> list[dict[str, Any]]:
    labels = {term.name: term for term in duo.CONDITIONS}
    limits: list[dict[str, Any]] = [
        {
            "url": CONDITION,
            "valueCoding": {
                "system": purposes.DUO,
                "code": labels[name].duo_id,
                "display": labels[name].label,
            },
        }
        for name in terms.conditions
    ]
    if terms.disease is not None:
        limits.append({"url": DISEASE, "valueString": terms.disease})
    return limits

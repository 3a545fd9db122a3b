"""A provision that permits: to whom, of which images, on which terms."""

from __future__ import annotations

from radledger.consent import duo
from radledger.consent.diseases import disease_code, is_code, is_digest
from radledger.consent.model import UNTIL_REVOKED, Terms
from radledger.consent.scope import ALL
from radledger.fhir import purposes, references, times
from radledger.fhir.elements import Coding, Consent, Provision, Reference
from radledger.fhir.findings import Findings
from radledger.fhir.policies import (
    CONDITION,
    DISEASE,
    POLICY_BREAK_GLASS,
    POLICY_DENY,
    POLICY_TREATMENT,
)
from radledger.fhir.references import Party
from radledger.fhir.statements import Permission
from radledger.texts import quoted

__all__ = ["permission"]

_ROLES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ROOT = "Consent.provision"
_PEOPLE = ("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Device")
_CONDITIONS = {term.duo_id: term.name for term in duo.CONDITIONS}


def permission(consent: Consent, patient: Party | None, findings: Findings) -> Permission | None:
    """What a Consent permits; what the chain cannot hold of it is added to the findings."""
    provision = consent.provision
    policies = {policy.uri for policy in consent.policy}
    findings.refuse_stated(
        _ROOT,
        provision,
        "the chain holds no exceptions to a permission; record a Consent for each thing that is "
        "permitted",
        "provision",
    )
    if policies & {POLICY_DENY, POLICY_BREAK_GLASS}:
        findings.refuse("Consent.policy", "conflict", "the policy denies what is permitted")
    grantee = _grantee(consent, findings)
    scope = _scope(provision, patient, findings)
    terms = _terms(provision, findings)
    if POLICY_TREATMENT in policies:
        _check_treatment(grantee, terms, findings)
    if grantee is None or terms is None:
        return None
    if patient is not None and grantee.address == patient.address:
        reason = "patients need no permission for their own images"
        findings.refuse(f"{_ROOT}.actor", "business-rule", reason)
    return Permission(grantee.address, terms, scope)


# ----------------------------------------------------------------------------------------- to whom


def _grantee(consent: Consent, findings: Findings) -> Party | None:
    actors, element = consent.provision.actor, f"{_ROOT}.actor"
    if not actors:
        return _organization(consent, findings)
    if len(actors) > 1:
        reason = "a permission is of one person or institution; record a Consent for each"
        findings.refuse(element, "not-supported", reason)
        return None
    (actor,) = actors
    if not actor.role.has(_ROLES, "IRCP"):
        reason = f"recipients of information alone are permitted or denied (IRCP of {_ROLES})"
        findings.refuse(f"{element}.role", "not-supported", reason)
    types = ("Organization", *_PEOPLE)
    return _accredited(f"{element}.reference", actor.reference, types, findings)


def _organization(consent: Consent, findings: Findings) -> Party | None:
    """Without an actor, all are meant who are under the policy: an organization's members."""
    element = "Consent.organization"
    if len(consent.organization) != 1:
        reason = (
            "a Consent without an actor permits the members of one organization; name that "
            "organization, or an actor"
        )
        findings.refuse(element, "required", reason)
        return None
    return _accredited(element, consent.organization[0], ("Organization",), findings)


def _accredited(
    element: str, reference: Reference, types: tuple[str, ...], findings: Findings
) -> Party | None:
    """A person, or an accredited institution, referred to as what it is."""
    found = findings.party(element, reference, *types)
    if found is None:
        return None
    is_institution = findings.context.institution_of(found.address) == found.address
    if is_institution and found.type in _PEOPLE:
        reason = (
            f"{found.address} is an institution, whose members would be permitted too; refer to it "
            "as an Organization"
        )
        findings.refuse(element, "business-rule", reason)
    elif found.type == "Organization" and not is_institution:
        reason = (
            f"{found.address} is not an accredited institution; refer to a person as a Practitioner"
        )
        findings.refuse(element, "business-rule", reason)
    return found


def _check_treatment(grantee: Party | None, terms: Terms | None, findings: Findings) -> None:
    if terms is not None and terms.purposes != ("CC",):
        reason = f"{POLICY_TREATMENT} permits treatment alone"
        findings.refuse(f"{_ROOT}.purpose", "conflict", reason)
    if grantee is None:
        return
    if findings.context.institution_of(grantee.address) == grantee.address:
        reason = (
            f"{POLICY_TREATMENT} permits clinicians alone, and a permission of an institution is "
            "one of every member; name a Practitioner, or another policy"
        )
        findings.refuse("Consent.policy", "conflict", reason)


# ------------------------------------------------------------------------------------ which images


def _scope(provision: Provision, patient: Party | None, findings: Findings) -> str:
    element = f"{_ROOT}.data"
    if not provision.data:
        return ALL
    if len(provision.data) > 1:
        reason = "a permission is of one image set, visit or course; record a Consent for each"
        findings.refuse(element, "not-supported", reason)
        return ALL
    try:
        group = references.scope_of(provision.data[0])
    except ValueError as error:
        findings.refuse(element, "not-supported", str(error))
        return ALL
    if patient is not None and group not in findings.context.groups_of(patient.address):
        reason = f"the patient has no {group[1]} of {group[0]} on the chain"
        findings.refuse(element, "not-found", reason)
    return group[1]


# ---------------------------------------------------------------------------------- on which terms


def _terms(provision: Provision, findings: Findings) -> Terms | None:
    start, until = _period(provision, findings)
    named, conditions = _purposes(provision.purpose, findings)
    disease = None
    for number, extension in enumerate(provision.modifier_extension):
        element = f"{_ROOT}.modifierExtension[{number}]"
        if extension.url == CONDITION and extension.value_coding is not None:
            conditions += _condition(element, extension.value_coding, findings)
        elif extension.url == DISEASE and extension.value_string and disease is None:
            disease = _disease(element, extension.value_string, findings)
        else:
            findings.refuse(element, "extension", "this modifier extension is not known")
    if not named:
        return None
    _check_together(named, conditions, disease, findings)
    return Terms(tuple(named), tuple(conditions), disease, start, until)


def _purposes(codings: list[Coding], findings: Findings) -> tuple[list[str], list[str]]:
    element = f"{_ROOT}.purpose"
    if not codings:
        reason = (
            "no purpose would be every purpose; name each, or DUO:0000004 (no restriction) of "
            f"{purposes.DUO}"
        )
        findings.refuse(element, "required", reason)
        return [], []
    known = []
    for coding in codings:
        try:
            purposes.terms_of([(coding.system, coding.code)])
            known.append((coding.system, coding.code))
        except ValueError as error:
            findings.refuse(element, "code-invalid", str(error))
    return purposes.terms_of(known)


def _condition(element: str, coding: Coding, findings: Findings) -> list[str]:
    term = _CONDITIONS.get(coding.code)
    if coding.system != purposes.DUO or term is None:
        reason = f"a condition is a code of {purposes.DUO}, such as DUO:0000046"
        findings.refuse(element, "code-invalid", reason)
        return []
    return [term]


def _disease(element: str, text: str, findings: Findings) -> str | None:
    if is_code(text) or is_digest(text) or disease_code(text) is not None:
        return text
    reason = f"{quoted(text)} is not the code of a disease, such as MONDO:0004992"
    findings.refuse(element, "value", reason)
    return None


def _check_together(
    named: list[str], conditions: list[str], disease: str | None, findings: Findings
) -> None:
    expanded = duo.expand(duo.purpose_bits(named), duo.condition_bits(conditions))
    if not expanded:
        reason = "the conditions take every purpose away"
        findings.refuse(f"{_ROOT}.purpose", "conflict", reason)
    elif duo.names_disease(expanded) != (disease is not None):
        reason = f"research on one disease has to name it ({DISEASE}), and no other purpose can"
        findings.refuse(f"{_ROOT}.purpose", "business-rule", reason)


def _period(provision: Provision, findings: Findings) -> tuple[int | None, int]:
    element, period = f"{_ROOT}.period", provision.period
    start, until = None, UNTIL_REVOKED
    if period is None:
        return start, until
    try:
        if period.start is not None:
            start = times.start_of(period.start)
        if period.end is not None:
            until = times.end_of(period.end)
    except ValueError as error:
        findings.refuse(element, "value", str(error))
        return None, UNTIL_REVOKED
    if until <= findings.context.now():
        reason = "it has ended, and the chain takes no permission that is over"
        findings.refuse(element, "expired", reason)
    elif until > UNTIL_REVOKED or not 0 <= (start or 0) < until:
        reason = "it begins before 1970, ends after 2106, or ends before it begins"
        findings.refuse(element, "value", reason)
    return start, until

"""From a Consent to what the chain can hold of it: all of it, or nothing.

Every element that changes what a Consent means is read here, or is a reason to refuse it.  What is
left alone changes nothing: narrative, identifiers of the resource, date and source of the ceremony.

References
----------
.. [1] IHE ITI PCF 1.1, Volume 3, Consent, https://profiles.ihe.net/ITI/PCF/content.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radledger.fhir.elements import Coding, Consent, Provision
from radledger.fhir.errors import ConsentNotHeld
from radledger.fhir.findings import Context, Findings
from radledger.fhir.permissions import permission
from radledger.fhir.policies import POLICIES, POLICY_ALL, POLICY_BREAK_GLASS, POLICY_DENY
from radledger.fhir.purposes import ACT_REASON, BREAK_GLASS
from radledger.fhir.references import Party
from radledger.fhir.statements import Dissent, EmergencyChoice, Statement
from radledger.texts import quoted

__all__ = ["Stated", "read"]

_SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
_ROOT = "Consent.provision"
_NOT_HELD = {
    "action": "uses differ by purpose on the chain, and not by action",
    "security_label": "image sets have no labels of sensitivity or confidentiality",
    "class_": "image sets have no class of content",
    "code": "image sets have no codes of content",
    "data_period": "a permission has no time frame of the data; name an image set or visit",
}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a Consent says.

    Attributes
    ----------
    subject
        The patient.
    signer
        Who is to sign it: the performer.
    statement
        What the chain is to hold.
    """

    subject: str
    signer: str
    statement: Statement


def read(consent: Consent, context: Context) -> Stated:
    """What a Consent says, if the chain can hold exactly that.

    Raises
    ------
    ConsentNotHeld
        If it cannot, with every reason.
    """
    findings = Findings(context)
    _check_frame(consent, findings)
    _check_policies(consent, findings)
    patient = findings.party("Consent.patient", consent.patient, "Patient")
    signer = _signer(consent, patient, findings)
    statement = _statement(consent, patient, findings)
    if findings.issues or patient is None or signer is None or statement is None:
        raise ConsentNotHeld.of("the chain cannot hold this Consent", findings.issues)
    return Stated(patient.address, signer.address, statement)


def _check_frame(consent: Consent, findings: Findings) -> None:
    if consent.status not in ("active", "proposed"):
        reason = f"a Consent that is {consent.status} permits nothing; record an active one"
        findings.refuse("Consent.status", "business-rule", reason)
    if not consent.scope.has(_SCOPES, "patient-privacy"):
        reason = f"only Consents of the scope patient-privacy of {_SCOPES} are held"
        findings.refuse("Consent.scope", "not-supported", reason)
    findings.refuse_stated(
        "Consent",
        consent,
        "is not read here, and may change what the Consent means; leave it out",
        *("implicit_rules", "modifier_extension", "policy_rule", "verification"),
    )
    if consent.source_attachment is not None and consent.source_attachment.data:
        reason = "documents are not kept here; give a reference or an address"
        findings.refuse("Consent.sourceAttachment.data", "not-supported", reason)


def _check_policies(consent: Consent, findings: Findings) -> None:
    if not consent.policy:
        reason = f"is missing; where the Consent alone says what is permitted, give {POLICY_ALL}"
        findings.refuse("Consent.policy", "required", reason)
    known = {*POLICIES, *findings.context.policies}
    for policy in consent.policy:
        if policy.uri not in known or policy.modifier_extension:
            reason = (
                f"the policy {quoted(policy.uri)} is not known here, and may forbid more than the "
                "Consent says; the custodian has to accept it first"
            )
            findings.refuse("Consent.policy", "business-rule", reason)


def _signer(consent: Consent, patient: Party | None, findings: Findings) -> Party | None:
    element = "Consent.performer"
    if len(consent.performer) > 1:
        findings.refuse(element, "not-supported", "one person signs a Consent; name that one")
        return None
    if not consent.performer:
        return patient
    signer = findings.party(element, consent.performer[0], "Patient", "RelatedPerson")
    if patient is None or signer is None:
        return signer
    if not findings.context.may_act(patient.address, signer.address):
        reason = (
            f"{signer.address} may not consent for {patient.address}; the patient has to name it "
            "as a delegate first"
        )
        findings.refuse(element, "business-rule", reason)
    return signer


def _statement(consent: Consent, patient: Party | None, findings: Findings) -> Statement | None:
    provision = consent.provision
    for name, reason in _NOT_HELD.items():
        findings.refuse_stated(_ROOT, provision, reason, name)
    inner = [part.modifier_extension for part in provision.actor]
    if any([*inner, *(part.modifier_extension for part in provision.data)]):
        findings.refuse(_ROOT, "extension", "a modifier extension in it is not known")
    if provision.type is None:
        findings.refuse(f"{_ROOT}.type", "required", "is missing; say permit or deny")
        return None
    if _are_emergencies(provision.purpose):
        return _emergency_choice(consent, findings)
    if provision.type == "deny":
        return _dissent(consent, findings)
    return permission(consent, patient, findings)


def _emergency_choice(consent: Consent, findings: Findings) -> EmergencyChoice:
    provision = consent.provision
    reason = "emergency access is forbidden or allowed as a whole"
    limits = ("period", "actor", "data", "provision", "modifier_extension")
    findings.refuse_stated(_ROOT, provision, reason, *limits)
    if provision.type == "permit" and POLICY_DENY in {each.uri for each in consent.policy}:
        findings.refuse("Consent.policy", "conflict", "the policy denies what is permitted")
    if provision.type == "deny":
        _check_forbids(findings)
    return EmergencyChoice(forbidden=provision.type == "deny")


def _dissent(consent: Consent, findings: Findings) -> Dissent:
    reason = (
        "a dissent takes back every permission; to take back one, update the Consent that gave it "
        "to inactive"
    )
    limits = ("period", "actor", "data", "purpose", "modifier_extension")
    findings.refuse_stated(_ROOT, consent.provision, reason, *limits)
    policies = [policy.uri for policy in consent.policy]
    if len(policies) != 1 or policies[0] not in (POLICY_DENY, POLICY_BREAK_GLASS):
        reason = (
            f"a dissent names {POLICY_DENY} or {POLICY_BREAK_GLASS} alone, since the policy says "
            "whether emergency access remains"
        )
        findings.refuse("Consent.policy", "business-rule", reason)
    for number, exception in enumerate(consent.provision.provision):
        element = f"{_ROOT}.provision[{number}]"
        if POLICY_DENY in policies:
            findings.refuse(element, "conflict", f"{POLICY_DENY} has no exceptions")
        else:
            _check_exception(element, exception, findings)
    if POLICY_DENY in policies:
        _check_forbids(findings)
    return Dissent(forbidden=POLICY_DENY in policies)


def _check_forbids(findings: Findings) -> None:
    if not findings.context.may_forbid_emergencies():
        reason = "this deployment lets no patient forbid emergency access"
        findings.refuse(_ROOT, "business-rule", reason)


def _check_exception(element: str, exception: Provision, findings: Findings) -> None:
    """That an exception to a dissent is what its policy leaves: emergency access, for all."""
    if exception.type != "permit" or not _are_emergencies(exception.purpose):
        reason = f"the only exception to a dissent is emergency access ({BREAK_GLASS})"
        findings.refuse(element, "not-supported", reason)
    reason = (
        "every accredited clinician may declare an emergency, of all images; the chain cannot "
        "limit that"
    )
    limits = set(Provision.model_fields) - {"id", "extension", "type", "purpose"}
    findings.refuse_stated(element, exception, reason, *sorted(limits))


def _are_emergencies(purposes: Sequence[Coding]) -> bool:
    """Whether purposes are emergency access and nothing else."""
    codes = {(each.system, each.code) for each in purposes}
    return codes == {(ACT_REASON, BREAK_GLASS)}

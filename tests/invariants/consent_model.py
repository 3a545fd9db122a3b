"""A model of consent: what the registries should answer, computed another way than they do.

With the people and images that it knows, and the contracts on a chain with just these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from eth_account import Account
from eth_utils import keccak

from radledger.consent.bindings import Terms, Use
from radledger.imaging import bindings as imaging
from tests.anvil import Chain, Contract, account, digest, group

HOUR = 3600
DAY = 24 * HOUR
DOUBT = 2 * DAY
NRES, GRU, HMB, DS, POA, CARE, METHODS, CONTROL, TEACHING = (1 << bit for bit in range(9))
NPU, NCU, NMDS, NPOA = 1 << 0, 1 << 1, 1 << 14, 1 << 15
IMPLIED = {
    NRES: {NRES, GRU, HMB, DS, POA, CARE, METHODS, CONTROL, TEACHING},
    GRU: {GRU, HMB, DS, POA, METHODS, CONTROL},
    HMB: {HMB, DS, METHODS, CONTROL},
    DS: {DS, METHODS},
    POA: {POA, METHODS},
}
TAKEN_AWAY = {NMDS: {NRES, METHODS}, NPOA: {NRES, POA}}
PERMITTED, NEVER, REVOKED, EXPIRED, NOT_YET, PURPOSE, DISEASE, CONDITION = range(8)
SUSPENDED = 8

ALL, EMERGENCY = bytes(32), keccak(text="radledger.consent.emergency")
NO_DISEASE, X, Y = bytes(13), b"MONDO:0004992", b"MONDO:0005015"

KEYS = {
    Account.from_key(key).address: key
    for key in (keccak(text=name) for name in ("ana", "ben", "parent", "thief"))
}
ANA, BEN, PARENT, THIEF = KEYS
PATIENTS = (ANA, BEN)
GOVERNOR, HOSPITAL, CLINIC = (account(name) for name in ("governor", "hospital", "clinic"))
DOCTOR, NURSE, RESEARCHER = (account(name) for name in ("doctor", "nurse", "researcher"))
READERS = (DOCTOR, NURSE, RESEARCHER, HOSPITAL, CLINIC, PARENT, *PATIENTS)
GRANTEES = (DOCTOR, RESEARCHER, HOSPITAL, CLINIC, PARENT)
MEMBERS = {DOCTOR: HOSPITAL, NURSE: HOSPITAL, RESEARCHER: CLINIC}
MOST_OVERDUE = 1
CUSTODIAN_ROLE, CLINICIAN_ROLE = 1 << 1, 1 << 2


class ImageSet(imaging.ImageSet):
    """An image set and the scopes that it is in."""

    @property
    def scopes(self) -> set[bytes]:
        return {ALL, self.visit, self.course, IDS[self]}


NOTHING = Terms(0, 0, 0, 0, NO_DISEASE)
VISIT, COURSE = group("visit", HOSPITAL), group("course", HOSPITAL)
IMAGES = [
    ImageSet(HOSPITAL, ANA, digest("first"), VISIT, COURSE),
    ImageSet(HOSPITAL, ANA, digest("second"), group("later visit", HOSPITAL), COURSE),
    ImageSet(CLINIC, ANA, digest("third"), bytes(32), bytes(32)),
    ImageSet(HOSPITAL, BEN, digest("fourth"), VISIT, COURSE),
]
IDS: dict[ImageSet, bytes] = {}
USES = [
    Use(CARE, 0, NO_DISEASE),
    Use(DS, NPU, X),
    Use(METHODS, NPU | NCU, X),
    Use(CONTROL | DS, NPU | NCU, Y),
    Use(POA | HMB, NCU, NO_DISEASE),
    Use(TEACHING, 0xFFFF, Y),
    Use(NRES, 0xFFFF, NO_DISEASE),
]
QUESTIONS = list(product(READERS, IMAGES, USES))


def expanded(purposes: int, conditions: int) -> int:
    """The purposes with what they imply, less what the prohibitions take away."""
    named = {bit for bit in (1 << n for n in range(9)) if bit & purposes}
    implying = named - ({POA} if conditions & NPOA else set())
    kept = set().union(*(IMPLIED.get(bit, {bit}) for bit in implying))
    for prohibition, taken in TAKEN_AWAY.items():
        if conditions & prohibition:
            kept -= taken
    return sum(kept)


@dataclass
class Grant:
    """A grant as the model keeps it."""

    terms: Terms
    epoch: int
    signed: int
    revoked: bool = False

    def survives(self, epoch: int, revoked_all_at: int) -> bool:
        return self.epoch == epoch or self.signed > revoked_all_at + DOUBT

    def judge(self, survives: bool, use: Use, now: int) -> int:
        terms = self.terms
        purposes = expanded(terms.purposes, terms.conditions)
        on_the_disease = use.disease != NO_DISEASE and use.disease == terms.disease
        on_some_disease = use.disease != NO_DISEASE or use.purposes & DS
        used = use.purposes
        if use.disease != NO_DISEASE and used & ~(CARE | TEACHING):
            used |= DS
        missing = used & ~purposes
        if on_the_disease:
            missing &= ~(METHODS | CONTROL)
        for reason, applies in (
            (REVOKED, self.revoked or not survives),
            (EXPIRED, now >= terms.until),
            (NOT_YET, now < terms.from_),
            (PURPOSE, missing),
            (DISEASE, on_some_disease and terms.disease != NO_DISEASE and not on_the_disease),
            (CONDITION, terms.conditions & ~(NMDS | NPOA) & ~use.fulfilled),
        ):
            if applies:
                return reason
        return PERMITTED


@dataclass
class Model:
    """What the registries should hold."""

    grants: dict[tuple[str, str, bytes], Grant] = field(default_factory=dict)
    overruled: dict[tuple[str, str, bytes], int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATIENTS, 0))
    revoked_all_at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATIENTS, 0))
    members: dict[str, str] = field(default_factory=lambda: dict(MEMBERS))
    suspended: set[str] = field(default_factory=set)
    emergencies: dict[tuple[str, str], str] = field(default_factory=dict)
    """The institution of whose emergency a clinician's is, by patient and clinician."""
    agents: dict[str, set[str]] = field(default_factory=lambda: {each: {each} for each in PATIENTS})
    empty: set[str] = field(default_factory=lambda: set(PATIENTS))
    """Patients who granted nothing since they took everything back, or ever."""

    # --- which document prevails ------------------------------------------------------------

    def signed(self, key: tuple[str, str, bytes]) -> int:
        return self.grants[key].signed if key in self.grants else 0

    def write(self, key: tuple[str, str, bytes], terms: Terms, signed: int) -> None:
        last = self.signed(key)
        if key in self.grants and self.grants[key].revoked and signed <= last + DOUBT:
            self.overruled[key] = last
        self.grants[key] = Grant(terms, self.epochs[key[0]], max(signed, last + 1))

    def revoke(self, key: tuple[str, str, bytes], signed: int) -> None:
        grant = self.grants.setdefault(key, Grant(NOTHING, 0, 0))
        grant.signed, grant.revoked = max(signed, grant.signed + 1), True

    def revoke_all(self, patient: str, signed: int) -> None:
        self.epochs[patient] += 1
        self.revoked_all_at[patient] = max(signed, self.revoked_all_at[patient] + 1)

    def refusal_of_grant(
        self, key: tuple[str, str, bytes], signed: int, basis: tuple[int, int]
    ) -> str | None:
        """Why a signed grant does not count, if it does not."""
        seen, epoch = basis
        last, everything = self.signed(key), self.revoked_all_at[key[0]]
        if epoch < self.epochs[key[0]] and signed <= everything + DOUBT:
            return "ConsentAllRevokedSince"
        if seen == last:
            return None
        if self.grants[key].revoked:
            return "ConsentRevokedSince" if signed <= last + DOUBT else None
        if signed <= last:
            return "ConsentSuperseded"
        overruled = self.overruled.get(key, 0)
        in_doubt = seen < overruled and signed <= overruled + DOUBT
        return "ConsentRevokedSince" if in_doubt else None

    def refusal_of_revocation(self, key: tuple[str, str, bytes], signed: int) -> str | None:
        """Why a signed revocation does not count, if it does not."""
        last = self.signed(key)
        if key in self.grants and self.grants[key].revoked:
            return "ConsentNothingToRevoke" if signed <= last else None
        known = signed <= self.overruled.get(key, -1) or signed + DOUBT < last
        return "ConsentGrantedSince" if signed < last and known else None

    def refusal_of_all(self, patient: str, signed: int, epoch: int) -> str | None:
        """Why a signed revocation of everything does not count, if it does not."""
        later = epoch == self.epochs[patient] or signed > self.revoked_all_at[patient]
        return None if later else "ConsentAllRevokedAlready"

    # --- who may read what ----------------------------------------------------------------------

    def institution(self, person: str) -> str | None:
        return person if person in (HOSPITAL, CLINIC) else self.members.get(person)

    def answer(self, reader: str, image: ImageSet, use: Use, now: int) -> int:
        patient = image.patient
        if reader == patient:
            return PERMITTED
        institution = self.institution(reader)
        if self.suspended & {reader, institution}:
            return SUSPENDED
        keys = {(patient, who, scope) for who in (reader, institution) for scope in image.scopes}
        if institution and self.emergencies.get((patient, reader)) == institution:
            keys.add((patient, reader, EMERGENCY))
        found = [self.grants[key] for key in keys & self.grants.keys()]
        everything = self.epochs[patient], self.revoked_all_at[patient]
        reasons = [each.judge(each.survives(*everything), use, now) for each in found]
        return PERMITTED if PERMITTED in reasons else max(reasons, default=NEVER)


def questions(consents: Contract) -> list[tuple[str, list[Any]]]:
    """All questions as requests: encoding them each time costs more than asking."""
    return [
        (
            "eth_call",
            [
                {
                    "to": consents.address,
                    "data": consents.interface.encode("permitted", *question),
                },
                "latest",
            ],
        )
        for question in QUESTIONS
    ]


def stage(chain: Chain) -> dict[str, Contract]:
    """The contracts, with all people accredited and every image set anchored."""
    forwarder = chain.deploy("Forwarder").address
    identities = chain.deploy("IdentityRegistry", forwarder, 3 * DAY)
    participants = chain.deploy("ParticipantRegistry", forwarder, [GOVERNOR])
    images = chain.deploy("ImageRegistry", identities.address, participants.address, forwarder)
    peers = (identities.address, participants.address, images.address)
    consents = chain.deploy("ConsentRegistry", *peers, True, MOST_OVERDUE)
    for institution in (HOSPITAL, CLINIC):
        roles = CUSTODIAN_ROLE | CLINICIAN_ROLE
        chain.send(GOVERNOR, participants, "admitInstitution", institution, roles)
    for member, institution in MEMBERS.items():
        chain.send(institution, participants, "admit", member, CLINICIAN_ROLE)
    for image in IMAGES:
        new = (image.patient, image.root, digest("manifest"), image.visit, image.course, 1, 0)
        chain.send(image.custodian, images, "anchor", new)
        IDS[image] = chain.call(images, "idOf", image)
    return {"consents": consents, "participants": participants, "identities": identities}

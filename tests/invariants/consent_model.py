"""A model of consent: what the registries should answer, computed another way than they do.

With the people and images that it knows, and the contracts on a chain with just these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from eth_account import Account
from eth_utils import keccak

from tests.anvil import Chain, Contract, account, digest

HOUR = 3600
DAY = 24 * HOUR
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
CUSTODIAN_ROLE, CLINICIAN_ROLE = 1 << 1, 1 << 2


class ImageSet(NamedTuple):
    """What an image id is the hash of."""

    custodian: str
    patient: str
    root: bytes
    visit: bytes
    course: bytes

    @property
    def scopes(self) -> set[bytes]:
        return {ALL, self.visit, self.course, IDS[self]}


class Terms(NamedTuple):
    """What a grant permits, with the purposes as they were named."""

    start: int
    until: int
    purposes: int
    conditions: int
    disease: bytes


class Use(NamedTuple):
    """What a reader wants to do."""

    purposes: int
    fulfilled: int
    disease: bytes


VISIT, COURSE = digest("visit"), digest("course")
IMAGES = [
    ImageSet(HOSPITAL, ANA, digest("first"), VISIT, COURSE),
    ImageSet(HOSPITAL, ANA, digest("second"), digest("later visit"), COURSE),
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
    revoked: bool = False

    def judge(self, epoch: int, use: Use, now: int) -> int:
        terms = self.terms
        purposes = expanded(terms.purposes, terms.conditions)
        on_the_disease = use.disease != NO_DISEASE and use.disease == terms.disease
        on_some_disease = use.disease != NO_DISEASE or use.purposes & DS
        missing = use.purposes & ~purposes
        if on_the_disease:
            missing &= ~(METHODS | CONTROL)
        for reason, applies in (
            (REVOKED, self.revoked or self.epoch != epoch),
            (EXPIRED, now >= terms.until),
            (NOT_YET, now < terms.start),
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
    epochs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATIENTS, 0))
    signed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATIENTS, 0))
    members: dict[str, str] = field(default_factory=lambda: dict(MEMBERS))
    suspended: set[str] = field(default_factory=set)
    emergencies: dict[tuple[str, str], str] = field(default_factory=dict)
    """The institution of whose emergency a clinician's is, by patient and clinician."""
    agents: dict[str, set[str]] = field(default_factory=lambda: {each: {each} for each in PATIENTS})
    empty: set[str] = field(default_factory=lambda: set(PATIENTS))
    """Patients who granted nothing since they took everything back, or ever."""

    def nonce(self, patient: str) -> int:
        return (self.epochs[patient] << 32) + self.signed[patient]

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
        epoch = self.epochs[patient]
        reasons = [self.grants[key].judge(epoch, use, now) for key in keys & self.grants.keys()]
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
    """The contracts, with everybody accredited and every image set anchored."""
    forwarder = chain.deploy("Forwarder").address
    identities = chain.deploy("IdentityRegistry", forwarder, 3 * DAY)
    participants = chain.deploy("ParticipantRegistry", forwarder, [GOVERNOR])
    images = chain.deploy("ImageRegistry", participants.address, forwarder)
    peers = (identities.address, participants.address, images.address)
    consents = chain.deploy("ConsentRegistry", *peers)
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

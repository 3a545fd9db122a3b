"""The decision of IHE PCF, by its words, is the chain's: on random Consents and questions.

Consents of random rules are recorded and signed for random patients; then both are asked who may
use what for what: the chain, and an evaluator of Consents that knows FHIR alone.  It is asked about
what was recorded and, again, about what is read back.  ``RADLEDGER_QUESTIONS`` sets how many.
"""

from __future__ import annotations

import os
import random

import pytest
from eth_account import Account

from radledger import signed
from radledger.chain.rpc import request_batch
from radledger.consent import messages
from radledger.consent.bindings import Reason
from radledger.consent.permission import Use
from radledger.fhir.errors import ConsentNotHeld
from radledger.fhir.policies import CONDITION
from radledger.fhir.purposes import ACT_REASON, DUO
from radledger.fhir.references import COURSE, IMAGE_SET, VISIT
from radledger.fhir.registry import Criteria
from radledger.fhir.times import instant
from radledger.imaging.bindings import NewImageSet
from radledger.imaging.model import ImageSet, Kind, group_digest
from tests.fhir.conftest import RECIPIENT

QUESTIONS = int(os.environ.get("RADLEDGER_QUESTIONS", "600"))
PATIENTS, CONSENTS = 3, 15
HOUR = 3600
# What is asked for on the chain, and the code of each in FHIR.
ASKED = {
    "CC": (ACT_REASON, "TREAT"),
    "TEACHING": (ACT_REASON, "TRAIN"),
    "HMB": (DUO, "DUO:0000006"),
    "POA": (ACT_REASON, "POARCH"),
    "GRU": (DUO, "DUO:0000042"),
    "MDS": (DUO, "DUO:0000031"),
    "CTRL": (DUO, "DUO:0000036"),
    "NRES": (DUO, "DUO:0000004"),
}
# Codes and those below them, by the definitions of ActReason and by DUO's documents.
_RESEARCH = {(DUO, "DUO:0000006"), (DUO, "DUO:0000031"), (DUO, "DUO:0000036")}
BELOW = {
    (ACT_REASON, "TREAT"): {(ACT_REASON, "TREAT")},
    (ACT_REASON, "TRAIN"): {(ACT_REASON, "TRAIN")},
    (ACT_REASON, "POARCH"): {(ACT_REASON, "POARCH")},
    (ACT_REASON, "HRESCH"): _RESEARCH | {(ACT_REASON, "POARCH")},
    (DUO, "DUO:0000006"): _RESEARCH,
    (DUO, "DUO:0000011"): {(ACT_REASON, "POARCH"), (DUO, "DUO:0000031")},
    (DUO, "DUO:0000042"): _RESEARCH | {(ACT_REASON, "POARCH"), (DUO, "DUO:0000042")},
    (DUO, "DUO:0000043"): {(ACT_REASON, "TREAT")},
    (DUO, "DUO:0000031"): {(DUO, "DUO:0000031")},
    (DUO, "DUO:0000036"): {(DUO, "DUO:0000036")},
    (DUO, "DUO:0000004"): set(ASKED.values()),
}
CODES = [each for each in BELOW if each[0] == ACT_REASON] + [
    (DUO, f"DUO:00000{number}") for number in ("06", "11", "42", "31", "04")
]
PROHIBITIONS = {"DUO:0000015": (DUO, "DUO:0000031"), "DUO:0000044": (ACT_REASON, "POARCH")}
REQUIREMENTS = {"DUO:0000046": "NCU", "DUO:0000021": "IRB"}


class Question:
    """Who wants to use what for what, now."""

    def __init__(self, reader, institution, image_set, purposes, fulfilled, time):
        self.reader, self.institution, self.image_set = reader, institution, image_set
        self.purposes, self.fulfilled, self.time = purposes, fulfilled, time


def permits(consent, question):
    """Whether a Consent permits a use, by what R4 and PCF say of its elements."""
    provision = consent["provision"]
    return (
        consent["status"] == "active"
        and provision["type"] == "permit"
        and consent["patient"]["reference"] == f"Patient/{question.image_set.patient}"
        and is_for(consent, question)
        and is_within(provision.get("period", {}), question.time)
        and is_about(provision.get("data", []), question.image_set)
        and is_purpose(provision, question)
    )


def is_for(consent, question):
    """A person is meant alone, an organization with its members; without actors all are meant."""
    actors = [each["reference"]["reference"] for each in consent["provision"].get("actor", [])]
    named = actors or [each["reference"] for each in consent["organization"]]
    of = {f"Organization/{question.institution}"}
    of |= {f"{type_}/{question.reader}" for type_ in ("Practitioner", "RelatedPerson")}
    return bool(of & set(named))


def is_within(period, time):
    return period.get("start", "0") <= instant(time) <= period.get("end", "9")


def is_about(data, image_set):
    names = {IMAGE_SET: image_set.image_id, VISIT: image_set.visit, COURSE: image_set.course}
    named = [each["reference"]["identifier"] for each in data]
    return not named or any(names[each["system"]] == each["value"] for each in named)


def is_purpose(provision, question):
    stated = provision.get("modifierExtension", [])
    codes = {each["valueCoding"]["code"] for each in stated}
    assert {each["url"] for each in stated} <= {CONDITION}
    permitted = set()
    for each in provision["purpose"]:
        named = (each["system"], each["code"])
        # Ancestry research that is prohibited brings no methods either.
        if named != (DUO, "DUO:0000011") or "DUO:0000044" not in codes:
            permitted |= BELOW[named]
    for code, purpose in PROHIBITIONS.items():
        if code in codes:
            permitted -= {purpose, (DUO, "DUO:0000004")}
    required = {REQUIREMENTS[code] for code in codes & REQUIREMENTS.keys()}
    return {ASKED[each] for each in question.purposes} <= permitted and required <= set(
        question.fulfilled
    )


@pytest.fixture
def chance():
    seed = int(os.environ.get("RADLEDGER_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"RADLEDGER_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def patients(chance):
    return [Account.from_key(chance.randbytes(32)) for _ in range(PATIENTS)]


@pytest.fixture
def image_sets(chance, patients, ledger, who):
    """Of each patient three: two of one course, two of one visit."""
    hospital, found = who.hospital.address, []
    for patient in patients:
        groups = [group_digest(hospital, chance.randbytes(32), "") for _ in range(4)]
        for visit, course in ((0, 1), (0, 2), (3, 1)):
            root = "0x" + chance.randbytes(32).hex()
            each = ImageSet(hospital, patient.address, root, groups[visit], groups[course])
            new = NewImageSet(
                *each.struct[1:3], bytes(32), *each.struct[3:], 1, Kind.ORIGINAL.number
            )
            ledger.send(who.hospital, "ImageRegistry", "anchor", new)
            found.append(each)
    return found


def random_consent(chance, template, patient, image_sets, who, now):
    """Any rule that the chain can hold, in any of the forms in which it may be stated."""
    actor = chance.choice(
        [
            None,
            f"Organization/{who.hospital.address}",
            f"Organization/{who.clinic.address}",
            *(f"Practitioner/{each.address}" for each in (who.radiologist, who.clinician)),
            f"RelatedPerson/{who.relatives[0].address}",
        ]
    )
    codes = chance.sample(CODES, chance.choice([1, 1, 1, 2]))
    codes = [each for each in codes if each != (ACT_REASON, "DSRCH")]
    one = chance.choice([each for each in image_sets if each.patient == patient.address])
    meaning, type_, system, digest = chance.choice(
        [
            ("instance", "ImagingStudy", IMAGE_SET, one.image_id),
            ("related", "Encounter", VISIT, one.visit),
            ("related", "EpisodeOfCare", COURSE, one.course),
        ]
    )
    reference = {"type": type_, "identifier": {"system": system, "value": digest}}
    start, end = chance.choice([(None, None), (None, None), (None, HOUR), (HOUR, 3 * HOUR)])
    period = {"start": start, "end": end}
    limits = chance.choice(
        [[], [], ["DUO:0000046"], ["DUO:0000015"], ["DUO:0000044", "DUO:0000021"]]
    )
    provision = {
        "type": "permit",
        "actor": [{"role": RECIPIENT, "reference": {"reference": actor}}] if actor else [],
        "purpose": [{"system": system, "code": code} for system, code in codes],
        "data": [{"meaning": meaning, "reference": reference}] if chance.random() < 0.5 else [],
        "period": {name: instant(now + after) for name, after in period.items() if after},
        "modifierExtension": [
            {"url": CONDITION, "valueCoding": {"system": DUO, "code": code}} for code in limits
        ],
    }
    return template | {
        "patient": {"reference": f"Patient/{patient.address}"},
        "provision": {name: part for name, part in provision.items() if part},
    }


def random_question(chance, readers, image_sets, time):
    reader = chance.choice(list(readers))
    of = readers[reader]
    return Question(
        reader.address,
        None if of is None else of.address,
        chance.choice(image_sets),
        chance.sample(list(ASKED), chance.choice([1, 1, 2])),
        chance.choice([[], ["NCU"], ["IRB", "NCU"]]),
        time,
    )


def chain_answers(ledger, questions):
    """What ``ConsentRegistry.permitted`` answers, in one batch."""
    calls = []
    for each in questions:
        use = Use.of(each.purposes, each.fulfilled).struct
        asked = (each.reader, each.image_set.struct, use)
        to, data = ledger.encode("ConsentRegistry", "permitted", *asked)
        calls.append(("eth_call", [{"to": to, "data": data}, "latest"]))
    answers = request_batch(ledger.web3, calls)
    return [Reason.of(int(each[2:66], 16)) is Reason.PERMITTED for each in answers]


def test_pcf_and_the_chain_decide_alike(
    chance, patients, image_sets, registry, consent, ledger, who, travel
):
    hospital = who.hospital
    recorded, refused = {}, []
    for _ in range(CONSENTS):
        patient = chance.choice(patients)
        stated = random_consent(chance, consent(), patient, image_sets, who, ledger.now())
        try:
            shown = registry.create(hospital.address, stated)
        except ConsentNotHeld as error:
            # The only rules of these that the chain cannot hold.
            refused.append(error.message)
            continue
        (document,) = registry.documents(hospital.address, shown.id)
        signed.submit(ledger, messages.sign(ledger, document, patient), hospital)
        # One grant for each patient, recipient and scope: the latest.
        recorded[patient.address, shown.statement.grantee, shown.statement.scope] = stated
        if chance.random() < 0.15:
            registry.update(
                hospital.address, shown.id, stated | {"id": shown.id, "status": "inactive"}
            )
            (document,) = registry.documents(hospital.address, shown.id)
            signed.submit(ledger, messages.sign(ledger, document, patient), hospital)
            del recorded[patient.address, shown.statement.grantee, shown.statement.scope]

    assert [each for each in refused if "take every purpose away" not in each] == []

    readers = {
        who.hospital: who.hospital,
        who.clinic: who.clinic,
        who.radiologist: who.hospital,
        who.clinician: who.hospital,
        who.relatives[0]: None,
        who.stranger: None,
    }
    outcomes = {True: 0, False: 0}
    for later in (0, 2 * HOUR, 2 * HOUR):
        if later:
            travel(later)
        read_back = [
            shown.resource
            for patient in patients
            for shown in registry.search(who.stranger.address, Criteria(patient.address))
        ]
        now = ledger.now()
        questions = [
            random_question(chance, readers, image_sets, now) for _ in range(QUESTIONS // 3)
        ]
        for question, decided in zip(questions, chain_answers(ledger, questions), strict=True):
            by_stated = any(permits(each, question) for each in recorded.values())
            by_read_back = any(permits(each, question) for each in read_back)
            assert (by_stated, by_read_back) == (decided, decided), vars(question)
            outcomes[decided] += 1
    assert min(outcomes.values()) > QUESTIONS / 25, outcomes

"""Refusals of contracts as people read them."""

from __future__ import annotations

import re

import pytest

from radledger.areas import AREAS
from radledger.chain import refusals
from radledger.chain.enumerations import ENUMERATIONS
from radledger.chain.refusals.base import ContractError
from radledger.consent.scope import EMERGENCY_DIGEST
from radledger.errors import UsageError
from radledger.wording import humanize

SAMPLES = {
    "address": "0x" + "11" * 20,
    "bytes32": "0x" + "22" * 32,
    "bytes13": "0x" + "00" * 13,
    "string": "a",
    "bool": True,
}
COUNTS_AND_AMOUNTS = {
    *("approvals", "epoch", "current", "guardians", "instances", "most", "mostInstances"),
    *("named", "overdue", "sum", "threshold", "weight"),
    *("anchored", "size"),  # of logs
    *("count", "datasetVersion", "developers", "imageSets"),
    *("allowance", "balance", "currentNonce", "msgValue", "needed", "received", "requestedValue"),
    # Spans, whose unit is said beside them or in the notice.
    *("delay", "duration", "least", "longest", "validity"),
    # Of OpenZeppelin's SafeCast.
    *("bits", "value"),
}
KINDS = [getattr(refusals, name) for name in refusals.__all__ if name != "ContractError"]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("ConsentNotPermittedPurpose", {"granted": 34, "used": 4}, "(granted GRU, CC, used HMB)"),
        (
            "ConsentNotPermittedCondition",
            {"required": 3, "fulfilled": 0},
            "(required NPU, NCU, fulfilled",
        ),
        (
            "ConsentNotPermittedCondition",
            {"required": 3, "fulfilled": 0},
            "fulfilled none); name what",
        ),
        (
            "ConsentNotPermittedDisease",
            {"granted": "0x" + b"MONDO:0004992".hex(), "used": SAMPLES["bytes13"]},
            "(granted 0x4d4f4e444f3a30303034393932, used none); give --disease CODE@SALT",
        ),
        (
            "ConsentPeriodInvalid",
            {"from": 1_800_000_000, "until": 0},
            "(from 2027-01-15 08:00:00 UTC, until 1970-01-01 00:00:00 UTC); give an end",
        ),
        ("EmergencyTooLong", {"duration": 90_000, "longest": 86_400}, "longest 86400 s)"),
        ("IdentityRecoveryNotReady", {"readyAt": 1_800_000_000}, "before 2027-01-15 08:00:00 UTC."),
        ("ConsentScopeReserved", {"scope": "0x" + "00" * 32}, "(scope all)"),
        ("ConsentScopeReserved", {"scope": "0x" + EMERGENCY_DIGEST.hex()}, "(scope emergency)"),
        (
            "ConsentNothingToRevoke",
            {"scope": "0x" + EMERGENCY_DIGEST.hex()},
            "access was never given, or it was already revoked or ended (scope emergency).",
        ),
        ("ImageKindNotDerived", {"kind": 0}, "cannot be an original (kind original)."),
        (
            "IdentityGuardianIsSelf",
            {"identity": "0x12", "guardian": "0x34"},
            "0x34 is 0x12 itself or its owner",
        ),
        (
            "IdentityThresholdOutOfRange",
            {"threshold": 3, "guardians": 2},
            "3 of 2 guardians cannot be asked for; give at least one",
        ),
        (
            "ParticipantRolesNotPermitted",
            {"roles": 16, "permitted": 12},
            "here are clinician, radiologist; asked for: researcher.",
        ),
        ("ParticipantIsInstitution", {"account": "0x12"}, "0x12 is an institution, or"),
        ("DatasetClassInvalid", {"class": 1}, "(class custody)"),
        ("DatasetInstancesInvalid", {"rule": 1, "mostInstances": 0}, "(rule per instance, most"),
        ("ConsentPurposesInvalid", {"purposes": 512, "conditions": 0}, "(purposes unknown, cond"),
        ("ConsentPurposesInvalid", {"purposes": 544, "conditions": 0}, "(purposes CC, unknown, co"),
        (
            "ConsentNotPermittedExpired",
            {"subject": "x", "reader": "y", "until": 2**32 - 1},
            "until no end",
        ),
        ("ERC2771ForwarderExpiredRequest", {"deadline": 1_800_000_000}, "2027-01-15 08:00:00 UTC;"),
        ("DatasetFreeUnchanged", {"free": True}, "(free yes)"),
        ("ParticipantLacksRole", {"account": "x", "role": 8, "held": 6}, "holds custodian, clin"),
    ],
)
def test_values_are_shown_in_words(name, values, told):
    kind = getattr(refusals, name)
    error = kind.of(values)
    assert told in humanize(error)
    assert error.values == values


class Raw(int):
    """A number that shows by its text whether it is shown as it is."""

    def __new__(cls, value, name):
        number = super().__new__(cls, value)
        number.name = name
        return number

    def __str__(self):
        return f"<raw {self.name}>"

    def __format__(self, spec):
        return str(self)


def sample(name, type_, internal_type, number):
    if internal_type in ENUMERATIONS:
        return Raw(number % len(ENUMERATIONS[internal_type]), name)
    if type_.startswith("uint"):
        return Raw(number % (1 << int(type_[4:])), name)
    return SAMPLES[type_]


@pytest.mark.parametrize("number", [0, 1, 2, 1 << 13, 2**256 - 1])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_refusal_shows_a_mask_a_member_or_a_time_as_a_number(kind, number):
    assert issubclass(kind, ContractError)
    told = humanize(kind.of({each[0]: sample(*each, number) for each in kind.parameters}))
    assert "\n" not in told
    assert {*re.findall(r"<raw (\w+)>", told)} <= COUNTS_AND_AMOUNTS
    assert not re.search(r"\b(True|False|None)\b", told)


@pytest.mark.parametrize("values", [{"granted": "x", "used": None}, {"other": 1}])
def test_values_that_no_contract_gave_are_left_alone(values):
    error = refusals.ConsentNotPermittedPurpose("the relayer's own words", **values)
    assert humanize(error) == "the relayer's own words"


def test_other_errors_speak_for_themselves():
    assert humanize(UsageError("no such thing; give another")) == "no such thing; give another"


def test_every_hint_is_for_a_refusal():
    hinted = {name for area in AREAS for name in area.hints}
    assert hinted <= {kind.__name__ for kind in KINDS}
    assert "ConsentNotPermittedExpired" in hinted

"""Refusals of contracts as people read them."""

from __future__ import annotations

import pytest

from radledger.chain import refusals
from radledger.chain.refusals.base import ContractError
from radledger.consent.scope import EMERGENCY_DIGEST
from radledger.errors import UsageError
from radledger.wording import humanize

SAMPLES = {"address": "0x" + "11" * 20, "bytes32": "0x" + "22" * 32, "bytes13": "0x" + "00" * 13}
KINDS = [getattr(refusals, name) for name in refusals.__all__ if name != "ContractError"]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("ConsentPurposeNotPermitted", {"granted": 34, "used": 4}, "(granted GRU, CC, used HMB)"),
        ("ConsentConditionUnmet", {"required": 3, "fulfilled": 0}, "(required NPU, NCU, fulfilled"),
        ("ConsentConditionUnmet", {"required": 3, "fulfilled": 0}, "fulfilled none); name what"),
        (
            "ConsentDiseaseDiffers",
            {"granted": "0x" + b"MONDO:0004992".hex(), "used": SAMPLES["bytes13"]},
            "(granted 0x4d4f4e444f3a30303034393932, used none); give --disease CODE@SALT",
        ),
        (
            "ConsentPeriodInvalid",
            {"from": 1_800_000_000, "until": 0},
            "(from 2027-01-15 08:00:00 UTC, until 1970-01-01 00:00:00 UTC); give an end",
        ),
        ("ConsentEmergencyTooLong", {"duration": 90_000, "longest": 86_400}, "longest 86400 s)"),
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
        ("ParticipantLacksRole", {"account": "x", "role": 8, "held": 6}, "holds custodian, clin"),
    ],
)
def test_values_are_told_in_words(name, values, told):
    kind = getattr(refusals, name)
    error = kind.of(values)
    assert told in humanize(error)
    assert error.values == values


@pytest.mark.parametrize("number", [0, 1, 2**40 - 1])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_refusal_can_be_told_in_one_line(kind, number):
    assert issubclass(kind, ContractError)
    values = {name: SAMPLES.get(type_, number) for name, type_ in kind.parameters}
    told = humanize(kind.of(values))
    assert told
    assert "\n" not in told


@pytest.mark.parametrize("values", [{"granted": "x", "used": None}, {"other": 1}])
def test_values_that_no_contract_gave_are_left_alone(values):
    error = refusals.ConsentPurposeNotPermitted("the relayer's own words", **values)
    assert humanize(error) == "the relayer's own words"


def test_other_errors_speak_for_themselves():
    assert humanize(UsageError("no such thing; give another")) == "no such thing; give another"

"""Recorders: who appoints and dismisses them, and that a dismissal undoes nothing."""

from __future__ import annotations

import pytest

from tests.contracts.access_ledger.conftest import DAY, NO_END, OPEN_DAYS, ROOT
from tests.contracts.conftest import NOBODY, Role, digest, error, sign_request


@pytest.mark.parametrize("who", ["hospital", "archivist"])
def test_institution_or_a_member_who_keeps_images_appoints(
    access, hospital, archivist, stranger, request, who
):
    actor = request.getfixturevalue(who)
    assert access.lastDayOf(hospital, stranger) == 0
    transaction = access.appoint(stranger, {"from": actor})
    assert transaction.events["AccessRecorderAppointed"] == {
        "institution": hospital,
        "recorder": stranger,
    }
    assert access.lastDayOf(hospital, stranger) == NO_END


def test_others_neither_appoint_nor_dismiss(
    appointed, hospital, recorder, radiologist, stranger, participants, governor
):
    held = Role.CLINICIAN | Role.RADIOLOGIST
    for function in (appointed.appoint, appointed.dismiss):
        with error("ParticipantLacksRole", radiologist, Role.CUSTODIAN, held):
            function(recorder, {"from": radiologist})
        with error("ParticipantNotAccredited", recorder):
            function(recorder, {"from": recorder})
        participants.suspend(hospital, {"from": governor})
        with error("ParticipantIsSuspended", hospital, hospital):
            function(recorder, {"from": hospital})
        participants.reinstate(hospital, {"from": governor})
    assert appointed.lastDayOf(hospital, recorder) == NO_END


def test_zero_address_is_not_appointed(access, hospital):
    with error("AccessRecorderMissing"):
        access.appoint(NOBODY, {"from": hospital})


def test_institutions_appoint_independently(appointed, hospital, clinic, recorder):
    with error("AccessRecorderNotAppointed", clinic, recorder):
        appointed.record(clinic, digest("receipt"), {"from": recorder})
    appointed.appoint(recorder, {"from": clinic})
    appointed.dismiss(recorder, {"from": hospital})
    appointed.record(clinic, digest("receipt"), {"from": recorder})


def test_institution_dismisses_its_own_alone(appointed, hospital, clinic, other_recorder):
    with error("AccessRecorderNotAppointed", hospital, other_recorder):
        appointed.dismiss(other_recorder, {"from": hospital})
    assert appointed.lastDayOf(clinic, other_recorder) == NO_END


def test_dismissed_recorder_records_nothing_more(appointed, hospital, recorder, today):
    transaction = appointed.dismiss(recorder, {"from": hospital})
    tomorrow = today() + 1
    assert transaction.events["AccessRecorderDismissed"] == {
        "institution": hospital,
        "recorder": recorder,
        "lastDay": tomorrow,
    }
    assert appointed.lastDayOf(hospital, recorder) == tomorrow
    receipt = digest("receipt")
    for call in (
        lambda: appointed.record(hospital, receipt, {"from": recorder}),
        lambda: appointed.recordSigned(hospital, receipt, recorder, b"", {"from": recorder}),
        lambda: appointed.anchorDay(hospital, today(), ROOT, {"from": recorder}),
        lambda: appointed.anchorLog(hospital, receipt, 1, ROOT, {"from": recorder}),
    ):
        with error("AccessRecorderNotAppointed", hospital, recorder):
            call()


def test_recorder_is_appointed_and_dismissed_once(appointed, hospital, recorder, today):
    """Else what it acknowledged before could be made void, or valid again."""
    with error("AccessRecorderAlreadyAppointed", hospital, recorder):
        appointed.appoint(recorder, {"from": hospital})
    appointed.dismiss(recorder, {"from": hospital})
    last_day = appointed.lastDayOf(hospital, recorder)
    with error("AccessRecorderAlreadyAppointed", hospital, recorder):
        appointed.appoint(recorder, {"from": hospital})
    with error("AccessRecorderNotAppointed", hospital, recorder):
        appointed.dismiss(recorder, {"from": hospital})
    assert appointed.lastDayOf(hospital, recorder) == last_day


def test_acknowledgements_count_to_the_day_after_a_dismissal(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    day = today()
    made = {after: acknowledged(day=day + after) for after in (0, 1, 2)}
    appointed.dismiss(recorder, {"from": hospital})
    at_day(day + 2 + OPEN_DAYS + 1)
    with error("AccessNotAcknowledged", hospital, day + 2, recorder):
        appointed.demand(*made[2], {"from": stranger})
    for after in (0, 1):
        assert appointed.demand(*made[after], {"from": stranger}).events["AccessDemanded"]


def test_leaving_member_and_suspended_institution_stay_bound(
    appointed, acknowledged, archivist, participants, governor, hospital, stranger, today, at_day
):
    """A key that acknowledged needs no accreditation, so none can be taken from it."""
    day, made = today(), acknowledged()
    participants.leaveInstitution({"from": archivist})
    participants.suspend(hospital, {"from": governor})
    at_day(day + OPEN_DAYS + 1)
    assert appointed.demand(*made, {"from": stranger}).events["AccessDemanded"]


def test_forwarded_calls_are_their_signers(
    access, forwarder, consents, hospital, recorder, stranger, now, participants, governor, patient
):
    """The key of a key service needs no Ether."""
    participants.admitInstitution(patient, Role.CUSTODIAN, {"from": governor})
    call = (access, access.appoint.encode_input(recorder))
    appointment = sign_request(forwarder, patient, call, now() + DAY)
    forwarder.execute(appointment, {"from": stranger})
    assert access.lastDayOf(patient, recorder) == NO_END
    call = (access, access.record.encode_input(patient, digest("receipt")))
    request = sign_request(forwarder, recorder, call, now() + DAY)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AccessReceiptRecorded"]["institution"] == patient

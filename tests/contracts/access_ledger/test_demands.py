"""Who holds an acknowledgement demands the receipt, once its day is closed."""

from __future__ import annotations

import pytest
from brownie.exceptions import VirtualMachineError

from tests.contracts.access_ledger.conftest import (
    ANSWER_PERIOD,
    DAY,
    DEMAND_DAYS,
    OPEN_DAYS,
    OTHER_KEY,
    demand_id,
    receipts,
)
from tests.contracts.conftest import NOBODY, error, plain, sign_request

FIRST = OPEN_DAYS + 1
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the group of secp256k1."""


@pytest.mark.parametrize(
    ("later", "second"), [(FIRST, 0), (FIRST, DAY - 1), (30, 1), (DEMAND_DAYS, DAY - 1)]
)
def test_receipt_is_demanded_from_three_days_to_eight_weeks(
    appointed, acknowledged, hospital, stranger, today, at_day, later, second
):
    day, made = today(), acknowledged()
    at_day(day + later, second)
    transaction = appointed.demand(*made, {"from": stranger})
    due = (day + later) * DAY + second + ANSWER_PERIOD
    id_ = demand_id(made.acknowledgement)
    assert transaction.events["AccessDemanded"] == {
        "demand": id_,
        "receipt": made.acknowledgement.receipt,
        "institution": hospital,
        "day": day,
        "due": due,
    }
    assert plain(appointed.demandOf(id_)) == (due, 0)
    assert appointed.demandIdOf(made.acknowledgement) == id_


@pytest.mark.parametrize(("later", "second"), [(0, DAY - 1), (OPEN_DAYS, DAY - 1)])
def test_receipt_is_not_demanded_while_its_root_can_change(
    appointed, acknowledged, stranger, today, at_day, later, second
):
    day = today() + 1
    made = acknowledged(day=day)
    at_day(day + later, second)
    with error("AccessNotDemandable", day, day + later):
        appointed.demand(*made, {"from": stranger})


def test_receipt_of_a_day_to_come_is_not_demanded(appointed, acknowledged, stranger, today):
    for day in (today() + 1, 2**32 - 1):
        with error("AccessNotDemandable", day, today()):
            appointed.demand(*acknowledged(day=day), {"from": stranger})


def test_receipt_is_not_demanded_when_no_time_is_left_to_answer(
    appointed, acknowledged, stranger, today, at_day
):
    day, made = today(), acknowledged()
    at_day(day + DEMAND_DAYS + 1)
    with error("AccessNotDemandable", day, day + DEMAND_DAYS + 1):
        appointed.demand(*made, {"from": stranger})


def test_receipt_is_demanded_once(appointed, acknowledged, demanded, stranger, hospital):
    acknowledgement, proof = demanded
    id_ = demand_id(acknowledgement)
    again = acknowledged(*acknowledgement)
    due = appointed.demandOf(id_)["due"]
    with error("AccessAlreadyDemanded", id_):
        appointed.demand(*again, {"from": stranger})
    appointed.answer(acknowledgement, proof, {"from": stranger})
    with error("AccessAlreadyDemanded", id_):
        appointed.demand(*again, {"from": hospital})
    assert appointed.demandOf(id_)["due"] == due


@pytest.mark.parametrize("field", ["receipt", "institution", "day"])
def test_what_was_not_acknowledged_is_not_demanded(
    appointed, acknowledged, clinic, recorder, stranger, today, at_day, field
):
    """Neither another receipt, nor of another day, nor of another institution."""
    day = today()
    made = acknowledged()
    at_day(day + FIRST + 1)
    other = {"receipt": next(receipts), "institution": clinic.address, "day": day + 1}[field]
    changed = made.acknowledgement._replace(**{field: other})
    with pytest.raises(VirtualMachineError, match="AccessNotAcknowledged") as refusal:
        appointed.demand(changed, *made[1:], {"from": stranger})
    # A signature of another message gives some key, which is not a recorder's.
    assert recorder.address.lower() not in refusal.value.revert_msg
    assert appointed.demand(*made, {"from": stranger}).events["AccessDemanded"]


def test_key_that_is_not_a_recorder_acknowledges_nothing(
    appointed, acknowledged, hospital, clinic, other_recorder, stranger, today, at_day
):
    day = today()
    elses = acknowledged(key=OTHER_KEY)
    own = acknowledged(key=OTHER_KEY, institution=clinic)
    at_day(day + FIRST)
    with error("AccessNotAcknowledged", hospital, day, other_recorder):
        appointed.demand(*elses, {"from": stranger})
    assert appointed.demand(*own, {"from": stranger}).events["AccessDemanded"]


@pytest.mark.parametrize("vs", ["0x" + "00" * 32, "0x" + "ff" * 32])
def test_invalid_signature_is_refused(
    appointed, acknowledged, hospital, stranger, today, at_day, vs
):
    day, made = today(), acknowledged()
    at_day(day + FIRST)
    for r in ("0x" + "00" * 32, made.r):
        with error("AccessNotAcknowledged", hospital, day, NOBODY):
            appointed.demand(made.acknowledgement, r, vs, {"from": stranger})


def test_high_s_is_refused(appointed, acknowledged, hospital, stranger, today, at_day):
    day, made = today(), acknowledged()
    at_day(day + FIRST)
    number = int(made.vs, 16)
    high = (ORDER - (number & (1 << 255) - 1)) | (1 - (number >> 255)) << 255
    with pytest.raises(VirtualMachineError, match="AccessNotAcknowledged"):
        appointed.demand(
            made.acknowledgement, made.r, "0x" + (high % 2**256).to_bytes(32).hex(),
            {"from": stranger},
        )  # fmt: skip


@pytest.mark.parametrize(
    "domain", [{"chainId": 2}, {"verifyingContract": NOBODY}, {"name": "RadLedger Receipt"}]
)
def test_acknowledgement_for_another_domain_is_refused(
    appointed, acknowledged, stranger, today, at_day, domain
):
    day, made = today(), acknowledged(**domain)
    at_day(day + FIRST)
    with pytest.raises(VirtualMachineError, match="AccessNotAcknowledged"):
        appointed.demand(*made, {"from": stranger})


def test_one_institution_cannot_take_up_a_demand_to_another(
    appointed, acknowledged, hospital, clinic, stranger, today, at_day
):
    """A demand that is seen on its way and made first, of the same receipt, blocks nothing."""
    day, receipt = today(), next(receipts)
    honest = acknowledged(receipt)
    first = acknowledged(receipt, institution=clinic, key=OTHER_KEY)
    at_day(day + FIRST)
    appointed.demand(*first, {"from": clinic})
    demanded = appointed.demand(*honest, {"from": stranger}).events["AccessDemanded"]
    assert (demanded["institution"], demanded["receipt"]) == (hospital, receipt)


def test_patient_demands_without_ether(
    appointed, acknowledged, forwarder, patient, stranger, today, at_day, on_day
):
    day, made = today(), acknowledged()
    on_day(day + FIRST)
    call = (appointed, appointed.demand.encode_input(*made))
    request = sign_request(forwarder, patient, call, (day + FIRST + 1) * DAY)
    transaction = forwarder.execute(request, {"from": stranger})
    assert transaction.events["AccessDemanded"]["receipt"] == made.acknowledgement.receipt

"""A demand is answered by a proof under the day's root, or the receipt is seen to be omitted."""

from __future__ import annotations

import pytest
from brownie.exceptions import VirtualMachineError

from tests.contracts.access_ledger.conftest import (
    ANSWER_PERIOD,
    DAY,
    DEMAND_DAYS,
    OPEN_DAYS,
    OTHER_KEY,
    RING,
    demand_id,
    receipts,
    tree_of,
)
from tests.contracts.conftest import error, plain, travel

FIRST = OPEN_DAYS + 1


def test_anyone_who_has_the_proof_answers(appointed, demanded, stranger, hospital, now):
    acknowledgement, proof = demanded
    id_ = demand_id(acknowledgement)
    due = appointed.demandOf(id_)["due"]
    transaction = appointed.answer(acknowledgement, proof, {"from": stranger})
    assert transaction.events["AccessAnswered"] == {"demand": id_}
    assert plain(appointed.demandOf(id_)) == (due, now())
    travel(due + 1)
    assert appointed.isOmitted(id_) is False


def test_only_receipt_of_a_day_is_its_root(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    day, made = today(), acknowledged()
    tree = tree_of(made.acknowledgement.receipt)
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    appointed.answer(made.acknowledgement, [], {"from": stranger})
    assert appointed.isOmitted(demand_id(made.acknowledgement)) is False


def test_last_demand_is_answered_before_the_slot_is_used_again(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    """Also when each root is anchored as early as it can be."""
    day, made = today(), acknowledged()
    tree = tree_of(made.acknowledgement.receipt, next(receipts))
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + DEMAND_DAYS, DAY - 1)
    appointed.demand(*made, {"from": stranger})
    due = appointed.demandOf(demand_id(made.acknowledgement))["due"]
    assert due == (day + RING) * DAY - 1
    at_day(day + RING - 1, DAY - 1)
    appointed.answer(made.acknowledgement, tree.proof(0), {"from": hospital})


def test_omitted_receipt_shows_when_the_time_is_over(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day, tree, on_day
):
    day, made = today(), acknowledged()
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    id_ = demand_id(made.acknowledgement)
    due = (day + FIRST) * DAY + ANSWER_PERIOD
    travel(due)
    assert appointed.isOmitted(id_) is False
    travel(due + 1)
    assert appointed.isOmitted(id_) is True
    on_day(day + 2 * RING)
    assert appointed.isOmitted(id_) is True


def test_demand_is_answered_at_the_last_second_and_not_later(appointed, demanded, stranger):
    acknowledgement, proof = demanded
    id_ = demand_id(acknowledgement)
    due = appointed.demandOf(id_)["due"]
    travel(due + 1)
    with error("AccessAnswerLate", id_, due):
        appointed.answer(acknowledgement, proof, {"from": stranger})
    assert appointed.isOmitted(id_) is True


def test_demand_is_answered_at_the_last_second(appointed, demanded, stranger, at_day):
    acknowledgement, proof = demanded
    due = appointed.demandOf(demand_id(acknowledgement))["due"]
    at_day(0, due)
    appointed.answer(acknowledgement, proof, {"from": stranger})


def test_day_without_a_root_has_no_answer(
    appointed, acknowledged, hospital, stranger, today, at_day
):
    day, made = today(), acknowledged()
    tree = tree_of(made.acknowledgement.receipt)
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    with error("AccessProofInvalid", hospital, day, "0x" + tree.root.hex()):
        appointed.answer(made.acknowledgement, [], {"from": hospital})


def test_root_of_the_last_day_in_the_slot_has_no_answer(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    """A slot that still has the root of 64 days before, with the receipt under it."""
    day, receipt = today(), next(receipts)
    tree = tree_of(receipt)
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    made = acknowledged(receipt, day=day + RING)
    at_day(day + RING + FIRST)
    appointed.demand(*made, {"from": stranger})
    with error("AccessProofInvalid", hospital, day + RING, "0x" + tree.root.hex()):
        appointed.answer(made.acknowledgement, [], {"from": hospital})


def test_proof_of_another_receipt_is_not_an_answer(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    day, left_out, present = today(), acknowledged(), acknowledged()
    tree = tree_of(present.acknowledgement.receipt, next(receipts), next(receipts))
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + FIRST)
    for made in (left_out, present):
        appointed.demand(*made, {"from": stranger})
    for index in range(3):
        with pytest.raises(VirtualMachineError, match="AccessProofInvalid"):
            appointed.answer(left_out.acknowledgement, tree.proof(index), {"from": hospital})
    appointed.answer(present.acknowledgement, tree.proof(0), {"from": hospital})
    assert appointed.demandOf(demand_id(left_out.acknowledgement))["answeredAt"] == 0


def test_inner_node_is_not_a_receipt(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    """A receipt whose digest is a node of the tree is not under it."""
    day, tree = today(), tree_of(*(next(receipts) for _ in range(4)))
    leaf, above = tree.proof(0)
    made = {node: acknowledged("0x" + node.hex()).acknowledgement for node in (leaf, above)}
    demands = [acknowledged(each.receipt) for each in made.values()]
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + FIRST)
    for each in demands:
        appointed.demand(*each, {"from": stranger})
    for proof in ([], [above], tree.proof(0), tree.proof(1)):
        for each in made.values():
            with pytest.raises(VirtualMachineError, match="AccessProofInvalid"):
                appointed.answer(each, proof, {"from": hospital})


def test_root_of_another_institution_or_day_is_not_an_answer(
    appointed, acknowledged, hospital, clinic, recorder, other_recorder, stranger, today, at_day
):
    day, receipt = today(), next(receipts)
    made, tree = acknowledged(receipt, day=day), tree_of(receipt, next(receipts))
    appointed.anchorDay(clinic, day, tree.root, {"from": other_recorder})
    at_day(day + 1)
    appointed.anchorDay(hospital, day + 1, tree.root, {"from": recorder})
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    with error("AccessProofInvalid", hospital, day, "0x" + tree.root.hex()):
        appointed.answer(made.acknowledgement, tree.proof(0), {"from": hospital})
    for field, other in (("institution", clinic.address), ("day", day + 1)):
        changed = made.acknowledgement._replace(**{field: other})
        with error("AccessNotDemanded", demand_id(changed)):
            appointed.answer(changed, tree.proof(0), {"from": hospital})


def test_root_that_was_replaced_is_not_an_answer(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day, tree
):
    """A receipt that an earlier root had and the last one has not is omitted."""
    day, made = today(), acknowledged()
    first = tree_of(made.acknowledgement.receipt, next(receipts))
    appointed.anchorDay(hospital, day, first.root, {"from": recorder})
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    with error("AccessDayNotOpen", day, day + FIRST):
        appointed.anchorDay(hospital, day, first.root, {"from": recorder})
    with error("AccessProofInvalid", hospital, day, "0x" + first.root.hex()):
        appointed.answer(made.acknowledgement, first.proof(0), {"from": hospital})


def test_what_was_not_demanded_is_not_answered_and_not_omitted(
    appointed, acknowledged, hospital, recorder, today
):
    made = acknowledged()
    tree = tree_of(made.acknowledgement.receipt)
    appointed.anchorDay(hospital, today(), tree.root, {"from": recorder})
    id_ = demand_id(made.acknowledgement)
    with error("AccessNotDemanded", id_):
        appointed.answer(made.acknowledgement, [], {"from": hospital})
    assert plain(appointed.demandOf(id_)) == (0, 0)
    assert appointed.isOmitted(id_) is False


def test_demand_is_answered_once(appointed, demanded, stranger):
    acknowledgement, proof = demanded
    appointed.answer(acknowledgement, proof, {"from": stranger})
    with error("AccessAlreadyAnswered", demand_id(acknowledgement)):
        appointed.answer(acknowledgement, proof, {"from": stranger})


def test_suspended_institution_answers(appointed, demanded, participants, governor, hospital):
    acknowledgement, proof = demanded
    participants.suspend(hospital, {"from": governor})
    appointed.answer(acknowledgement, proof, {"from": hospital})


def test_acknowledgement_of_two_days_binds_for_both(
    appointed, acknowledged, hospital, recorder, stranger, today, at_day
):
    """One that names another day than the receipt's is answered under the root of that day."""
    day, receipt = today(), next(receipts)
    first, second = acknowledged(receipt, day=day), acknowledged(receipt, day=day + 1)
    tree = tree_of(receipt)
    appointed.anchorDay(hospital, day, tree.root, {"from": recorder})
    at_day(day + 1 + FIRST)
    for made in (first, second):
        appointed.demand(*made, {"from": stranger})
    appointed.answer(first.acknowledgement, [], {"from": hospital})
    with error("AccessProofInvalid", hospital, day + 1, "0x" + tree.root.hex()):
        appointed.answer(second.acknowledgement, [], {"from": hospital})


def test_clinic_answers_its_own(
    appointed, acknowledged, clinic, other_recorder, stranger, today, at_day
):
    day, made = today(), acknowledged(institution=clinic, key=OTHER_KEY)
    tree = tree_of(made.acknowledgement.receipt, next(receipts))
    appointed.anchorDay(clinic, day, tree.root, {"from": other_recorder})
    at_day(day + FIRST)
    appointed.demand(*made, {"from": stranger})
    appointed.answer(made.acknowledgement, tree.proof(0), {"from": clinic})
    assert appointed.demandOf(demand_id(made.acknowledgement))["answeredAt"] != 0

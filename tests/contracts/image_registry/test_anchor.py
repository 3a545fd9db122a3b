"""Anchoring: who may, what is kept, and whose an image id is."""

from __future__ import annotations

import pytest
from brownie import web3

from tests.contracts.conftest import (
    NOBODY,
    ImageSet,
    Role,
    digest,
    error,
    group,
    plain,
    sign_request,
)

ANCHORED = 1
NO_PARENT = digest("")


@pytest.fixture
def image_set(accredited, hospital, patient):
    """An image set of the patient in the hospital, not anchored yet."""
    groups = (group(name, hospital) for name in ("visit", "course"))
    return ImageSet(hospital.address, patient.address, digest("root"), *groups)


@pytest.fixture
def image_sets(image_set):
    """Three image sets of one visit."""
    return [image_set._replace(root=digest(f"root {number}")) for number in range(3)]


def event_of(image_set, kind=0, instances=3, parent=NO_PARENT):
    """What the registry announces of an anchored image set."""
    return {
        "image": image_set.id,
        **image_set._asdict(),
        "manifest": digest("manifest"),
        "instances": instances,
        "kind": kind,
        "parent": parent,
    }


def test_anchor(images, image_set, hospital, now):
    transaction = images.anchor(image_set.anchored(), {"from": hospital})
    assert transaction.return_value == image_set.id
    assert [dict(event) for event in transaction.events] == [event_of(image_set)]
    assert transaction.events[0].name == "ImageAnchored"
    assert plain(images.imageOf(image_set.id)) == (image_set.patient, now(), 3, ANCHORED)


@pytest.mark.parametrize("kind", range(5))
def test_any_kind_may_come_from_elsewhere(images, image_set, hospital, kind):
    transaction = images.anchor(image_set.anchored(kind=kind), {"from": hospital})
    assert dict(transaction.events["ImageAnchored"]) == event_of(image_set, kind=kind)


def test_id_is_the_hash_of_the_five_values(images, image_set):
    assert images.idOf(image_set) == image_set.id
    for field in ("custodian", "patient"):
        assert images.idOf(image_set._replace(**{field: NOBODY})) != image_set.id
    for field in ("root", "visit", "course"):
        assert images.idOf(image_set._replace(**{field: digest("other")})) != image_set.id


def test_state(images, image_set, hospital):
    assert images.stateOf(image_set.id) == 0
    images.anchor(image_set.anchored(), {"from": hospital})
    assert images.stateOf(image_set.id) == ANCHORED


def test_unknown_image_is_all_zero(images, image_set):
    assert plain(images.imageOf(image_set.id)) == (NOBODY, 0, 0, 0)


def test_largest_number_of_instances(images, image_set, hospital):
    images.anchor(image_set.anchored(instances=2**32 - 1), {"from": hospital})
    assert plain(images.imageOf(image_set.id))[2:] == (2**32 - 1, ANCHORED)


def test_member_anchors_for_its_institution(images, image_set, participants, hospital, stranger):
    participants.admit(stranger, Role.CUSTODIAN, {"from": hospital})
    transaction = images.anchor(image_set.anchored(), {"from": stranger})
    assert transaction.return_value == image_set.id
    assert transaction.events["ImageAnchored"]["custodian"] == hospital


def test_another_custodian_gets_another_id(images, image_set, hospital, clinic):
    """No custodian can take the id of another's image set by being first."""
    image_set = image_set._replace(visit=digest(""), course=digest(""))
    transaction = images.anchor(image_set.anchored(), {"from": clinic})
    assert transaction.return_value == image_set._replace(custodian=clinic.address).id
    assert images.anchor(image_set.anchored(), {"from": hospital}).return_value == image_set.id


def test_anchor_through_the_forwarder(
    images, image_set, participants, forwarder, hospital, patient, stranger, now
):
    participants.admit(patient, Role.CUSTODIAN, {"from": hospital})
    call = images, images.anchor.encode_input(image_set.anchored())
    forwarder.execute(sign_request(forwarder, patient, call, now() + 60), {"from": stranger})
    assert images.imageOf(image_set.id)[3] == ANCHORED


def test_only_custodians_anchor(images, image_set, radiologist, stranger):
    held = Role.CLINICIAN | Role.RADIOLOGIST
    with error("ParticipantLacksRole", radiologist, Role.CUSTODIAN, held):
        images.anchor(image_set.anchored(), {"from": radiologist})
    with error("ParticipantNotAccredited", stranger):
        images.anchor(image_set.anchored(), {"from": stranger})
    with error("ParticipantNotAccredited", stranger):
        images.anchorBatch([image_set.anchored()], {"from": stranger})
    assert images.imageOf(image_set.id)[3] == 0


def test_suspended_custodian(images, image_set, participants, governor, hospital):
    participants.suspend(hospital, {"from": governor})
    with error("ParticipantIsSuspended", hospital, hospital):
        images.anchor(image_set.anchored(), {"from": hospital})
    participants.reinstate(hospital, {"from": governor})
    images.anchor(image_set.anchored(), {"from": hospital})


@pytest.mark.parametrize(
    ("changes", "instances"),
    [({"patient": NOBODY}, 3), ({"root": digest("")}, 3), ({}, 0)],
    ids=["no patient", "no root", "no instances"],
)
def test_incomplete(images, image_set, hospital, changes, instances):
    incomplete = image_set._replace(**changes)
    anchored = incomplete.anchored(instances=instances)
    refusal = ("ImageIncomplete", incomplete.patient, incomplete.root, instances)
    with error(*refusal):
        images.anchor(anchored, {"from": hospital})
    with error(*refusal):
        images.anchorBatch([anchored], {"from": hospital})


@pytest.mark.parametrize("missing", ["visit", "course"])
def test_visit_and_course_may_be_absent(images, image_set, hospital, missing):
    without = image_set._replace(**{missing: digest("")})
    assert images.anchor(without.anchored(), {"from": hospital}).return_value == without.id


@pytest.mark.parametrize("field", ["visit", "course"])
def test_visit_and_course_are_the_custodians_own(images, image_set, hospital, clinic, field):
    """Neither those of another custodian, nor what a patient may have granted elsewhere."""
    emergency = "0x" + web3.keccak(text="radledger.consent.emergency").hex().removeprefix("0x")
    for foreign in (group("visit", clinic), image_set.id, digest("visit"), emergency):
        changed = image_set._replace(**{field: foreign})
        refusal = ("ImageGroupsNotOfCustodian", changed.visit, changed.course, hospital)
        with error(*refusal):
            images.anchor(changed.anchored(), {"from": hospital})
        with error(*refusal):
            images.anchorBatch([image_set.anchored(), changed.anchored()], {"from": hospital})
    images.anchor(image_set.anchored(), {"from": hospital})
    version = image_set._replace(root=digest("other"), **{field: group("visit", clinic)})
    with error("ImageGroupsNotOfCustodian", version.visit, version.course, hospital):
        images.supersede(version.anchored(kind=1), image_set, {"from": hospital})


def test_anchored_once(images, image_set, hospital):
    images.anchor(image_set.anchored(), {"from": hospital})
    with error("ImageAlreadyAnchored", image_set.id):
        images.anchor(image_set.anchored(instances=9), {"from": hospital})
    assert images.imageOf(image_set.id)[2] == 3


def test_batch(images, image_sets, hospital, now):
    batch = [each.anchored(kind) for kind, each in enumerate(image_sets)]
    transaction = images.anchorBatch(batch, {"from": hospital})
    assert [dict(event) for event in transaction.events] == [
        event_of(each, kind) for kind, each in enumerate(image_sets)
    ]
    for each in image_sets:
        assert plain(images.imageOf(each.id)) == (each.patient, now(), 3, ANCHORED)


def test_batch_of_several_patients(images, image_sets, hospital, stranger):
    image_sets[1] = image_sets[1]._replace(patient=stranger.address)
    images.anchorBatch([each.anchored() for each in image_sets], {"from": hospital})
    assert [images.imageOf(each.id)[0] for each in image_sets] == [
        each.patient for each in image_sets
    ]


def test_batch_is_anchored_whole_or_not_at_all(images, image_sets, hospital):
    first, second, _ = image_sets
    with error("ImageAlreadyAnchored", first.id):
        images.anchorBatch([each.anchored() for each in (first, second, first)], {"from": hospital})
    assert images.imageOf(second.id)[3] == 0
    images.anchorBatch([first.anchored(), second.anchored()], {"from": hospital})


def test_empty_batch(images, accredited, hospital):
    assert len(images.anchorBatch([], {"from": hospital}).events) == 0


def test_only_the_forwarder_speaks_for_others(images, image_set, hospital, stranger):
    """An address appended to a direct call is not the sender."""
    data = images.anchor.encode_input(image_set.anchored()) + hospital.address[2:]
    with error("ParticipantNotAccredited", stranger):
        stranger.transfer(images, 0, data=data)

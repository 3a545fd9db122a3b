"""What happens to an image set after it was anchored: new versions, new keys, erasure."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import Role, digest, error, plain

ORIGINAL, DEIDENTIFIED = 0, 1
ERASED = 2


@pytest.fixture
def parent(anchor):
    """An anchored image set of the patient in the hospital."""
    return anchor("original")


@pytest.fixture
def version(parent):
    """A version of `parent`, not anchored yet."""
    return parent._replace(root=digest("version"))


@pytest.fixture(params=["supersede", "rekey", "erase"])
def change(request, images, version):
    """Each way to change an image set: a function of the set and who changes it."""
    arguments = {
        "supersede": lambda image_set: (version.anchored(DEIDENTIFIED), image_set),
        "rekey": lambda image_set: (image_set, digest("new manifest")),
        "erase": lambda image_set: (image_set, digest("certificate")),
    }[request.param]
    call = getattr(images, request.param)
    return lambda image_set, actor: call(*arguments(image_set), {"from": actor})


@pytest.mark.parametrize("kind", range(1, 5))
def test_supersede(images, parent, version, hospital, now, kind):
    transaction = images.supersede(version.anchored(kind), parent, {"from": hospital})
    assert transaction.return_value == version.id
    assert [(event.name, dict(event)) for event in transaction.events] == [
        (
            "ImageAnchored",
            {
                "image": version.id,
                **version._asdict(),
                "manifest": digest("manifest"),
                "instances": 3,
                "kind": kind,
                "parent": parent.id,
            },
        )
    ]
    assert plain(images.imageOf(version.id)) == (version.patient, now(), 3, 1)
    assert images.imageOf(parent.id)[3] == 1


def test_version_of_a_version(images, parent, version, hospital):
    images.supersede(version.anchored(DEIDENTIFIED), parent, {"from": hospital})
    third = parent._replace(root=digest("third"))
    transaction = images.supersede(third.anchored(DEIDENTIFIED), version, {"from": hospital})
    assert transaction.events["ImageAnchored"]["parent"] == version.id


def test_original_has_no_predecessor(images, parent, version, hospital):
    with error("ImageKindNotDerived", ORIGINAL):
        images.supersede(version.anchored(ORIGINAL), parent, {"from": hospital})


def test_version_belongs_to_the_same_patient(images, parent, version, hospital, stranger):
    other = version._replace(patient=stranger.address)
    with error("ImagePatientDiffers", stranger, parent.patient):
        images.supersede(other.anchored(DEIDENTIFIED), parent, {"from": hospital})


def test_version_is_anchored_once(images, parent, hospital):
    with error("ImageAlreadyAnchored", parent.id):
        images.supersede(parent.anchored(DEIDENTIFIED), parent, {"from": hospital})


def test_incomplete_version(images, parent, version, hospital):
    with error("ImageIncomplete", version.patient, version.root, 0):
        images.supersede(version.anchored(DEIDENTIFIED, 0), parent, {"from": hospital})


def test_rekey(images, parent, hospital):
    before = plain(images.imageOf(parent.id))
    transaction = images.rekey(parent, digest("new manifest"), {"from": hospital})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        ("ImageRekeyed", {"image": parent.id, "manifest": digest("new manifest")})
    ]
    assert plain(images.imageOf(parent.id)) == before


def test_erase(images, parent, hospital):
    before = plain(images.imageOf(parent.id))
    transaction = images.erase(parent, digest("certificate"), {"from": hospital})
    assert [(event.name, dict(event)) for event in transaction.events] == [
        ("ImageErased", {"image": parent.id, "certificate": digest("certificate")})
    ]
    assert plain(images.imageOf(parent.id)) == (*before[:3], ERASED)
    assert images.stateOf(parent.id) == ERASED


def test_erased_for_good(images, parent, hospital, change):
    images.erase(parent, digest("certificate"), {"from": hospital})
    with error("ImageIsErased", parent.id):
        change(parent, hospital)
    with error("ImageAlreadyAnchored", parent.id):
        images.anchor(parent.anchored(), {"from": hospital})


def test_change_needs_an_anchored_image(parent, hospital, change):
    unknown = parent._replace(root=digest("unknown"))
    with error("ImageNotAnchored", unknown.id):
        change(unknown, hospital)
    change(parent, hospital)


def test_change_by_another_custodian(parent, hospital, clinic, change):
    with error("ImageNotCustodian", hospital, clinic):
        change(parent, clinic)
    change(parent, hospital)


def test_change_in_another_custodians_name(parent, hospital, clinic, change):
    """A caller that names itself the custodian names another image set, which is not anchored."""
    claimed = parent._replace(custodian=clinic.address)
    with error("ImageNotAnchored", claimed.id):
        change(claimed, clinic)


def test_change_by_no_custodian(parent, participants, hospital, radiologist, stranger, change):
    held = Role.CLINICIAN | Role.RADIOLOGIST
    with error("ParticipantLacksRole", radiologist, Role.CUSTODIAN, held):
        change(parent, radiologist)
    with error("ParticipantNotAccredited", stranger):
        change(parent, stranger)
    participants.admit(stranger, Role.CUSTODIAN, {"from": hospital})
    change(parent, stranger)

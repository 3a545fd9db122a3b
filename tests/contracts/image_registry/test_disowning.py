"""A patient disowns an image set that names them, and acknowledges it again."""

from __future__ import annotations

import pytest
from brownie import accounts

from tests.contracts.conftest import RECOVERY_DELAY, digest, error, plain, sign_request, travel

CONSENT = "0x" + b"radledger.consent".hex().ljust(64, "0")
REWARD = "0x" + b"radledger.reward".hex().ljust(64, "0")
YEAR = 365 * 24 * 3600
ANCHORED, ERASED, DISOWNED = 1, 2, 3
DEIDENTIFIED = 1


@pytest.fixture
def image(anchor):
    """An image set that the hospital anchored for the patient, who was not asked."""
    return anchor()


@pytest.fixture(params=["disown", "acknowledge"])
def change(request, images, image, patient):
    """Each of the two ways to change the state, which it makes possible: a function of who acts."""
    if request.param == "acknowledge":
        images.disown(image, {"from": patient})
    return lambda actor: getattr(images, request.param)(image, {"from": actor})


def said(transaction):
    return [(event.name, dict(event)) for event in transaction.events]


def test_disowned_and_acknowledged(images, image, patient):
    before = plain(images.imageOf(image.id))

    disowned = images.disown(image, {"from": patient})
    assert said(disowned) == [("ImageDisowned", {"image": image.id, "actor": patient})]
    assert plain(images.imageOf(image.id)) == (*before[:3], DISOWNED)
    assert images.stateOf(image.id) == DISOWNED

    acknowledged = images.acknowledge(image, {"from": patient})
    assert said(acknowledged) == [("ImageAcknowledged", {"image": image.id, "actor": patient})]
    assert plain(images.imageOf(image.id)) == before
    images.disown(image, {"from": patient})
    assert images.stateOf(image.id) == DISOWNED


def test_other_sets_stay(images, anchor, image, patient):
    other = anchor("another")
    images.disown(image, {"from": patient})
    assert images.stateOf(other.id) == ANCHORED


def test_each_once(images, image, patient):
    with error("ImageNotDisowned", image.id):
        images.acknowledge(image, {"from": patient})
    images.disown(image, {"from": patient})
    with error("ImageIsDisowned", image.id):
        images.disown(image, {"from": patient})
    images.acknowledge(image, {"from": patient})
    with error("ImageNotDisowned", image.id):
        images.acknowledge(image, {"from": patient})


def test_a_stranger_and_the_custodian_are_refused(change, image, hospital, patient, stranger):
    for actor in (stranger, hospital):
        with error("ImageNotAuthorized", image.patient, actor):
            change(actor)
    assert said(change(patient))[0][1]["actor"] == patient


def test_a_consent_delegate_acts_until_revoked(change, image, identities, patient, stranger):
    identities.addDelegate(patient, REWARD, stranger, YEAR, {"from": patient})
    with error("ImageNotAuthorized", image.patient, stranger):
        change(stranger)
    identities.addDelegate(patient, CONSENT, stranger, YEAR, {"from": patient})
    assert said(change(stranger))[0][1]["actor"] == stranger
    identities.revokeDelegate(patient, CONSENT, stranger, {"from": patient})
    with error("ImageNotAuthorized", image.patient, stranger):
        change(stranger)


def test_after_a_recovery_the_new_owner_acts(change, image, identities, patient, relatives):
    heir = relatives[2]
    identities.setGuardians(patient, relatives, 2, {"from": patient})
    for relative in relatives[:2]:
        identities.approveRecovery(patient, relative, heir, relatives, 2, {"from": relative})
    travel(identities.recoveryOf(patient, heir)[1] + RECOVERY_DELAY)
    identities.executeRecovery(patient, heir, {"from": relatives[0]})
    with error("ImageNotAuthorized", image.patient, patient):
        change(patient)
    assert said(change(heir))[0][1]["actor"] == heir


def test_a_set_that_names_another_patient(images, image, stranger):
    """Who names themselves the patient names another image set, which is not anchored."""
    claimed = image._replace(patient=stranger.address)
    for call in (images.disown, images.acknowledge):
        with error("ImageNotAnchored", claimed.id):
            call(claimed, {"from": stranger})
    assert images.stateOf(image.id) == ANCHORED


def test_no_version_of_a_disowned_set(images, image, patient, hospital):
    version = image._replace(root=digest("version"))
    images.disown(image, {"from": patient})
    with error("ImageIsDisowned", image.id):
        images.supersede(version.anchored(DEIDENTIFIED), image, {"from": hospital})
    assert images.stateOf(version.id) == 0
    images.acknowledge(image, {"from": patient})
    images.supersede(version.anchored(DEIDENTIFIED), image, {"from": hospital})
    assert images.stateOf(version.id) == ANCHORED


def test_the_custodian_cannot_anchor_it_again(images, image, patient, hospital):
    images.disown(image, {"from": patient})
    with error("ImageAlreadyAnchored", image.id):
        images.anchor(image.anchored(), {"from": hospital})
    assert images.stateOf(image.id) == DISOWNED


def test_the_custodian_rekeys_it(images, image, patient, hospital):
    images.disown(image, {"from": patient})
    images.rekey(image, digest("new manifest"), {"from": hospital})
    assert images.stateOf(image.id) == DISOWNED


@pytest.mark.parametrize("disowned", [False, True])
def test_erased_for_good(images, image, patient, hospital, disowned):
    if disowned:
        images.disown(image, {"from": patient})
    images.erase(image, digest("certificate"), {"from": hospital})
    for call in (images.disown, images.acknowledge):
        with error("ImageIsErased", image.id):
            call(image, {"from": patient})
    assert images.stateOf(image.id) == ERASED


def test_a_patient_without_ether(images, forwarder, anchor, stranger, now):
    patient = accounts.add()
    image = anchor(patient=patient)

    def forwarded(function):
        call = (images, function.encode_input(image))
        request = sign_request(forwarder, patient, call, now() + 3600)
        return forwarder.execute(request, {"from": stranger})

    disowned = forwarded(images.disown)
    assert disowned.events["ImageDisowned"] == {"image": image.id, "actor": patient}
    assert images.stateOf(image.id) == DISOWNED
    acknowledged = forwarded(images.acknowledge)
    assert acknowledged.events["ImageAcknowledged"] == {"image": image.id, "actor": patient}
    assert patient.balance() == 0
    assert images.stateOf(image.id) == ANCHORED

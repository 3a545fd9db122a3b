"""Which document about one grant prevails: by the time of signing, in whichever order they arrive.

The times are those of the contract's rules, to the second.
"""

from __future__ import annotations

import pytest
from brownie import web3

from tests.contracts.conftest import error, next_block_at, plain
from tests.contracts.consent_registry.conftest import (
    ALL,
    DAY,
    GRANTED,
    REVOKED,
    Purpose,
    Reason,
    use,
)
from tests.contracts.consent_registry.order.conftest import CARE, DOUBT

pytestmark = pytest.mark.no_call_coverage

MINUTE = 60
TEACHING = CARE._replace(purposes=int(Purpose.TEACHING))


# ------------------------------------------------------------------- two documents of one sitting


@pytest.mark.parametrize("apart", [0, 1, DAY])
def test_a_revocation_takes_back_what_was_signed_before_it(document, slot, late, superseded, apart):
    grant, revoke = document("grant", late - apart), document("revoke", late)
    grant()
    revoke()
    assert slot() == (late + (apart == 0), REVOKED)
    with superseded("ConsentRevokedSince", late + (apart == 0)):
        grant()


@pytest.mark.parametrize("apart", [0, 1, DAY])
def test_a_revocation_takes_back_what_arrives_after_it(document, slot, late, superseded, apart):
    grant, revoke = document("grant", late - apart), document("revoke", late)
    revoke()
    with superseded("ConsentRevokedSince", late):
        grant()
    assert slot() == (late, REVOKED)


def test_a_grant_before_a_direct_revocation_does_not_count_after_it(
    consents, document, patient, radiologist, slot, now, refuses, image, superseded
):
    held_back = document("grant", now())
    consents.grant(patient, radiologist, ALL, CARE, {"from": patient})
    consents.revoke(patient, radiologist, ALL, {"from": patient})
    revoked = slot()
    with superseded("ConsentRevokedSince", revoked[0]):
        held_back()
    assert slot() == revoked
    refuses(radiologist, use(), Reason.REVOKED, "ConsentNotPermittedRevoked", patient, radiologist)


@pytest.mark.parametrize("first", ["care", "teaching"])
def test_of_two_grants_the_later_one_stands(
    consents, document, patient, radiologist, late, superseded, first
):
    care, teaching = document("grant", late - 1), document("grant", late, TEACHING)
    if first == "care":
        care()
        teaching()
    else:
        teaching()
        with superseded("ConsentSuperseded", late):
            care()
    assert plain(consents.grantOf(patient, radiologist, ALL)) == TEACHING.kept(late)


# ------------------------------------------------------------------------------- what clocks prove


def test_a_grant_after_a_revocation_that_it_does_not_know(document, slot, late, superseded):
    """Two days later there is no doubt, though both clocks were wrong by a day."""
    revoked = late - 10 * DAY
    document("revoke", revoked)()
    with superseded("ConsentRevokedSince", revoked):
        document("grant", revoked + DOUBT)()
    document("grant", revoked + DOUBT + 1)()
    assert slot() == (revoked + DOUBT + 1, GRANTED)


def test_a_revocation_before_a_grant_that_does_not_know_it(document, slot, late, superseded):
    granted = late - 10 * DAY
    document("grant", granted)()
    with superseded("ConsentGrantedSince", granted):
        document("revoke", granted - DOUBT - 1)()
    document("revoke", granted - DOUBT)()
    assert slot() == (granted + 1, REVOKED)


def test_a_grant_that_knows_the_revocation(document, slot, late, superseded):
    """Whatever its clock says; and no replay of the revocation takes the grant back."""
    revoke = document("revoke", late)
    revoke()
    document("grant", late - DAY, seen=late)()
    assert slot() == (late + 1, GRANTED)
    for earlier in (revoke, document("revoke", late - 1)):
        with superseded("ConsentGrantedSince", late + 1):
            earlier()
    document("revoke", late + 1)()
    assert slot() == (late + 2, REVOKED)


@pytest.mark.parametrize("apart", [1, DOUBT - 1, DOUBT, DOUBT + 1])
def test_no_replay_of_a_revocation_takes_back_what_was_granted_over_it(
    document, slot, late, superseded, apart
):
    revoked = late - 3 * DAY
    revoke = document("revoke", revoked)
    revoke()
    document("grant", revoked + apart, seen=revoked)()
    with superseded("ConsentGrantedSince", revoked + apart):
        revoke()
    assert slot() == (revoked + apart, GRANTED)


def test_a_grant_that_another_one_overtook_knows_the_revocation_as_well(document, slot, late):
    document("revoke", late - 10)()
    narrower = document("grant", late, TEACHING, seen=late - 10)
    document("grant", late - 5, seen=late - 10)()
    narrower()
    assert slot() == (late, GRANTED)


def test_a_grant_that_replaced_a_grant_does_not_outlast_a_revocation(document, slot, late):
    """Only one that was given over a revocation is; nor does it keep a later grant out."""
    for signed in (late - 20, late - 10, late):
        document("grant", signed)()
    assert slot() == (late, GRANTED)
    document("revoke", late - 30)()
    assert slot() == (late + 1, REVOKED)


def test_a_grant_signed_long_after_one_that_it_does_not_know(document, slot, late):
    document("grant", late - DOUBT - 1)()
    document("grant", late)()
    assert slot() == (late, GRANTED)


def test_a_grant_from_before_a_revocation_that_was_granted_over(
    consents, document, patient, radiologist, late, superseded
):
    """A clock that was ahead does not bring back what was revoked, now that less is granted."""
    revoked = late - 10 * DAY
    before = document("grant", revoked + DOUBT)
    document("revoke", revoked)()
    document("grant", revoked + 10, TEACHING, seen=revoked)()
    with superseded("ConsentRevokedSince", revoked):
        before()
    assert plain(consents.grantOf(patient, radiologist, ALL)) == TEACHING.kept(revoked + 10)
    document("grant", revoked + DOUBT + 1)()
    document("grant", revoked + 2 * DOUBT)()


def test_a_grant_over_what_its_subject_saw(document, slot, late):
    """A grant replaces what stood when it was signed, whatever its clock says."""
    document("grant", late)()
    document("grant", late - DAY, TEACHING, seen=late)()
    assert slot() == (late + 1, GRANTED)


def test_a_grant_over_what_the_chain_does_not_have(document, late):
    with error("ConsentBasisUnknown", late, 0, 0, 0):
        document("grant", late, seen=late)()
    with error("ConsentBasisUnknown", 0, 0, 1, 0):
        document("grant", late, epoch=1)()
    document("revoke", late)()
    document("grant", late, seen=late)()


def test_a_clock_that_is_ahead(document, slot, now):
    """A grant may be five minutes ahead of the block, a revocation a day."""
    time = now() + 10
    for function, tolerance in (("grant", 5 * MINUTE), ("revoke", DAY), ("revokeAll", DAY)):
        next_block_at(time)
        with error("ConsentSignedAhead", time + tolerance + 1, time + tolerance):
            document(function, time + tolerance + 1)()
        time += 10
        next_block_at(time)
        document(function, time + tolerance, seen=slot()[0])()
        time += 10


# ------------------------------------------------------------------------------------------ replays


@pytest.mark.parametrize("later", [0, DAY, 50 * DAY])
def test_nothing_counts_twice(document, slot, late, superseded, patient, later):
    """Now or as long as the signature is valid, whatever was signed after it."""
    grant, revoke = document("grant", late), document("revoke", late + 10)
    everything = document("revokeAll", late)
    documents = [grant, revoke, everything]
    for each in documents:
        each()
    again = document("grant", late + 20, seen=late + 10, epoch=1)
    again()
    next_block_at(late + 60 + later)
    granted = late + 20
    with error("ConsentAllRevokedSince", patient, late):
        grant()
    with superseded("ConsentGrantedSince", granted):
        revoke()
    with error("ConsentAllRevokedAlready", patient, late):
        everything()
    with superseded("ConsentSuperseded", granted):
        again()
    assert slot() == (granted, GRANTED)


def test_a_revocation_counts_once(consents, document, patient, radiologist, slot, late):
    revoke = document("revoke", late)
    revoke()
    for signed in (late, late - 1):
        with error("ConsentNothingToRevoke", patient, radiologist, ALL):
            document("revoke", signed)()
    document("revoke", late + 1)()
    assert slot() == (late + 1, REVOKED)


def test_an_old_revocation_does_not_end_another_emergency(
    consents, document, patient, radiologist, accredited, superseded, now, slot
):
    """What was revoked before a direct change stays revoked before it."""
    revoke = document("revoke", now())
    revoke()
    consents.grant(patient, radiologist, ALL, CARE, {"from": patient})
    with superseded("ConsentGrantedSince", slot()[0]):
        revoke()


# ------------------------------------------------------------------------------ direct calls


def test_direct_calls_in_one_second_follow_each_other(consents, patient, radiologist, now):
    """The chain's clock has whole seconds; each change is later than the one before."""
    stop = web3.provider.make_request
    options = {"from": patient, "required_confs": 0, "gas_limit": 400_000}
    stop("evm_setAutomine", [False])
    try:
        next_block_at(now() + 10)
        consents.grant(patient, radiologist, ALL, CARE, options)
        consents.revoke(patient, radiologist, ALL, options)
        consents.grant(patient, radiologist, ALL, CARE, options)
        stop("evm_mine", [])
    finally:
        stop("evm_setAutomine", [True])
    assert plain(consents.grantOf(patient, radiologist, ALL)) == CARE.kept(now() + 2)

"""ERC-1056 as the owner signs it, and anyone sends it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account

from tests.contracts.conftest import NOBODY, PATIENT_KEY, RECOVERY_DELAY, error
from tests.contracts.identity_registry.conftest import (
    CHANGES,
    CURVE_ORDER,
    DELEGATE,
    digest,
    sign,
    signer_of,
)

OTHER_KEY = "0x" + "0e" * 32


@pytest.fixture
def signed(identities, patient, change):
    """The change as the patient signs it first."""
    return sign(digest(identities, 0, patient, change), PATIENT_KEY)


@pytest.fixture
def submit(identities, patient, stranger, change):
    """Sends a signature of the change of the patient's identity; the sender is a stranger."""

    def submit(signature, registry=identities, identity=patient, change=change):
        call = getattr(registry, f"{change.name}Signed")
        return call(identity, *signature, *change.values, {"from": stranger})

    return submit


def test_signed_change(identities, patient, change, signed, submit, now):
    transaction = submit(signed)
    assert transaction.events[change.event] == {
        "identity": patient,
        **change.announced(now()),
        "previousChange": 0,
    }
    assert identities.changed(patient) == transaction.block_number
    assert identities.nonce(patient) == 1


def test_used_nonce(identities, patient, change, submit):
    attribute = CHANGES[3]
    first = sign(digest(identities, 0, patient, attribute), PATIENT_KEY)
    submit(first, change=attribute)
    with error(
        "IdentityBadSignature",
        patient,
        patient,
        signer_of(digest(identities, 1, patient, attribute), first),
    ):
        submit(first, change=attribute)
    submit(sign(digest(identities, 1, patient, change), PATIENT_KEY))
    assert identities.nonce(patient) == 2


def test_nonce_of_the_future(identities, patient, change, submit):
    early = sign(digest(identities, 1, patient, change), PATIENT_KEY)
    expected = digest(identities, 0, patient, change)
    with error("IdentityBadSignature", patient, patient, signer_of(expected, early)):
        submit(early)


def test_other_contract(deploy, forwarder, patient, change, signed, submit):
    other = deploy("IdentityRegistry", forwarder, RECOVERY_DELAY)
    expected = digest(other, 0, patient, change)
    with error("IdentityBadSignature", patient, patient, signer_of(expected, signed)):
        submit(signed, registry=other)


def test_other_identity(identities, patient, stranger, change, signed, submit):
    expected = digest(identities, 0, stranger, change)
    with error("IdentityBadSignature", stranger, stranger, signer_of(expected, signed)):
        submit(signed, identity=stranger)


def test_other_signer(identities, patient, change, submit):
    content = digest(identities, 0, patient, change)
    forged = sign(content, OTHER_KEY)
    with error("IdentityBadSignature", patient, patient, signer_of(content, forged)):
        submit(forged)


def test_other_values(identities, patient, change, signed, submit):
    """The last value is not the one signed."""
    last = change.values[-1]
    altered = {DELEGATE: NOBODY}.get(last) or (last + 1 if isinstance(last, int) else last + b"!")
    other = replace(change, values=(*change.values[:-1], altered))
    expected = digest(identities, 0, patient, other)
    with error("IdentityBadSignature", patient, patient, signer_of(expected, signed)):
        submit(signed, change=other)


def test_other_kind_of_change(identities, patient, submit):
    """A signature that ends a delegate's appointment does not begin it, nor the reverse."""
    revoke = CHANGES[2]
    signature = sign(digest(identities, 0, patient, revoke), PATIENT_KEY)
    add = CHANGES[1]
    expected = digest(identities, 0, patient, add)
    with error("IdentityBadSignature", patient, patient, signer_of(expected, signature)):
        submit(signature, change=add)


def test_high_s(identities, patient, change, signed, submit):
    """The other signature that the curve gives for the same content; the precompile accepts it."""
    v, r, s = signed
    twin = (27 + 28 - v, r, f"0x{CURVE_ORDER - int(s, 16):064x}")
    assert signer_of(digest(identities, 0, patient, change), twin) == patient
    with error("IdentityBadSignature", patient, patient, NOBODY):
        submit(twin)
    submit(signed)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_v_out_of_range(patient, signed, submit, v):
    _, r, s = signed
    with error("IdentityBadSignature", patient, patient, NOBODY):
        submit((v, r, s))


def test_no_account_signs_for_a_deactivated_identity(identities, patient, change, submit):
    """A malformed signature recovers to zero, which is the owner of a deactivated identity."""
    identities.changeOwner(patient, NOBODY, {"from": patient})
    with error("IdentityBadSignature", patient, NOBODY, NOBODY):
        submit((0, "0x" + "00" * 32, "0x" + "00" * 32))


def test_new_owner_signs_with_a_nonce_of_its_own(
    identities, patient, researcher, change, submit, stranger
):
    """The nonce is the signer's, whichever of its identities it changes."""
    owner = Account.from_key(OTHER_KEY).address
    submit(
        sign(digest(identities, 0, owner, CHANGES[3]), OTHER_KEY), identity=owner, change=CHANGES[3]
    )
    identities.changeOwner(patient, owner, {"from": patient})

    content = digest(identities, 1, patient, change)
    old_owner = sign(content, PATIENT_KEY)
    with error("IdentityBadSignature", patient, owner, signer_of(content, old_owner)):
        submit(old_owner)
    submit(sign(content, OTHER_KEY))
    assert identities.nonce(owner) == 2
    assert identities.nonce(patient) == 0


def test_nonce_survives_other_changes(identities, patient, researcher, change, submit, signed):
    submit(signed)
    if change.name != "changeOwner":
        identities.changeOwner(patient, researcher, {"from": patient})
    assert identities.nonce(patient) == 1

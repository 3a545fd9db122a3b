"""Subjects and delegates who are contracts (ERC-1271), and who acts after a recovery."""

from __future__ import annotations

import pytest
from eth_account import Account

from tests.contracts.conftest import error, sign_request
from tests.contracts.consent_registry.conftest import (
    ALL,
    CONSENT,
    DAY,
    Purpose,
    Reason,
    use,
)

OWNER_KEY = "0x" + "0a" * 32
OTHER_KEY = "0x" + "0b" * 32
MAGIC = "1626ba7e"


@pytest.fixture
def wallet(deploy):
    """A contract wallet whose owner holds `OWNER_KEY`."""
    return deploy("ContractWallet", Account.from_key(OWNER_KEY).address)


@pytest.fixture
def trusted(identities, patient):
    """Makes a contract the patient's consent delegate."""

    def trusted(wallet):
        identities.addDelegate(patient, CONSENT, wallet, DAY, {"from": patient})
        return wallet

    return trusted


def test_wallet_says_yes(wallet, trusted, sign, submit, done):
    trusted(wallet)
    transaction = submit(sign(key=OWNER_KEY, signer=wallet))
    assert done()
    assert wallet in [event["actor"] for event in transaction.events if "actor" in event]


def test_wallet_says_no(wallet, trusted, sign, submit, done):
    trusted(wallet)
    with error("ConsentBadSignature", wallet):
        submit(sign(key=OTHER_KEY, signer=wallet))
    assert not done()


def test_wallet_of_a_stranger(wallet, patient, sign, submit, done):
    with error("ConsentNotAuthorized", patient, wallet):
        submit(sign(key=OWNER_KEY, signer=wallet))
    assert not done()


def test_wallet_answers_otherwise(deploy, trusted, sign, submit, done):
    """Only the magic value in a whole word is a yes."""
    answers = {
        "a revert": "",
        "4 bytes": MAGIC,
        "31 bytes": MAGIC + "00" * 27,
        "true": "01".zfill(64),
        "ones": "ff" * 32,
        "the magic value and more": MAGIC + "ff" * 28,
    }
    for answer in answers.values():
        wallet = trusted(deploy("BrokenWallet", "0x" + answer))
        with error("ConsentBadSignature", wallet):
            submit(sign(signer=wallet))
    assert not done()


def test_magic_value_in_a_word_is_a_yes(deploy, trusted, sign, submit, done):
    wallet = trusted(deploy("BrokenWallet", "0x" + MAGIC + "00" * 28))
    submit(sign(signer=wallet))
    assert done()


def test_no_wallet_at_all(deploy, trusted, stranger, sign, submit, done, participants):
    """An account without code and a contract without ERC-1271 answer nothing."""
    for signer in (stranger, participants):
        trusted(signer)
        with error("ConsentBadSignature", signer):
            submit(sign(key=OTHER_KEY, signer=signer))
    assert not done()


def test_patient_with_a_wallet(consents, wallet, anchor, radiologist, terms, permits, now):
    """The subject itself is a contract: it calls, and it takes back what it gave."""
    image = anchor("theirs", patient=wallet)
    for change in (
        consents.grant.encode_input(wallet, radiologist, ALL, terms()),
        consents.revokeAll.encode_input(wallet),
        consents.grant.encode_input(wallet, radiologist, image.visit, terms()),
    ):
        wallet.call(consents, change, {"from": radiologist})
    permits(radiologist, use(), radiologist, image.visit, image=image)


def test_delegate_calls(consents, identities, patient, stranger, radiologist, terms):
    with error("ConsentNotAuthorized", patient, stranger):
        consents.grant(patient, radiologist, ALL, terms(), {"from": stranger})
    identities.addDelegate(patient, CONSENT, stranger, DAY, {"from": patient})
    granted = consents.grant(patient, radiologist, ALL, terms(), {"from": stranger})
    revoked = consents.revoke(patient, radiologist, ALL, {"from": stranger})
    all_revoked = consents.revokeAll(patient, {"from": stranger})
    assert granted.events["ConsentGranted"]["actor"] == stranger
    assert revoked.events["ConsentRevoked"]["actor"] == stranger
    assert all_revoked.events["ConsentRevokedAll"]["actor"] == stranger
    identities.revokeDelegate(patient, CONSENT, stranger, {"from": patient})
    with error("ConsentNotAuthorized", patient, stranger):
        consents.revokeAll(patient, {"from": stranger})


def test_delegate_of_another_type_calls(consents, identities, patient, stranger):
    identities.addDelegate(patient, b"veriKey".ljust(32, b"\0"), stranger, DAY, {"from": patient})
    with error("ConsentNotAuthorized", patient, stranger):
        consents.revokeAll(patient, {"from": stranger})


def test_old_key_after_a_recovery(
    consents, recover, patient, stranger, radiologist, accredited, terms
):
    """The key that was recovered away neither grants nor takes back; the new owner does both."""
    stated = terms(lasts=30 * DAY)
    asked = (patient, radiologist, ALL, stated)
    consents.request(*asked, {"from": radiologist})
    consents.grant(*asked, {"from": patient})
    recover(stranger)
    for call, arguments in {
        "grant": asked,
        "revoke": asked[:3],
        "revokeAll": asked[:1],
        "approve": (radiologist, *asked),
    }.items():
        with error("ConsentNotAuthorized", patient, patient):
            getattr(consents, call)(*arguments, {"from": patient})
    consents.approve(radiologist, *asked, {"from": stranger})
    consents.revoke(*asked[:3], {"from": stranger})
    consents.revokeAll(patient, {"from": stranger})
    consents.grant(*asked, {"from": stranger})


def test_old_key_does_not_read_after_a_recovery(
    consents, recover, image, patient, stranger, terms, permits, refuses
):
    """A thief of the key loses the images with it; the new owner grants them to itself."""
    permits(patient, use())
    recover(stranger)
    refuses(
        patient, use(), Reason.NEVER_GRANTED, "ConsentNotPermittedNeverGranted", patient, patient
    )
    consents.grant(patient, stranger, ALL, terms(Purpose.NRES), {"from": stranger})
    permits(stranger, use(), stranger)


def test_no_account_speaks_for_another_without_a_signature(
    consents, forwarder, patient, stranger, radiologist, accredited, terms, now
):
    """Neither an appended address nor the forwarder is a subject's word here."""
    change = consents.grant.encode_input(patient, radiologist, ALL, terms())
    with error("ConsentNotAuthorized", patient, stranger):
        stranger.transfer(consents, 0, data=change + patient.address[2:])
    request = sign_request(forwarder, patient, (consents, change), now() + DAY)
    with error("ERC2771UntrustfulTarget", consents, forwarder):
        forwarder.execute(request, {"from": stranger})
    assert consents.grantOf(patient, radiologist, ALL)[7] == 0

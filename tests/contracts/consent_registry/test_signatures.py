"""Consent by signature: what anyone may submit, and every signature that is refused."""

from __future__ import annotations

import pytest
from brownie import accounts
from eth_account import Account
from eth_utils import to_bytes

from tests.contracts.conftest import NOBODY, digest, error, next_block_at
from tests.contracts.consent_registry.conftest import CONSENT, DAY, GRANTED, Purpose, Terms
from tests.contracts.consent_registry.signing import ACTIONS

# Each refusal asks for the domain again; the transactions are what is measured.
pytestmark = pytest.mark.no_call_coverage

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DELEGATE_KEY = "0x" + "d1" * 32
DELEGATE = Account.from_key(DELEGATE_KEY).address


def test_announced(action, values, sign, submit, done, consents, patient):
    authorization = sign()
    transaction = submit(authorization)
    assert done()
    whose = {"subject": patient, "grantee": values["grantee"], "scope": values["scope"]}
    terms = Terms(*(values[name] for name in ("from", *Terms._fields[1:])))
    implied = Purpose.DS | Purpose.CONTROL | Purpose.METHODS
    signed = authorization[1]
    given = terms.expanded(terms.purposes | implied).packed(signed, status=GRANTED)
    granted = ("ConsentGranted", {**whose, "given": given, "actor": patient})
    request = consents.requestIdOf(values["requester"], *whose.values(), terms)
    revoked = {**whose, "signed": signed + (action.function == "revoke"), "actor": patient}
    revoked_all = {"subject": patient, "epoch": 1, "signed": signed, "actor": patient}
    forbidden = {"subject": patient, "forbidden": True, "signed": signed, "actor": patient}
    assert [(event.name, dict(event)) for event in transaction.events] == {
        "forbidEmergencies": [("EmergenciesForbidden", forbidden)],
        "grant": [granted],
        "revoke": [("ConsentRevoked", revoked)],
        "revokeAll": [("ConsentRevokedAll", revoked_all)],
        "approve": [("ConsentRequestApproved", {"request": request}), granted],
    }[action.function]


def test_signed_for_another_domain(sign, submit, done, patient):
    for domain in (
        {"chainId": 1},
        {"verifyingContract": NOBODY},
        {"name": "RadLedger"},
        {"version": "2"},
    ):
        with error("ConsentBadSignature", patient):
            submit(sign(domain=domain))
    assert not done()
    submit(sign())
    assert done()


def test_submitted_to_another_contract(
    sign, submit, deploy, identities, participants, images, patient
):
    """The same signature, on the same chain, given to a second registry."""
    other = deploy("ConsentRegistry", identities, participants, images, True, 5)
    with error("ConsentBadSignature", patient):
        submit(sign(), contract=other)
    submit(sign())


def test_signed_as_another_type(action, sign, submit, done, patient):
    for other in ACTIONS:
        if other != action:
            with error("ConsentBadSignature", patient):
                submit(sign(message=other))
    assert not done()
    submit(sign())
    assert done()


def test_deadline(sign, submit, done, now):
    late = sign(deadline=now() + 100)
    next_block_at(now() + 101)
    with error("ConsentSignatureExpired", late[2]):
        submit(late)
    assert not done()


def test_at_the_deadline(sign, submit, done, now):
    last = sign(deadline=now() + 100)
    next_block_at(last[2])
    submit(last)
    assert done()


def test_high_s(sign, submit, done, patient):
    """The other signature that the curve gives for each one is refused."""
    signer, *when, signature = sign()
    raw = to_bytes(hexstr=signature)
    s = CURVE_ORDER - int.from_bytes(raw[32:64], "big")
    malleable = raw[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - raw[64]])
    with error("ConsentBadSignature", patient):
        submit((signer, *when, malleable))
    assert not done()


def test_malformed(sign, submit, done, patient):
    *authorization, signature = sign()
    raw = to_bytes(hexstr=signature)
    for malformed in (b"", raw[:64], raw + b"\0", bytes(65), raw[:64] + bytes([29])):
        with error("ConsentBadSignature", patient):
            submit((*authorization, malformed))
    assert not done()
    submit((*authorization, raw))
    assert done()


def test_zero_signer(sign, submit, done):
    """A signature that recovers to the zero address is refused, even if that address may act."""
    authorization = sign()
    for signature in (bytes(65), b"", authorization[3]):
        with error("ConsentBadSignature", NOBODY):
            submit((NOBODY, *authorization[1:3], signature))
    assert not done()


def test_stranger_signs(sign, submit, done, patient):
    with error("ConsentNotAuthorized", patient, DELEGATE):
        submit(sign(key=DELEGATE_KEY))
    with error("ConsentBadSignature", patient):
        submit(sign(key=DELEGATE_KEY, signer=patient))
    assert not done()


def test_each_field_is_signed(action, values, sign, submit, done, patient, stranger):
    """Whatever is changed after signing voids the signature."""
    authorization = sign()
    other = {
        "requester": stranger.address,
        "subject": stranger.address,
        "grantee": stranger.address,
        "scope": digest("visit"),
        "from": values["from"] + 1,
        "until": values["until"] + 1,
        "purposes": int(Purpose.NRES),
        "conditions": 0,
        "disease": "0x" + "44" * 13,
        "seen": values["seen"] + 1,
        "forbidden": False,
        "epoch": 1,
    }
    for name in {field["name"] for field in action.fields} - {"signed", "deadline"}:
        with error("ConsentBadSignature", patient):
            submit(authorization, {**values, name: other[name]})
    signer, signed, deadline, signature = authorization
    for changed in ((signed + 1, deadline), (signed, deadline + DAY)):
        with error("ConsentBadSignature", patient):
            submit((signer, *changed, signature))
    assert not done()
    submit(authorization)
    assert done()


def test_delegate_of_consent(identities, sign, submit, done, patient):
    with error("ConsentNotAuthorized", patient, DELEGATE):
        submit(sign(key=DELEGATE_KEY))
    identities.addDelegate(patient, CONSENT, DELEGATE, DAY, {"from": patient})
    transaction = submit(sign(key=DELEGATE_KEY))
    assert done()
    acted = [event["actor"] for event in transaction.events if "actor" in event]
    assert acted == [DELEGATE]


def test_delegate_of_another_type(identities, sign, submit, done, patient):
    for kind in (b"veriKey", b"radledger.consent2"):
        identities.addDelegate(patient, kind.ljust(32, b"\0"), DELEGATE, DAY, {"from": patient})
        with error("ConsentNotAuthorized", patient, DELEGATE):
            submit(sign(key=DELEGATE_KEY))
    assert not done()


def test_delegate_after_it_lapsed(identities, sign, submit, done, patient, now):
    identities.addDelegate(patient, CONSENT, DELEGATE, DAY, {"from": patient})
    authorization = sign(key=DELEGATE_KEY, deadline=now() + 2 * DAY)
    next_block_at(now() + DAY)
    with error("ConsentNotAuthorized", patient, DELEGATE):
        submit(authorization)
    assert not done()


def test_signer_recovered_away(recover, sign, submit, done, patient, now):
    """After a recovery the old key no longer acts; the new owner does."""
    before = sign(deadline=now() + 30 * DAY)
    recover(DELEGATE)
    with error("ConsentNotAuthorized", patient, patient):
        submit(before)
    assert not done()


def test_delegate_whose_own_identity_is_lost(identities, sign, submit, done, patient, stranger):
    """A delegate's identity can have been recovered, too."""
    identities.addDelegate(patient, CONSENT, DELEGATE, DAY, {"from": patient})
    authorization = sign(key=DELEGATE_KEY)
    stranger.transfer(DELEGATE, "1 ether")
    delegate = accounts.add(DELEGATE_KEY)
    identities.changeOwner(delegate, stranger, {"from": delegate})
    with error("ConsentNotAuthorized", patient, DELEGATE):
        submit(authorization)
    assert not done()


def test_new_owner_signs(recover, sign, submit, done):
    recover(DELEGATE)
    submit(sign(key=DELEGATE_KEY))
    assert done()

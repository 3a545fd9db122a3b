"""Consent as the tests speak of it: terms, uses, decisions, and what a subject signs."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

import pytest
from brownie import accounts, web3
from eth_account import Account

from radledger.consent import bindings as consent
from tests.contracts.conftest import PATIENT_KEY, Role, digest, error, next_block_at, plain, travel
from tests.contracts.consent_registry.signing import ACTIONS, signature_of

HOUR = 3600
DAY = 24 * HOUR
ALL = digest("")
EMERGENCY = digest("radledger.consent.emergency")
CONSENT = b"radledger.consent".ljust(32, b"\0")
GRANTED, REVOKED = 1, 2


class Purpose(IntFlag):
    """What may be done: the purposes of ``contracts/lib/DataUse.sol``."""

    NRES = 1 << 0
    GRU = 1 << 1
    HMB = 1 << 2
    DS = 1 << 3
    POA = 1 << 4
    CARE = 1 << 5
    METHODS = 1 << 6
    CONTROL = 1 << 7
    TEACHING = 1 << 8


class Condition(IntFlag):
    """What a use must fulfil, and the two prohibitions, of ``contracts/lib/DataUse.sol``."""

    NPU = 1 << 0
    NCU = 1 << 1
    GSO = 1 << 2
    PUB = 1 << 3
    COL = 1 << 4
    IRB = 1 << 5
    GS = 1 << 6
    MOR = 1 << 7
    TS = 1 << 8
    US = 1 << 9
    PS = 1 << 10
    IS = 1 << 11
    RTN = 1 << 12
    RS = 1 << 13
    NMDS = 1 << 14
    NPOA = 1 << 15


class Reason(IntEnum):
    """``IConsentOracle.Reason``."""

    PERMITTED = 0
    NEVER_GRANTED = 1
    REVOKED = 2
    EXPIRED = 3
    NOT_YET = 4
    PURPOSE = 5
    DISEASE = 6
    CONDITION = 7
    READER_SUSPENDED = 8
    NOT_ANCHORED = 9
    ERASED = 10
    DISOWNED = 11


class Outcome(IntEnum):
    """``IEmergencyAccess.Outcome``."""

    NONE = 0
    WAITING = 1
    JUSTIFIED = 2
    UNJUSTIFIED = 3


class Conduct(NamedTuple):
    """``IEmergencyAccess.Conduct``."""

    declared: int = 0
    justified: int = 0
    unjustified: int = 0
    waiting: int = 0
    overdue: int = 0


def due(since: int) -> int:
    """When an emergency is to be reviewed by: the end of the third UTC day after its own."""
    return (since // DAY + 4) * DAY


def code(disease: str) -> str:
    """A disease's code as contracts take it."""
    return "0x" + disease.encode().ljust(13, b"\0").hex()


class Terms(consent.Terms):
    """``IConsentGrants.Terms``, the disease as Brownie takes it."""

    def named(self) -> dict[str, Any]:
        """The fields under their names in Solidity."""
        return dict(zip(("from", *self._fields[1:]), self, strict=True))

    def expanded(self, purposes: int) -> Terms:
        """These terms with the purposes that they imply."""
        return self._replace(purposes=int(purposes))

    def kept(self, signed: int, epoch: int = 0, status: int = GRANTED) -> consent.Grant:
        """``IConsentGrants.Grant``, as views give it."""
        return consent.Grant(*self[:2], signed, *self[2:], epoch, status)

    def packed(self, signed: int = 0, epoch: int = 0, status: int = 0) -> int:
        """The word that events carry, as ``contracts/consent/GrantSlot.sol`` lays it out."""
        fields = (*self[:4], int(self.disease, 16), signed, epoch, status)
        shifts = (0, 32, 96, 112, 128, 64, 232, 248)
        return sum(int(value) << shift for value, shift in zip(fields, shifts, strict=True))


def use(purposes: int = Purpose.CARE, fulfilled: int = 0, disease: str = "") -> consent.Use:
    """``IConsentOracle.Use``, the disease as Brownie takes it."""
    return consent.Use(int(purposes), int(fulfilled), code(disease))


@pytest.fixture(scope="module")
def image(anchor):
    """An image set of the patient in the hospital, with a visit and a course."""
    return anchor()


@pytest.fixture(scope="module")
def colleague(participants, accredited, hospital):
    """A second clinician of the hospital."""
    participants.admit(accounts[9], Role.CLINICIAN, {"from": hospital})
    return accounts[9]


@pytest.fixture
def terms(now):
    """Makes terms; by default they hold from now for a day."""

    def terms(purposes=Purpose.CARE, conditions=0, disease="", start=0, lasts=DAY):
        since = now() + start
        return Terms(since, since + lasts, int(purposes), int(conditions), code(disease))

    return terms


@pytest.fixture
def permits(consents, image):
    """Asserts that both ways to ask permit a use, by the grant to `grantee` for `scope`."""

    def permits(reader, asked, grantee=None, scope=ALL, image=image):
        by = digest("")
        if grantee is not None:
            by = str(consents.grantIdOf(image.patient, grantee, scope))
        reason, grant_id = consents.permitted(reader, image, asked)
        assert (Reason(reason), str(grant_id)) == (Reason.PERMITTED, by)
        assert plain(consents.requirePermitted(reader, image, asked)) == (image.id, by)

    return permits


@pytest.fixture
def refuses(consents, image):
    """Asserts that both ways to ask refuse a use, with one reason and the error's values."""

    def refuses(reader, asked, reason, name, *values, image=image):
        assert Reason(consents.permitted(reader, image, asked)[0]) == reason
        with error(name, *values):
            consents.requirePermitted(reader, image, asked)

    return refuses


@pytest.fixture
def break_glass(consents, patient, radiologist, accredited, now):
    """Declares an emergency, by default by the radiologist; returns when.

    Each a second after the block before, for a clinician declares one a second at most.
    """

    def break_glass(subject=patient, lasts=HOUR, clinician=radiologist):
        next_block_at(now() + 1)
        consents.breakGlass(subject, lasts, digest("reason"), {"from": clinician})
        return now()

    return break_glass


@pytest.fixture
def review(consents, patient, radiologist):
    """Reviews an emergency, by default one of the radiologist's with the patient."""

    def review(since, reviewer, justified=True, subject=patient, clinician=radiologist):
        which = (subject, clinician, since)
        return consents.review(*which, justified, digest("opinion"), {"from": reviewer})

    return review


@pytest.fixture
def recover(identities, patient, relatives):
    """Hands the patient's identity to a new owner by its guardians."""

    def recover(new_owner):
        identities.setGuardians(patient, relatives, 2, {"from": patient})
        for relative in relatives[:2]:
            identities.approveRecovery(
                patient, relative, new_owner, relatives, 2, {"from": relative}
            )
        travel(identities.recoveryOf(patient, new_owner)[1])
        identities.executeRecovery(patient, new_owner, {"from": relatives[0]})

    return recover


@pytest.fixture(params=ACTIONS, ids=lambda action: action.function)
def action(request):
    return request.param


@pytest.fixture
def values(action, consents, accredited, patient, radiologist, terms):
    """Values that the action can be done with, now, once, by the patient."""
    stated = terms(Purpose.HMB | Purpose.CARE, Condition.NPU, lasts=30 * DAY)
    scope = digest("course")
    asked = (patient, radiologist, scope, stated)
    if action.function == "revoke":
        consents.grant(*asked, {"from": patient})
    if action.function == "approve":
        consents.request(*asked, {"from": radiologist})
    return {
        "requester": radiologist.address,
        "subject": patient.address,
        "grantee": radiologist.address,
        "scope": scope,
        **stated.named(),
        "seen": 0 if action.function == "forbidEmergencies" else consents.grantOf(*asked[:3])[2],
        "forbidden": True,
        "epoch": 0,
    }


@pytest.fixture
def done(action, consents, values):
    """Tells whether the action was done."""

    def done(values=values):
        if action.function == "revokeAll":
            return consents.epochOf(values["subject"]) == 1
        if action.function == "forbidEmergencies":
            return consents.emergencyChoiceOf(values["subject"])[0]
        status = consents.grantOf(values["subject"], values["grantee"], values["scope"])[7]
        return status == (REVOKED if action.function == "revoke" else GRANTED)

    return done


@pytest.fixture
def sign(action, consents, values, now):
    """Signs the action with `values`; returns the authorization that goes with it.

    `domain` replaces parts of the EIP-712 domain, `message` the type that is signed.
    """

    def sign(
        values=values,
        key=PATIENT_KEY,
        signer=None,
        signed=None,
        deadline=None,
        domain=(),
        message=action,
    ):
        signed = now() if signed is None else signed
        deadline = now() + DAY if deadline is None else deadline
        said = {**values, "signed": signed, "deadline": deadline}
        signature = signature_of(consents, message, said, key, domain)
        signer = Account.from_key(key).address if signer is None else signer
        return (str(signer), signed, deadline, signature)

    return sign


@pytest.fixture
def submit(action, consents, values, stranger):
    """Submits the action with an authorization; the sender is a stranger."""

    def submit(authorization, values=values, contract=consents):
        call = getattr(contract, f"{action.function}BySig")
        return call(*action.arguments(values), authorization, {"from": stranger})

    return submit


def set_epoch(consents, subject, epoch):
    """Write an epoch where the registry keeps the subject's; ``epochOf`` tells whether it is."""
    ganache = web3.client_version.startswith("Ganache")
    method = "evm_setAccountStorageAt" if ganache else "anvil_setStorageAt"
    for position in range(8):
        key = web3.solidity_keccak(["uint256", "uint256"], [int(subject.address, 16), position])
        where = [consents.address, "0x" + key.hex().removeprefix("0x"), f"0x{epoch:064x}"]
        answer = web3.provider.make_request(method, where)
        if consents.epochOf(subject) == epoch:
            return
        web3.provider.make_request(method, [*where[:2], digest("")])
    raise AssertionError(answer)

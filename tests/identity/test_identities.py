"""Identities: keys, delegates, guardians; by transaction and by a signature that another pays."""

from __future__ import annotations

import copy
import json

import pytest

from radledger.chain import artifacts
from radledger.chain.errors import DocumentForAnotherChain, DocumentTampered
from radledger.chain.refusals import (
    ERC2771ForwarderInvalidSigner,
    IdentityGuardianIsSelf,
    IdentityNoApproval,
    IdentityNoRecovery,
    IdentityNotGuardian,
    IdentityNotOwner,
    IdentityRecoveryNotReady,
    IdentityThresholdOutOfRange,
)
from radledger.crypto.keys import Kem, PrivateKey, PublicKey, new_private_key, public_key
from radledger.identity import Delegate, Guardians, Recovery
from radledger.identity.errors import InvalidAddress, NoEncryptionKey, NoGuardians
from radledger.identity.identities import CONSENT_DELEGATE, warn_of_x25519
from radledger.identity.participant_state import CHANGES
from radledger.identity.records import KEY_ATTRIBUTE, X25519_ATTRIBUTE
from radledger.identity.state import EVENTS

HOUR = 3600
DAY = 24 * HOUR
KEY, OTHER_KEY = (public_key(new_private_key()) for _ in range(2))
X25519_KEY = public_key(PrivateKey(x25519=bytes(range(32))))
HYBRID_CODE = bytes.fromhex("fac8c101")  # 0x30647a, a multicodec for private use


def test_an_identity_begins_as_its_own(identities, ledger, who):
    shown = identities.show(who.stranger.address)
    assert shown.identity == shown.owner == who.stranger.address
    assert shown.did == f"did:ethr:{ledger.chain_id:#x}:{who.stranger.address}"
    assert (shown.encryption_key, shown.kem, shown.guardians) == (None, None, None)
    assert (shown.delegates, shown.attributes, shown.recoveries) == ((), (), ())


def test_the_key_registered_last_counts(identities, who):
    reader = who.clinician
    with pytest.raises(NoEncryptionKey) as none:
        identities.encryption_key(reader.address)
    assert none.value.values == {"identity": reader.address}

    identities.set_key(KEY).send(reader)
    assert identities.encryption_key(reader.address) == KEY
    set_last = identities.set_key(OTHER_KEY, validity=DAY).send(reader)
    assert identities.encryption_key(reader.address) == OTHER_KEY

    shown = identities.show(reader.address)
    assert shown.encryption_key == "0x" + OTHER_KEY.raw.hex()
    assert shown.kem == "MLKEM768-X25519"
    assert [(a.name, a.value) for a in shown.attributes] == [
        (KEY_ATTRIBUTE, "0x" + (HYBRID_CODE + KEY.raw).hex()),
        (KEY_ATTRIBUTE, "0x" + (HYBRID_CODE + OTHER_KEY.raw).hex()),
    ]
    assert shown.attributes[1].valid_to == set_last.timestamp + DAY

    identities.set_key(KEY).send(reader)
    assert identities.encryption_key(reader.address) == KEY


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (KEY.raw[:-1], "it has 1215 bytes, not 1216"),
        (b"", "it has 0 bytes, not 1216"),
        (b"\xff" * 1216, "nothing can be wrapped to it, as it is out of range or of low order"),
    ],
    ids=["short", "empty", "out of range"],
)
def test_a_hybrid_key_that_cannot_be_used_is_named(identities, ledger, who, caplog, value, reason):
    owner, unusable = who.clinician, f"MLKEM768-X25519: {reason}"
    name = KEY_ATTRIBUTE.encode().ljust(32, b"\0")
    attribute = (owner.address, name, HYBRID_CODE + value, DAY)
    ledger.send(owner, "IdentityRegistry", "setAttribute", *attribute)
    with pytest.raises(NoEncryptionKey, match="cannot be used") as refusal:
        identities.encryption_key(owner.address)
    assert refusal.value.values == {"identity": owner.address, "reason": unusable}
    shown = identities.show(owner.address)
    assert (shown.encryption_key, shown.unusable_key) == (None, unusable)

    older = PublicKey(Kem.X25519, b"\x09" + bytes(31))
    identities.set_key(older).send(owner)
    assert identities.encryption_key(owner.address) == older
    assert identities.show(owner.address).unusable_key == unusable
    warn_of_x25519(ledger, [owner.address, who.stranger.address])
    assert f"{owner.address} (theirs cannot be used: {unusable})" in caplog.messages[-1]
    assert f"{who.stranger.address} (" not in caplog.messages[-1]

    identities.set_key(KEY).send(owner)
    assert identities.encryption_key(owner.address) == KEY
    assert identities.show(owner.address).unusable_key is None


def test_a_key_lapses_and_the_one_before_counts_again(identities, who, travel):
    identities.set_key(KEY, validity=2 * HOUR).send(who.clinician)
    identities.set_key(OTHER_KEY, validity=HOUR).send(who.clinician)
    keys = []
    for _ in range(2):
        keys.append(identities.encryption_key(who.clinician.address))
        travel(HOUR)
    assert keys == [OTHER_KEY, KEY]
    with pytest.raises(NoEncryptionKey):
        identities.encryption_key(who.clinician.address)


def test_a_revoked_key_and_that_of_a_deactivated_identity_do_not_count(identities, ledger, who):
    reader, name = who.clinician, KEY_ATTRIBUTE.encode().ljust(32, b"\0")
    identities.set_key(KEY).send(reader)
    identities.set_key(OTHER_KEY).send(reader)
    value = HYBRID_CODE + OTHER_KEY.raw
    ledger.send(reader, "IdentityRegistry", "revokeAttribute", reader.address, name, value)
    assert identities.encryption_key(reader.address) == KEY
    ledger.send(reader, "IdentityRegistry", "changeOwner", reader.address, "0x" + "00" * 20)
    with pytest.raises(NoEncryptionKey):
        identities.encryption_key(reader.address)
    assert identities.show(reader.address).owner is None


def test_a_hybrid_key_counts_before_one_of_x25519_whichever_came_last(identities, who, travel):
    identities.set_key(X25519_KEY).send(who.clinician)
    assert identities.encryption_key(who.clinician.address) == X25519_KEY
    assert identities.show(who.clinician.address).kem == "X25519"
    identities.set_key(KEY, validity=HOUR).send(who.clinician)
    identities.set_key(X25519_KEY).send(who.clinician)
    assert identities.encryption_key(who.clinician.address) == KEY
    travel(HOUR)
    assert identities.encryption_key(who.clinician.address) == X25519_KEY


UNUSABLE = {
    "too short": (KEY_ATTRIBUTE, HYBRID_CODE + KEY.raw[:-1]),
    "no key of ML-KEM": (KEY_ATTRIBUTE, HYBRID_CODE + b"\xff" * 1184 + KEY.raw[1184:]),
    "half of low order": (KEY_ATTRIBUTE, HYBRID_CODE + KEY.raw[:1184] + bytes(32)),
    "ML-KEM alone": (KEY_ATTRIBUTE, bytes.fromhex("8c24") + KEY.raw[:1184]),
    "no multicodec": (KEY_ATTRIBUTE, KEY.raw),
    "of low order": (X25519_ATTRIBUTE, bytes(32)),
    "31 bytes": (X25519_ATTRIBUTE, bytes(31)),
    "empty": (X25519_ATTRIBUTE, b""),
}


@pytest.mark.parametrize(("name", "value"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_nothing_can_be_wrapped_to_does_not_count(identities, ledger, who, name, value):
    reader, registry = who.clinician, "IdentityRegistry"
    attribute = (reader.address, name.encode().ljust(32, b"\0"), value, DAY)
    ledger.send(reader, registry, "setAttribute", *attribute)
    with pytest.raises(NoEncryptionKey):
        identities.encryption_key(reader.address)
    identities.set_key(X25519_KEY).send(reader)
    ledger.send(reader, registry, "setAttribute", *attribute)
    assert identities.encryption_key(reader.address) == X25519_KEY


def test_a_delegate_acts_for_its_time(identities, who, travel):
    patient, parent = who.hospital, who.relatives[0].address
    added = identities.add_delegate(parent, validity=HOUR).send(patient)
    expected = Delegate(parent, CONSENT_DELEGATE, added.timestamp + HOUR)
    assert identities.show(patient.address).delegates == (expected,)
    travel(HOUR)
    assert identities.show(patient.address).delegates == ()


def test_a_delegate_is_revoked(identities, who):
    identities.add_delegate(who.stranger.address, validity=HOUR, delegate_type="a").send(
        who.hospital
    )
    identities.add_delegate(who.stranger.address, validity=HOUR, delegate_type="b").send(
        who.hospital
    )
    identities.revoke_delegate(who.stranger.address, delegate_type="a").send(who.hospital)
    assert [d.type for d in identities.show(who.hospital.address).delegates] == ["b"]


def test_only_the_owner_changes_an_identity(identities, who):
    victim, thief = who.clinician.address, who.stranger
    expected = {"identity": victim, "actor": thief.address}
    for change in (
        lambda: identities.set_key(KEY, identity=victim).send(thief),
        lambda: identities.add_delegate(thief.address, validity=HOUR, identity=victim).send(thief),
        lambda: identities.set_guardians([thief.address], 1, identity=victim).send(thief),
        lambda: identities.veto(identity=victim).send(thief),
        lambda: identities.set_key(KEY, identity=victim).sign(thief),
    ):
        with pytest.raises(IdentityNotOwner) as refusal:
            change()
        assert refusal.value.values == expected


def test_who_has_no_ether_signs_and_another_submits(identities, ledger, who, submit):
    patient, payer = who.patient, who.stranger
    assert ledger.web3.eth.get_balance(patient.address) == 0
    guardians = [relative.address for relative in who.relatives]
    for change in (identities.set_key(KEY), identities.set_guardians(guardians, 2)):
        document = json.loads(json.dumps(change.sign(patient)))
        submit(document, payer)
    add = identities.add_delegate(guardians[0], validity=HOUR).sign(patient)
    submit(add, payer)

    shown = identities.show(patient.address)
    assert shown.encryption_key == "0x" + KEY.raw.hex()
    assert [delegate.delegate for delegate in shown.delegates] == guardians[:1]
    assert shown.guardians == Guardians(tuple(sorted(guardians, key=str.lower)), 2)

    submit(identities.revoke_delegate(guardians[0]).sign(patient), payer)
    assert identities.show(patient.address).delegates == ()


def test_an_identity_is_handed_over_by_signature(identities, who, submit):
    submit(identities.change_owner(who.clinic.address).sign(who.patient), who.stranger)
    assert identities.show(who.patient.address).owner == who.clinic.address
    with pytest.raises(IdentityNotOwner):
        identities.change_owner(who.stranger.address).sign(who.patient)


def test_guardians_of_others_are_named(identities, who, guarded):
    relative, stranger = who.relatives[0].address, who.stranger.address
    asked = [stranger, relative.lower()]
    assert identities.guards_of_others(asked, identity=who.clinic.address) == (relative,)
    assert identities.guards_of_others(asked, identity=guarded) == ()


def test_a_signed_change_counts_once_unchanged_and_here(identities, who, submit):
    document = identities.set_key(KEY).sign(who.patient)
    changed = copy.deepcopy(document)
    changed["typedData"]["message"]["data"] = document["typedData"]["message"]["data"].replace(
        KEY.raw.hex(), OTHER_KEY.raw.hex()
    )
    with pytest.raises(DocumentTampered) as tampered:
        submit(changed, who.stranger)
    assert tampered.value.values["signer"] == who.patient.address

    elsewhere = copy.deepcopy(document)
    elsewhere["typedData"]["domain"]["chainId"] = 1
    with pytest.raises(DocumentForAnotherChain, match="another chain"):
        submit(elsewhere, who.stranger)

    submit(document, who.stranger)
    with pytest.raises(ERC2771ForwarderInvalidSigner):
        submit(document, who.stranger)
    assert identities.encryption_key(who.patient.address) == KEY


def test_guardians_recover_an_identity_after_a_delay(
    identities, ledger, who, guarded, travel, submit
):
    new_owner, (first, second, _) = who.clinic, who.relatives
    identities.approve_recovery(guarded, new_owner.address).send(first)
    assert identities.show(guarded).recoveries == (Recovery(new_owner.address, 1, None),)
    approved = submit(
        identities.approve_recovery(guarded, new_owner.address).sign(second), who.stranger
    )
    delay = ledger.call("IdentityRegistry", "recoveryDelay")
    ready_at = approved.timestamp + delay
    assert identities.show(guarded).recoveries == (Recovery(new_owner.address, 2, ready_at),)
    with pytest.raises(IdentityRecoveryNotReady) as early:
        identities.execute_recovery(guarded, new_owner.address).send(who.stranger)
    assert early.value.values == {"readyAt": ready_at}

    travel(delay)
    identities.execute_recovery(guarded, new_owner.address).send(who.stranger)
    shown = identities.show(guarded)
    assert (shown.owner, shown.recoveries) == (new_owner.address, ())
    identities.set_key(KEY, identity=guarded).send(new_owner)
    assert identities.encryption_key(guarded) == KEY
    with pytest.raises(IdentityNotOwner):
        identities.set_key(OTHER_KEY).sign(who.patient)


def test_a_guardian_takes_an_approval_back_by_signature(identities, who, guarded, submit):
    new_owner, (first, second, _) = who.clinic.address, who.relatives
    for relative in (first, second):
        identities.approve_recovery(guarded, new_owner).send(relative)
    back = identities.withdraw_approval(guarded, new_owner).sign(second)
    submit(back, who.stranger)
    assert identities.show(guarded).recoveries == (Recovery(new_owner, 1, None),)
    identities.withdraw_approval(guarded, new_owner).send(first)
    assert identities.show(guarded).recoveries == ()
    with pytest.raises(IdentityNoApproval):
        identities.withdraw_approval(guarded, new_owner).sign(second)


def test_the_owner_vetoes_a_recovery(identities, who, guarded, submit):
    with pytest.raises(IdentityNoRecovery):
        identities.veto().sign(who.patient)
    for relative in who.relatives[:2]:
        identities.approve_recovery(guarded, who.clinic.address).send(relative)
    submit(identities.veto().sign(who.patient), who.stranger)
    assert identities.show(guarded).recoveries == ()
    assert identities.show(guarded).owner == who.patient.address


def test_only_a_guardian_approves_a_recovery(identities, who, guarded):
    with pytest.raises(IdentityNotGuardian) as stranger:
        identities.approve_recovery(guarded, who.stranger.address).send(who.stranger)
    assert stranger.value.values == {"identity": guarded, "guardian": who.stranger.address}
    with pytest.raises(NoGuardians) as none:
        identities.approve_recovery(who.clinician.address, who.stranger.address).send(who.stranger)
    assert none.value.values == {"identity": who.clinician.address}
    assert identities.show(guarded).recoveries == ()


def test_guardians_are_dismissed(identities, who, guarded, submit):
    submit(identities.set_guardians([], 0).sign(who.patient), who.stranger)
    assert identities.show(guarded).guardians is None
    with pytest.raises(NoGuardians):
        identities.approve_recovery(guarded, who.clinic.address).send(who.relatives[0])


def test_an_approval_ends_with_the_guardians_own_identity(identities, ledger, who, guarded):
    new_owner, (first, second, _) = who.clinic.address, who.relatives
    for relative in (first, second):
        identities.approve_recovery(guarded, new_owner).send(relative)
    identities.change_owner(who.stranger.address).send(first)
    assert identities.show(guarded).recoveries == (Recovery(new_owner, 1, None),)
    assert tuple(ledger.call("IdentityRegistry", "recoveryOf", guarded, new_owner)) == (1, 0)


def test_a_key_ends_with_an_owner_of_the_owner(identities, ledger, who):
    identity, (owner, next_owner, _) = who.hospital.address, who.relatives
    identities.change_owner(owner.address).send(who.hospital)
    identities.change_owner(next_owner.address).send(owner)
    identities.set_key(KEY, identity=identity).send(next_owner)
    shown = identities.show(identity)
    assert (shown.owner, shown.controller) == (owner.address, next_owner.address)
    assert identities.encryption_key(identity) == KEY
    identities.change_owner(who.stranger.address, identity=owner.address).send(next_owner)
    with pytest.raises(NoEncryptionKey) as ended:
        identities.encryption_key(identity)
    assert ended.value.values == {"identity": identity}
    assert identities.show(identity).controller == who.stranger.address
    assert ledger.call("IdentityRegistry", "controllerOf", identity) == who.stranger.address


def test_owners_in_a_circle(identities, ledger, who):
    identity, (owner, *_) = who.hospital.address, who.relatives
    identities.set_key(KEY).send(who.hospital)
    identities.change_owner(owner.address).send(who.hospital)
    identities.change_owner(identity).send(owner)
    shown = identities.show(identity)
    assert (shown.owner, shown.attributes) == (owner.address, ())
    assert shown.controller == ledger.call("IdentityRegistry", "controllerOf", identity)


def test_the_state_is_made_of_every_event_of_the_registry():
    for contract, events in (
        ("IdentityRegistry", EVENTS),
        ("ParticipantRegistry", (*CHANGES, "ParticipantGovernorVoted")),
    ):
        abi = artifacts.load(contract).abi
        assert sorted(each["name"] for each in abi if each["type"] == "event") == sorted(events)


def test_guardians_that_make_no_sense_are_refused(identities, who):
    owner = who.clinician
    with pytest.raises(IdentityThresholdOutOfRange) as threshold:
        identities.set_guardians([who.stranger.address], 2).send(owner)
    assert threshold.value.values == {"threshold": 2, "guardians": 1}
    with pytest.raises(IdentityGuardianIsSelf):
        identities.set_guardians([owner.address], 1).send(owner)
    with pytest.raises(InvalidAddress):
        identities.set_guardians(["my brother"], 1).send(owner)
    assert identities.show(owner.address).guardians is None

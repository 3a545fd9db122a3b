"""An emergency, a lost key, and the end of an image set."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from radledger.chain.rpc import request
from radledger.consent import SealedNote
from radledger.demo.chapters.texts import identifying_values
from radledger.demo.checks import check
from radledger.demo.stage import CARE, DAY
from radledger.demo.step import StepOutcome
from radledger.demo.words import days, moment, short
from radledger.imaging.model import State

if TYPE_CHECKING:
    from radledger.demo.stage import Stage

__all__ = [
    "approve_recovery",
    "audit",
    "break_glass",
    "break_glass_again",
    "erase",
    "fetch_erased",
    "forbid_emergencies",
    "grant_with_old_key",
    "let_delay_pass",
    "let_emergency_pass",
    "look_at_conduct",
    "name_guardians",
    "read_after_emergency",
    "read_in_emergency",
    "recover",
    "recover_early",
    "review",
    "review_own_emergency",
    "revoke_all_with_new_key",
]

_GUARDIANS = ("hospital", "clinic", "radiologist")


# ------------------------------------------------------------------------------------ emergency


def break_glass(stage: Stage) -> StepOutcome:
    """The radiologist, a clinician of the hospital, declares emergency access."""
    note = SealedNote.of("unconscious after a fall, chest pain, no relatives reached")
    stage.consents.break_glass(stage.address("patient"), note).send(stage.person("radiologist"))
    shown = stage.consents.emergencies(subject=stage.address("patient"))
    check(len(shown) == 1, f"the patient sees {len(shown)} emergencies")
    stage.emergency_since = shown[0].since
    return StepOutcome(
        "declares emergency access: the patient is unconscious. All images for clinical care until "
        f"{moment(shown[0].until)}, on record for the patient, review due by "
        f"{moment(shown[0].review_by)}",
        details=(("reason's salted digest", shown[0].reason),),
    )


def read_in_emergency(stage: Stage) -> StepOutcome:
    """The radiologist reads an earlier image."""
    earlier = stage.earlier
    fetched = stage.read("radiologist", earlier.image_id, CARE, "emergency")
    check(len(fetched.files) == earlier.instances, "not all of it came")
    return StepOutcome(
        f"reads the earlier images {short(earlier.image_id)}, against a receipt as ever: "
        f"{len(fetched.files)} decrypted and verified"
    )


def review_own_emergency(stage: Stage) -> StepOutcome:
    """The radiologist reviews what the radiologist declared."""
    _review(stage, "radiologist")
    return StepOutcome("reviewed it alone")


def review(stage: Stage) -> StepOutcome:
    """The hospital reviews it."""
    _review(stage, "hospital")
    found = stage.consents.emergencies(subject=stage.address("patient"))[0]
    check(found.justified is True and not found.overdue, "the review is not on record")
    return StepOutcome("reviews the emergency as a second person: justified")


def look_at_conduct(stage: Stage) -> StepOutcome:
    """The patient sees what the hospital did with emergency access."""
    seen = stage.consents.conduct(stage.address("hospital"))
    counts = seen.as_institution
    check((counts.declared, counts.justified) == (1, 1), "the emergency is not counted")
    return StepOutcome(
        f"looks at the hospital's conduct, as before every approval: {counts.declared} emergency, "
        f"{counts.justified} justified, {counts.unjustified} unjustified, {counts.overdue} reviews "
        f"overdue, {seen.suspensions} suspensions"
    )


def forbid_emergencies(stage: Stage) -> StepOutcome:
    """The patient forbids emergency access by a signature."""
    with stage.at_no_cost("patient"):
        document = stage.consents.forbid_emergencies().sign(stage.person("patient"))
        stage.relay.submit(document)
    check(stage.consents.forbids_emergencies(stage.address("patient")), "it is still allowed")
    return StepOutcome("forbids emergency access to their images from now on, by a signature")


def break_glass_again(stage: Stage) -> StepOutcome:
    """The radiologist declares emergency access once more."""
    note = SealedNote.of("wants to see how it went")
    stage.consents.break_glass(stage.address("patient"), note).send(stage.person("radiologist"))
    return StepOutcome("got emergency access although the patient forbids it")


def let_emergency_pass(stage: Stage) -> StepOutcome:
    """A day of chain time passes."""
    return StepOutcome(f"{days(stage.wait(DAY + 60))} pass on the chain, and the emergency is over")


def read_after_emergency(stage: Stage) -> StepOutcome:
    """The radiologist asks for one more image."""
    stage.release("radiologist", stage.earlier.image_id, CARE)
    return StepOutcome("was given the key after the emergency")


# ------------------------------------------------------------------------------------- lost key


def name_guardians(stage: Stage) -> StepOutcome:
    """The patient names guardians by a signature."""
    identities = stage.radledger.identities
    with stage.at_no_cost("patient"):
        document = identities.set_guardians([stage.address(name) for name in _GUARDIANS], 2).sign(
            stage.person("patient")
        )
        stage.relay.submit(document)
    named = identities.show(stage.address("patient")).guardians
    check(named is not None and len(named.guardians) == 3, "the guardians are not on record")
    return StepOutcome(
        f"names three guardians, any two of whom may recover: {', '.join(_GUARDIANS)}"
    )


def approve_recovery(stage: Stage) -> StepOutcome:
    """The patient loses the key; two guardians approve a new one."""
    from eth_account import Account

    stage.new_key = Account.create()
    identities = stage.radledger.identities
    for name in ("hospital", "clinic"):
        identities.approve_recovery(stage.address("patient"), stage.new_key.address).send(
            stage.person(name)
        )
    under_way = identities.show(stage.address("patient")).recoveries
    check(len(under_way) == 1 and under_way[0].ready_at is not None, "no recovery is under way")
    return StepOutcome(
        f"approve the patient's new key {short(stage.new_key.address)} after the old one was "
        f"lost; it can take over from {moment(under_way[0].ready_at or 0)}"
    )


def recover_early(stage: Stage) -> StepOutcome:
    """The hospital carries the recovery out before the delay is over."""
    _recover(stage)
    return StepOutcome("carried out the recovery before its time")


def let_delay_pass(stage: Stage) -> StepOutcome:
    """The delay passes."""
    delay = int(stage.ledger.call("IdentityRegistry", "recoveryDelay"))
    return StepOutcome(f"{days(stage.wait(delay))} pass in which the old key could have objected")


def recover(stage: Stage) -> StepOutcome:
    """The hospital carries the recovery out."""
    _recover(stage)
    owner = stage.radledger.identities.show(stage.address("patient")).owner
    check(owner == stage.new_key.address, f"the owner is {owner}")
    return StepOutcome("carries out the recovery; the identity stays, its key is the new one")


def grant_with_old_key(stage: Stage) -> StepOutcome:
    """Who found the old key signs a grant to the stranger."""
    from radledger.consent import Terms

    document = stage.consents.grant(stage.address("stranger"), Terms(("NRES",))).sign(
        stage.person("patient")
    )
    stage.radledger.submit(document, payer=stage.person("stranger"))
    return StepOutcome("granted everything with the lost key")


def revoke_all_with_new_key(stage: Stage) -> StepOutcome:
    """The patient takes everything back with the new key."""
    subject = stage.address("patient")
    document = stage.consents.revoke_all(subject=subject).sign(stage.new_key)
    stage.relay.submit(document)
    grants = stage.consents.list(subject=subject)
    active = [each for each in grants if each.status == "active"]
    check(not active, f"{len(active)} grants are still active")
    return StepOutcome(
        f"takes every grant back with one signature of the new key; of {len(grants)} grants "
        f"ever made {len(active)} are active"
    )


# -------------------------------------------------------------------------------------- the end


def erase(stage: Stage) -> StepOutcome:
    """The hospital erases the CT at the patient's request."""
    erased = stage.images.erase(stage.ct.image_id, custodian=stage.person("hospital"))
    certificate = hashlib.sha256(erased.certificate.read_bytes()).hexdigest()
    check(erased.digest == "0x" + certificate, "the certificate is not the one on the chain")
    check(stage.images.show(stage.ct.image_id).state is State.ERASED, "it is not erased")
    return StepOutcome(
        "erases the CT at the patient's request: key, salts and ciphertext are deleted; the "
        f"certificate's digest {short(erased.digest)} is on the chain",
        details=(("certificate", erased.digest),),
    )


def fetch_erased(stage: Stage) -> StepOutcome:
    """The hospital fetches what it erased."""
    stage.radledger.reading.fetch(
        stage.ct.image_id,
        stage.folder / "read" / "erased",
        reader=stage.person("hospital"),
        private_key=stage.private_key("hospital"),
    )
    return StepOutcome("fetched an erased image set")


def audit(stage: Stage) -> StepOutcome:
    """Anyone looks for plaintext in the store and on the chain."""
    values = identifying_values(stage.ct_folder)
    stored = stage.stored_files
    for path in stored:
        content = path.read_bytes()
        check(not any(value in content for value in values), f"plaintext in {path.name}")
    blocks = range(stage.environment.first_block, stage.ledger.block_number() + 1)
    transactions = [
        each
        for number in blocks
        for each in request(stage.ledger.web3, "eth_getBlockByNumber", [hex(number), True])[
            "transactions"
        ]
    ]
    for transaction in transactions:
        data = bytes.fromhex(transaction["input"][2:])
        check(not any(value in data for value in values), f"plaintext in {transaction['hash']}")
    check(stage.ether("patient") == 0, "the patient has Ether")
    return StepOutcome(
        f"looks for {len(values)} names, numbers and UIDs in {len(stored)} stored objects and "
        f"{len(transactions)} transactions, and finds none"
    )


# ------------------------------------------------------------------------------------ internals


def _review(stage: Stage, reviewer: str) -> None:
    stage.consents.review(
        stage.address("patient"),
        stage.address("radiologist"),
        stage.emergency_since,
        justified=True,
        opinion=SealedNote.of("the notes bear it out"),
    ).send(stage.person(reviewer))


def _recover(stage: Stage) -> None:
    stage.radledger.identities.execute_recovery(
        stage.address("patient"), stage.new_key.address
    ).send(stage.person("hospital"))

"""The patient decides who reads."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from radledger.consent import Terms
from radledger.consent.periods import rounded_end
from radledger.consent.permission import Use
from radledger.demo.checks import check
from radledger.demo.stage import CARE, DAY
from radledger.demo.step import StepOutcome
from radledger.demo.words import days, moment, size

if TYPE_CHECKING:
    from pathlib import Path

    from radledger.demo.stage import Stage
    from radledger.imaging.model import FetchResult

__all__ = [
    "approve",
    "ask_as_clinic",
    "ask_as_radiologist",
    "ask_as_stranger",
    "change_approval",
    "let_clinic_read",
    "let_day_pass",
    "read_as_clinic",
    "read_as_radiologist",
    "read_for_research",
    "replay_approval",
    "replay_receipt",
    "request",
    "revoke",
    "submit_approval",
    "tamper",
    "use_old_secret",
    "verify",
]


def ask_as_stranger(stage: Stage) -> StepOutcome:
    """The stranger asks for the key."""
    return _asked(stage, "stranger")


def ask_as_radiologist(stage: Stage) -> StepOutcome:
    """The radiologist asks for the key."""
    return _asked(stage, "radiologist")


def ask_as_clinic(stage: Stage) -> StepOutcome:
    """The clinic asks for the key."""
    return _asked(stage, "clinic")


def request(stage: Stage) -> StepOutcome:
    """The radiologist asks the patient for the course of treatment."""
    until = rounded_end(stage.ledger.now(), stage.ledger.now() + 30 * DAY)
    requested = stage.consents.request(
        stage.address("patient"), Terms(("CC",), until=until), scope=stage.course
    ).send(stage.person("radiologist"))
    stage.request_id = requested.request_id
    waiting = stage.consents.requests(subject=stage.address("patient"))
    check([each.request_id for each in waiting] == [stage.request_id], "the request is not there")
    return StepOutcome(
        "asks the patient for the images of the course of treatment, for clinical care until "
        f"{moment(until)}",
        details=(("request", stage.request_id), ("course", stage.course)),
    )


def approve(stage: Stage) -> StepOutcome:
    """The patient signs the approval, and sends nothing."""
    with stage.at_no_cost("patient"):
        stage.approval = stage.consents.approve(stage.request_id).sign(stage.person("patient"))
    decision = stage.consents.check(stage.address("radiologist"), stage.ct_set, ["CC"])
    check(not decision.permitted, "a signature alone permits already")
    return StepOutcome(
        f"signs the approval, holding {stage.ether('patient')} Ether; until it is submitted the "
        f"answer stays “{decision.reason}”",
        details=(("what was signed", str(stage.approval["summary"])),),
    )


def change_approval(stage: Stage) -> StepOutcome:
    """The submitter makes the approval last longer than the patient signed."""
    changed = copy.deepcopy(stage.approval)
    message = changed["typedData"]["message"]
    message["until"] = int(message["until"]) + 3650 * DAY
    stage.relay.submit(changed)
    return StepOutcome("had a changed approval submitted")


def submit_approval(stage: Stage) -> StepOutcome:
    """The patient hands the approval to the hospital's relayer, which submits it and pays."""
    with stage.at_no_cost("patient"):
        receipt = stage.relay.submit(stage.approval)
    same = stage.relay.submit(stage.approval)
    check(same == receipt, f"handed in twice, it was submitted as {same.transaction} too")
    decision = stage.consents.check(stage.address("radiologist"), stage.ct_set, ["CC"])
    check(decision.permitted, f"not permitted: {decision.reason}")
    return StepOutcome(
        "hands what was signed to the hospital's relayer, which submits it and pays; for the "
        f"radiologist the answer is now “{decision.reason}”",
        details=(("grant", str(decision.grant_id)),),
    )


def replay_approval(stage: Stage) -> StepOutcome:
    """The approval is submitted a second time."""
    stage.radledger.submit(stage.approval, payer=stage.person("stranger"))
    return StepOutcome("submitted the approval again")


def read_as_radiologist(stage: Stage) -> StepOutcome:
    """The radiologist fetches the CT."""
    stage.fetched = stage.read("radiologist", stage.ct.image_id, CARE, "radiologist")
    same = _as_scanned(stage, stage.fetched)
    receipts = stage.receipts.releases(stage.ct.image_id)
    check(len(receipts) == 1, f"{len(receipts)} receipts are in the hospital's book")
    return StepOutcome(
        f"signs a receipt, gets the key, fetches {size(sum(f.size for f in stage.fetched.files))}; "
        f"{same} of {stage.slices} files decrypted, each byte as it was added",
        details=(("receipt", "0x" + receipts[0].signed.receipt.digest.hex()),),
    )


def read_for_research(stage: Stage) -> StepOutcome:
    """The radiologist tries to use what is for care for research."""
    stage.release("radiologist", stage.ct.image_id, Use.of(["HMB"]))
    return StepOutcome("was given the key for research")


def replay_receipt(stage: Stage) -> StepOutcome:
    """The radiologist's receipt is handed in again."""
    stage.key_service.release(stage.receipts.releases(stage.ct.image_id)[0].signed)
    return StepOutcome("was given a key for a used receipt")


def verify(stage: Stage) -> StepOutcome:
    """The radiologist compares files with what was anchored."""
    folder = stage.fetched.folder
    paths = [each.path for each in stage.fetched.files]
    expected = {path.name: "identical" for path in paths}
    expected[_reencoded(paths[1]).name] = "reencoded"
    expected[_changed(paths[2]).name] = "changed"
    (folder / "foreign.txt").write_text("no image\n")
    expected["foreign.txt"] = "unknown"
    secret = stage.old_secret = stage.images.secret(stage.ct.image_id)
    results = stage.images.verify(stage.ct.image_id, [folder], secret=secret)
    verdicts = {each.path.rpartition("/")[2]: each.verdict for each in results}
    wrong = {name: verdicts.get(name) for name, v in expected.items() if verdicts.get(name) != v}
    check(not wrong, f"wrong verdicts: {wrong}")
    counts = Counter(verdicts.values())
    return StepOutcome(
        "checks files against the anchored root: "
        + ", ".join(
            f"{counts[name]} {name}" for name in sorted(counts, key=lambda n: -counts[n])
        ).replace("reencoded", "re-encoded"),
        details=tuple((v, name) for name, v in sorted(verdicts.items()) if v != "identical"),
    )


def tamper(stage: Stage) -> StepOutcome:
    """A bit of the ciphertext is changed on every disk that has it, and the CT fetched."""
    cid = stage.images.contents(stage.ct.image_id).instances[0].cid
    stored = stage.stored_ends(cid)
    check(bool(stored), "the ciphertext is on no disk")
    for path in stored:
        _flip_last_bit(path)
    try:
        stage.read("radiologist", stage.ct.image_id, CARE, "tampered")
    finally:
        check(not (stage.folder / "read" / "tampered").exists(), "something was written")
        for path in stored:
            _flip_last_bit(path)
    return StepOutcome(f"fetched a changed ciphertext {cid}")


def revoke(stage: Stage) -> StepOutcome:
    """The patient takes the grant back by a signature that the relayer submits."""
    with stage.at_no_cost("patient"):
        document = stage.consents.revoke(stage.address("radiologist"), scope=stage.course).sign(
            stage.person("patient")
        )
        stage.relay.submit(document)
    decision = stage.consents.check(stage.address("radiologist"), stage.ct_set, ["CC"])
    check(decision.reason == "revoked", f"the answer is {decision.reason}")
    return StepOutcome(
        f"takes it back by a signature, relayed; the answer is now “{decision.reason}”"
    )


def let_clinic_read(stage: Stage) -> StepOutcome:
    """The patient lets another clinic read the CT for a day."""
    until = stage.ledger.now() + DAY
    with stage.at_no_cost("patient"):
        document = stage.consents.grant(
            stage.address("clinic"), Terms(("CC",), until=until), scope=stage.ct.image_id
        ).sign(stage.person("patient"))
        stage.relay.submit(document)
    return StepOutcome(
        f"lets the clinic read this one CT for a second opinion, until {moment(until)}, by a "
        "relayed signature"
    )


def read_as_clinic(stage: Stage) -> StepOutcome:
    """The clinic reads, for which the CT is re-encrypted first."""
    before = stage.images.show(stage.ct.image_id)
    fetched = stage.read("clinic", stage.ct.image_id, CARE, "clinic")
    after = stage.images.show(stage.ct.image_id)
    check(after.manifest != before.manifest, "the CT was not re-encrypted")
    check(after.image_set.root == before.image_set.root, "the root changed")
    same = _as_scanned(stage, fetched)
    return StepOutcome(
        "reads it; as the radiologist still has the old key, the hospital first encrypts all "
        f"{same} slices again under the same root",
        details=(("manifest before", before.manifest), ("manifest now", after.manifest)),
    )


def use_old_secret(stage: Stage) -> StepOutcome:
    """The radiologist tries the key from before the revocation."""
    stage.images.contents(stage.ct.image_id, secret=stage.old_secret)
    return StepOutcome("opened the CT with the old key")


def let_day_pass(stage: Stage) -> StepOutcome:
    """A day and an hour of chain time pass."""
    passed = stage.wait(DAY + 3600)
    return StepOutcome(f"{days(passed)} pass on the chain, and the clinic's grant ends with them")


# ------------------------------------------------------------------------------------ internals


def _asked(stage: Stage, reader: str) -> StepOutcome:
    # A reader without a registered key is refused for lack of permission before that matters.
    stage.release(reader, stage.ct.image_id, CARE)
    return StepOutcome("was given the key")


def _as_scanned(stage: Stage, fetched: FetchResult) -> int:
    """Check that all slices came, and each as the scanner made it; how many."""
    originals = {path.read_bytes() for path in stage.ct_folder.iterdir()}
    came = {each.path.read_bytes() for each in fetched.files}
    check(came == originals, f"{len(came & originals)} of {len(originals)} slices came unchanged")
    return len(came)


def _reencoded(path: Path) -> Path:
    """Write a file again as a PACS does that compresses without loss."""
    from pydicom import dcmread
    from pydicom.uid import RLELossless

    dataset = dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    return path


def _changed(path: Path) -> Path:
    """Change one pixel of a file."""
    from pydicom import dcmread

    dataset = dcmread(path)
    pixels = bytearray(dataset.PixelData)
    pixels[len(pixels) // 2] ^= 1
    dataset.PixelData = bytes(pixels)
    dataset.save_as(path)
    return path


def _flip_last_bit(path: Path) -> None:
    before, mode = path.read_bytes(), path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    path.chmod(mode)

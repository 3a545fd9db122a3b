"""A story in which every event of every contract happens, and what it was about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from radledger.access import Acknowledgement, Receipt
from radledger.access.days import day_of, to_number
from radledger.algorithms import Algorithms, Release, Run
from radledger.chain.ledger import ContractAt
from radledger.chain.rpc import request
from radledger.consent import Consents, Terms
from radledger.consent.model import SealedNote
from radledger.consent.permission import Use
from radledger.crypto.merkle import MerkleTree
from radledger.identity import Identities, Participants
from radledger.imaging.bindings import NewImageSet
from radledger.imaging.model import ImageSet, Kind, group_digest
from radledger.research import Datasets, DatasetTerms
from radledger.signed import submit

NOTE = SealedNote("unconscious after an accident", bytes(32))
RECOVERY_DELAY = 3 * 24 * 3600
DAY = 24 * 3600
MODEL = "Lung nodule detection"
_ACCESS = "AccessLedger"


@dataclass(frozen=True)
class Model:
    """Ids of the versions of an algorithm, an execution of the first, and the root of more."""

    version: str
    child: str
    execution: str
    batch: str


@dataclass(frozen=True)
class Demands:
    """Digests of receipts, and ids of the demands for them."""

    receipt: str
    answered: str
    omitted_receipt: str
    omitted: str
    signed: str


@dataclass(frozen=True)
class Story:
    """The ids of what the story was about."""

    original: ImageSet
    deidentified: ImageSet
    erased: ImageSet
    disowned: ImageSet
    dataset: str
    claims: tuple[str, ...]
    model: Model
    demands: Demands


def digest(name):
    return "0x" + hashlib.sha256(name.encode()).hexdigest()


class Narrator:
    """Does to the chain what the story tells."""

    def __init__(self, ledger, who):
        self.ledger, self.who = ledger, who
        self.consents, self.datasets = Consents(ledger), Datasets(ledger)
        self.model = Algorithms(ledger)
        self.identities, self.participants = Identities(ledger), Participants(ledger)

    def tell(self):
        self.rich(self.who.patient.address, *(each.address for each in self.who.relatives))
        original, deidentified, erased, disowned = self.images()
        self.consent(original)
        self.emergency()
        dataset, claims, model = self.research(original, deidentified)
        acknowledged, signed = self.receipts(original)
        self.identity()
        demands = self.demands(acknowledged, signed)
        self.accreditation()
        return Story(original, deidentified, erased, disowned, dataset, claims, model, demands)

    def rich(self, *addresses):
        for address in addresses:
            self.ledger.web3.provider.make_request("anvil_setBalance", [address, hex(10**20)])

    def anchor(self, name, instances=3, parent=None):
        hospital = self.who.hospital
        visit = group_digest(hospital.address, b"salt", "visit")
        image = ImageSet(hospital.address, self.who.patient.address, digest(f"root {name}"), visit)
        kind = Kind.ORIGINAL if parent is None else Kind.DEIDENTIFIED
        _, patient, root, visit, course = image.struct
        manifest = bytes.fromhex(digest(f"manifest {name}")[2:])
        new = NewImageSet(patient, root, manifest, visit, course, instances, kind.number)
        if parent is None:
            self.ledger.send(hospital, "ImageRegistry", "anchor", new)
        else:
            self.ledger.send(hospital, "ImageRegistry", "supersede", new, parent.struct)
        return image

    def images(self):
        original, erased = self.anchor("original"), self.anchor("erased")
        deidentified = self.anchor("deidentified", parent=original)
        disowned, patient = self.anchor("disowned"), self.who.patient
        for image in (original, disowned, erased):
            self.ledger.send(patient, "ImageRegistry", "disown", image.struct)
        self.ledger.send(patient, "ImageRegistry", "acknowledge", original.struct)
        hospital, word = self.who.hospital, bytes.fromhex(digest("new")[2:])
        self.ledger.send(hospital, "ImageRegistry", "rekey", original.struct, word)
        self.ledger.send(hospital, "ImageRegistry", "erase", erased.struct, word)
        return original, deidentified, erased, disowned

    def consent(self, image):
        who, consents = self.who, self.consents
        patient, clinic = who.patient, who.clinic.address
        consents.grant(who.stranger.address, Terms(("CC",), ("IRB",))).send(patient)
        consents.revoke_all().send(patient)
        signed = consents.grant(clinic, Terms(("DS",), disease="MONDO:1")).sign(patient)
        submit(self.ledger, signed, who.hospital)
        consents.revoke(clinic).send(patient)
        asked = consents.request(patient.address, Terms(("GRU",)), scope=image.image_id).send(
            who.radiologist
        )
        submit(self.ledger, consents.approve(asked.request_id).sign(patient), who.hospital)
        consents.request(patient.address, Terms(("HMB",)), scope=image.visit).send(who.researcher)
        consents.grant(clinic, Terms(("HMB",))).send(patient)

    def algorithms(self, dataset, *images):
        """A version trained on a data set, executed on images and many more; and one made of it."""
        developer, algorithms, use = self.who.researcher, self.model, Use.of(["HMB"], ["NCU"])
        algorithms.register(MODEL).send(developer)
        algorithms.register(MODEL, "DCM:123110").send(developer)
        release = Release("1.0.0", digest("weights"), f"{dataset}/1", digest("conditions"))
        version = algorithms.publish(MODEL, release).send(developer).version_id
        output = digest("output")
        execution = algorithms.run(version, images, use, output).send(developer).execution_id
        algorithms.run(version, images, use, output).send(developer)  # the same one again
        run = Run(tuple(image.image_id for image in images), use, digest("other output"))
        batch = algorithms.run_batch(version, [run]).send(self.who.radiologist).root
        later = Release("1.0.1", digest("later"), parent=version)
        child = algorithms.publish(MODEL, later).send(developer).version_id
        algorithms.recall(version, digest("notice")).send(developer)
        return Model(version, child, execution, batch)

    def emergency(self):
        who, patient = self.who, self.who.patient.address
        for _ in range(2):
            self.consents.break_glass(patient, NOTE, duration=3600).send(who.clinician)
            since = self.ledger.now()
            # Two in one second would be one, at the cost of one, which the next second is not.
            self.travel(60)
        self.consents.review(
            patient, who.clinician.address, since, justified=False, opinion=NOTE
        ).send(who.radiologist)
        self.consents.forbid_emergencies().send(who.patient)
        self.consents.allow_emergencies().send(who.patient)
        self.travel(60)
        self.consents.break_glass(patient, NOTE).send(who.clinician)
        self.consents.revoke(who.clinician.address, scope="emergency").send(who.patient)

    def research(self, *images):
        who, datasets = self.who, self.datasets
        researcher, patient = who.researcher, who.patient
        token = ContractAt("LocalToken", self.ledger.address("LocalToken"))
        shares = {"data": 5_000, "custody": 3_000, "annotation": 2_000}
        terms = DatasetTerms(
            token.address, shares, ("HMB",), rule="per instance", most_instances=100
        )
        dataset = datasets.create(terms).send(researcher).dataset_id
        datasets.create(DatasetTerms(token.address, {"data": 10_000}, ("DS",), (), "MONDO:1")).send(
            researcher
        )
        datasets.create(DatasetTerms(token.address, shares, ("GRU",), rule="scored")).send(
            researcher
        )
        for image in images:
            accepted = datasets.sign_acceptance(researcher, dataset, image)
            datasets.contribute(dataset, image, acceptance=accepted).send(who.hospital)
        datasets.contribute_work(
            dataset, "annotation", researcher.address, digest("labels"), 7
        ).send(researcher)
        datasets.freeze(dataset).send(researcher)
        model = self.algorithms(dataset, *images)
        datasets.fund(dataset, 10**18).send(researcher)
        claims = datasets.claim(dataset).send(patient)
        # Signed by the custodian, sent by another account: the signer is the actor.
        document = datasets.set_free(dataset, "custody", free=True).sign(who.hospital)
        submit(self.ledger, document, who.stranger)
        datasets.fund(dataset, 10**18 + 1).send(researcher)
        datasets.set_free(dataset, "custody", free=False).send(who.hospital)
        datasets.withdraw(dataset, images[0]).send(patient)
        datasets.fund(dataset, 12_345).send(researcher)
        self.consents.revoke(who.clinic.address).send(patient)
        datasets.suspend(dataset, images[1]).send(who.stranger)
        self.consents.grant(who.clinic.address, Terms(("HMB",))).send(patient)
        datasets.resume(dataset, images[1]).send(who.stranger)
        datasets.withdraw(dataset, images[1]).send(who.hospital)
        datasets.fund(dataset, 54_321).send(researcher)
        datasets.freeze(dataset).send(researcher)
        datasets.withdraw_work(dataset, "annotation", digest("labels")).send(researcher)
        self.consents.revoke(who.clinic.address).send(patient)
        datasets.suspend(dataset, images[1]).send(who.stranger)
        claims += datasets.claim(dataset).send(who.hospital)
        return dataset, tuple(receipt.transaction for receipt in claims), model

    def receipts(self, image):
        """One that is alone under the root of its day, and one that is left out."""
        who, recorder = self.who, self.who.stranger
        hospital, radiologist = who.hospital.address, who.radiologist.address
        for key in (recorder.address, radiologist):
            self.ledger.send(who.hospital, _ACCESS, "appoint", key)
        self.ledger.send(who.hospital, _ACCESS, "dismiss", radiologist)
        signed = Receipt.of(
            self.ledger, radiologist, image.image_id, Use.of(["CC"]), digest("grant")
        ).sign(who.radiologist)
        told = (signed.receipt.content, signed.signer, signed.standard_signature)
        self.ledger.send(recorder, _ACCESS, "recordSigned", hospital, *told)
        shown, omitted = (
            bytes.fromhex(digest(f"{name} receipt")[2:]) for name in ("shown", "omitted")
        )
        self.ledger.send(recorder, _ACCESS, "record", hospital, shown)
        day = day_of(self.ledger.now())
        for root in (omitted, MerkleTree([shown]).root):
            self.ledger.send(recorder, _ACCESS, "anchorDay", hospital, to_number(day), root)
        log = bytes.fromhex(digest("gateway.hospital.example/log")[2:])
        for size in (1, 2):
            told = (hospital, log, size, bytes.fromhex(digest(f"log of {size}")[2:]))
            self.ledger.send(recorder, _ACCESS, "anchorLog", *told)
        acknowledged = [
            Acknowledgement.sign(self.ledger, recorder, receipt, hospital, day)
            for receipt in (shown, omitted)
        ]
        return acknowledged, "0x" + signed.receipt.digest.hex()

    def demands(self, acknowledged, signed):
        """They are demanded as soon as they can be, and one is answered."""
        ids = []
        for each in acknowledged:
            demanded = self.ledger.send(
                self.who.radiologist, _ACCESS, "demand", each.struct, *each.signature_words
            )
            ids.append(demanded.event("AccessDemanded").args["demand"])
        self.ledger.send(self.who.hospital, _ACCESS, "answer", acknowledged[0].struct, [])
        shown, omitted = (each.receipt for each in acknowledged)
        return Demands(shown, ids[0], omitted, ids[1], signed)

    def identity(self):
        who, identities = self.who, self.identities
        patient, (mother, father, friend) = who.patient, who.relatives
        identities.add_delegate(mother.address, validity=30 * DAY).send(patient)
        identities.add_delegate(father.address, validity=30 * DAY, delegate_type="other").send(
            patient
        )
        identities.revoke_delegate(father.address, delegate_type="other").send(patient)
        identities.set_guardians([mother.address, father.address], 2).send(patient)
        # What the lost key wrote for an identity that it owned ends with the recovery, too.
        child = who.radiologist
        identities.change_owner(patient.address).send(child)
        given = {"identity": child.address}
        identities.add_delegate(mother.address, validity=300 * DAY, **given).send(patient)
        identities.set_guardians([mother.address], 1, **given).send(patient)
        identities.approve_recovery(child.address, friend.address).send(mother)
        identities.approve_recovery(patient.address, friend.address).send(mother)
        identities.veto().send(patient)
        for guardian in (mother, father):
            identities.approve_recovery(patient.address, friend.address).send(guardian)
        self.travel(RECOVERY_DELAY)
        identities.execute_recovery(patient.address, friend.address).send(who.stranger)
        for guardian in (mother, father):
            identities.approve_recovery(patient.address, who.clinic.address).send(guardian)
        identities.withdraw_approval(patient.address, who.clinic.address).send(mother)
        # The account of a patient whose identity changed hands is closed for the old key.
        self.rich(friend.address)
        (share,) = self.datasets.shares(self._dataset(), patient.address)
        assert share.due
        self.datasets.claim(self._dataset(), "data", identity=patient.address).send(friend)
        nobody = "0x" + "00" * 20
        stranger = who.stranger
        self.ledger.send(stranger, "IdentityRegistry", "changeOwner", stranger.address, nobody)

    def _dataset(self):
        return self.datasets.list()[0].dataset_id

    def accreditation(self):
        who, participants = self.who, self.participants
        participants.suspend(who.clinician.address).send(who.hospital)
        participants.suspend(who.clinician.address).send(who.governor)
        participants.reinstate(who.clinician.address).send(who.hospital)
        participants.admit(who.radiologist.address, ["radiologist"]).send(who.hospital)
        participants.suspend(who.hospital.address).send(who.governor)
        participants.leave().send(who.radiologist)
        participants.reinstate(who.hospital.address).send(who.governor)
        participants.vote_governor(who.hospital.address, add=True).send(who.governor)
        participants.vote_governor(who.clinic.address, add=True).send(who.governor)
        participants.vote_governor(who.clinic.address, add=True).send(who.hospital)
        participants.vote_governor(who.hospital.address, add=False).send(who.clinic)
        participants.vote_governor(who.hospital.address, add=False).send(who.governor)
        participants.vote_governor(who.stranger.address, add=True).send(who.clinic)

    def travel(self, seconds):
        request(self.ledger.web3, "evm_increaseTime", [seconds])
        request(self.ledger.web3, "evm_mine", [])

"""A story in which every event of every contract happens, and what it was about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from radledger.chain.ledger import ContractAt
from radledger.chain.rpc import request
from radledger.consent import Consents
from radledger.consent import Terms as ConsentTerms
from radledger.consent.model import SealedNote
from radledger.identity import Identities, Participants
from radledger.imaging.model import ImageSet, Kind, group_digest
from radledger.research import Datasets, Terms

NOTE = SealedNote("unconscious after an accident", bytes(32))
RECOVERY_DELAY = 3 * 24 * 3600
DAY = 24 * 3600


@dataclass(frozen=True)
class Story:
    """The ids of what the story was about."""

    original: ImageSet
    deidentified: ImageSet
    erased: ImageSet
    disowned: ImageSet
    dataset: str
    claims: tuple[str, ...]


def digest(name):
    return "0x" + hashlib.sha256(name.encode()).hexdigest()


class Narrator:
    """Does to the chain what the story tells."""

    def __init__(self, ledger, who):
        self.ledger, self.who = ledger, who
        self.consents, self.datasets = Consents(ledger), Datasets(ledger)
        self.identities, self.participants = Identities(ledger), Participants(ledger)

    def tell(self):
        self.rich(self.who.patient.address, *(each.address for each in self.who.relatives))
        original, deidentified, erased, disowned = self.images()
        self.consent(original)
        self.emergency()
        dataset, claims = self.research(original, deidentified)
        self.identity()
        self.accreditation()
        return Story(original, deidentified, erased, disowned, dataset, claims)

    def rich(self, *addresses):
        for address in addresses:
            self.ledger.web3.provider.make_request("anvil_setBalance", [address, hex(10**20)])

    def anchor(self, name, instances=3, parent=None):
        hospital = self.who.hospital
        visit = group_digest(hospital.address, b"salt", "visit")
        image = ImageSet(hospital.address, self.who.patient.address, digest(f"root {name}"), visit)
        kind = Kind.ORIGINAL if parent is None else Kind.DEIDENTIFIED
        new = (
            image.patient,
            bytes.fromhex(image.root[2:]),
            bytes.fromhex(digest(f"manifest {name}")[2:]),
            bytes.fromhex(image.visit[2:]),
            bytes(32),
            instances,
            kind.number,
        )
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
        consents.grant(patient, who.stranger.address, ConsentTerms(("CC",), ("IRB",)))
        consents.revoke_all(patient)
        signed = consents.sign_grant(patient, clinic, ConsentTerms(("DS",), disease="MONDO:1"))
        consents.submit(signed, who.hospital)
        consents.revoke(patient, clinic)
        asked = consents.request(
            who.radiologist, patient.address, ConsentTerms(("GRU",)), scope=image.image_id
        )
        consents.submit(consents.sign_approve(patient, asked.request_id), who.hospital)
        consents.request(who.researcher, patient.address, ConsentTerms(("HMB",)), scope=image.visit)
        consents.grant(patient, clinic, ConsentTerms(("HMB",)))

    def emergency(self):
        who, patient = self.who, self.who.patient.address
        for _ in range(2):
            self.consents.break_glass(who.clinician, patient, NOTE, duration=3600)
            since = self.ledger.now()
            # Two in one second would be one, at the cost of one, which the next second is not.
            self.travel(60)
        self.consents.review(
            who.radiologist, patient, who.clinician.address, since, justified=False, opinion=NOTE
        )
        self.consents.forbid_emergencies(who.patient)
        self.consents.allow_emergencies(who.patient)
        self.travel(60)
        self.consents.break_glass(who.clinician, patient, NOTE)
        self.consents.revoke(who.patient, who.clinician.address, scope="emergency")

    def research(self, *images):
        who, datasets = self.who, self.datasets
        researcher, patient = who.researcher, who.patient
        token = ContractAt("LocalToken", self.ledger.address("LocalToken"))
        shares = {"data": 5_000, "custody": 3_000, "annotation": 2_000}
        terms = Terms(token.address, shares, ("HMB",), rule="per instance", most_instances=100)
        dataset = datasets.create(researcher, terms).dataset_id
        datasets.create(researcher, Terms(token.address, {"data": 10_000}, ("DS",), (), "MONDO:1"))
        datasets.create(researcher, Terms(token.address, shares, ("GRU",), rule="scored"))
        for image in images:
            accepted = datasets.sign_acceptance(researcher, dataset, image)
            datasets.contribute(who.hospital, dataset, image, acceptance=accepted)
        datasets.contribute_work(
            researcher, dataset, "annotation", researcher.address, digest("labels"), 7
        )
        datasets.freeze(researcher, dataset)
        datasets.fund(researcher, dataset, 10**18)
        claims = datasets.claim(patient, dataset)
        # Signed by the custodian, sent by somebody else: the signer is who acted.
        document = datasets.sign_set_free(who.hospital, dataset, "custody", free=True)
        datasets.submit(document, who.stranger)
        datasets.fund(researcher, dataset, 10**18 + 1)
        datasets.set_free(who.hospital, dataset, "custody", free=False)
        datasets.withdraw(patient, dataset, images[0])
        datasets.fund(researcher, dataset, 12_345)
        self.consents.revoke(patient, who.clinic.address)
        datasets.suspend(who.stranger, dataset, images[1])
        self.consents.grant(patient, who.clinic.address, ConsentTerms(("HMB",)))
        datasets.resume(who.stranger, dataset, images[1])
        datasets.withdraw(who.hospital, dataset, images[1])
        datasets.fund(researcher, dataset, 54_321)
        datasets.freeze(researcher, dataset)
        datasets.withdraw_work(researcher, dataset, digest("labels"), "annotation")
        self.consents.revoke(patient, who.clinic.address)
        datasets.suspend(who.stranger, dataset, images[1])
        claims += datasets.claim(who.hospital, dataset)
        return dataset, tuple(receipt.transaction for receipt in claims)

    def identity(self):
        who, identities = self.who, self.identities
        patient, (mother, father, friend) = who.patient, who.relatives
        identities.add_delegate(patient, mother.address, valid_for=30 * DAY)
        identities.add_delegate(patient, father.address, valid_for=30 * DAY, delegate_type="other")
        identities.revoke_delegate(patient, father.address, delegate_type="other")
        identities.set_guardians(patient, [mother.address, father.address], 2)
        # What the lost key wrote for somebody whom it owned ends with the recovery, too.
        child = who.radiologist
        identities.change_owner(child, patient.address)
        given = {"identity": child.address}
        identities.add_delegate(patient, mother.address, valid_for=300 * DAY, **given)
        identities.set_guardians(patient, [mother.address], 1, **given)
        identities.approve_recovery(mother, child.address, friend.address)
        identities.approve_recovery(mother, patient.address, friend.address)
        identities.veto(patient)
        for guardian in (mother, father):
            identities.approve_recovery(guardian, patient.address, friend.address)
        self.travel(RECOVERY_DELAY)
        identities.execute_recovery(who.stranger, patient.address, friend.address)
        for guardian in (mother, father):
            identities.approve_recovery(guardian, patient.address, who.clinic.address)
        identities.withdraw_approval(mother, patient.address, who.clinic.address)
        # The account of a patient whose identity changed hands is closed for the old key.
        self.rich(friend.address)
        (share,) = self.datasets.shares(self._dataset(), patient.address)
        assert share.due
        self.datasets.claim(friend, self._dataset(), "data", identity=patient.address)
        nobody = "0x" + "00" * 20
        stranger = who.stranger
        self.ledger.send(stranger, "IdentityRegistry", "changeOwner", stranger.address, nobody)

    def _dataset(self):
        return self.datasets.list()[0].dataset_id

    def accreditation(self):
        who, participants = self.who, self.participants
        participants.suspend(who.hospital, who.clinician.address)
        participants.suspend(who.governor, who.clinician.address)
        participants.reinstate(who.hospital, who.clinician.address)
        participants.admit(who.hospital, who.radiologist.address, ["radiologist"])
        participants.suspend(who.governor, who.hospital.address)
        participants.leave(who.radiologist)
        participants.reinstate(who.governor, who.hospital.address)
        participants.vote_governor(who.governor, who.hospital.address, add=True)
        participants.vote_governor(who.governor, who.clinic.address, add=True)
        participants.vote_governor(who.hospital, who.clinic.address, add=True)
        participants.vote_governor(who.clinic, who.hospital.address, add=False)
        participants.vote_governor(who.governor, who.hospital.address, add=False)
        participants.vote_governor(who.clinic, who.stranger.address, add=True)

    def travel(self, seconds):
        request(self.ledger.web3, "evm_increaseTime", [seconds])
        request(self.ledger.web3, "evm_mine", [])

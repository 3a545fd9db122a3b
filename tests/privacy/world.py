"""People at two custodians, who do all that docs/privacy.md asks for, and one who does not.

Everything is done by the library as documented.  Which addresses are of one person, and what each
is ill with, stands in the people alone: an attacker has the chain and the store.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from radledger.chain.keystore.accounts import Keystore
from radledger.consent import Consents, SealedNote, Terms
from radledger.consent.diseases import Diseases
from radledger.crypto.keys import public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.identity import Identities
from radledger.imaging.service import Images
from radledger.signed import submit
from radledger.storage import LocalStore

CUSTODIANS = ("hospital", "clinic")
CODES = ("MONDO:0004992", "MONDO:0005015", "MONDO:0005109", "MONDO:0002050")
# Of different lengths, so that the files have, too.
PATIENT_IDS = tuple(f"MRN-{'0' * 2 * number}{4_711 + number}" for number in range(7))
SEED = 5


@dataclass
class Person:
    """One patient: an address at each custodian, and what no one else is to know."""

    name: str
    disease: str
    patient_id: str
    addresses: dict[str, str] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)
    deidentified: dict[str, str] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()

    @property
    def pair(self):
        """Both addresses, which belong together."""
        return frozenset(self.addresses.values())


class TimedStore(LocalStore):
    """Keeps the times of its files to the nanosecond; a disk's own are milliseconds apart."""

    def put(self, source, cid=None):
        stored = super().put(source, cid)
        self._note_time(stored.cid)
        return stored

    def put_all(self, contents):
        contents = list(contents)
        super().put_all(contents)
        for _, cid in contents:
            self._note_time(cid)

    def _note_time(self, cid):
        now = time.time_ns()
        os.utime(self._pinned / cid[-2] / cid, ns=(now, now))


class World:
    """The people, and what they and their custodians did.

    Attributes
    ----------
    salts
        ``CODE@SALT`` of each grant, in the order in which they were given.
    """

    def __init__(self, ledger, who, folder):
        self.ledger = ledger
        self.store = folder / "store"
        self._who = who
        self._random = Random(SEED)
        self._folder = folder
        self._keystore = Keystore(folder / "keys")
        self._identities = Identities(ledger)
        store = TimedStore(self.store)
        self._images = {name: Images(ledger, store, folder / name) for name in CUSTODIANS}
        for relative in ("mother", "friend"):
            self._keystore.new(relative, "")
        self.salts = []
        self.careful = [self._person(number) for number in range(6)]
        for number, person in enumerate(self.careful):
            self._live(person, number)
        self.careless = self._person(6)
        self._live_carelessly(self.careless)

    @property
    def people(self):
        """All people, the careful ones first."""
        return [*self.careful, self.careless]

    def private_keys(self):
        """The private key of each patient's address."""
        patients = set().union(*(person.pair for person in self.people))
        accounts = [each for each in self._keystore.list() if each.address in patients]
        return {each.address: self._keystore.encryption_key(each.name) for each in accounts}

    def secrets(self):
        """The secrets of all image sets."""
        return [
            self._images[custodian].secret(image)
            for person in self.people
            for images in (person.originals, person.deidentified)
            for custodian, image in images.items()
        ]

    def _person(self, number):
        name = f"person{number}"
        self._keystore.new(name, "")
        person = Person(name, self._random.choice(CODES), PATIENT_IDS[number])
        for custodian in CUSTODIANS:
            at = self._keystore.derive(name, self._who[custodian].address)
            person.addresses[custodian] = at.address
        return person

    def _account(self, name, other):
        """The account that a person uses for one other address."""
        return self._keystore.open(self._keystore.derive(name, other).name)

    def _live(self, person, number):
        """As docs/privacy.md says: nothing in common at the two custodians."""
        for custodian in CUSTODIANS:
            patient = self._account(person.name, self._who[custodian].address)
            guardians = [self._account(each, patient.address) for each in ("mother", "friend")]
            self._identify(patient, guardians)
            self._share(person, custodian, number)
            # The day on the consent form differs, the month is the same.
            until = int(datetime(2031, 3, 10 + number, tzinfo=UTC).timestamp())
            book = Consents(self.ledger, Diseases(None))
            self._grant(book, patient, Terms(("DS",), ("IRB",), person.disease, until=until))
        if number % 2:
            self._break_glass(person)

    def _live_carelessly(self, person):
        """The same guardians, the same CODE@SALT, and the end to the second."""
        book = Consents(self.ledger, Diseases(None))
        until = int(datetime(2031, 3, 17, 9, 26, 53, tzinfo=UTC).timestamp())
        disease = Diseases(None).sealed(person.disease)
        for custodian in CUSTODIANS:
            patient = self._account(person.name, self._who[custodian].address)
            relatives = [self._keystore.open(each) for each in ("mother", "friend")]
            self._identify(patient, relatives)
            self._share(person, custodian, 6)
            terms = Terms(("DS",), ("IRB",), disease, until=until)
            self._grant(book, patient, terms, exact=True)

    def _identify(self, patient, guardians):
        key = public_key(self._key_of(patient))
        named = [guardian.address for guardian in guardians]
        for change in (self._identities.set_key(key), self._identities.set_guardians(named, 2)):
            submit(self.ledger, change.sign(patient), self._who["hospital"])

    def _key_of(self, patient):
        names = {each.address: each.name for each in self._keystore.list()}
        return self._keystore.encryption_key(names[patient.address])

    def _share(self, person, custodian, number):
        """The same study at both, as it was made; a de-identified version of it."""
        study = self._folder / person.name
        files = make_ct_series(
            study, 2 + number % 2, size=40, seed=number + 1, patient=person.patient_id
        )
        person.sizes = tuple(path.stat().st_size for path in files)
        images, holder = self._images[custodian], self._who[custodian]
        (original,) = images.add(
            [study], person.addresses[custodian], custodian=holder, keep_identity=True
        )
        person.originals[custodian] = original.image_id
        deidentified = images.deidentify(original.image_id, "basic", custodian=holder)
        person.deidentified[custodian] = deidentified.image_id

    def _grant(self, consents, patient, terms, *, exact=False):
        researcher = self._who["researcher"].address
        document = consents.grant(researcher, terms, exact=exact).sign(patient)
        submit(self.ledger, document, self._who["hospital"])
        self.salts.append(document["disease"])

    def _break_glass(self, person):
        note, address = SealedNote.of("unconscious"), person.addresses["hospital"]
        Consents(self.ledger).break_glass(address, note).send(self._who["radiologist"])

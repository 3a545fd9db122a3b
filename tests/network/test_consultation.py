"""A patient, two hospitals and a reading centre, on geth and Kubo: from a consultation to erasure.

The patient has an address at each hospital.  Each party has a home, a node of the store and, but
for the patient, a gateway of its own; they meet on the chain and over HTTP alone.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import httpx
import pydicom
import pytest

from radledger import RadLedger
from radledger.access import Receipt
from radledger.access.collecting import Collector
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.refusals import (
    ConsentNotPermittedErased,
    ConsentNotPermittedNeverGranted,
    ConsentNotPermittedRevoked,
    EmergencyReviewerInvalid,
)
from radledger.consent import SealedNote, Terms
from radledger.consent.permission import Use
from radledger.crypto.keys import public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway import Gateway, GatewayHolders, GatewayKeyService, create_application
from radledger.gateway.errors import GATEWAY
from radledger.gateway.shower import GatewayAccessLog
from radledger.httpapi.server import serving
from radledger.imaging.certificates import ErasureCertificate
from radledger.signed import submit
from tests.gateway.conftest import Http, refused
from tests.kubo import KuboNetwork, kubo_nodes
from tests.network.conftest import until

pytestmark = pytest.mark.soak

CARE = Use.of(["CC"])


@dataclass
class Party:
    """An institution: its account, home and gateway."""

    account: object
    home: RadLedger
    url: str = ""
    gateway: Gateway | None = field(default=None, repr=False)

    @property
    def address(self):
        return self.account.address

    def serve(self):
        """Run its gateway."""

        def create(address):
            self.gateway = Gateway(self.home, self.account, address)
            return create_application(self.gateway)

        return serving(GATEWAY, create)


@pytest.fixture
def nodes(tmp_path):
    with kubo_nodes(tmp_path / "kubo", "hospital", "clinic", "centre") as running:
        nodes = KuboNetwork(tmp_path / "kubo", running)
        nodes.empty()
        yield nodes


@pytest.fixture
def cast(consortium, nodes, tmp_path):
    """The parties, accredited and with their gateways published."""
    keystore, hospital = Keystore(consortium.home), consortium.account("hospital")
    for name in ("centre", "reader"):
        keystore.new(name, "")

    def institution(name):
        home = RadLedger(consortium.ledger(), nodes.store(name), tmp_path / name)
        return Party(keystore.open(name), home)

    cast = SimpleNamespace(
        **{name: institution(name) for name in ("hospital", "clinic", "centre")},
        **{name: keystore.open(name) for name in ("reader", "governor")},
        doctor=keystore.open("stranger"),  # who has Ether: an emergency is not signed for others
        here=keystore.open(keystore.derive("patient", hospital.address).name),
        there=keystore.open(keystore.derive("patient", consortium.account("clinic").address).name),
        key_of=keystore.encryption_key,
    )
    home = cast.hospital.home
    reading = ("clinician", "radiologist")
    home.participants.admit_institution(cast.centre.address, reading).send(cast.governor)
    paid(cast, home.participants.admit(cast.reader.address, ["radiologist"]), cast.centre.account)
    home.participants.admit(cast.doctor.address, ["clinician"]).send(cast.clinic.account)
    key = public_key(keystore.encryption_key("reader"))
    paid(cast, home.identities.set_key(key), cast.reader)
    with ExitStack() as stack:
        for party in (cast.hospital, cast.clinic, cast.centre):
            party.url = stack.enter_context(party.serve())
            paid(cast, home.identities.set_gateway(party.url), party.account)
        yield cast


def paid(cast, action, signer):
    """Have an action signed, and sent at the cost of the hospital."""
    submit(cast.hospital.home.ledger, action.sign(signer), cast.hospital.account)


def add(party, patient, folder, seed):
    """Add a study of three slices; its image set, and its study's UID."""
    files = make_ct_series(folder, 3, size=512, seed=seed)
    added = party.home.images.add(
        files, patient.address, custodian=party.account, keep_identity=True, workers=1
    )
    uid = pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID
    return party.home.images.show(added[0].image_id).image_set, uid


class Viewer:
    """A viewer with a token for an image set of a hospital."""

    def __init__(self, party, account, image_set, uid):
        self._client = httpx.Client(base_url=party.url, timeout=60)
        self._path = f"/dicom-web/studies/{uid}"
        home = party.home
        grant = home.consents.check(account.address, image_set, ["CC"]).grant_id
        receipt = Receipt.of(home.ledger, account.address, image_set.image_id, CARE, grant)
        self._headers = Http(self._client).token([receipt.sign(account)], account)

    def open(self):
        """Ask for the headers of the study."""
        return self._client.get(f"{self._path}/metadata", headers=self._headers)

    @property
    def shows(self):
        """How many instances of the study it shows."""
        response = self.open()
        assert response.status_code == 200, response.text
        return len(response.json())

    def is_refused(self, error):
        """Wait until the study is refused, for a reason."""
        until(lambda: self.open().status_code == 403, "the viewer shows it still", 30)
        return refused(self.open(), 403, error)


def readings(cast, party, patient, folder):
    """Who read a patient's images, as the patient is shown it by the hospital's gateway."""
    home = party.home
    collector = Collector(home.ledger, home.access_ledger, home.receipts, folder / "shown.sqlite3")

    def shower(custodian):
        assert custodian == party.address
        return GatewayAccessLog(home.identities.gateway(custodian), patient, home.ledger.chain_id)

    found = collector.collect(patient.address, shower)
    (report,) = found.reports
    assert report.unanswered is None
    return [each.signed.receipt.reader for each in found.disclosed]


def test_a_patient_two_hospitals_and_a_reading_centre(cast, nodes, tmp_path):
    hospital, clinic, centre = cast.hospital, cast.clinic, cast.centre
    here, study_here = add(hospital, cast.here, tmp_path / "study-here", 1)
    there, study_there = add(clinic, cast.there, tmp_path / "study-there", 2)
    assert here.patient != there.patient
    contents = {name: nodes.pins(name) for name in ("hospital", "clinic")}
    assert {name: len(pins) for name, pins in contents.items()} == {"hospital": 4, "clinic": 4}
    consult(cast, nodes, {"here": here, "there": there}, tmp_path)
    assert nodes.pins("centre") == contents["hospital"] | contents["clinic"]

    viewers = {
        "here": Viewer(hospital, cast.reader, here, study_here),
        "there": Viewer(clinic, cast.reader, there, study_there),
    }
    assert [viewer.shows for viewer in viewers.values()] == [3, 3]
    revoke_while_a_viewer_is_open(cast, viewers, here)
    declare_an_emergency(cast)
    emergency = Viewer(hospital, cast.doctor, here, study_here)
    assert emergency.shows == 3
    review_the_emergency(cast)

    # What each knows by now: its own patient's readings and nothing else's.
    reader, doctor = cast.reader.address, cast.doctor.address
    assert readings(cast, hospital, cast.here, tmp_path / "here") == [reader, reader, doctor]
    assert readings(cast, clinic, cast.there, tmp_path / "there") == [reader, reader]
    assert centre.home.receipts.releases() == ()
    for party, image_set in ((hospital, here), (clinic, there)):
        images = {each.signed.receipt.image_id for each in party.home.receipts.releases()}
        assert images == {image_set.image_id}

    erase(cast, nodes, here, emergency)
    # The other hospital's study, its grant and its copies are as they were.
    assert viewers["there"].shows == 3
    assert nodes.pins("centre") == nodes.pins("clinic") == contents["clinic"]
    assert [each.status for each in grants(clinic, cast.there)] == ["active"]
    assert clinic.home.images.show(there.image_id).state == "anchored"
    # The receipts stay: the patient is still shown who had read what was erased.
    assert readings(cast, hospital, cast.here, tmp_path / "later") == [reader, reader, doctor]


def grants(party, patient):
    return party.home.consents.list(subject=patient.address)


def consult(cast, nodes, image_sets, folder):
    """The patient lets the centre read at both hospitals; its reader fetches and keeps copies."""
    centre = cast.centre.home

    def fetch(name, party, image_set):
        service = GatewayKeyService(party.url, cast.reader, centre.ledger.chain_id)
        arguments = {
            "reader": cast.reader,
            "private_key": cast.key_of("reader"),
            "key_service": service,
            "use": CARE,
        }
        secret = centre.reading.secret(image_set.image_id, **arguments).secret
        fetched = centre.images.fetch(image_set.image_id, folder / f"got-{name}", secret=secret)
        sent = {path.read_bytes() for path in (folder / f"study-{name}").iterdir()}
        assert {each.path.read_bytes() for each in fetched.files} == sent
        assert centre.copies.pin(image_set.image_id, secret=secret).pinned == 4

    parties = {"here": cast.hospital, "there": cast.clinic}
    for name, party in parties.items():
        with pytest.raises(ConsentNotPermittedNeverGranted):
            fetch(name, party, image_sets[name])
        grant = centre.consents.grant(cast.centre.address, Terms(("CC",)))
        paid(cast, grant, getattr(cast, name))
        fetch(name, party, image_sets[name])
        (seen,) = grants(party, getattr(cast, name))
        assert (seen.grantee, seen.status) == (cast.centre.address, "active")


def revoke_while_a_viewer_is_open(cast, viewers, here):
    """The patient takes the hospital's grant back while the reader looks at both studies."""
    paid(cast, cast.centre.home.consents.revoke(cast.centre.address), cast.here)
    assert viewers["here"].is_refused("ConsentNotPermittedRevoked")["reader"]
    assert viewers["there"].shows == 3
    service = GatewayKeyService(cast.hospital.url, cast.reader, cast.centre.home.ledger.chain_id)
    with pytest.raises(ConsentNotPermittedRevoked):
        cast.centre.home.reading.secret(
            here.image_id,
            reader=cast.reader,
            private_key=cast.key_of("reader"),
            key_service=service,
            use=CARE,
        )
    assert [each.status for each in grants(cast.hospital, cast.here)] == ["revoked"]


def declare_an_emergency(cast):
    """At night a doctor of the other hospital needs the patient's images."""
    consents = cast.clinic.home.consents
    declared = consents.break_glass(cast.here.address, SealedNote.of("unconscious at night"))
    declared.send(cast.doctor)
    (seen,) = cast.hospital.home.consents.emergencies(subject=cast.here.address)
    assert (seen.clinician, seen.institution) == (cast.doctor.address, cast.clinic.address)
    assert seen.justified is None
    assert consents.emergencies(subject=cast.there.address) == ()


def review_the_emergency(cast):
    """In the morning a second person of the doctor's hospital reviews it."""
    consents = cast.clinic.home.consents
    (seen,) = consents.emergencies(institution=cast.clinic.address, subject=cast.here.address)
    which = (cast.here.address, cast.doctor.address, seen.since)
    opinion = SealedNote.of("it was needed")
    with pytest.raises(EmergencyReviewerInvalid):
        consents.review(*which, justified=True, opinion=opinion).send(cast.doctor)
    consents.review(*which, justified=True, opinion=opinion).send(cast.clinic.account)
    (reviewed,) = cast.hospital.home.consents.emergencies(subject=cast.here.address)
    assert reviewed.justified is True
    conduct = cast.centre.home.consents.conduct(cast.clinic.address).as_institution
    assert (conduct.justified, conduct.unjustified) == (1, 0)


def erase(cast, nodes, here, emergency):
    """The patient asks the hospital to erase the study."""
    hospital, centre = cast.hospital, cast.centre
    assert list(hospital.gateway.image_sets._opened) == [here.image_id]
    ask = GatewayHolders(hospital.account, hospital.home.ledger.chain_id).ask
    done, erasure = hospital.home.erasures.erase(here.image_id, custodian=hospital.account, ask=ask)
    # The gateway forgets it by itself, and an open viewer is refused.
    until(lambda: not hospital.gateway.image_sets._opened, "the gateway has the secret still", 30)
    assert emergency.is_refused("ConsentNotPermittedErased") == {"image": here.image_id}

    # The doctor was shown images and given no secret; the reading centre speaks for its reader.
    assert erasure.complete
    (holder,) = erasure.holders
    assert (holder.account, holder.certified_by) == (cast.reader.address, centre.address)
    for party in (hospital, centre):
        certificates = party.home.erasures._erasing.certificates.of(here.image_id)
        certificate = certificates[centre.address]
        certificate.require_valid(party.home.ledger, here.image_id)
        assert (certificate.contents, certificate.digest) == (4, holder.certificate)
    own = ErasureCertificate.from_file(Path(done.certificate))
    assert own.signer == hospital.address
    for party in (hospital, cast.clinic, centre):
        record = party.home.images.show(here.image_id)
        assert (record.state, record.certificate) == ("erased", own.digest)
    assert nodes.pins("hospital") == set()
    with pytest.raises(ConsentNotPermittedErased):
        centre.home.ledger.call(
            "ConsentRegistry", "requirePermitted", cast.doctor.address, here.struct, CARE.struct
        )

"""What docs/privacy.md says is left of an erased image set, tried with all that could be stolen."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from radledger import RadLedger
from radledger.access.receipts import Receipt
from radledger.chain.rpc import request
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.crypto.envelope import padded
from radledger.crypto.keys import new_private_key
from radledger.dicom.digest import image_digest
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway import Gateway
from radledger.imaging.ciphertext import decrypt_instance
from radledger.imaging.service import Images
from radledger.pacs.inbox import Held, Inbox, inbox_folder
from radledger.signed import submit
from radledger.storage import LocalStore
from radledger.tlog.tiles import entries_of
from radledger.verify.logged.receipt import receipt_entry, receipt_salt
from tests.privacy.thief import Thief, found_in, header_of, traces_of
from tests.privacy.world import TimedStore

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
CARE = Use.of(["CC"])
VISIT, COURSE = "admission of MRN-4711", "therapy of MRN-4711"


@pytest.fixture(scope="module")
def world(deployed_ledger, people, encryption_keys, tmp_path_factory):
    """A study goes through all parts of a hospital's home, is read, and is erased."""
    ledger = deployed_ledger
    snapshot = request(ledger.web3, "evm_snapshot", [])
    folder = tmp_path_factory.mktemp("erasure")
    home = RadLedger(ledger, TimedStore(folder / "store"), folder / "home")
    hospital, patient, clinic = (people[name] for name in ("hospital", "patient", "clinic"))

    def study(name, patient_id, slices, seed):
        return make_ct_series(folder / name, slices, size=40, seed=seed, patient=patient_id)

    def add(files, **options):
        added = home.images.add(
            files, patient.address, custodian=hospital, keep_identity=True, workers=1, **options
        )
        return added[0].image_id

    files = study("study", "MRN-4711", 3, 1)
    others = [study(f"other{n}", f"MRN-{4712 + n}", 3, 2 + n) for n in range(3)]
    others.append(study("unusual", "MRN-9", 7, 9))
    inbox = _receive(home, files, folder)
    home.receipt_log.create("hospital.example/log")
    image_id = add(files, visit=VISIT, course=COURSE)
    versioned = study("versioned", "MRN-5000", 3, 20)
    original = add(versioned, visit="admission of MRN-5000")
    version = home.images.deidentify(original, "basic", custodian=hospital).image_id
    grant = home.consents.grant(clinic.address, Terms(("CC",))).sign(patient)
    submit(ledger, grant, hospital)
    secret, receipts = _read(home, image_id, clinic, encryption_keys["clinic"], hospital)
    home.receipt_log.publish()
    home.index.sync()
    instances = home.images.contents(image_id).instances
    backup = folder / "backup"
    shutil.copytree(folder / "home", backup / "home")
    shutil.copytree(folder / "store", backup / "store")
    erased = [home.images.erase(each, custodian=hospital) for each in (original, image_id)]
    home.index.sync()
    yield SimpleNamespace(
        ledger=ledger,
        people=people,
        folder=folder,
        home=home,
        old=RadLedger(ledger, LocalStore(backup / "store"), backup / "home"),
        files=files,
        others=others,
        image_id=image_id,
        secret=secret,
        salts=[bytes.fromhex(each.salt[2:]) for each in instances],
        cids=[each.cid for each in instances],
        receipts=receipts,
        certificate=erased[1].certificate,
        versioned=versioned,
        original=original,
        version=version,
    )
    inbox.close()
    request(ledger.web3, "evm_revert", [snapshot])
    vars(ledger).pop("sender", None)


def _receive(home, files, folder):
    """As a PACS sends the study, before it is anchored."""
    inbox = Inbox(inbox_folder(home.home, home.ledger.deployment))
    arriving = folder / "home" / "pacs" / "arriving"
    for file in files:
        shutil.copy(file, arriving)
        header = header_of(file)
        uids = (str(header.StudyInstanceUID), str(header.SOPInstanceUID))
        inbox.hold(arriving, Held("0xA", *uids, 0.0))
    assert len(found_in(home.home, traces_of(files))) > 6
    inbox.release(inbox.files("0xA", str(header_of(files[0]).StudyInstanceUID)))
    return inbox  # open, as a receiver has it


def _read(home, image_id, reader, private_key, hospital):
    """The reader is given the secret, and looks at the images in a viewer."""
    secret = home.reading.secret(
        image_id, reader=reader, private_key=private_key, key_service=home.key_service(), use=CARE
    ).secret
    grant_id = home.receipts.releases(image_id)[0].signed.receipt.grant_id
    viewed = Receipt.of(home.ledger, reader.address, image_id, CARE, grant_id).sign(reader)
    gateway = Gateway(home, hospital, "https://gateway.example")
    gateway.admit(reader.address, [viewed])
    gateway.image_sets.find(image_id)
    gateway.close()
    return secret, [each.signed.receipt for each in home.receipts.releases(image_id)]


@pytest.fixture(scope="module")
def thief(world):
    return Thief(world.ledger, world.image_id, world.folder / "backup" / "store")


def test_no_part_of_a_home_has_a_trace_of_the_file(world):
    """Its databases with their free pages and write-ahead logs, the index, the logs, the inbox."""
    traces = traces_of(world.files) | {VISIT.encode(), COURSE.encode(), *world.salts}
    traces |= {salt.hex().encode() for salt in world.salts}
    traces |= {cid.encode() for cid in world.cids} | {world.secret.encode()}
    backup = found_in(world.folder / "backup" / "home", traces)
    assert {*world.salts, VISIT.encode(), world.cids[0].encode()} <= backup
    assert found_in(world.home.home, traces) == set()
    assert {path.name for path in world.home.home.iterdir()} >= {
        *("imaging", "index", "log", "pacs", "gateway", "receipts.sqlite3"),
    }


def test_the_store_keeps_nothing_of_it(world):
    names = {path.name for path in (world.folder / "store" / "pinned").glob("*/*")}
    assert not names & set(world.cids)
    assert len(names) == 4  # the version's


def test_the_file_gives_no_word_of_the_chain(world, thief):
    salts = [bytes.fromhex(value[2:]) for value in (world.image_id, "0x" + "11" * 32)]
    assert thief.confirmed(world.files, salts) == set()
    # With the salts, which were destroyed, it would.
    root = world.home.images.show(world.image_id).image_set.root
    assert root == "0x" + thief.root(world.files, world.salts).hex()


def test_no_certificate_confirms_what_is_in_an_old_store(world, thief):
    text = world.certificate.read_text()
    assert not [cid for cid in world.cids if cid in text]
    record = world.home.images.show(world.image_id)
    for time in range(record.anchored_at, world.ledger.now() + 1):
        # As releases up to 0.1.0 wrote it.
        statement = {
            "statement": "The custodian destroys the secret and the salts of this image set, "
            "deletes its ciphertext, and keeps nothing that could open it.",
            "image_id": world.image_id,
            "custodian": record.image_set.custodian,
            "chain_id": world.ledger.chain_id,
            "contract": world.ledger.address("ImageRegistry"),
            "instances": record.instances,
            "time": time,
        }
        assert not thief.certified(statement)


def test_an_old_store_opens_with_no_other_key(world, thief, encryption_keys):
    for role in ("patient", "custodian"):
        for key in (new_private_key(), encryption_keys["clinic"], encryption_keys["radiologist"]):
            assert thief.secret(role, key) is None
    assert thief.manifest(world.home.images.secret(world.version)) is None


def test_an_old_store_opens_with_a_key_that_was_kept(world, thief, encryption_keys, tmp_path):
    """Of the patient, of the custodian, of a reader who kept a secret; of an old home."""
    old = Images(world.ledger, world.old.storage, world.old.home)
    row = old._home.held(world.image_id)
    kept = {
        thief.secret("patient", encryption_keys["patient"]),
        thief.secret("custodian", encryption_keys["hospital"]),
        world.secret,
        old._home.journal.secret_of(row),
    }
    assert kept == {world.secret}
    instances = thief.manifest(world.secret).instances
    for number, instance in enumerate(instances):
        path = tmp_path / str(number)
        decrypt_instance(world.old.storage, instance, world.secret, path)
        assert path.read_bytes() in [file.read_bytes() for file in world.files]


def test_an_old_store_tells_padded_lengths(world, thief):
    """Which of some studies it may have been; one of an unusual number of files is ruled out."""
    lengths = {
        number: sorted(padded(file.stat().st_size) for file in study)
        for number, study in enumerate([world.files, *world.others])
    }
    assert [n for n, told in lengths.items() if told == thief.lengths()] == [0, 1, 2, 3]


def test_a_version_that_stays_shows_what_its_original_was(world):
    """To who may read it: the pixels are the same, and the chain names the original."""
    home = world.home
    assert home.images.show(world.version).parent == world.original
    pixels = {image_digest(file) for file in world.versioned}
    left = home.images.contents(world.version).instances
    assert {bytes.fromhex(each.image_digest[2:]) for each in left} == pixels
    # In the custodian's home there is what the version needs, and the visit that it is of.
    traces = traces_of(world.versioned) | {b"admission of MRN-5000"}
    patient_id = str(header_of(world.versioned[0]).PatientID).encode()
    assert found_in(home.home, traces) == {*pixels, b"admission of MRN-5000", patient_id}


def test_receipts_show_who_read_it_and_not_what_it_was(world):
    book = (world.home.home / "receipts.sqlite3").read_bytes()
    assert world.image_id.encode() in book
    assert world.people["clinic"].address.encode() in book
    public = world.home.receipt_log.public
    (bundle,) = [path for path in public.glob("tile/entries/**/*") if path.is_file()]
    entries = entries_of(bundle.read_bytes())
    assert len(entries) == len(world.receipts) == 2
    found = [entry_of(receipt, bytes.fromhex(receipt.nonce[2:])) for receipt in world.receipts]
    assert set(found) == set(entries)
    # Without the receipts, all that is in them but their nonces does not find them.
    guesses = [entry_of(each, nonce) for each in world.receipts for nonce in (bytes(16), b"")]
    assert not set(guesses) & set(entries)
    assert found_in(public, {world.image_id.encode(), bytes.fromhex(world.image_id[2:])}) == set()


def entry_of(receipt, nonce):
    return receipt_entry(receipt.digest, receipt_salt(nonce))


def test_what_the_chain_has_stays(world):
    home, patient = world.home, world.people["patient"].address
    records = [home.images.show(each) for each in (world.image_id, world.original)]
    assert {each.image_set.patient for each in records} == {patient}
    assert {(each.instances, str(each.state)) for each in records} == {(3, "erased")}
    of_visit = [
        each.image_id
        for each in home.images.list(patient=patient)
        if each.image_set.visit == records[1].image_set.visit
    ]
    assert of_visit == [world.original, world.version]


def test_the_page_has_a_row_for_each_attack():
    section = PAGE[PAGE.index("## After an erasure") : PAGE.index("## What links addresses")]
    rows = re.findall(r"`(test_\w+)`", section)
    here = {name for name in globals() if name.startswith("test_")} - {
        "test_the_page_has_a_row_for_each_attack"
    }
    assert set(rows) == here

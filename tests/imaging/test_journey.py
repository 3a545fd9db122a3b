"""From files to the chain and back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pydicom
import pytest

from radledger.chain.refusals import ParticipantLacksRole
from radledger.crypto.errors import UnwrapFailed
from radledger.errors import UsageError
from radledger.imaging.errors import FolderNotEmpty, ImageUnknown, NothingToAdd, SecretUnknown
from radledger.imaging.model import Kind, State
from radledger.imaging.service import Images
from radledger.storage import LocalStore, cid_digest


def digests(folder):
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir())


def test_kept_files_come_back_byte_for_byte(add, images, who, series, encryption_keys, tmp_path):
    added = add(series, keep_identity=True)
    assert [(each.instances, each.added, each.skipped) for each in added] == [(5, True, ())]
    image_id, key = added[0].image_id, encryption_keys["patient"]
    secret = images.own_secret(image_id, reader=who.patient.address, private_key=key)
    fetched = images.fetch(image_id, tmp_path / "fetched", secret=secret)
    assert digests(fetched.folder) == digests(series)
    for file in fetched.files:
        assert file.path.stat().st_size == file.size
        assert str(pydicom.dcmread(file.path).SOPInstanceUID) == file.instance


def test_the_chain_has_what_was_added(add, images, ledger, who, series, store):
    result = add(series, keep_identity=True)[0]
    record = images.show(result.image_id)
    image_set = record.image_set
    assert image_set.image_id == result.image_id == record.image_id
    assert "0x" + ledger.call("ImageRegistry", "idOf", image_set.struct).hex() == result.image_id
    assert (image_set.custodian, image_set.patient, image_set.root) == (
        who.hospital.address,
        who.patient.address,
        result.root,
    )
    assert (record.kind, record.parent, record.instances) == (Kind.ORIGINAL, None, 5)
    assert (record.state, record.certificate) == (State.ANCHORED, None)
    assert record.manifest == "0x" + cid_digest(result.manifest_cid).hex()
    assert record.transaction == result.transaction
    assert record.block == record.keyed_in_block
    receipt = ledger.web3.eth.get_transaction_receipt(result.transaction)
    assert result.gas == receipt.gasUsed
    on_chain = ledger.call("ImageRegistry", "imageOf", bytes.fromhex(result.image_id[2:]))
    assert on_chain.anchoredAt == record.anchored_at


def test_one_set_for_each_series_and_one_visit_for_each_study(add, images, tmp_path):
    from radledger.dicom.synthetic import make_ct_series

    make_ct_series(tmp_path / "a", 2, size=64, seed=1)
    make_ct_series(tmp_path / "b", 3, size=64, seed=2)
    added = add(tmp_path / "a", tmp_path / "b")
    assert sorted(each.instances for each in added) == [2, 3]
    visits = {images.show(each.image_id).image_set.visit for each in added}
    assert len(visits) == 2
    named = add(
        tmp_path / "a",
        tmp_path / "b",
        profile="retain-device-identity",
        visit="first",
        course="chemotherapy",
    )
    sets = [images.show(each.image_id).image_set for each in named]
    assert sets[0].visit == sets[1].visit not in visits
    assert sets[0].course == sets[1].course != "0x" + "00" * 32
    # one transaction for both, its gas shared
    assert named[0].transaction == named[1].transaction


def test_what_is_stored_identifies_no_patient(add, series, tmp_path, who):
    dataset = pydicom.dcmread(next(iter(series.iterdir())))
    result = add(series, visit="visit of Jane Miller")[0]
    names = [
        dataset.PatientID,
        str(dataset.PatientName),
        str(dataset.StudyInstanceUID),
        str(dataset.SeriesInstanceUID),
        "Miller",
        who.patient.address[2:],
    ]
    manifest = next((tmp_path / "store").glob(f"pinned/*/{result.manifest_cid}")).read_bytes()
    envelope = json.loads(manifest.split(b"\n")[0])
    assert sorted(envelope) == ["commitment", "format", "hybrid", "version", "wrapped"]
    assert sorted(envelope["hybrid"]) == ["custodian", "patient"]
    assert envelope["wrapped"] == {}
    for path in (tmp_path / "store").rglob("*"):
        content = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        for name in names:
            assert name.encode().lower() not in content.lower()


def test_deidentified_by_default(add, images, series, tmp_path):
    dataset = pydicom.dcmread(next(iter(series.iterdir())))
    image_id = add(series)[0].image_id
    manifest = images.contents(image_id)
    text = manifest.to_bytes().decode()
    assert (manifest.profile, manifest.visit) == ("basic", None)
    for name in (dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID):
        assert name not in text
    assert images.show(image_id).kind is Kind.DEIDENTIFIED


def test_the_manifest_of_kept_files_proves_the_visit(add, images, series):
    result = add(series, keep_identity=True, visit="follow-up", course="trial arm A")[0]
    manifest = images.contents(result.image_id)
    for group, name, digest in (
        (manifest.visit, "follow-up", manifest.image_set.visit),
        (manifest.course, "trial arm A", manifest.image_set.course),
    ):
        assert group.name == name
        salted = bytes.fromhex(group.salt[2:]) + name.encode()
        custodian = manifest.image_set.custodian[2:].lower()
        assert digest == f"0x{hashlib.sha256(salted).hexdigest()[:24]}{custodian}"


def test_the_same_files_again_add_nothing(add, series, ledger, stored_files, tmp_path):
    first = add(series)[0]
    before, blocks = stored_files(), ledger.block_number()
    again = add(series, *sorted(series.iterdir()))
    assert [(each.image_id, each.added) for each in again] == [(first.image_id, False)]
    assert (stored_files(), ledger.block_number()) == (before, blocks)
    assert again[0].transaction == first.transaction
    # elsewhere and under another name it is the same file still
    copy = tmp_path / "copy"
    copy.write_bytes(sorted(series.iterdir())[0].read_bytes())
    assert add(copy)[0].image_id == first.image_id
    # for another purpose it is a new set
    assert add(series, keep_identity=True)[0].image_id != first.image_id


def test_a_file_that_was_left_out_as_a_twin_stays_out(add, series, ledger):
    twin = pydicom.dcmread(series / "CT0001.dcm")
    twin.InstanceNumber = 99
    (series / "CT0001.dcm").rename(series / "first.dcm")
    (first,) = add(series)
    twin.save_as(series / "twin.dcm", enforce_file_format=True)
    block = ledger.block_number()
    (again,) = add(series)
    assert (again.image_id, again.instances, again.added) == (first.image_id, 5, False)
    assert [Path(each.path).name for each in again.skipped] == ["twin.dcm"]
    assert "same SOP Instance UID" in again.skipped[0].reason
    assert ledger.block_number() == block


def test_a_version_names_its_original(add, images, who, series, encryption_keys, tmp_path):
    original = add(series, keep_identity=True)[0]
    derived = images.deidentify(original.image_id, "basic", custodian=who.hospital)
    again = images.deidentify(original.image_id, "basic", custodian=who.hospital)
    assert (derived.added, again.added, again.image_id) == (True, False, derived.image_id)
    record = images.show(derived.image_id)
    assert (record.kind, record.parent) == (Kind.DEIDENTIFIED, original.image_id)
    assert record.image_set.visit == images.show(original.image_id).image_set.visit
    for image_id in (original.image_id, derived.image_id):
        found = [each.image_id for each in images.versions(image_id)]
        assert found == [original.image_id, derived.image_id]
    key = encryption_keys["hospital"]
    secret = images.own_secret(derived.image_id, reader=who.hospital.address, private_key=key)
    fetched = images.fetch(derived.image_id, tmp_path / "derived", secret=secret)
    identifier = pydicom.dcmread(next(iter(series.iterdir()))).PatientID
    for file in fetched.files:
        dataset = pydicom.dcmread(file.path)
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.PatientID != identifier


def test_lists_by_custodian_and_patient(add, images, who, series, sample):
    image_ids = {each.image_id for each in add(series, sample("CT_small.dcm"))}
    assert {each.image_id for each in images.list(patient=who.patient.address)} >= image_ids
    assert {each.image_id for each in images.list(custodian=who.hospital.address)} >= image_ids
    assert images.list(patient=who.stranger.address) == []


def test_refuses_who_is_not_a_custodian(images, who, series, stored_files):
    with pytest.raises(ParticipantLacksRole) as refusal:
        images.add([series], who.patient.address, custodian=who.researcher)
    assert refusal.value.values["account"] == who.researcher.address
    assert stored_files() == []


def test_refuses_the_wrong_key_and_an_unknown_image(add, images, who, series, encryption_keys):
    image_id = add(series)[0].image_id
    with pytest.raises(UnwrapFailed):
        images.own_secret(
            image_id, reader=who.patient.address, private_key=encryption_keys["radiologist"]
        )
    assert images.own_secret(
        image_id, reader=who.patient.address, private_key=encryption_keys["patient"]
    ) == images.secret(image_id)
    unknown = "0x" + "ab" * 32
    with pytest.raises(ImageUnknown) as error:
        images.show(unknown)
    assert error.value.values == {"image": unknown}
    with pytest.raises(ImageUnknown):
        images.show("0x12")


def test_another_home_has_no_secret(add, ledger, series, tmp_path):
    image_id = add(series)[0].image_id
    elsewhere = Images(ledger, LocalStore(tmp_path / "store"), tmp_path / "elsewhere")
    with pytest.raises(SecretUnknown) as error:
        elsewhere.contents(image_id)
    assert error.value.values == {"image": image_id}
    with pytest.raises(SecretUnknown):
        elsewhere.fetch(image_id, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_nothing_is_overwritten(add, images, series, tmp_path):
    image_id = add(series)[0].image_id
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "mine").write_text("keep")
    with pytest.raises(FolderNotEmpty):
        images.fetch(image_id, folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]
    (folder / "mine").unlink()
    assert len(images.fetch(image_id, folder).files) == 5


def test_refuses_an_unknown_profile(add, series):
    with pytest.raises(UsageError) as error:
        add(series, profile="all")
    assert error.value.values["profile"] == "all"


def test_nothing_to_add_says_why(add, tmp_path, sample):
    (tmp_path / "text").write_text("no DICOM at all, but long enough" * 10)
    with pytest.raises(NothingToAdd) as error:
        add(tmp_path / "text", tmp_path / "missing")
    reasons = {each["path"]: each["reason"] for each in error.value.values["skipped"]}
    assert reasons[str(tmp_path / "missing")] == "not found"
    assert "does not begin as a DICOM file" in reasons[str(tmp_path / "text")]

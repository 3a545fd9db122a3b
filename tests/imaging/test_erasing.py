"""What a home has of erased image sets: in a restored backup, and as a holder of a copy."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pydicom
import pytest

from radledger.chain.refusals import ImageIsErased
from radledger.imaging.bundles import Bundles
from radledger.imaging.certificates import BY_CUSTODIAN, BY_HOLDER, ErasureCertificate
from radledger.imaging.copies import Copies
from radledger.imaging.custody import Custody
from radledger.imaging.erasing import Erasing
from radledger.imaging.errors import (
    CertificateInvalid,
    CiphertextRemains,
    ImageNotErased,
    JournalUnavailable,
    NothingToAdd,
    SecretRemains,
    SecretUnknown,
)
from radledger.imaging.journal.journal import Journal
from radledger.imaging.service import Images
from radledger.storage import LocalStore, MemoryStore
from radledger.storage.errors import StorageUnavailable
from tests.imaging.test_resume import Killed


@pytest.fixture
def erasing(ledger, store, home):
    return Erasing(ledger, store, home)


@pytest.fixture
def partner(ledger, store, images, tmp_path):
    """A partner's home, whose store has its own copy of what the hospital's has."""
    mine = LocalStore(tmp_path / "partner" / "store")
    home = tmp_path / "partner" / "home"
    copies, erasing = Copies(ledger, mine, home), Erasing(ledger, mine, home)

    def pin(image_id):
        for path in (tmp_path / "store" / "pinned").glob("*/*"):
            with path.open("rb") as content:
                mine.put(content)
            mine.unpin(path.name)
        return copies.pin(image_id, secret=images.secret(image_id))

    copies.take = pin
    return copies, erasing


@pytest.fixture
def restored(ledger, images, add, series, who, home, tmp_path):
    """Image set, and its custodian's home and store as they were before the set was erased."""
    image_id = add(series, keep_identity=True)[0].image_id
    images._home.journal.close()
    backup = tmp_path / "backup"
    shutil.copytree(home, backup / "home")
    shutil.copytree(tmp_path / "store", backup / "store")
    Images(ledger, LocalStore(tmp_path / "store"), home).erase(image_id, custodian=who.hospital)
    return image_id, LocalStore(backup / "store"), backup / "home"


def test_nothing_in_a_restored_home_brings_an_erased_set_back(
    restored, ledger, who, series, encryption_keys, tmp_path
):
    image_id, store, home = restored
    images, copies = Images(ledger, store, home), Copies(ledger, store, home)
    secret = images._home.journal.secret_of(images._home.held(image_id))  # it is here indeed
    for use_case in (
        lambda: images.secret(image_id),
        lambda: images.contents(image_id),
        lambda: images.contents(image_id, secret=secret),
        lambda: images.verify(image_id, [series]),
        lambda: images.fetch(image_id, tmp_path / "fetched"),
        lambda: images.fetch(image_id, tmp_path / "fetched", secret=secret),
        lambda: images.own_secret(
            image_id, reader=who.patient.address, private_key=encryption_keys["patient"]
        ),
        lambda: images.own_secret(
            image_id, reader=who.hospital.address, private_key=encryption_keys["hospital"]
        ),
        lambda: images.rekey(image_id, custodian=who.hospital),
        lambda: images.deidentify(image_id, "basic", custodian=who.hospital),
        lambda: copies.repair(image_id),
        lambda: copies.pin(image_id, secret=secret),
        lambda: Bundles(ledger, images).export(
            image_id, tmp_path / "bundle", files=list(series.iterdir())
        ),
    ):
        with pytest.raises(ImageIsErased) as refusal:
            use_case()
        assert refusal.value.values == {"image": image_id}
    assert not (tmp_path / "fetched").exists()
    assert copies.status(image_id).contents == ()
    header = pydicom.dcmread(next(series.iterdir()), stop_before_pixels=True)
    assert images._home.journal.kept(header.SOPInstanceUID) == {(image_id, header.SOPClassUID)}
    assert Custody(ledger, store, home).classes(header.SOPInstanceUID) == set()


def test_what_a_backup_brought_back_is_destroyed_again(restored, ledger, who, series, tmp_path):
    image_id, store, home = restored
    images, erasing = Images(ledger, store, home), Erasing(ledger, store, home)

    def add():
        return images.add([series], who.patient.address, custodian=who.hospital, keep_identity=True)

    with pytest.raises(NothingToAdd) as error:
        add()
    (skipped,) = error.value.values["skipped"]
    assert f"`radledger image erase --resume {image_id}`" in skipped["reason"]

    kept = images._home.journal.find(image_id).secret.encode()
    with pytest.raises(SecretRemains):
        erasing.forget(image_id, holder=who.hospital)
    assert erasing.destroy_again(image_id)
    assert kept not in b"".join(path.read_bytes() for path in home.rglob("journal.sqlite3*"))
    assert list((tmp_path / "backup" / "store" / "pinned").glob("*/*")) == []
    assert not erasing.destroy_again(image_id)
    again = add()[0]
    assert again.added
    assert again.image_id != image_id


def test_erasing_again_in_a_restored_home_gives_the_digest_that_the_chain_has(
    restored, ledger, who
):
    image_id, store, home = restored
    images = Images(ledger, store, home)
    result = images.erase(image_id, custodian=who.hospital)
    assert result.digest == images.show(image_id).certificate
    certificate = ErasureCertificate.from_file(result.certificate)
    assert (certificate.signer, certificate.image_id) == (who.hospital.address, image_id)
    with pytest.raises(SecretUnknown):
        images.secret(image_id)


def test_a_set_that_a_backup_had_before_it_was_anchored_is_not_taken_for_new(
    ledger, images, add, series, who, home, store, tmp_path, monkeypatch
):
    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "confirm", killed)
        with pytest.raises(Killed):
            add(series)
    images._home.journal.close()
    backup = tmp_path / "backup"
    shutil.copytree(home, backup)
    later = Images(ledger, store, home)
    (added,) = later.add([series], who.patient.address, custodian=who.hospital)
    later.erase(added.image_id, custodian=who.hospital)

    restored = Images(ledger, store, backup)
    with pytest.raises(NothingToAdd) as error:
        restored.add([series], who.patient.address, custodian=who.hospital)
    assert added.image_id in error.value.values["skipped"][0]["reason"]
    with pytest.raises(ImageIsErased):
        restored.secret(added.image_id)
    assert Erasing(ledger, store, backup).destroy_again(added.image_id)
    with pytest.raises(SecretUnknown):
        restored.secret(added.image_id)


def test_nothing_is_destroyed_that_the_chain_does_not_say_is_erased(
    add, series, erasing, images, who
):
    image_id = add(series)[0].image_id
    for use_case in (
        lambda: erasing.destroy_again(image_id),
        lambda: erasing.forget(image_id, holder=who.clinic),
    ):
        with pytest.raises(ImageNotErased) as error:
            use_case()
        assert error.value.values == {"image": image_id, "state": "anchored"}
    assert len(images.contents(image_id).instances) == 5


def test_the_custodian_s_certificate_is_signed_and_names_nothing(add, series, images, who, ledger):
    image_id = add(series, keep_identity=True)[0].image_id
    contents = images.contents(image_id)
    result = images.erase(image_id, custodian=who.hospital)
    certificate = ErasureCertificate.from_file(result.certificate)
    assert (certificate.signer, certificate.holder) == (who.hospital.address,) * 2
    assert (certificate.statement, certificate.contents) == (BY_CUSTODIAN, 6)
    assert (certificate.chain_id, certificate.contract) == (
        ledger.chain_id,
        ledger.address("ImageRegistry"),
    )
    assert certificate.digest == result.digest == images.show(image_id).certificate
    text = result.certificate.read_text()
    for secret in (contents.study, *(each.cid for each in contents.instances)):
        assert secret not in text


def test_a_partner_deletes_its_copy_and_certifies_it_once(
    partner, add, series, images, who, ledger, tmp_path
):
    copies, erasing = partner
    image_id = add(series)[0].image_id
    assert copies.take(image_id).pinned == 6
    assert erasing.learned(set()) == []
    images.erase(image_id, custodian=who.hospital)
    assert erasing.learned(set()) == erasing.learned({image_id}) == [image_id]
    certificate = erasing.forget(image_id, holder=who.clinic)
    assert list((tmp_path / "partner" / "store" / "pinned").glob("*/*")) == []
    assert (certificate.statement, certificate.contents) == (BY_HOLDER, 6)
    certificate.require_valid(ledger, image_id)
    assert erasing.forget(image_id, holder=who.clinic) == certificate
    assert erasing.certificates.of(image_id) == {who.clinic.address: certificate}
    assert erasing.learned(set()) == []


def test_nothing_is_certified_while_a_node_is_unavailable(
    add, series, images, who, ledger, tmp_path
):
    node = MemoryStore()
    copies = Copies(ledger, node, tmp_path / "partner")
    erasing = Erasing(ledger, node, tmp_path / "partner")
    image_id = add(series)[0].image_id
    for path in (tmp_path / "store" / "pinned").glob("*/*"):
        with path.open("rb") as content:
            node.put(content)
        node.unpin(path.name)
    copies.pin(image_id, secret=images.secret(image_id))
    images.erase(image_id, custodian=who.hospital)
    unpin = node.unpin

    def unavailable(cid):
        raise StorageUnavailable("start it", address="nowhere")

    node.unpin = unavailable
    with pytest.raises(CiphertextRemains, match="start it; then run this again") as error:
        erasing.forget(image_id, holder=who.clinic)
    assert error.value.values == {"image": image_id, "reason": "start it"}
    assert erasing.certificates.of(image_id) == {}
    node.unpin = unpin
    assert erasing.forget(image_id, holder=who.clinic).contents == 6
    assert node.contents == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": "0x" + "ab" * 32}, "of another image set or chain"),
        ({"chain_id": 1}, "of another image set or chain"),
        ({"contract": "0x" + "11" * 20}, "of another image set or chain"),
        ({"statement": "The holder keeps it."}, "states something else"),
        ({"contents": 7}, "is not signed by its holder"),
        ({"time": 1}, "is not signed by its holder"),
        ({"holder": "0x" + "22" * 20}, "is not signed by its holder"),
        ({"signature": "0x" + "00" * 65}, "is not signed by its holder"),
        ({"signature": "0x"}, "not a certificate of erasure"),
        ({"holder": "../../clinic"}, "not a certificate of erasure"),
        ({"image_id": "../.."}, "not a certificate of erasure"),
        ({"contents": True}, "not a certificate of erasure"),
        ({"more": 1}, "it has unknown fields"),
    ],
)
def test_certificates_that_do_not_hold(ledger, who, change, message):
    image_id = "0x" + "cd" * 32
    unsigned = ErasureCertificate(
        *(BY_HOLDER, image_id, who.clinic.address, 5, 6, ledger.now()),
        *(ledger.chain_id, ledger.address("ImageRegistry"), "0x"),
    )
    signed = unsigned.sign(who.clinic)
    signed.require_valid(ledger, image_id)
    with pytest.raises(CertificateInvalid, match=message):
        ErasureCertificate.from_json(signed.to_json() | change).require_valid(ledger, image_id)


def test_files_that_are_not_certificates(tmp_path):
    for content in ("", "[]", "{}", "[" * 100_000, json.dumps({"image_id": 7})):
        path = tmp_path / "certificate.json"
        path.write_text(content)
        with pytest.raises(CertificateInvalid):
            ErasureCertificate.from_file(path)
    with pytest.raises(CertificateInvalid) as error:
        ErasureCertificate.from_file(tmp_path / "missing.json")
    assert error.value.values == {"path": str(tmp_path / "missing.json")}


def test_a_journal_that_is_being_read_still_has_it_and_says_so(add, series, images, who, home):
    image_id = add(series)[0].image_id
    secret = images._home.journal.find(image_id).secret.encode()
    (path,) = home.rglob("journal.sqlite3")

    def on_disk():
        return secret in b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))

    images._home.journal._database.connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    reading = sqlite3.connect(path)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM sets").fetchone()
    with pytest.raises(JournalUnavailable, match="is being read by another process"):
        images.erase(image_id, custodian=who.hospital)
    assert on_disk()
    reading.close()
    images.erase(image_id, custodian=who.hospital)
    assert not on_disk()

"""The home signs and releases what it wrote itself, whatever workers write to the journal.

Each test writes with a connection of a worker, which has no key.
"""

from __future__ import annotations

import secrets
import shutil
import stat
from dataclasses import replace

import pytest

from radledger.crypto import envelope
from radledger.imaging.errors import (
    JournalAltered,
    JournalKeyMissing,
    NothingToAdd,
    WorkerAnswerInvalid,
)
from radledger.imaging.home import imaging_folder
from radledger.imaging.ingest import anchoring
from radledger.imaging.ingest.additions import Additions
from radledger.imaging.ingest.storing import FileOutcome
from radledger.imaging.journal.homekey import HomeKey, seal_secret
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.rows import context_of
from radledger.imaging.journal.statements import columns_of
from radledger.imaging.journal.tables import Purpose
from radledger.imaging.model import NONE, State
from radledger.imaging.service import Images
from tests.imaging.test_resume import Killed, anchored, kill_at

__all__ = ["kill_at"]


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request):
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else None


@pytest.fixture
def forge(worker, who):
    """Write a sealed set for a patient whose images are not added, with a file of another set."""

    def written(first, **other):
        row = {
            "custodian": who.hospital.address,
            "patient": who.stranger.address,
            "profile": "",
            "parent": NONE,
            "visit": "0x" + "11" * 32,
            "course": NONE,
            "study": "1.2",
            "series": "1.3",
            "modality": "CT",
            "state": "sealed",
            "secret": "x",
            "image_id": "0x" + "77" * 32,
            "root": "0x" + secrets.token_bytes(32).hex(),
            "manifest_cid": first.manifest_cid,
            **other,
        }
        values = ", ".join(f":{name}" for name in row)
        worker(f"INSERT INTO sets ({', '.join(row)}) VALUES ({values})", **row)  # noqa: S608
        worker(
            "INSERT INTO files SELECT (SELECT max(set_id) FROM sets), source_digest, sop_instance,"
            " sop_class, transfer_syntax, number, salt, file_digest, image_digest, cid, size "
            "FROM files WHERE set_id = 1"
        )

    return written


def states(worker):
    return [state for (state,) in worker("SELECT state FROM sets ORDER BY set_id")]


@pytest.mark.parametrize("secret", ["x", "own", "copied"])
def test_a_row_that_a_worker_wrote_is_not_signed(
    add, ledger, who, series, sample, worker, forge, images, secret
):
    first = add(series)[0]
    columns = {"custodian": who.hospital.address, "patient": who.stranger.address, "profile": ""}
    columns |= {"parent": NONE, "study": "1.2", "series": "1.3"}
    values = {
        "x": "x",
        "own": seal_secret(
            envelope.new_secret(), images._home.journal.key.public_key, context_of(columns)
        ),
        "copied": worker("SELECT secret FROM sets")[0][0],
    }
    visit = images._home.journal.find(first.image_id).visit
    forge(first, secret=values[secret], visit=visit if secret == "own" else "0x" + "11" * 32)
    add(sample("CT_small.dcm"))
    assert ledger.events("ImageRegistry", "ImageAnchored", patient=who.stranger.address) == []
    assert len(anchored(ledger, who)) == 2
    # what could be the home's may be added to again, the rest goes
    assert states(worker) == ["confirmed", *["open"] * (secret == "own"), "confirmed"]
    # the contents that the forged row names are the first set's
    assert images.verify(first.image_id, [series])[0].verdict == "reencoded"
    assert len(images.contents(first.image_id).instances) == 5


def test_what_is_on_the_chain_is_not_taken_over_by_a_forged_row(
    add, who, series, sample, worker, forge, images
):
    """Another secret in the place of a set's own would be released with that set's permissions."""
    first, other = add(series)[0], add(sample("CT_small.dcm"))[0]
    row = images._home.journal.find(first.image_id)
    worker("UPDATE sets SET image_id = 'gone' WHERE set_id = 1")
    fields = ("patient", "profile", "visit", "course", "root", "image_id", "manifest_cid")
    stolen = images._home.journal.find(other.image_id)
    context = {**columns_of(row), "study": stolen.study, "series": stolen.series}
    assert context_of(context) == context_of(columns_of(stolen))
    values = {name: getattr(row, name) for name in fields}
    values |= {"study": stolen.study, "series": stolen.series, "secret": stolen.secret}
    forge(first, **values)
    images.add([sample("CT_small.dcm")], who.stranger.address, custodian=who.hospital)
    assert images._home.journal.find(first.image_id) is None


CHANGES = {
    "root": "0x" + "ab" * 32,
    "patient": None,
    "visit": "0x" + "11" * 32,
    "course": "0x" + "11" * 32,
    "profile": "",
    "parent": "0x" + "11" * 32,
    "image_id": "0x" + "77" * 32,
    "manifest_cid": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    "secret": "x",
}


@pytest.mark.parametrize("column", [*CHANGES, "instances"])
def test_a_set_that_changes_while_it_is_sealed_is_not_signed(
    add, ledger, who, series, sample, worker, images, monkeypatch, column
):
    seal = anchoring.seal

    def altered(*arguments):
        seal(*arguments)
        if column == "instances":
            worker("DELETE FROM files WHERE number = 1")
        else:
            value = CHANGES[column] or who.stranger.address
            change = f"UPDATE sets SET {column} = :value WHERE state = 'sealed'"  # noqa: S608
            worker(change, value=value)

    with monkeypatch.context() as patch:
        patch.setattr(anchoring, "seal", altered)
        with pytest.raises((JournalAltered, WorkerAnswerInvalid)):
            add(series)
    assert ledger.events("ImageRegistry", "ImageAnchored", custodian=who.hospital.address) == []
    # the next run does not sign it either, and takes the files again
    add(sample("CT_small.dcm"))
    assert [event.args["instances"] for event in anchored(ledger, who)] == [1]
    (result,) = add(series)
    assert result.instances == 5
    assert len(images.contents(result.image_id).instances) == 5
    assert ledger.events("ImageRegistry", "ImageAnchored", patient=who.stranger.address) == []


@pytest.mark.parametrize("answer", ["patient", "profile", "addition"])
def test_a_worker_answers_only_for_what_it_was_given(
    images, who, series, sample, monkeypatch, ledger, answer
):
    def add(path, patient=who.patient, **options):
        return images.add([path], patient.address, custodian=who.hospital, **options)

    options = {"keep_identity": True} if answer == "profile" else {}
    patient = who.stranger if answer == "patient" else who.patient
    other = images._home.journal.find(add(series, patient, **options)[0].image_id)

    class Lying:
        def run(self, _work, tasks, _crashed):
            for task in tasks:
                said = replace(task, addition=7) if answer == "addition" else task
                yield FileOutcome(said, other.set_id)

    monkeypatch.setattr(Additions, "_workers", lambda *_: Lying())
    with pytest.raises(WorkerAnswerInvalid, match="only workers of yours") as error:
        add(sample("CT_small.dcm"))
    if answer != "addition":
        assert error.value.values == {"set": other.set_id, "patient": other.patient}


@pytest.mark.parametrize("answers", [[1, 2], [0, 0, 1], [0, 1, 2, 2]])
def test_a_worker_answers_once_for_each_file(images, who, series, monkeypatch, answers):
    class Lying:
        def run(self, _work, tasks, _crashed):
            given = list(tasks)
            for number in answers:
                yield FileOutcome(given[number], reason="left out")

    monkeypatch.setattr(Additions, "_workers", lambda *_: Lying())
    with pytest.raises(WorkerAnswerInvalid, match="only workers of yours"):
        images.add(sorted(series.iterdir())[:3], who.patient.address, custodian=who.hospital)


@pytest.mark.parametrize("mixed_patient_ids", [False, True])
def test_a_set_that_is_not_in_the_journal_is_reported(
    images, who, sample, monkeypatch, mixed_patient_ids
):
    class Lying:
        def run(self, _work, tasks, _crashed):
            for task in tasks:
                yield FileOutcome(task, 7)

    monkeypatch.setattr(Additions, "_workers", lambda *_: Lying())
    options = {"custodian": who.hospital, "mixed_patient_ids": mixed_patient_ids}
    with pytest.raises(NothingToAdd) as error:
        images.add([sample("CT_small.dcm")], who.patient.address, **options)
    (skipped,) = error.value.values["skipped"]
    assert "series was replaced; add all files" in skipped["reason"]


def test_a_worker_cannot_read_secrets_and_keys_of_pseudonyms(add, images, series, journal_holds):
    image_id = add(series)[0].image_id
    row = images._home.journal.find(image_id)
    assert not journal_holds(images.secret(image_id).encode())
    assert row.secret.startswith(envelope.recipient(images.secret(image_id)))
    purpose = Purpose(row.custodian, row.patient, row.profile)
    assert not journal_holds(images._home.journal.pseudonym_key(purpose))
    worker = Journal(images._home.journal.location)
    for use in (lambda: worker.secret_of(row), lambda: worker.pseudonym_key(purpose)):
        with pytest.raises(AssertionError):
            use()
    worker.close()


def test_secrets_do_not_change_places(add, images, series, sample, worker):
    """A reader with a permission for one set would be given the secret of the other."""
    one, other = add(series)[0].image_id, add(sample("CT_small.dcm"))[0].image_id
    worker("UPDATE sets SET image_id = 'aside' WHERE image_id = :one", one=one)
    worker("UPDATE sets SET image_id = :one WHERE image_id = :other", one=one, other=other)
    worker("UPDATE sets SET image_id = :other WHERE image_id = 'aside'", other=other)
    for image_id in (one, other):
        with pytest.raises(JournalAltered, match="nothing of it is signed or released") as error:
            images.secret(image_id)
        assert error.value.values == {"image": image_id}


def test_a_secret_of_an_open_set_that_was_replaced_is_not_used(
    add, images, who, series, kill_at, worker, ledger
):
    with kill_at(6, after=True), pytest.raises(Killed):  # all files stored, nothing sealed
        add(series)
    mine = envelope.new_secret()
    worker("UPDATE sets SET secret = :new", new=f"{envelope.recipient(mine)} AAAA")
    with pytest.raises(NothingToAdd) as error:
        add(series)
    assert "series was replaced; add all files" in error.value.values["skipped"][0]["reason"]
    (result,) = add(series)
    assert result.instances == 5
    assert images.secret(result.image_id) != mine


def test_a_key_of_pseudonyms_that_was_replaced_is_not_used(add, series, sample, worker):
    add(series)
    worker("UPDATE patients SET pseudonym_key = :key", key=bytes(32))
    with pytest.raises(JournalAltered, match="pseudonyms"):
        add(sample("CT_small.dcm"))


def test_only_the_set_that_was_named_is_erased(add, images, who, series, sample, worker):
    one, other = add(series)[0].image_id, add(sample("CT_small.dcm"))[0].image_id
    worker("UPDATE sets SET image_id = 'aside' WHERE image_id = :one", one=one)
    worker("UPDATE sets SET image_id = :one WHERE image_id = :other", one=one, other=other)
    with pytest.raises(JournalAltered):
        images.erase(one, custodian=who.hospital)
    assert images.show(one).state is State.ANCHORED
    worker("UPDATE sets SET image_id = :other WHERE image_id = :one", one=one, other=other)
    worker("UPDATE sets SET image_id = :one WHERE image_id = 'aside'", one=one)
    images.erase(one, custodian=who.hospital)
    assert images.show(one).state is State.ERASED
    assert len(images.contents(other).instances) == 1


@pytest.mark.parametrize("sealed", [False, True])
def test_a_rekeying_that_a_worker_began_is_not_signed(add, images, who, series, worker, sealed):
    added = add(series)[0]
    row = images._home.journal.find(added.image_id)
    mine = envelope.new_secret()
    kept = seal_secret(mine, images._home.journal.key.public_key, context_of(columns_of(row)))
    manifest = added.manifest_cid[:-4] + "aaaa" if sealed else None
    values = {"set_id": row.set_id, "secret": kept, "manifest": manifest}
    worker("INSERT INTO rekeys VALUES (:set_id, :secret, :manifest)", **values)
    result = images.rekey(added.image_id, custodian=who.hospital)
    assert images.secret(added.image_id) not in (mine, "")
    assert result.manifest_cid != manifest
    assert len(images.contents(added.image_id).instances) == 5


def test_a_ciphertext_that_a_worker_put_into_a_rekeying_is_not_signed(
    add, images, who, series, worker, kill_at, store, tmp_path, encryption_keys
):
    image_id = add(series)[0].image_id
    with kill_at(5, after=True), pytest.raises(Killed):
        images.rekey(image_id, custodian=who.hospital)
    done = worker("SELECT sop_instance FROM rekeyed_files")
    assert done
    worker("UPDATE rekeyed_files SET cid = 'another'")
    images.rekey(image_id, custodian=who.hospital)
    key = encryption_keys["patient"]
    secret = images.own_secret(image_id, reader=who.patient.address, private_key=key)
    fetched = images.fetch(image_id, tmp_path / "out", secret=secret)
    assert len(fetched.files) == 5


def test_a_manifest_that_is_encrypted_again_is_the_one_that_was_anchored(
    add, images, who, series, worker
):
    image_id = add(series)[0].image_id
    before = images.contents(image_id)
    worker("UPDATE files SET sop_instance = '1.2.3' WHERE number = 1")
    images.rekey(image_id, custodian=who.hospital)
    after = images.contents(image_id)
    assert [each.sop_instance for each in after.instances] == [
        each.sop_instance for each in before.instances
    ]


def test_the_key_is_its_owners_alone_and_each_homes_own(
    add, images, ledger, store, who, series, key_path, journal, tmp_path
):
    add(series)
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    assert HomeKey.read(key_path).public_key == images._home.journal.key.public_key
    if journal is None:
        return
    other = Images(ledger, store, tmp_path / "other", journal)
    with pytest.raises(JournalKeyMissing, match=r"copy journal\.key, or"):
        other.secret("0x" + "00" * 32)
    moved = imaging_folder(tmp_path / "other", ledger) / key_path.name
    shutil.copy(key_path, moved)
    assert other.add([series], who.patient.address, custodian=who.hospital)[0].instances == 5


@pytest.mark.parametrize("content", ["", "00" * 31, "no key"])
def test_a_damaged_key_is_reported(
    add, ledger, store, home, journal, key_path, series, who, content
):
    add(series)
    key_path.write_text(content)
    with pytest.raises(JournalKeyMissing, match="64 hexadecimal digits") as error:
        Images(ledger, store, home, journal).secret("0x" + "00" * 32)
    assert error.value.values == {"path": str(key_path)}
    key_path.unlink()
    with pytest.raises(JournalKeyMissing, match="another home"):
        Images(ledger, store, home, journal).secret("0x" + "00" * 32)

"""``radledger image``: from files to the chain and back."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames

from radledger.chain.keystore import Keystore
from radledger.crypto.keys import PrivateKey, public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.facade import RadLedger
from tests.dicom.files import sample

ADDED = {"image_id", "root", "manifest_cid", "instances", "skipped", "tx", "gas"}
UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def another(tmp_path):
    """A study that was not added."""
    folder = tmp_path / "another"
    make_ct_series(folder, 2, size=32, seed=5)
    return folder


@pytest.fixture
def permitted(home, signed):
    """Let the radiologist use everything for care."""
    signed("consent", "grant", "radiologist", "--purpose", "CC")


def add(*paths, who="hospital", patient="patient"):
    return ("image", "add", *paths, "--patient", patient, "--as", who)


def test_add(home, cli, another):
    odd = another / "ü\nn.dcm"
    shutil.copy(next(another.glob("*.dcm")), odd)
    (another / "notes.txt").write_text("not DICOM")
    os.mkfifo(another / "pipe")
    outcome = cli(*add(another))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.object.keys() >= ADDED
    assert outcome.object["instances"] == 2
    assert outcome.object["gas"] > 21_000
    skipped = outcome.object["skipped"]
    assert all(set(each) == {"path", "reason"} for each in skipped)
    assert {Path(each["path"]).name for each in skipped} >= {"notes.txt", "pipe"}

    # The same again adds nothing.
    again = cli(*add(another)).object
    assert {key: again[key] for key in ADDED} == {key: outcome.object[key] for key in ADDED}
    assert len(cli("image", "list").objects) == 2


def test_what_cannot_be_added(home, cli, plain_cli, study, tmp_path):
    missing, pipe = tmp_path / "missing", tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = cli(*add(missing, pipe)).refused("NothingToAdd")
    assert [each["path"] for each in refused["skipped"]] == [str(missing), str(pipe)]
    told = plain_cli(*add(pipe))
    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[0].startswith(f"{pipe}: ")
    assert told.err.splitlines()[1].startswith("NothingToAdd: ")

    cli(*add("")).refused("InvalidFile", 2)
    assert cli(*add(study, who="stranger")).refused("ParticipantNotAccredited")
    assert cli(*add(study, patient="nobody")).refused("AccountUnknown", 2)
    assert cli("image", "add", study, "--patient", "patient").refused("AccountNotNamed", 2) == {}
    profile = cli(*add(study), "--profile", "bogus").refused("UsageError", 2)
    assert profile["profile"] == "bogus"


def test_show_list_versions(home, ok, cli, image, addresses):
    shown = ok("image", "show", image)
    assert (shown["image_id"], shown["kind"], shown["parent"]) == (image, "deidentified", None)
    assert (shown["patient"], shown["custodian"]) == (addresses["patient"], addresses["hospital"])
    assert cli("image", "list", "--patient", "patient").objects == [shown]
    assert cli("image", "list", "--custodian", "clinic").objects == []

    derived = ok("image", "deidentify", image, "--as", "hospital", "--profile", "basic")
    assert derived["image_id"] != image
    versions = cli("image", "versions", derived["image_id"]).objects
    assert [(each["image_id"], each["parent"]) for each in versions] == [
        (image, None),
        (derived["image_id"], image),
    ]
    for command in ("show", "versions"):
        assert cli("image", command, UNKNOWN).refused("ImageUnknown")["image"] == UNKNOWN
        assert cli("image", command, "0x12").refused("InvalidImageId", 2)["image"] == "0x12"


def test_what_is_not_there_is_a_dash(home, plain_cli, cli, image):
    assert cli("image", "show", image).object["course"] == "0x" + "00" * 32
    told = dict(line.split() for line in plain_cli("image", "show", image).out.splitlines()[:8])
    assert (told["course"], told["parent"]) == ("-", "-")
    assert told["image_id"] == image


def test_the_example_of_the_readme(home, image, addresses, monkeypatch, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    monkeypatch.setenv("RADLEDGER_HOME", str(home))
    capsys.readouterr()
    keystore = Keystore(home)
    people = {name: keystore.open(name) for name in ("patient", "hospital")}
    granted = f"{addresses['patient']} lets {addresses['stranger']} use all images"
    for decision in ("False never granted", "True permitted"):
        exec(example, {"READER": addresses["stranger"], **people})  # noqa: S102 - ours
        decided, words = capsys.readouterr().out.splitlines()
        assert decided == f"{image} {decision}"
        assert words.startswith(granted)


def test_fetch_and_verify(home, ok, cli, image, study, another, permitted, tmp_path):
    reading = tmp_path / "reading"
    use = ("--purpose", "CC", "--as", "radiologist")
    fetched = ok("image", "fetch", image, "--to", reading, *use)
    files = sorted(reading.iterdir())
    assert sorted(each["path"] for each in fetched["files"]) == [str(file) for file in files]

    changed = bytearray(files[0].read_bytes())
    changed[-10] ^= 0xFF
    files[0].write_bytes(changed)
    none = tmp_path / "text"
    none.write_text("no image")
    paths = (*files, *sorted(study.iterdir()), next(another.iterdir()), none)
    results = cli("image", "verify", image, *paths, *use).objects
    assert all({"path", "verdict", "instance"} <= each.keys() for each in results)
    assert [each["path"] for each in results] == [str(path) for path in paths]
    assert [each["verdict"] for each in results] == [
        "changed",
        "identical",
        "reencoded",
        "reencoded",
        "unknown",
        "unknown",
    ]
    assert results[0]["instance"] == files[0].stem
    assert results[-1]["instance"] is None
    gone = cli("image", "verify", image, files[0], tmp_path / "gone", *use)
    assert gone.refused("InvalidFile", 2) == {"path": str(tmp_path / "gone")}
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    nothing = cli("image", "verify", image, tmp_path / "empty", *use)
    assert nothing.refused("NothingToVerify", 2) == {"paths": [str(tmp_path / "empty")]}

    again = cli("image", "fetch", image, "--to", reading, *use)
    assert again.refused("FolderNotEmpty") == {"folder": str(reading)}


@pytest.fixture
def undecodable(tmp_path):
    """A JPEG 2000 image whose end is missing, and the same with another patient's name."""
    dataset = pydicom.dcmread(sample("MR_small_jp2klossless.dcm"))
    [frame] = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[:-1000]])
    dataset.BurnedInAnnotation = "NO"
    dataset.save_as(tmp_path / "cut.dcm", enforce_file_format=True)
    dataset.PatientName = "Somebody^Else"
    dataset.save_as(tmp_path / "renamed.dcm", enforce_file_format=True)
    return tmp_path / "cut.dcm", tmp_path / "renamed.dcm"


def test_what_cannot_be_checked_is_taken_on_request_and_never_verified_as_an_image(
    home, ok, cli, plain_cli, undecodable
):
    cut, renamed = undecodable
    reason = "a tile does not end in it"
    for options in ((), ("--keep-identity",), ("--allow-unchecked",)):
        [skipped] = cli(*add(cut), *options).refused("NothingToAdd")["skipped"]
        assert skipped["path"] == str(cut)
        assert reason in skipped["reason"]
    added = ok(*add(cut), "--keep-identity", "--allow-unchecked")
    assert (added["instances"], added["skipped"]) == (1, [])

    verify = ("image", "verify", added["image_id"], cut, renamed, "--as", "patient")
    results = cli(*verify).objects
    assert [each["verdict"] for each in results] == ["identical", "changed"]
    assert all(reason in each["reason"] for each in results)
    assert plain_cli(*verify).out.count(reason) == 2


def test_who_may_read(home, ok, cli, image, permitted, tmp_path):
    def fetch(who, *use):
        return cli("image", "fetch", image, "--to", tmp_path / who, "--as", who, *use)

    assert fetch("patient").object["image_id"] == image
    assert fetch("hospital").object["image_id"] == image
    assert fetch("radiologist").refused("PurposeNotNamed", 2) == {}
    assert fetch("radiologist", "--purpose", "GRU").refused("ConsentNotPermittedPurpose")
    assert fetch("stranger", "--purpose", "CC").refused("ConsentNotPermittedNeverGranted")
    assert fetch("radiologist", "--purpose", "CC").object["image_id"] == image
    assert not (tmp_path / "stranger").exists()


def test_a_recovered_reader_reads_with_the_new_key_alone(
    home, ok, cli, image, permitted, travel, tmp_path
):
    guardians = ("identity", "guardians", "hospital", "clinic", "--threshold", "1")
    ok(*guardians, "--as", "radiologist")
    recover = ("identity", "recover", "radiologist", "--new-owner", "stranger", "--as")
    ok(*recover, "hospital")
    travel(3 * 24 * 3600)
    ok(*recover, "hospital", "--execute")
    ok("identity", "set-key", "--identity", "radiologist", "--as", "stranger")

    def fetch(who, *whose):
        name = (image, "--to", tmp_path / who, "--purpose", "CC")
        return cli("image", "fetch", *name, "--as", who, *whose)

    whose = ("--identity", "radiologist")
    assert fetch("stranger").refused("ConsentNotPermittedNeverGranted")
    assert fetch("radiologist").refused("ReaderReplaced")
    assert fetch("clinic", *whose).refused("ReceiptInvalid")
    assert (
        cli("image", "fetch", image, "--to", "x", "--as", "hospital", *whose).refused(
            "PurposeNotNamed", 2
        )
        == {}
    )
    fetched = fetch("stranger", *whose).object
    paths = [each["path"] for each in fetched["files"]]
    results = cli("image", "verify", image, *paths, "--purpose", "CC", "--as", "stranger", *whose)
    assert {each["verdict"] for each in results.objects} == {"identical"}


def test_nothing_is_read_after_a_revocation(home, cli, image, permitted, signed, tmp_path):
    signed("consent", "revoke", "radiologist")
    use = ("--purpose", "CC", "--as", "radiologist")
    refused = cli("image", "fetch", image, "--to", tmp_path / "reading", *use)
    assert refused.refused("ConsentNotPermittedRevoked")
    assert not (tmp_path / "reading").exists()


def test_disown_and_acknowledge(ok, cli, image, permitted, signed, tmp_path):
    use = ("--purpose", "CC", "--as", "radiologist")
    refused = cli("image", "disown", image, "--as", "stranger").refused("ImageNotAuthorized")
    assert refused["patient"] == ok("image", "show", image)["patient"]

    signed("image", "disown", image)
    assert ok("image", "show", image)["state"] == "disowned"
    assert [each["state"] for each in cli("image", "list").objects] == ["disowned"]
    reading = cli("image", "fetch", image, "--to", tmp_path / "reading", *use)
    assert reading.refused("ConsentNotPermittedDisowned") == {"image": image}
    checked = ok("consent", "check", "radiologist", image, "--purpose", "CC")
    assert (checked["permitted"], checked["reason"]) == (False, "disowned")
    own = cli("image", "fetch", image, "--to", tmp_path / "own", "--as", "patient")
    assert own.refused("ImageIsDisowned") == {"image": image}
    assert "radledger image acknowledge" in own.object["message"]
    assert not (tmp_path / "own").exists()

    signed("image", "acknowledge", image)
    assert ok("image", "show", image)["state"] == "anchored"
    ok("image", "fetch", image, "--to", tmp_path / "reading", *use)


def test_rekey_and_erase(home, ok, cli, image, tmp_path):
    before = ok("image", "show", image)
    assert cli("image", "rekey", image, "--as", "stranger").refused("ParticipantNotAccredited")
    ok("image", "rekey", image, "--as", "hospital")
    after = ok("image", "show", image)
    assert after["root"] == before["root"]
    assert after["manifest"] != before["manifest"]
    ok("image", "fetch", image, "--to", tmp_path / "reading", "--as", "patient")

    ok("image", "erase", image, "--as", "hospital")
    assert ok("image", "show", image)["state"] == "erased"
    gone = cli("image", "fetch", image, "--to", tmp_path / "gone", "--as", "patient")
    assert gone.refused("ImageIsErased") == {"image": image}


def test_who_has_no_hybrid_key_is_named_in_one_line(home, subprocess_cli, another, addresses):
    # As a participant of the release before hybrid keys, who kept the key in a file of its own.
    key = PrivateKey(x25519=bytes(range(32)))
    reader = Keystore(home).open("stranger")
    RadLedger.open(home=home).identities.set_key(public_key(key)).send(reader)
    added = subprocess_cli("--json", *add(another, patient="stranger"))
    assert (added.code, added.err.count("\n")) == (0, 1)
    assert added.err.startswith(
        f"no usable hybrid key is registered by {addresses['stranger']}, so that"
    )
    assert subprocess_cli("identity", "set-key", "--as", "stranger").code == 0
    again = subprocess_cli("image", "rekey", added.object["image_id"], "--as", "hospital")
    assert (again.code, again.err) == (0, "")

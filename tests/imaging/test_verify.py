"""Identical, re-encoded, changed, undecided, unknown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from radledger.imaging import verifying

ROOT = Path(__file__).parents[2]
VERIFIER = """
const { StandardMerkleTree } = require('@openzeppelin/merkle-tree');
const { leaves, root } = JSON.parse(require('fs').readFileSync(0));
const tree = StandardMerkleTree.of(leaves, ['bytes32', 'bytes32', 'bytes32']);
const proven = leaves.every((leaf, i) => StandardMerkleTree.verify(
  root, ['bytes32', 'bytes32', 'bytes32'], leaf, tree.getProof(leaf)));
console.log(JSON.stringify({ root: tree.root, proven }));
"""


@pytest.fixture
def verdicts(images):
    def judge(image_id, *paths):
        return [(each.verdict, each.instance) for each in images.verify(image_id, paths)]

    return judge


def saved(dataset, path):
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_each_verdict(add, verdicts, series, sample, tmp_path):
    image_id = add(series, keep_identity=True)[0].image_id
    path = sorted(series.iterdir())[2]
    dataset = pydicom.dcmread(path)
    instance = str(dataset.SOPInstanceUID)
    assert verdicts(image_id, path) == [("identical", instance)]

    dataset.compress(RLELossless)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = instance
    assert verdicts(image_id, saved(dataset, tmp_path / "rle")) == [("reencoded", instance)]

    dataset = pydicom.dcmread(path)
    dataset.PatientName = "Somebody^Else"
    assert verdicts(image_id, saved(dataset, tmp_path / "renamed")) == [("reencoded", instance)]

    pixels = bytearray(pydicom.dcmread(path).PixelData)
    pixels[1000] ^= 1
    dataset = pydicom.dcmread(path)
    dataset.PixelData = bytes(pixels)
    assert verdicts(image_id, saved(dataset, tmp_path / "pixel")) == [("changed", instance)]

    dataset = pydicom.dcmread(path)
    dataset.RescaleIntercept = "-1024"
    assert verdicts(image_id, saved(dataset, tmp_path / "rescale")) == [("changed", instance)]

    assert verdicts(image_id, sample("MR_small.dcm")) == [("unknown", None)]


def test_decompressed_is_the_same_image(add, verdicts, sample, tmp_path):
    path = sample("MR_small_RLE.dcm")
    image_id = add(path, keep_identity=True)[0].image_id
    dataset = pydicom.dcmread(path)
    dataset.decompress()
    instance = str(pydicom.dcmread(path).SOPInstanceUID)
    assert verdicts(image_id, path) == [("identical", instance)]
    plain = verdicts(image_id, saved(dataset, tmp_path / "plain"))
    assert [verdict for verdict, _ in plain] == ["reencoded"]
    dataset.compress(JPEG2000Lossless)
    again = verdicts(image_id, saved(dataset, tmp_path / "jpeg2000"))
    assert [verdict for verdict, _ in again] == ["reencoded"]


@pytest.fixture
def lossy(add, sample, tmp_path):
    """An image set with a lossy file, the file, and what another system decompressed from it."""
    path = sample("JPEG2000.dcm")
    image_id = add(path, keep_identity=True)[0].image_id
    dataset = pydicom.dcmread(path)
    dataset.decompress(generate_instance_uid=False)
    return image_id, path, saved(dataset, tmp_path / "decompressed.dcm")


def test_decompressed_from_a_lossy_file(lossy, images, verdicts):
    image_id, path, copy = lossy
    instance = str(pydicom.dcmread(path).SOPInstanceUID)
    assert verdicts(image_id, path, copy) == [("identical", instance), ("reencoded", instance)]
    (found,) = images.verify(image_id, [copy])
    assert found.reason == (
        "decompressed from the lossy original: no sample differs from it by more than 0"
    )


def test_more_than_a_decompressed_lossy_file_is_not_called_one(lossy, verdicts, tmp_path):
    image_id, path, copy = lossy
    instance = str(pydicom.dcmread(path).SOPInstanceUID)
    dataset = pydicom.dcmread(copy)
    half = len(dataset.PixelData) // 2
    dataset.PixelData = dataset.PixelData[half:] + dataset.PixelData[:half]
    painted = saved(dataset, tmp_path / "painted")
    dataset = pydicom.dcmread(copy)
    dataset.PixelSpacing = [7, 7]
    spaced = saved(dataset, tmp_path / "spaced")
    assert verdicts(image_id, painted, spaced) == [("undecided", instance), ("changed", instance)]


def test_without_the_lossy_original_it_stays_open(lossy, images, store):
    image_id, path, copy = lossy
    (instance,) = images.contents(image_id).instances
    store.unpin(instance.cid)
    store.collect()
    found = images.verify(image_id, [path, copy])
    assert [each.verdict for each in found] == ["identical", "undecided"]
    assert found[1].instance == instance.sop_instance
    assert "its original cannot be compared" in found[1].reason


def test_a_file_that_crashes_its_comparison_is_undecided(lossy, images, monkeypatch):
    image_id, _, copy = lossy
    monkeypatch.setattr(verifying, "settle", crash)
    (found,) = images.verify(image_id, [copy])
    assert (found.verdict, "crashed" in found.reason) == ("undecided", True)


def crash(worker, doubts):
    if worker.isolated:
        os._exit(1)
    worker.deferred.extend(doubts)
    return []


def test_what_cannot_be_read_is_unknown_with_its_reason(add, images, series, tmp_path):
    image_id = add(series)[0].image_id
    whole = sorted(series.iterdir())[0].read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("no DICOM" * 100)
    found = images.verify(image_id, [tmp_path / "half", tmp_path / "text", tmp_path / "none"])
    assert [each.verdict for each in found] == ["unknown"] * 3
    assert "ends at byte" in (found[0].reason or "")
    assert "does not begin as a DICOM file" in (found[1].reason or "")
    assert found[2].reason == "not found"


def test_the_files_that_were_deidentified_hold_the_same_images(add, images, series):
    image_id = add(series)[0].image_id
    manifest = images.contents(image_id)
    found = images.verify(image_id, [series])
    assert {each.verdict for each in found} == {"reencoded"}
    assert {each.instance for each in found} == {each.sop_instance for each in manifest.instances}


@pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules/@openzeppelin/merkle-tree").exists(),
    reason="needs node: and npm's @openzeppelin/merkle-tree",
)
def test_openzeppelin_verifies_the_root(add, images, series):
    result = add(series)[0]
    instances = images.contents(result.image_id).instances
    leaves = [[each.salt, each.file_digest, each.image_digest] for each in instances]
    answer = subprocess.run(
        ["node", "-e", VERIFIER],
        input=json.dumps({"leaves": leaves, "root": result.root}),
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    )
    assert json.loads(answer.stdout) == {"root": result.root, "proven": True}

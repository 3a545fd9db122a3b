"""``radledger algorithm``: registered, published from a bundle, executed, recalled, looked up."""

from __future__ import annotations

import hashlib
import json

import pytest

from radledger.algorithms.ids import execution_id
from radledger.consent.bindings import DataUse
from radledger.crypto.merkle import MerkleTree

UNKNOWN = "0x" + "07" * 32


def digest(content):
    return "0x" + hashlib.sha256(content).hexdigest()


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "lung_nodule_ct_detection"
    (folder / "configs").mkdir(parents=True)
    metadata = {"name": "Lung nodule CT detection", "version": "0.6.9", "authors": "MONAI team"}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (folder / "model.pt").write_bytes(b"weights")
    return folder


@pytest.fixture
def version(home, ok, bundle):
    """Id of a version of the clinic's, from a bundle."""
    ok("algorithm", "register", "--bundle", bundle, "--as", "researcher")
    return ok("algorithm", "publish", "--bundle", bundle, "--as", "researcher")["version_id"]


@pytest.fixture
def output(tmp_path):
    file = tmp_path / "segmentation.dcm"
    file.write_bytes(b"output")
    return file


def test_register(home, ok, cli, bundle, addresses):
    register = ("algorithm", "register", "--as")
    made = ok(*register, "researcher", "--bundle", bundle)
    assert (made["name"], made["family"]) == ("Lung nodule CT detection", "DCM:123110")
    assert (made["description"], made["authors"]) == (None, "MONAI team")
    shown = ok("algorithm", "show", made["algorithm_id"])
    assert (shown["name"], shown["family"]) == (made["name"], "DCM:123110")
    assert (shown["institution"], shown["versions"]) == (addresses["clinic"], [])
    changed = ok(*register, "clinic", "--name", made["name"], "--family", "DCM:123105")
    assert changed["algorithm_id"] == made["algorithm_id"]
    (listed,) = cli("algorithm", "list", "--institution", "clinic").objects
    assert (listed["family"], listed["versions"]) == ("DCM:123105", 0)
    assert cli("algorithm", "list", "--institution", "hospital").objects == []

    assert cli(*register, "radiologist", "--name", "X").refused("ParticipantLacksRole")
    assert cli(*register, "researcher").refused("AlgorithmNotNamed", 2) == {}
    assert cli(*register, "researcher", "--name", "X", "--family", "Y").refused("InvalidFamily", 2)
    missing = bundle / "configs"
    assert cli(*register, "researcher", "--bundle", missing).refused("InvalidBundle", 2)


def test_publish(home, ok, cli, bundle, addresses, tmp_path, version):
    weights, conditions = tmp_path / "model.onnx", tmp_path / "training.pdf"
    weights.write_bytes(b"other weights")
    conditions.write_bytes(b"learning rate")
    publish = ("algorithm", "publish", "--as", "researcher", "--name", "Nodules")
    never = cli(*publish, "--version", "2", "--weights", weights).refused("UnknownAlgorithm")
    assert never == {"name": "Nodules", "institution": addresses["clinic"]}
    ok("algorithm", "register", "--as", "researcher", "--name", "Nodules")
    made = ok(*publish, "--version", "2", "--weights", weights, "--trained-on", f"{UNKNOWN}/1",
              "--conditions", conditions, "--parent", version, "--developer", "researcher",
              "--developer", "radiologist")  # fmt: skip
    shown = ok("algorithm", "show", made["version_id"])
    assert (shown["label"], shown["trained_on"]) == ("2", f"{UNKNOWN}/1")
    assert (shown["digest"], shown["conditions"]) == (
        digest(b"other weights"),
        digest(b"learning rate"),
    )
    assert shown["parent"] == version
    assert shown["developers"] == [addresses["researcher"], addresses["radiologist"]]
    parent = ok("algorithm", "show", version)
    assert (parent["label"], parent["developers"]) == ("0.6.9", [addresses["researcher"]])

    assert cli(*publish, "--version", "3").refused("VersionIncomplete", 2) == {}
    assert cli(*publish, "--weights", weights).refused("VersionIncomplete", 2) == {}
    gone = (*publish, "--version", "3", "--weights")
    assert cli(*gone, tmp_path / "gone").refused("InvalidFile", 2)
    unknown = cli(*gone, weights, "--parent", UNKNOWN).refused("AlgorithmVersionUnknown")
    assert unknown == {"version": UNKNOWN}
    wrong = cli(*gone, weights, "--trained-on", UNKNOWN).refused("InvalidTraining", 2)
    assert wrong == {"text": UNKNOWN}


def test_run(version, ok, cli, signed, image, output, addresses):
    run = ("algorithm", "run", version, image, "--output", output, "--purpose", "HMB", "--as")
    refused = cli(*run, "researcher").refused("ConsentNotPermittedNeverGranted")
    assert refused["subject"] == addresses["patient"]
    signed("consent", "grant", "clinic", "--purpose", "HMB", "--condition", "NCU")
    assert cli(*run, "researcher").refused("ConsentNotPermittedCondition")
    made = ok(*run, "researcher", "--fulfils", "NCU")
    (execution,) = ok("algorithm", "show", version)["executions"]
    assert execution["execution_id"] == made["execution_id"]
    assert (execution["images"], execution["output"]) == ([image], digest(b"output"))
    assert (execution["purposes"], execution["fulfilled"]) == (["HMB"], ["NCU"])
    assert execution["operator"] == addresses["researcher"]
    assert cli(*run[:3], UNKNOWN, *run[4:], "researcher").refused("ImageUnknown")


def test_run_on_a_signature(version, ok, signed, image, output, addresses, tmp_path):
    signed("consent", "grant", "clinic", "--purpose", "HMB")
    file = tmp_path / "run.json"
    run = ("algorithm", "run", version, image, "--output", output, "--purpose", "HMB")
    summary = ok(*run, "--as", "researcher", "--sign-only", file)["summary"]
    assert "recordExecution" in summary
    assert digest(b"output") in summary
    ok("submit", file, "--as", "hospital")
    (execution,) = ok("algorithm", "show", version)["executions"]
    assert (execution["operator"], execution["images"]) == (addresses["researcher"], [image])


def test_run_a_list(version, ok, cli, image, output, addresses, tmp_path):
    (tmp_path / "other.dcm").write_bytes(b"other output")
    listed = tmp_path / "runs.csv"
    listed.write_text(f"{output.name},{image}\nother.dcm,{image},{image}\n")
    run = ("algorithm", "run", version, "--list", listed, "--purpose", "CC", "--as", "radiologist")
    made = ok(*run)
    (batch,) = ok("algorithm", "show", version)["batches"]
    assert (batch["root"], batch["count"]) == (made["root"], 2)
    assert batch["operator"] == addresses["radiologist"]
    leaves = [bytes.fromhex(each[2:]) for each in made["execution_ids"]]
    assert "0x" + MerkleTree(leaves).root.hex() == made["root"]
    use = {"purposes": DataUse.CLINICAL_CARE, "fulfilled": 0, "disease": "0x" + "00" * 13}
    assert made["execution_ids"] == [
        execution_id(version, batch["operator"], images, use, digest(content))
        for images, content in (([image], b"output"), ([image] * 2, b"other output"))
    ]

    file = tmp_path / "batch.json"
    signed_ = ok(*run, "--sign-only", file)
    assert signed_["execution_ids"] == made["execution_ids"]
    assert "recordExecutions" in signed_["summary"]
    assert made["root"] in signed_["summary"]
    ok("submit", file, "--as", "hospital")
    batches = ok("algorithm", "show", version)["batches"]
    assert [each["operator"] for each in batches] == [addresses["radiologist"]] * 2

    listed.write_text(f"{output.name},{UNKNOWN}\n")
    assert cli(*run).refused("ImageUnknown")
    listed.write_text(f"{output.name}\n")
    assert cli(*run).refused("InvalidRunList", 2) == {"path": str(listed), "line": 1}


def test_an_execution_is_one_or_a_list(version, cli, image, output):
    run = ("algorithm", "run", version, "--purpose", "CC", "--as", "radiologist")
    for rest in ((), (image,), ("--output", output), (image, "--list", output),
                 ("--output", output, "--list", output)):  # fmt: skip
        assert cli(*run, *rest).refused("ExecutionIncomplete", 2) == {}


def test_recall_and_history(version, ok, cli, signed, image, output, tmp_path):
    signed("consent", "grant", "clinic", "--purpose", "HMB")
    run = ("algorithm", "run", version, image, "--output", output, "--purpose", "HMB")
    ok(*run, "--as", "researcher")
    notice = tmp_path / "notice.pdf"
    notice.write_bytes(b"do not use")
    recall = ("algorithm", "recall", version, notice, "--as")
    assert cli(*recall, "hospital").refused("AlgorithmNotPublisher")
    ok(*recall, "researcher")
    assert ok("algorithm", "show", version)["notice"] == digest(b"do not use")
    assert cli(*run, "--as", "researcher").refused("AlgorithmVersionIsRecalled")

    algorithm = ok("algorithm", "show", version)["algorithm_id"]
    expected = ["AlgorithmVersionPublished", "AlgorithmExecutionRecorded"]
    expected.append("AlgorithmVersionRecalled")
    for id_, before in ((algorithm, ["AlgorithmRegistered"]), (version, [])):
        told = cli("algorithm", "history", id_).objects
        assert [each["event"] for each in told] == before + expected
    (of_algorithm,) = ok("algorithm", "show", algorithm)["versions"]
    assert (of_algorithm["version_id"], of_algorithm["executions"]) == (version, 1)
    assert of_algorithm["recalled_at"] is not None


def test_what_does_not_exist(home, cli):
    for command in ("show", "history"):
        assert cli("algorithm", command, UNKNOWN).refused("UnknownVersion") == {"version": UNKNOWN}
        assert cli("algorithm", command, "0x12").refused("InvalidAlgorithmId", 2)


def test_people_read_times_as_dates(version, plain_cli):
    told = plain_cli("algorithm", "show", version).out
    (line,) = [line for line in told.splitlines() if line.startswith("published_at")]
    assert line.endswith(" UTC")

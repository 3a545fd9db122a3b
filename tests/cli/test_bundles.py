"""``radledger bundle``: proof of an image set for who has no access to the chain."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import environment

UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def verifier():
    """Run the verifier as a program of its own."""

    def call(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "radledger.verify", *map(str, arguments)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def test_export_and_verify(home, ok, image, study, addresses, verifier, tmp_path):
    reading = tmp_path / "reading"
    ok("image", "fetch", image, "--to", reading, "--as", "patient")
    files = sorted(reading.iterdir())
    told = ok("bundle", "export", image, tmp_path / "bundle", "--file", files[0])
    assert (told["image_id"], told["path"]) == (image, str(tmp_path / "bundle"))
    assert (told["files"], told["size"]) == (1, (tmp_path / "bundle").stat().st_size)
    (event,) = told["proven"]
    assert event["event"] == "ImageAnchored"
    trust = ("--block-hash", event["hash"], "--contract", told["contract"])

    code, out, err = verifier(tmp_path / "bundle", *trust, files[0])
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "yes"
    code, unnamed, _ = verifier(tmp_path / "bundle", *trust[:2])
    assert code == 3
    assert unnamed.startswith(f"yes, if {told['contract'].lower()} is the image registry")
    assert addresses["patient"].lower() in out
    # The other file is of the set, and not of this bundle.
    assert verifier(tmp_path / "bundle", *trust, files[1])[0] == 1

    ok("bundle", "export", image, tmp_path / "bundle")
    assert verifier(tmp_path / "bundle", *trust, *files)[0] == 0
    code, out, err = verifier(tmp_path / "bundle", *trust, *sorted(study.iterdir()))
    assert (code, err) == (1, "")
    assert "is not byte for byte a file of the bundle" in out.splitlines()[0]


def test_who_may_export_files(home, ok, cli, image, signed, tmp_path):
    path = tmp_path / "bundle"
    assert ok("bundle", "export", image, path, "--as", "patient")["files"] == 2
    reader = ("bundle", "export", image, path, "--as", "radiologist")
    assert cli(*reader).refused("PurposeNotNamed", 2) == {}
    assert cli(*reader, "--purpose", "CC").refused("ConsentNotPermittedNeverGranted")
    signed("consent", "grant", "radiologist", "--purpose", "CC")
    assert ok(*reader, "--purpose", "CC")["files"] == 2


def test_an_erased_set(home, ok, cli, image, study, tmp_path):
    ok("image", "erase", image, "--as", "hospital")
    path = tmp_path / "bundle"
    for who in ("hospital", "stranger"):
        told = ok("bundle", "export", image, path, "--as", who)
        assert told["files"] == 0
        assert [each["event"] for each in told["proven"]][1:] == ["ImageErased"]
    file = next(study.iterdir())
    assert cli("bundle", "export", image, path, "--file", file).refused("ImageIsErased")


def test_what_cannot_be_exported(home, cli, image, study, tmp_path):
    path, file = tmp_path / "bundle", next(study.iterdir())
    assert cli("bundle", "export", UNKNOWN, path).refused("ImageUnknown") == {"image": UNKNOWN}
    refused = cli("bundle", "export", image, path, "--file", file).refused("FileNotInSet")
    assert refused == {"file": str(file), "image": image}
    missing = tmp_path / "missing"
    assert cli("bundle", "export", image, path, "--file", missing).refused("InvalidFile", 2)
    cli("bundle", "export", image, "").refused("InvalidFile", 2)
    folder = cli("bundle", "export", image, tmp_path).refused("InvalidFile", 2)
    assert folder == {"path": str(tmp_path)}
    assert not path.exists()

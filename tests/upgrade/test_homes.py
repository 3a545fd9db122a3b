"""Homes of all releases, each opened and used by this one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager

import pytest
from pydicom.data import get_testdata_file

from radledger.access.book import ReceiptBook
from radledger.devnet import process
from radledger.devnet.errors import NodeFailed
from radledger.devnet.people import FUNDED
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.journal.homekey import HomeKey
from radledger.imaging.journal.journal import Journal
from radledger.imaging.manifest import read_envelope
from radledger.imaging.reading import write_files
from radledger.storage import LocalStore
from tools.make_upgrade_home import HOMES, digests, make, objects

RELEASES = sorted(path.parent.name for path in HOMES.glob("[0-9]*/home.tar.gz"))
PRESENT = "this release"


class Opened:
    """A copy of a home, its chain running, and what it must tell."""

    def __init__(self, home, endpoint, expected):
        self.home = home
        self.expected = expected
        self._endpoint = endpoint

    def __call__(self, *arguments):
        return objects(self.home, "--network", self._endpoint, *arguments)

    def one(self, *arguments):
        (answer,) = self(*arguments)
        return answer


@pytest.fixture(scope="module", autouse=True)
def own_environment():
    """Nothing of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RADLEDGER_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="module", params=[*RELEASES, PRESENT])
def opened(request, tmp_path_factory):
    """The home of a release, or one that this release makes now."""
    folder = HOMES / request.param
    if request.param == PRESENT:
        folder = tmp_path_factory.mktemp("made")
        with needed():
            make(folder)
    with open_home(folder, tmp_path_factory.mktemp("opened")) as opened:
        yield opened


@contextmanager
def open_home(folder, place):
    """Unpack a home, and start its chain."""
    with tarfile.open(folder / "home.tar.gz") as archive:
        archive.extractall(place, filter="data")
    home = place / "home"
    mnemonic = (home / "devnet" / "mnemonic").read_text().strip()
    with needed():
        node = process.start("anvil", home / "devnet", mnemonic, len(FUNDED))
    try:
        yield Opened(home, node.endpoint, json.loads((folder / "expected.json").read_text()))
    finally:
        node.stop()


@contextmanager
def needed():
    """Skip where there is no node."""
    try:
        yield
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")


def test_it_tells_what_its_release_knew(opened):
    expected = opened.expected
    (image,) = opened("image", "list")
    assert image["image_id"] == expected["image_id"]
    grants = zip(opened("consent", "list"), expected["grants"], strict=True)
    for grant, known in grants:  # a later release may tell more of it
        assert {name: grant[name] for name in known} == known
    assert opened.one("dataset", "list")["dataset_id"] == expected["dataset_id"]
    listed = opened("account", "list")
    assert {each["name"]: each["address"] for each in listed} == expected["accounts"]
    assert len(opened("transaction", "list", "--all")) == expected["transactions"]
    try:
        opened("index", "sync")
    except RuntimeError as error:
        assert "IndexOfAnotherRelease" in str(error)  # noqa: PT017 - one of two good outcomes
        opened("index", "rebuild")
    history = [each["event"] for each in opened("history", expected["image_id"])]
    assert history[: len(expected["history"])] == expected["history"]
    readers = [each["reader"] for each in opened("access-log", expected["image_id"])]
    assert readers[: len(expected["readers"])] == expected["readers"]


@pytest.mark.parametrize("reader", ["patient", "radiologist", "hospital"])
def test_its_files_are_read(opened, reader, tmp_path):
    image = opened.expected["image_id"]
    purpose = ("--purpose", "GRU") if reader == "radiologist" else ()
    opened("image", "fetch", image, "--to", tmp_path / "reading", *purpose, "--as", reader)
    assert digests(tmp_path / "reading") == opened.expected["files"]


def test_its_bundle_is_verified(opened, tmp_path):
    opened.one("bundle", "export", opened.expected["image_id"], tmp_path / "again.bundle")
    for bundle in (opened.home / "image.bundle", tmp_path / "again.bundle"):
        require_verified(bundle, opened.expected)


def require_verified(bundle, expected):
    trust = ("--block-hash", expected["block_hash"], "--contract", expected["registry"])
    command = [sys.executable, "-m", "radledger.verify", str(bundle), *trust]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_work_continues(opened, tmp_path):
    image = opened.expected["image_id"]
    add = ("--patient", "patient", "--as", "hospital")
    make_ct_series(tmp_path / "the same", 2, size=32)
    again = opened.one("image", "add", tmp_path / "the same", *add)
    assert (again["image_id"], again["added"]) == (image, False)
    added = opened.one("image", "add", get_testdata_file("CT_small.dcm"), *add)["image_id"]
    assert {each["image_id"] for each in opened("image", "list")} == {image, added}
    opened("image", "rekey", image, "--as", "hospital")
    opened("image", "fetch", image, "--to", tmp_path / "reading", "--as", "patient")
    assert digests(tmp_path / "reading") == opened.expected["files"]
    opened("consent", "revoke", "radiologist", "--as", "patient")
    reading = ("image", "fetch", image, "--to", tmp_path / "late", "--purpose", "GRU")
    with pytest.raises(RuntimeError, match="ended with 1"):
        opened(*reading, "--as", "radiologist")
    opened("index", "sync")
    assert opened.one("audit")["differences"] == []


# ------------------------------------------------------------------------------- before releases


def test_a_home_from_before_0_1_0_is_refused_and_keeps_all_that_it_has(tmp_path):
    """Its contracts are others; what can be read without them is, and a successor is deployed."""
    with open_home(HOMES / "before-0.1.0", tmp_path) as opened:
        before = contents(opened.home)
        for command in (
            ("image", "list"),
            ("index", "sync"),
            ("deploy", "--as", "governor"),
            ("deploy", "--verify"),
            ("consent", "revoke-all", "--as", "patient"),
        ):
            with pytest.raises(RuntimeError, match=r"DeploymentOutdated.*older than 0\.1\.0"):
                opened(*command)
        assert contents(opened.home) == before
        listed = opened("account", "list")
        assert {each["name"]: each["address"] for each in listed} == opened.expected["accounts"]
        require_verified(opened.home / "image.bundle", opened.expected)
        (release,) = ReceiptBook(opened.home / "receipts.sqlite3").releases()
        assert release.signed.receipt.reader == opened.expected["accounts"]["radiologist"]
        (journal,) = opened.home.glob("imaging/*/journal.sqlite3")
        opened("deploy", "--successor", "--as", "governor")
        assert opened("image", "list") == []
        assert decrypted(journal, opened, tmp_path / "reading") == opened.expected["files"]


def contents(home):
    """Every file of a home but the chain's, and its digest."""
    files = [path for path in home.rglob("*") if path.is_file() and "devnet" not in path.parts]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def decrypted(path, opened, folder):
    """Digests of an image set's files, decrypted with the secret in the journal."""
    journal = Journal(path, HomeKey.read(path.parent / "journal.key"))
    row = journal.find(opened.expected["image_id"])
    secret = journal.secret_of(row)
    assert journal.require_authentic(row) == len(opened.expected["files"])
    journal.close()
    store = LocalStore(opened.home / "store")
    with store.get(row.manifest_cid) as stored:
        manifest = read_envelope(stored).open(secret)
    write_files(store, manifest, secret, folder)
    return digests(folder)

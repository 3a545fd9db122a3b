"""Homes of releases, each opened by this one on a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from radledger import __version__
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.devnet import process
from radledger.devnet.errors import NodeFailed
from radledger.devnet.people import FUNDED
from radledger.index.tables import layout
from tools.make_upgrade_home import HOMES, make
from tools.upgrade_answers import objects

RELEASES = sorted(path.parent.name for path in HOMES.glob("[0-9]*/homes.tar.xz"))
# Until the home of this release is in the repository, one is made.
PRESENT = [] if __version__ in RELEASES else ["this release"]


@pytest.fixture(scope="module", autouse=True)
def own_environment():
    """Nothing of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RADLEDGER_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a home that this release makes now."""
    folder = tmp_path_factory.mktemp("made")
    with needed():
        make(folder)
    return folder


@pytest.fixture(scope="session", params=[*RELEASES, *PRESENT])
def release(request):
    """The folder of each release's home."""
    folder = HOMES / request.param
    return folder if folder.is_dir() else request.getfixturevalue("made")


@pytest.fixture(scope="session")
def unpacked(release, tmp_path_factory):
    """Homes of a release as they were packed, and where their chain runs."""
    place = tmp_path_factory.mktemp("unpacked")
    with running(release / "homes.tar.xz", place) as endpoint:
        yield Opened(place, endpoint, json.loads((release / "expected.json").read_text()))


@pytest.fixture
def opened(unpacked, tmp_path):
    """A copy of the homes, whose chain is reverted afterwards."""
    place = tmp_path / "homes"
    shutil.copytree(unpacked.place, place)
    copy = Opened(place, unpacked.endpoint, unpacked.expected)
    snapshot = request(copy.web3, "evm_snapshot", [])
    yield copy
    request(copy.web3, "evm_revert", [snapshot])


class Opened:
    """Homes of a release on a running chain, and what must be found in them."""

    def __init__(self, place: Path, endpoint: str, expected):
        self.place = place
        self.home, self.partner = place / "home", place / "partner"
        self.endpoint = endpoint
        self.expected = expected
        self.names = expected["names"]

    def __call__(self, *arguments):
        return objects(self.home, "--network", self.endpoint, *arguments)

    def one(self, *arguments):
        (answer,) = self(*arguments)
        return answer

    def refused(self, error, *arguments, code=1):
        with pytest.raises(RuntimeError, match=f"ended with {code}.*{error}"):
            self(*arguments)

    @property
    def web3(self):
        return connect(Network("anvil", self.endpoint))

    def bring_up_index(self):
        """What the documentation says about an index of another layout."""
        if self.expected["index"]["layout"] != layout():
            self.refused("IndexOfAnotherRelease", "index", "sync")
            self("index", "rebuild")


@contextmanager
def running(archive, place):
    """Unpack homes, and run a copy of the chain that is in the first of them."""
    with tarfile.open(archive) as homes:
        # Python before 3.11.4 has no filters.
        homes.extraction_filter = getattr(tarfile, "data_filter", None)
        homes.extractall(place)  # noqa: S202 - an archive of this repository
    data = place.with_name(f"{place.name}-chain")
    shutil.copytree(place / "home" / "devnet", data)  # the node writes into it now and then
    mnemonic = (data / "mnemonic").read_text().strip()
    with needed():
        node = process.start("anvil", data, mnemonic, len(FUNDED))
    try:
        yield node.endpoint
    finally:
        node.stop()


@contextmanager
def needed():
    """Skip where there is no node."""
    try:
        yield
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")


def verified_offline(bundle, *trust):
    """What the verifier says of a bundle, in a process of its own."""
    command = [sys.executable, "-m", "radledger.verify", "--json", str(bundle), *trust]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stderr == ""
    return json.loads(done.stdout)

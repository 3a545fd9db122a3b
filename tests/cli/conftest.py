"""The command line on a local chain: each test has a copy of the home and an untouched chain."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from radledger import devnet
from radledger.chain.clock import Clock
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.chain.rpc import request
from radledger.cli.run import run
from radledger.devnet.errors import NodeFailed
from radledger.dicom.synthetic import make_ct_series

SOURCE = Path(__file__).parents[2] / "src"
VARIABLES = ("HOME", "NETWORK", "STORE", "JOURNAL", "PASSPHRASE", "PASSPHRASE_FILE")


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def objects(self):
        """The JSON objects printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self):
        """The one JSON object printed."""
        (value,) = self.objects
        return value

    def refused(self, name, code=1):
        """The values of a refusal, which is one JSON object and nothing else."""
        assert (self.code, self.err) == (code, ""), (self.out, self.err)
        assert set(self.object) == {"error", "values", "message"}
        assert self.object["error"] == name
        assert "\n" not in self.object["message"]
        return self.object["values"]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """The home of a local chain where one CT series was added; not to be changed."""
    home = tmp_path_factory.mktemp("pristine") / "home"
    try:
        devnet.up(home, "anvil")
    except NodeFailed as error:
        pytest.skip(f"needs anvil: {error}")
    study = home.parent / "study"
    make_ct_series(study, 2, size=32)
    added = ["image", "add", str(study), "--patient", "patient", "--as", "hospital"]
    assert run(["--home", str(home), *added]) == 0
    yield home
    devnet.down(home)


@pytest.fixture
def home(pristine, tmp_path):
    """A copy of the home for one test; what the test does to the chain is taken back."""
    web3 = connect(networks.load(home=pristine))
    snapshot = request(web3, "evm_snapshot", [])
    yield Path(shutil.copytree(pristine, tmp_path / "home"))
    request(web3, "evm_revert", [snapshot])


@pytest.fixture
def travel(home, pristine):
    """Let seconds pass on the chain."""

    def pass_by(seconds):
        web3 = connect(networks.load(home=pristine))
        request(web3, "evm_increaseTime", [seconds])
        request(web3, "evm_mine", [])

    return pass_by


@pytest.fixture
def machine_clock(home, monkeypatch):
    """Set this machine's clock to so many seconds after the chain's, and let it stand."""
    block = request(connect(networks.load(home=home)), "eth_getBlockByNumber", ["latest", False])
    now = int(block["timestamp"], 16)

    def set_to(seconds, max_block_age=math.inf):
        clock = Clock(lambda: now + seconds, max_block_age)
        monkeypatch.setattr("radledger.chain.nodes.connect.clock", lambda web3, network=None: clock)

    return set_to


@pytest.fixture
def study(pristine):
    """Folder of the files that were added."""
    return pristine.parent / "study"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """Nothing of who runs the tests; relative paths are the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(f"RADLEDGER_{name}", raising=False)
    monkeypatch.setenv("RADLEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plain_cli(capsys):
    """Run a command in this process."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def cli(plain_cli):
    """Run a command in this process with ``--json``."""
    return lambda *arguments: plain_cli(*arguments, "--json")


@pytest.fixture
def ok(cli):
    """Run a command that has to succeed and gives one object."""

    def call(*arguments):
        outcome = cli(*arguments)
        assert (outcome.code, outcome.err) == (0, ""), outcome
        return outcome.object

    return call


@pytest.fixture
def image(home, cli):
    """Id of the image set that was added."""
    return cli("image", "list").objects[0]["image_id"]


@pytest.fixture
def signed(ok, tmp_path):
    """Have the patient sign a command, and the hospital pay for it."""

    def call(group, *arguments, payer="hospital"):
        file = tmp_path / "signed.json"
        answer = ok(group, *arguments, "--as", "patient", "--sign-only", file)
        assert answer["signed"] == str(file)
        return ok("submit", file, "--as", payer)

    return call


@pytest.fixture
def addresses(home, cli):
    """Address of each account by its name."""
    return {each["name"]: each["address"] for each in cli("account", "list").objects}


@pytest.fixture
def subprocess_cli():
    """Run a command in a process of its own, as users do."""

    def call(*arguments, **options):
        done = subprocess.run(
            command(*arguments),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=240,
            **options,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call


def command(*arguments):
    """The command line of one command."""
    return [sys.executable, "-m", "radledger.cli", *map(str, arguments)]


def environment():
    """An environment in which the package is found."""
    return {**os.environ, "PYTHONPATH": str(SOURCE)}


@contextmanager
def running(*arguments):
    """Run a command that listens; gives what it says and its process."""
    process = subprocess.Popen(
        command(*arguments, "--port", "0", "--json"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def check(ok, image):
    """The answer whether an account may use the image set."""

    def call(reader, *use):
        answer = ok("consent", "check", reader, image, *use)
        return answer["permitted"], answer["reason"]

    return call

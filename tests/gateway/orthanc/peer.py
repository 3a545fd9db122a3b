"""Debian's Orthanc, run with the example's configuration."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

__all__ = ["FILTER", "SECONDS", "installed", "running"]

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "infra/orthanc/orthanc.json"
FILTER = ROOT / "infra/orthanc/radledger_filter.py"
NEEDED = ("usr/sbin/Orthanc", "usr/share/orthanc/plugins/libOrthancPython.so")
SECONDS = 60


def installed():
    """Where Orthanc is: on this machine, or brought into build."""
    for root in (Path("/"), ROOT / "build/orthanc/root"):
        if all((root / each).exists() for each in NEEDED):
            return root
    pytest.skip("needs Orthanc: run `make orthanc`")


@contextmanager
def running(folder, gateway, password, script=FILTER):
    """Run an Orthanc that asks a gateway; gives a `Peer`."""
    root = installed()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        http, dicom = one.getsockname()[1], two.getsockname()[1]
    lines = EXAMPLE.read_text().splitlines()
    example = json.loads("\n".join(each for each in lines if not each.lstrip().startswith("//")))
    sender = example["DicomModalities"]["sender"] | {"Host": "127.0.0.1"}
    own = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": http,
        "HttpBindAddresses": ["127.0.0.1"],
        "DicomPort": dicom,
        "DicomModalities": {"sender": sender},
        "Plugins": [str(root / each.lstrip("/")) for each in example["Plugins"]],
        "PythonScript": str(script),
        "RadLedger": {"Gateway": gateway, "PasswordFile": str(password), "UncheckedFolders": []},
    }
    (folder / "orthanc.json").write_text(json.dumps(example | own))
    libraries = [root / "usr/lib", *(root / "usr/lib").glob("*-linux-gnu")]
    environment = os.environ | {
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "TCP_NODELAY": "1",
    }
    for dictionary in root.glob("usr/share/libdcmtk*/dicom.dic"):
        environment["DCMDICTPATH"] = str(dictionary)
    command = [root / NEEDED[0], folder / "orthanc.json"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield Peer(process, f"http://127.0.0.1:{http}", dicom, folder / "log")
        finally:
            process.kill()
            process.wait()


class Peer:
    """An Orthanc, and what the tests ask of it."""

    def __init__(self, process, address, dicom, log):
        self.process, self.dicom, self.log = process, dicom, log
        self.client = httpx.Client(base_url=address, trust_env=False, timeout=SECONDS)
        self._wait()

    def _wait(self):
        """Until it answers, whatever, or has ended."""
        until = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            try:
                self.client.get("/system")
            except httpx.TransportError:
                continue
            return
        assert self.process.poll() is not None, self.log.read_text(errors="replace")

    def status(self, path, token=None, method="GET", **options):
        headers = {} if token is None else {"Authorization": token}
        return self.client.request(method, path, headers=headers, **options).status_code

    def until_refused(self, path, token):
        """Ask until it is refused, which a grant that is kept for a second delays."""
        until = time.monotonic() + SECONDS
        while self.status(path, token) == 200:
            assert time.monotonic() < until
        assert self.status(path, token) == 403

    def send(self, *files):
        pytest.importorskip("pynetdicom", reason="needs pynetdicom")
        from radledger.pacs.errors import PeerUnreachable
        from radledger.pacs.peer import Peer as Address
        from radledger.pacs.sender import send_files

        peer = Address("ORTHANC", "127.0.0.1", self.dicom)
        try:
            not_sent = send_files(files, peer, "SENDER")
        except PeerUnreachable:  # Orthanc ends what stands still for 30 s, as on a busy machine
            not_sent = send_files(files, peer, "SENDER")
        assert not_sent == []

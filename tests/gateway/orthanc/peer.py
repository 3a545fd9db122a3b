"""An Orthanc with the filter, run with the example's configuration."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools import orthanc

__all__ = ["FILTER", "running"]

EXAMPLE = Path(__file__).parents[3] / "infra/orthanc/orthanc.json"
FILTER = EXAMPLE.with_name("radledger_filter.py")
_SECONDS = 60
# What `tools.orthanc` chooses for each run.
_PLACES = {"StorageDirectory", "IndexDirectory", "HttpPort", "DicomPort"}


@contextmanager
def running(folder, gateway, password, script=FILTER):
    """Run an Orthanc that asks a gateway; gives a `Peer`."""
    root = orthanc.find()
    if root is None:
        pytest.skip("needs Orthanc: run `make orthanc`")
    lines = EXAMPLE.read_text().splitlines()
    example = json.loads("\n".join(each for each in lines if not each.lstrip().startswith("//")))
    settings = {name: each for name, each in example.items() if name not in _PLACES} | {
        "DicomModalities": {"sender": example["DicomModalities"]["sender"] | {"Host": "127.0.0.1"}},
        "Plugins": [str(root / each.lstrip("/")) for each in example["Plugins"]],
        "PythonScript": str(script),
        "RadLedger": {"Gateway": gateway, "PasswordFile": str(password), "UncheckedFolders": []},
    }
    with orthanc.running(root, folder, **settings) as started:
        yield Peer(started.client, started.dicom)


class Peer:
    """An Orthanc, and what the tests ask of it."""

    def __init__(self, client, dicom):
        self.client, self.dicom = client, dicom

    def status(self, path, token=None, method="GET", **options):
        headers = {} if token is None else {"Authorization": token}
        return self.client.request(method, path, headers=headers, **options).status_code

    def until_refused(self, path, token):
        """Ask until it is refused, which a grant that is kept for a second delays."""
        until = time.monotonic() + _SECONDS
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

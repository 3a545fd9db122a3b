"""Debian's Orthanc as a PACS that receives, re-encodes, sends, queries and retrieves."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.pacs.conftest import TITLE
from tests.pacs.retrieval.conftest import (
    add,
    anchor,
    archive,
    chain_clock,
    consents,
    each_block_is_seen_at_once,
    granted,
    home,
    identities,
    participants,
    patient_with_ether,
    reader,
    sample,
    series,
    serving,
    station,
    travel,
    wall,
    who,
)
from tools import orthanc as tools

__all__ = [
    "add",
    "anchor",
    "archive",
    "chain_clock",
    "consents",
    "each_block_is_seen_at_once",
    "granted",
    "home",
    "identities",
    "participants",
    "patient_with_ether",
    "reader",
    "sample",
    "series",
    "serving",
    "station",
    "travel",
    "wall",
    "who",
]


@pytest.fixture
def orthanc(tmp_path):
    """Run an Orthanc with some settings; gives a `Pacs`."""
    root = tools.find()
    if root is None:
        pytest.skip("needs Orthanc: run `make orthanc`")

    @contextmanager
    def running(**settings):
        with tools.running(root, tmp_path / "orthanc", **settings) as peer:
            yield Pacs(peer)

    return running


class Pacs:
    """An Orthanc, and what the tests ask of it."""

    def __init__(self, peer):
        self._client, self.dicom = peer.client, peer.dicom

    def know(self, port):
        """Have it know the project's own server."""
        peer = {"AET": TITLE, "Host": "127.0.0.1", "Port": port}
        self._client.put("/modalities/radledger", json=peer).raise_for_status()

    def instances(self):
        """The files that it has."""
        ids = self._client.get("/instances").raise_for_status().json()
        return [self._client.get(f"/instances/{each}/file").content for each in ids]

    def store(self):
        """Have it send all that it has to the project's receiver; its answer."""
        ids = self._client.get("/instances").raise_for_status().json()
        return self._client.post("/modalities/radledger/store", json=ids)

    def query(self, level="Study", **keys):
        """Have it query the project's server; the query and its answers."""
        asked = {"Level": level, "Query": keys}
        answer = self._client.post("/modalities/radledger/query", json=asked)
        query = answer.raise_for_status().json()["ID"]
        ids = self._client.get(f"/queries/{query}/answers").json()
        contents = [
            self._client.get(f"/queries/{query}/answers/{each}/content?simplify").json()
            for each in ids
        ]
        return query, contents

    def retrieve(self, query):
        """Have it retrieve the answers of a query to itself; its answer."""
        return self._client.post(f"/queries/{query}/retrieve", json={"TargetAet": "ORTHANC"})

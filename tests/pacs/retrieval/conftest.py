"""A hospital's archive on a local chain, and workstations that query it."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pydicom
import pytest
from pydicom.dataset import Dataset

from radledger.consent.permission import Use
from radledger.gateway import permissions
from radledger.pacs.archive import Archive
from radledger.pacs.peer import Peer
from radledger.pacs.settings import Settings
from radledger.pacs.workstations import Workstation
from tests.access.conftest import (
    access,
    anchor,
    chain_clock,
    consents,
    identities,
    noon,
    participants,
    patient_with_ether,
    reader,
    receipts,
    recorder,
    travel,
    wall,
    who,
)
from tests.gateway.dicomweb.conftest import add, granted, home, sample, series

__all__ = [
    "access",
    "add",
    "anchor",
    "chain_clock",
    "consents",
    "granted",
    "home",
    "identities",
    "noon",
    "participants",
    "patient_with_ether",
    "reader",
    "receipts",
    "recorder",
    "sample",
    "series",
    "travel",
    "wall",
    "who",
]

TITLE = "RADLEDGER"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{service}" for service in (1, 2, 3))
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture(autouse=True)
def each_block_is_seen_at_once(monkeypatch):
    monkeypatch.setattr(permissions, "_FRESH", 0.0)


@pytest.fixture
def archive(home, who):
    archive = Archive(home, who.hospital.address)
    yield archive
    archive.close()


@pytest.fixture
def station(reader):
    """A workstation of the radiologist, by title and port."""

    def station(title="READER", port=104, host="127.0.0.1", account=reader):
        return Workstation(Peer(title, host, port), account, Use.of(["CC"]))

    return station


@pytest.fixture
def serving(archive, station, tmp_path):
    """Run a server for some workstations; gives its port."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from radledger.pacs.server import Server

    @contextmanager
    def serving(*stations, archive=archive, **settings):
        folder = tmp_path / "serving"
        folder.mkdir()
        listed = {each.peer.title: each for each in stations or (station(),)}
        server = Server(archive, listed, Settings(TITLE, (), **settings), folder)
        with server.listening("127.0.0.1", 0) as port:
            yield port
        assert list(folder.iterdir()) == []
        folder.rmdir()

    return serving


@pytest.fixture
def ask():
    """Ask a server by pynetdicom; gives an asking workstation."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE, build_role, evt

    @contextmanager
    def ask(port, title="READER", stored=lambda event: 0x0000, tls=None):
        entity = AE(title)
        for model in (FIND, MOVE, GET):
            entity.add_requested_context(model)
            entity.add_requested_context(model.replace(".2.2.", ".2.1."))
        for kind in (CT, MR):
            entity.add_requested_context(kind, EXPLICIT)
        roles = [build_role(kind, scp_role=True) for kind in (CT, MR)]
        association = entity.associate(
            "127.0.0.1",
            port,
            ae_title=TITLE,
            ext_neg=roles,
            evt_handlers=[(evt.EVT_C_STORE, stored)],
            tls_args=tls and (tls, "127.0.0.1"),
        )
        yield Asking(association)
        if association.is_established:
            association.release()

    return ask


class Asking:
    """What the tests ask for by an association."""

    def __init__(self, association):
        self.association = association

    def find(self, level="STUDY", model=FIND, **keys):
        """Identifiers of the matches, and the last status."""
        found = list(self.association.send_c_find(identifier(level, **keys), model))
        matches = [answer for status, answer in found if status.Status in (0xFF00, 0xFF01)]
        return matches, found[-1][0]

    def get(self, level="STUDY", model=GET, **keys):
        """All responses."""
        return list(self.association.send_c_get(identifier(level, **keys), model))

    def move(self, destination="READER", level="STUDY", model=MOVE, **keys):
        return list(self.association.send_c_move(identifier(level, **keys), destination, model))


def identifier(level, **keys):
    wanted = Dataset()
    wanted.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(wanted, keyword, value)
    return wanted


@pytest.fixture
def destination():
    """A workstation's receiver; gives its port and what it was sent."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE, evt

    @contextmanager
    def destination(kinds=((CT, EXPLICIT),), stored=lambda event: 0x0000, tls=None):
        # The server in this process has pynetdicom write what arrives to files.
        received = []

        def store(event):
            received.append(
                SimpleNamespace(
                    data_set=data_set(event.dataset_path),
                    instance=event.request.AffectedSOPInstanceUID,
                    calling=event.assoc.requestor.ae_title,
                    originator=event.request.MoveOriginatorApplicationEntityTitle,
                )
            )
            return stored(event)

        entity = AE("READER")
        for kind in kinds:
            entity.add_supported_context(*kind)
        handlers = [(evt.EVT_C_STORE, store)]
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls
        )
        try:
            yield server.server_address[1], received
        finally:
            server.shutdown()

    return destination


def data_set(path):
    """The bytes of a file after its file meta information."""
    length = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    return path.read_bytes()[144 + length :]


def read_by(home):
    """Reader and image set of each receipt that the home keeps."""
    receipts = [each.signed.receipt for each in home.receipts.releases()]
    return [(each.reader, each.image_id) for each in receipts]

"""One home, gateway and reader for all tests of a module, which only look at what they add.

A module that imports these has them instead of those of each test; what a test adds stays, and
each viewer sees the image sets of its own token alone.
"""

from __future__ import annotations

import hashlib

import pytest
from eth_account import Account
from fastapi.testclient import TestClient

from radledger import RadLedger
from radledger.access import Receipt
from radledger.chain.rpc import request
from radledger.consent.permission import Use
from radledger.crypto.keys import public_key
from radledger.dicom.synthetic import make_ct_series
from radledger.gateway import Gateway, create_application
from radledger.imaging.errors import NothingToAdd
from radledger.storage import LocalStore
from tests.access.holding import PRIVATE_KEY
from tests.gateway.conftest import URL, Http
from tests.gateway.dicomweb.conftest import CARE, Viewer

__all__ = [
    "add",
    "dicomweb",
    "gateway",
    "grant",
    "granted",
    "home",
    "http",
    "ledger",
    "reader",
    "series",
]


@pytest.fixture(scope="module")
def ledger(deployed_ledger):
    snapshot = request(deployed_ledger.web3, "evm_snapshot", [])
    yield deployed_ledger
    request(deployed_ledger.web3, "evm_revert", [snapshot])
    vars(deployed_ledger).pop("sender", None)


@pytest.fixture(scope="module")
def home(ledger, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    return RadLedger(ledger, LocalStore(folder / "store"), folder / "home")


@pytest.fixture(scope="module")
def reader(home, who):
    home.identities.set_key(public_key(PRIVATE_KEY)).send(who.radiologist)
    return who.radiologist


@pytest.fixture(scope="module")
def grant(home, reader, who):
    """Let the reader see all of a patient."""

    def grant(patient):
        document = home.consents.grant(reader.address, CARE).sign(patient)
        home.submit(document, who.hospital)

    return grant


@pytest.fixture(scope="module")
def granted(grant, who):
    grant(who.patient)


@pytest.fixture(scope="module")
def gateway(home, who):
    gateway = Gateway(home, who.hospital, URL)
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def http(gateway):
    return Http(TestClient(create_application(gateway), URL, raise_server_exceptions=False))


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return make_ct_series(tmp_path_factory.mktemp("series"), 3, size=64)


@pytest.fixture(scope="module")
def add(home, grant, who):
    known = {}

    def added(paths, patient, options):
        """None if another file with one of their UIDs was added for the patient."""
        common = {"custodian": who.hospital, "keep_identity": True, "workers": 1}
        try:
            results = home.images.add(paths, patient.address, **common, **options)
        except NothingToAdd:
            return None
        if any(each.skipped for each in results):
            return None
        return [home.images.show(each.image_id).image_set for each in results]

    def add_paths(*paths, **options):
        digests = tuple(hashlib.sha256(path.read_bytes()).digest() for path in paths)
        key = digests, tuple(sorted(options.items()))
        if key not in known:
            known[key] = added(paths, who.patient, options)
        if known[key] is None:
            other = Account.create()
            grant(other)
            known[key] = added(paths, other, options)
        return known[key]

    return add_paths


@pytest.fixture
def dicomweb(http, granted, home, reader):
    def viewer(*image_sets):
        requests = [asked(home, reader, each) for each in image_sets]
        image_ids = [each.image_id for each in image_sets]
        return Viewer(http.client, http.token(requests, reader), image_ids)

    return viewer


def asked(home, reader, image_set):
    """The reader's receipt for an image set."""
    decision = home.consents.check(reader.address, image_set, CARE.purposes)
    use = Use.of(CARE.purposes)
    made = (home.ledger, reader.address, image_set.image_id, use, decision.grant_id)
    return Receipt.of(*made).sign(reader)

"""What the tests of transparency logs share: a log in a folder, and ways to fill it."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from radledger.tlog import Log, LogSigner
from tests.tlog.cast import LOG


@pytest.fixture(scope="session")
def signer():
    """The key of `tests.tlog.cast.LOG`."""
    seed = hashlib.sha256(LOG.key.name.encode()).digest()
    return LogSigner(LOG.key.name, Ed25519PrivateKey.from_private_bytes(seed))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def log(folder, signer):
    log = Log(folder, signer)
    yield log
    log.close()

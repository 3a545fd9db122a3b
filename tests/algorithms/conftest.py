"""A ledger's algorithms, a published version, and image sets that are records alone."""

from __future__ import annotations

import hashlib

import pytest

from radledger.algorithms import Algorithms, Release
from tests.research.conftest import anchor, consent

__all__ = ["anchor", "consent"]

NAME = "Lung nodule detection"


def digest(name):
    return "0x" + hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def algorithms(ledger):
    return Algorithms(ledger)


@pytest.fixture
def version(algorithms, people):
    """Id of a version of the clinic's algorithm, which is registered."""
    algorithms.register(NAME, "DCM:123110").send(people["researcher"])
    release = Release("1.0.0", digest("weights"))
    return algorithms.publish(NAME, release).send(people["researcher"]).version_id

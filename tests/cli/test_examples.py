"""The examples of the services' docstrings that need a chain: each does what it says on one."""

from __future__ import annotations

import doctest
import importlib
import re
import shutil
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from radledger import RadLedger
from radledger.chain import deployments
from radledger.chain.keystore.accounts import Keystore
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.consent import Consents, Terms
from radledger.crypto.keys import public_key
from radledger.relay.tickets import Limits
from radledger.research import DatasetTerms
from radledger.signed import submit
from radledger.storage import LocalStore
from radledger.storage.replicated import ReplicatedStore

SKIP = re.compile(r"\s*# doctest: \+SKIP")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def stage(home, study, image, tmp_path):
    """What the examples speak of: the services and people of a home."""
    keystore = Keystore(home)
    radledger = RadLedger.open(home=home)
    people = {name: keystore.open(name) for name in ("governor", "hospital", "clinic")}
    people |= {name: keystore.open(name) for name in ("radiologist", "researcher", "patient")}
    shutil.copytree(study, tmp_path / "study")
    shutil.copy(next(study.glob("*.dcm")), tmp_path / "study" / "1.dcm")
    return SimpleNamespace(
        **people,
        home=home,
        radledger=radledger,
        ledger=radledger.ledger,
        image_id=image,
        image_set=radledger.images.show(image).image_set,
        private_key=keystore.encryption_key("radiologist"),
        patients_private_key=keystore.encryption_key("patient"),
        public_key=public_key,
    )


def run_examples(module, name, names):
    """Run a class's examples; one that names no result may have any."""
    owner = importlib.import_module(f"radledger.{module}")
    examples = doctest.DocTestParser().get_examples(vars(owner)[name].__doc__)
    namespace = {**vars(owner), **names}
    for example in examples:
        with redirect_stdout(StringIO()) as printed:
            exec(compile(SKIP.sub("", example.source), name, "single"), namespace)  # noqa: S102
        if example.want:
            told = printed.getvalue()
            assert doctest.OutputChecker().check_output(example.want, told, FLAGS), told
    assert examples
    return namespace


def test_of_the_facade(stage, monkeypatch):
    monkeypatch.setenv("RADLEDGER_HOME", str(stage.home))
    run_examples("facade", "RadLedger", {"hospital": stage.hospital.address})


def test_of_the_ledger(stage):
    run_examples(
        "chain.ledger",
        "Ledger",
        {
            "connect": connect,
            "deployments": deployments,
            "network": networks.load(home=stage.home),
            "folder": stage.home / "deployments",
            "chain_id": stage.ledger.chain_id,
            "hospital": stage.hospital.address,
        },
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("identity.identities", "Identities"),
        ("identity.participants", "Participants"),
        ("imaging.bundles", "Bundles"),
        ("index.service", "Index"),
    ],
)
def test_of_services(stage, module, name):
    run_examples(module, name, {**vars(stage), "Path": Path})


def test_of_consents(stage):
    run_examples("consent.consents", "Consents", {**vars(stage), "Terms": Terms})


def test_of_images(stage):
    names = {**vars(stage), "patient": stage.patient.address, "LocalStore": LocalStore}
    run_examples("imaging.service", "Images", {**names, "Path": Path})


def test_of_copies(stage, tmp_path):
    folders = {"hospital": stage.home / "store", "clinic": tmp_path / "clinic"}
    stores = {name: LocalStore(folder) for name, folder in folders.items()}
    run_examples("imaging.copies", "Copies", {**vars(stage), "storage": ReplicatedStore(stores, 2)})


def test_of_reading(stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grant = Consents(stage.ledger).grant(stage.radiologist.address, Terms(("CC",)))
    submit(stage.ledger, grant.sign(stage.patient), stage.hospital)
    run_examples("access.reading", "Reading", {**vars(stage), "partial": partial})


def test_of_datasets(stage):
    consents = Consents(stage.ledger)
    grant = consents.grant(stage.clinic.address, Terms(("HMB",))).sign(stage.patient)
    submit(stage.ledger, grant, stage.hospital)
    token = stage.ledger.address("LocalToken")
    names = {**vars(stage), "DatasetTerms": DatasetTerms, "token": token}
    run_examples("research.datasets", "Datasets", names)


def test_of_the_relayer(stage):
    document = Consents(stage.ledger).revoke_all().sign(stage.patient)
    names = {**vars(stage), "document": document, "Limits": Limits}
    namespace = run_examples("relay.service", "Relayer", names)
    namespace["relayer"].stop()

"""``RadLedger``: all services in one object, opened in each way that its users have."""

from __future__ import annotations

from io import BytesIO

import pytest
import yaml

import radledger
from radledger import RadLedger
from radledger.chain import deployments
from radledger.chain.errors import (
    ConnectionFailed,
    DeploymentMismatch,
    DeploymentMissing,
    UnknownNetwork,
)
from radledger.chain.nodes import networks
from radledger.chain.nodes.connect import connect
from radledger.consent.diseases import decode_disease, encode_disease
from radledger.crypto import keys
from radledger.facade import default_home
from radledger.imaging.errors import ImageUnknown
from radledger.storage import LocalStore, MemoryStore
from radledger.storage.errors import StorageUnavailable
from radledger.storage.kubo import KuboStore

UNKNOWN = "0x" + "12" * 32


@pytest.fixture
def home(ledger, tmp_path):
    """A home whose network ``here`` is where the contracts are."""
    home = tmp_path / "home"
    deployments.save(home / "deployments", ledger.deployment)
    entry = {"endpoint": ledger.web3.provider.endpoint_uri, "chain_id": ledger.chain_id}
    (home / "networks.yaml").write_text(yaml.safe_dump({"networks": {"here": entry}}))
    return home


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in ("HOME", "NETWORK", "STORE"):
        monkeypatch.delenv(f"RADLEDGER_{name}", raising=False)


def roles(opened, people):
    return opened.participants.show(people["hospital"].address).roles


def test_open_by_name_endpoint_and_web3(home, ledger, people):
    endpoint = ledger.web3.provider.endpoint_uri
    for network in ("here", endpoint, connect(networks.Network("mine", endpoint))):
        opened = RadLedger.open(network, home=home)
        assert opened.home == home
        assert opened.ledger.chain_id == ledger.chain_id
        assert "custodian" in roles(opened, people)


def test_open_with_a_bare_web3(home, ledger, people):
    from web3 import Web3

    opened = RadLedger.open(Web3(Web3.HTTPProvider(ledger.web3.provider.endpoint_uri)), home=home)
    assert "custodian" in roles(opened, people)


def test_services_answer_from_the_chain_and_the_home(home, people):
    opened = RadLedger.open("here", home=home)
    hospital = people["hospital"].address
    for service in (opened.images, opened.consents, opened.datasets):
        assert list(service.list()) == []
    assert "custodian" in roles(opened, people)
    assert opened.identities.show(hospital).owner == hospital
    assert opened.receipts.releases() == ()
    opened.index.sync()
    assert "ParticipantAdmitted" in {entry.event for entry in opened.index.history(hospital)}
    # What one object of the home learns, the next one knows.
    disease = opened.diseases.sealed("MONDO:0004992")
    digest = decode_disease(encode_disease(disease))
    assert RadLedger.open("here", home=home).diseases.named(digest) == disease


@pytest.mark.parametrize(
    "use",
    [
        lambda opened, reader: opened.images.show(UNKNOWN),
        lambda opened, reader: opened.copies.status(UNKNOWN),
        lambda opened, reader: opened.bundles.export(UNKNOWN, opened.home / "image.bundle"),
        lambda opened, reader: opened.reading.secret(
            UNKNOWN, reader=reader, private_key=keys.new_private_key()
        ),
    ],
    ids=["images", "copies", "bundles", "reading"],
)
def test_services_refuse_an_image_set_that_the_chain_does_not_have(home, people, use):
    with pytest.raises(ImageUnknown) as error:
        use(RadLedger.open("here", home=home), people["radiologist"])
    assert error.value.values == {"image": UNKNOWN}
    assert not (home / "image.bundle").exists()


def test_home_and_network_from_the_environment(home, people, monkeypatch):
    monkeypatch.setenv("RADLEDGER_HOME", str(home))
    assert default_home() == home
    monkeypatch.setenv("RADLEDGER_NETWORK", "here")
    opened = RadLedger.open()
    assert opened.home == home
    assert "custodian" in roles(opened, people)

    # What is said goes before the environment.
    monkeypatch.setenv("RADLEDGER_NETWORK", "nowhere")
    assert RadLedger.open("here").home == home
    with pytest.raises(UnknownNetwork) as error:
        RadLedger.open()
    assert error.value.values == {"network": "nowhere"}


def test_the_home_s_own_default_network(home, people):
    content = yaml.safe_load((home / "networks.yaml").read_text())
    (home / "networks.yaml").write_text(yaml.safe_dump({**content, "default": "here"}))
    assert "custodian" in roles(RadLedger.open(home=home), people)


def test_a_home_where_none_is_named():
    assert default_home().name == "radledger"
    assert default_home().is_absolute()


def test_without_a_deployment(home, ledger, tmp_path):
    endpoint = ledger.web3.provider.endpoint_uri
    with pytest.raises(DeploymentMissing) as error:
        RadLedger.open(endpoint, home=tmp_path / "other")
    assert error.value.values == {"chain_id": ledger.chain_id}
    assert not (tmp_path / "other").exists()


def test_without_a_chain(home):
    with pytest.raises(ConnectionFailed) as error:
        RadLedger.open("http://127.0.0.1:1", home=home)
    assert error.value.values["endpoint"] == "http://127.0.0.1:1"
    with pytest.raises(UnknownNetwork):
        RadLedger.open("nowhere", home=home)


def test_a_deployment_of_another_chain(home, ledger):
    path = home / "deployments" / f"{ledger.chain_id}.json"
    path.write_text(path.read_text().replace(ledger.deployment.genesis, "0x" + "11" * 32))
    with pytest.raises(DeploymentMismatch) as error:
        RadLedger.open("here", home=home)
    assert error.value.values["expected_genesis"] == "0x" + "11" * 32
    assert error.value.values["genesis"] == ledger.deployment.genesis


def test_stores(home, monkeypatch):
    store = RadLedger.open("here", home=home).storage
    assert isinstance(store, LocalStore)
    stored = store.put(BytesIO(b"ciphertext"))
    assert [path.name for path in (home / "store").rglob(stored.cid)] == [stored.cid]

    own = MemoryStore()
    monkeypatch.setenv("RADLEDGER_STORE", "/ip4/127.0.0.1/tcp/1")
    assert RadLedger.open("here", home=home, storage=own).storage is own
    kubo = RadLedger.open("here", home=home).storage
    assert isinstance(kubo, KuboStore)
    with pytest.raises(StorageUnavailable) as error:
        kubo.put(BytesIO(b"ciphertext"))
    assert error.value.values["address"] == "/ip4/127.0.0.1/tcp/1"


def test_the_package_offers_it_and_nothing_that_is_not_there():
    assert radledger.RadLedger is RadLedger
    with pytest.raises(AttributeError, match="nobody"):
        _ = radledger.nobody

"""Bundles, from real nodes to the verifier."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pydicom
import pytest

from radledger.chain.errors import NotSealedYet, ProofUnavailable
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.refusals import ImageIsErased
from radledger.chain.rpc import request
from radledger.deployment.deploy import deploy
from radledger.devnet.people import accredit
from radledger.dicom.errors import DicomError
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging import bundles as module
from radledger.imaging.bundles import Bundles
from radledger.imaging.errors import BundleTooLarge, FileNotInSet, ImageUnknown, SecretUnknown
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from radledger.verify.form import Invalid, read
from radledger.verify.proof import Trust, signer, verify
from radledger.verify.proof import headers as decoded


def trusting(result, contract=None):
    """Who knows the hashes of the bundle's blocks from elsewhere."""
    return Trust(
        block_hashes=frozenset(bytes.fromhex(each.hash[2:]) for each in result.proven),
        contracts=frozenset([bytes.fromhex(result.contract[2:])]),
    )


def proven(result):
    return verify(result.path.read_bytes(), trusting(result))


@pytest.fixture
def bundles(ledger, images):
    return Bundles(ledger, images)


@pytest.fixture
def fetched(images, tmp_path):
    """The files of an image set as they were anchored."""

    def fetch(image_id):
        to = tmp_path / image_id
        images.fetch(image_id, to)
        return sorted(to.iterdir())

    return fetch


def test_a_whole_set(add, bundles, images, series, ledger, tmp_path):
    added = add(series)[0]
    result = bundles.export(added.image_id, tmp_path / "bundle")
    record, contract = images.show(added.image_id), ledger.address("ImageRegistry")
    assert (result.image_id, result.files, result.contract) == (added.image_id, 5, contract)
    assert result.size == (tmp_path / "bundle").stat().st_size
    assert [(each.event, each.number) for each in result.proven] == [
        ("ImageAnchored", record.block)
    ]
    facts = proven(result)
    (event,) = facts["events"]
    assert facts["contract"] == contract.lower()
    assert (event["image"], event["root"]) == (added.image_id, added.root)
    assert (event["block"], event["timestamp"]) == (record.block, record.anchored_at)
    assert (event["custodian"], event["patient"]) == (
        record.image_set.custodian.lower(),
        record.image_set.patient.lower(),
    )
    assert (event["kind"], event["instances"]) == ("deidentified", 5)
    digests = [each.file_digest for each in images.contents(added.image_id).instances]
    assert facts["leaves"] == digests


def test_only_the_files_that_are_named(add, bundles, images, series, fetched, tmp_path):
    image_id = add(series)[0].image_id
    files = fetched(image_id)
    result = bundles.export(image_id, tmp_path / "bundle", files=[files[3], files[1], files[3]])
    assert result.files == 2
    text = (tmp_path / "bundle").read_text()
    named = {files[1].stem, files[3].stem}
    for instance in images.contents(image_id).instances:
        assert (instance.salt in text) == (instance.sop_instance in named)
    assert len(proven(result)["leaves"]) == 2


def test_it_holds_no_identifier(add, bundles, series, tmp_path):
    dataset = pydicom.dcmread(next(iter(series.iterdir())))
    image_id = add(series, keep_identity=True, visit="visit of Jane Miller")[0].image_id
    text = bundles.export(image_id, tmp_path / "bundle").path.read_text()
    for name in (
        dataset.PatientID,
        str(dataset.PatientName),
        dataset.StudyInstanceUID,
        dataset.SeriesInstanceUID,
        dataset.SOPInstanceUID,
        "Miller",
    ):
        assert str(name) not in text
        assert str(name).encode().hex() not in text
    bundle = json.loads(text)
    assert sorted(bundle) == ["contract", "events", "format", "image", "leaves"]


def test_a_version_proves_where_it_came_from(add, bundles, images, who, series, tmp_path):
    original = add(series, keep_identity=True)[0]
    derived = images.deidentify(original.image_id, "basic", custodian=who.hospital)
    events = proven(bundles.export(derived.image_id, tmp_path / "bundle"))["events"]
    assert [(each["image"], each["kind"]) for each in events] == [
        (derived.image_id, "deidentified"),
        (original.image_id, "original"),
    ]
    assert events[0]["parent"] == original.image_id


def test_rekeyed_and_erased(add, bundles, images, who, series, fetched, tmp_path):
    image_id = add(series)[0].image_id
    files = fetched(image_id)
    images.rekey(image_id, custodian=who.hospital)
    images.rekey(image_id, custodian=who.hospital)
    events = proven(bundles.export(image_id, tmp_path / "bundle"))["events"]
    assert [each["event"] for each in events] == ["ImageAnchored", "ImageRekeyed"]
    assert events[1]["manifest"] == images.show(image_id).manifest
    erased = images.erase(image_id, custodian=who.hospital)
    result = bundles.export(image_id, tmp_path / "bundle")
    facts = proven(result)
    assert [each["event"] for each in facts["events"]][2:] == ["ImageErased"]
    assert facts["events"][2]["certificate"] == erased.digest
    assert (result.files, facts["leaves"]) == (0, [])
    with pytest.raises(ImageIsErased):
        bundles.export(image_id, tmp_path / "bundle", files=files[:1])


def test_sets_that_were_anchored_together(add, bundles, tmp_path):
    for seed in range(4):
        make_ct_series(tmp_path / "study" / str(seed), 1, size=32, seed=seed)
    added = add(tmp_path / "study")
    assert len({each.transaction for each in added}) == 1
    for each in added:
        result = bundles.export(each.image_id, tmp_path / "bundle")
        assert proven(result)["events"][0]["image"] == each.image_id


def test_a_block_of_many_transactions(add, bundles, ledger, people, series, tmp_path):
    web3 = ledger.web3
    transfer = {"from": people["stranger"].address, "to": people["clinic"].address}
    request(web3, "evm_setAutomine", [False])
    try:
        for _ in range(20):
            request(web3, "eth_sendTransaction", [transfer])
        with ThreadPoolExecutor() as pool:
            adding = pool.submit(add, series)
            while int(request(web3, "txpool_status", [])["pending"], 16) < 21:
                assert not adding.done()
                threading.Event().wait(0.05)
            request(web3, "evm_mine", [])
            (added,) = adding.result()
    finally:
        request(web3, "evm_setAutomine", [True])
    receipt = request(web3, "eth_getTransactionReceipt", [added.transaction])
    block = request(web3, "eth_getBlockByHash", [receipt["blockHash"], False])
    assert len(block["transactions"]) == 21
    result = bundles.export(added.image_id, tmp_path / "bundle")
    assert len(read(result.path.read_bytes())["events"][0]["receipt"]) > 1
    assert proven(result)


def test_what_cannot_be_exported(add, bundles, ledger, series, fetched, tmp_path, monkeypatch):
    image_id = add(series)[0].image_id
    path = tmp_path / "bundle"
    with pytest.raises(ImageUnknown):
        bundles.export("0x" + "ab" * 32, path)
    other = sorted(series.iterdir())[0]  # what was anchored is the de-identified file
    with pytest.raises(FileNotInSet) as refusal:
        bundles.export(image_id, path, files=[*fetched(image_id), other])
    assert refusal.value.values == {"file": str(other), "image": image_id}
    with pytest.raises(DicomError):
        bundles.export(image_id, path, files=[tmp_path / "missing"])
    elsewhere = Images(ledger, LocalStore(tmp_path / "store"), tmp_path / "elsewhere")
    with pytest.raises(SecretUnknown):
        Bundles(ledger, elsewhere).export(image_id, path)
    monkeypatch.setattr("radledger.verify.form.LIMIT", 1000)
    with pytest.raises(BundleTooLarge) as refusal:
        bundles.export(image_id, path)
    assert refusal.value.values["limit"] == 1000
    assert not path.exists()


def test_what_a_node_tells_wrongly_is_noticed(add, bundles, series, tmp_path, monkeypatch):
    image_id = add(series)[0].image_id
    prove = module.prove

    def wrong(web3, transaction):
        proof = prove(web3, transaction)
        return module.EventProof(**{**vars(proof), "transaction": b"\x01"})

    monkeypatch.setattr(module, "prove", wrong)
    with pytest.raises(ProofUnavailable) as refusal:
        bundles.export(image_id, tmp_path / "bundle")
    assert refusal.value.values == {"where": "bundle.events[0].receipt"}
    assert not (tmp_path / "bundle").exists()


def library(endpoint, people, folder):
    """The contracts on a separate node, all people accredited, and a set of three files."""
    web3 = connect(Network("test", endpoint))
    ledger = Ledger(web3, deploy(web3, people["governor"], folder / "deployments"))
    accredit(ledger, people)
    images = Images(ledger, LocalStore(folder / "store"), folder / "home")
    make_ct_series(folder / "series", 3, size=32)
    (added,) = images.add(
        [folder / "series"], people["patient"].address, custodian=people["hospital"]
    )
    return images, Bundles(ledger, images), added


def test_on_ganache(ganache_endpoint, people, tmp_path):
    images, bundles, added = library(ganache_endpoint, people, tmp_path)
    images.rekey(added.image_id, custodian=people["hospital"])
    facts = proven(bundles.export(added.image_id, tmp_path / "bundle"))
    assert [each["event"] for each in facts["events"]] == ["ImageAnchored", "ImageRekeyed"]
    assert len(facts["leaves"]) == 3


@pytest.mark.parametrize("endpoint", ["geth_endpoint", "free_gas_endpoint"])
def test_on_a_chain_with_a_validator(endpoint, people, tmp_path, request):
    images, bundles, added = library(request.getfixturevalue(endpoint), people, tmp_path)
    with pytest.raises(NotSealedYet):
        bundles.export(added.image_id, tmp_path / "bundle")
    images.rekey(added.image_id, custodian=people["hospital"])  # a block on top
    images.erase(added.image_id, custodian=people["hospital"])
    images.add([tmp_path / "series"], people["stranger"].address, custodian=people["hospital"])
    result = bundles.export(added.image_id, tmp_path / "bundle")
    headers = read(result.path.read_bytes())["events"][0]["headers"]
    (fields,) = decoded(headers, "headers")
    validator = signer(fields, "header")
    facts = verify(result.path.read_bytes(), Trust(frozenset([validator]), needed=1))
    assert [each["event"] for each in facts["events"]] == [
        "ImageAnchored",
        "ImageRekeyed",
        "ImageErased",
    ]
    assert {each["vouched"] for each in facts["events"]} == {"seals of 1 of 1 validators"}
    with pytest.raises(Invalid, match="no validator"):
        verify(result.path.read_bytes(), Trust(frozenset([b"\1" * 20]), needed=1))

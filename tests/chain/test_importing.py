"""The record of a deployment, taken over from another participant."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from radledger.chain import deployments
from radledger.chain.errors import (
    DeploymentConflict,
    DeploymentMismatch,
    DeploymentMissing,
    DeploymentOutdated,
    DeploymentUnreadable,
    InvalidRecord,
)
from radledger.chain.ledger import Ledger
from radledger.deployment.deploy import deploy
from radledger.deployment.importing import import_record
from tests.trickling import PARTS, trickling

__all__ = ["trickling"]


@pytest.fixture
def web3(deployed_ledger):
    return deployed_ledger.web3


@pytest.fixture
def deployed(deployed_ledger):
    return deployed_ledger.deployment


@pytest.fixture
def folder(tmp_path):
    """The deployments of the home that imports."""
    return tmp_path / "deployments"


@pytest.fixture
def record(deployed, tmp_path):
    """Writes a record, by default that of what is deployed, with some of it changed."""

    def write(deployment=deployed, **changes):
        path = deployments.save(tmp_path / "other", deployment)
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, **changes}))
        return str(path)

    return write


@pytest.fixture(scope="session")
def another(deployed_ledger, people, tmp_path_factory):
    """A second deployment on the same chain, as happens where two participants deploy."""
    return deploy(deployed_ledger.web3, people["governor"], tmp_path_factory.mktemp("another"))


@pytest.fixture
def served():
    """Serves some bytes with a status; gives the URL."""
    answer = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["content"])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def serve(content, status=200):
        answer.update(content=content, status=status)
        return f"http://127.0.0.1:{server.server_address[1]}/31337.json?token=secret"

    yield serve
    server.shutdown()
    server.server_close()
    thread.join()


def without(deployment, *names):
    left = {name: each for name, each in deployment.contracts.items() if name not in names}
    return replace(deployment, contracts=left)


def test_a_record_is_imported_from_a_file_or_url(web3, deployed, folder, record, served):
    assert import_record(web3, folder, record()) == deployed
    assert deployments.load(folder, deployed.chain_id) == deployed
    file = folder / f"{deployed.chain_id}.json"
    before = file.read_bytes()
    url = served(before)
    file.unlink()
    assert import_record(web3, folder, url) == deployed
    assert file.read_bytes() == before
    assert Ledger(web3, deployments.load(folder, deployed.chain_id)).chain_id == 31337


def test_each_side_keeps_what_the_other_lacks(web3, deployed, folder, record):
    deployments.save(folder, without(deployed, "LocalToken"))
    given = without(deployed, "DatasetRegistry")
    merged = import_record(web3, folder, record(given))
    assert merged.contracts == deployed.contracts
    assert deployments.load(folder, deployed.chain_id) == merged
    assert import_record(web3, folder, record()) == merged


def test_a_creation_that_another_has_finished_is_not_waited_for(web3, deployed, folder, record):
    begun = deployments.Pending("DatasetRegistry", "0x" + "11" * 20, 7, ("0x" + "22" * 32,))
    deployments.save(folder, replace(without(deployed, "DatasetRegistry"), pending=begun))
    assert import_record(web3, folder, record()).pending is None
    # nor is one that the other has begun
    assert import_record(web3, folder, record(replace(deployed, pending=begun))).pending is None


def test_other_contracts_are_not_put_in_the_place_of_those_here(
    web3, deployed, another, folder, record
):
    file = deployments.save(folder, deployed)
    before = file.read_bytes()
    with pytest.raises(DeploymentConflict, match="nothing was imported") as error:
        import_record(web3, folder, record(another))
    assert error.value.values["contracts"] == list(another.contracts)
    mixed = {**deployed.contracts, "DatasetRegistry": another.contracts["DatasetRegistry"]}
    with pytest.raises(DeploymentConflict) as error:
        import_record(web3, folder, record(replace(deployed, contracts=mixed)))
    assert error.value.values["contracts"] == ["DatasetRegistry"]
    deployments.save(folder, replace(deployed, genesis="0x" + "00" * 32))
    with pytest.raises(DeploymentConflict, match="first block"):
        import_record(web3, folder, record())
    deployments.save(folder, deployed)
    assert file.read_bytes() == before


def test_a_successor_takes_the_place_of_its_predecessor_and_not_the_other_way(
    web3, deployed, another, folder, record
):
    successor = replace(another, predecessor=deployed)
    deployments.save(folder, deployed)
    assert import_record(web3, folder, record(successor)) == successor
    assert deployments.load(folder, deployed.chain_id).predecessor == deployed
    with pytest.raises(DeploymentConflict):
        import_record(web3, folder, record(deployed))
    assert deployments.load(folder, deployed.chain_id) == successor
    moved = replace(deployed, genesis="0x" + "00" * 32)
    with pytest.raises(DeploymentMismatch, match="predecessor on another chain"):
        import_record(web3, folder, record(replace(another, predecessor=moved)))


@pytest.mark.parametrize(
    "change",
    [
        {"address": "0x" + "12" * 20},
        {"code_hash": "0x" + "00" * 32},
        {"block": 1},
        {"transaction": "0x" + "34" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_chain_does_not_confirm_is_refused(web3, deployed, folder, record, change):
    for name in ("ImageRegistry", "LocalToken"):
        altered = replace(deployed.contracts[name], **change)
        wrong = replace(deployed, contracts={**deployed.contracts, name: altered})
        for given in (wrong, replace(deployed, predecessor=wrong)):
            with pytest.raises(DeploymentMismatch) as error:
                import_record(web3, folder, record(given))
            assert error.value.values["contract"] == name
            assert error.value.values["address"] == altered.address
    assert not folder.exists()


def test_records_of_other_chains_and_releases(web3, deployed, folder, record):
    with pytest.raises(DeploymentMismatch, match="this is chain 31337"):
        import_record(web3, folder, record(genesis="0x" + "00" * 32))
    with pytest.raises(DeploymentMismatch, match="this is chain 31337"):
        import_record(web3, folder, record(chainId=5))
    with pytest.raises(DeploymentMissing, match="is not finished"):
        import_record(web3, folder, record(without(deployed, "ConsentRegistry")))
    with pytest.raises(DeploymentOutdated, match=r"older than 0\.1\.0"):
        import_record(web3, folder, record(format=0))
    with pytest.raises(DeploymentMismatch, match="later release") as error:
        import_record(web3, folder, record(format=2))
    assert error.value.values == {"path": record(), "format": 2, "supported": 1}
    assert not folder.exists()


def test_a_contract_that_only_a_later_release_knows_is_kept_and_not_used(
    web3, deployed, folder, record
):
    later = {**deployed.contracts, "TrialRegistry": deployed.contracts["LocalToken"]}
    import_record(web3, folder, record(replace(deployed, contracts=later)))
    assert deployments.load(folder, deployed.chain_id) == deployed
    assert deployments.find(folder, deployed.chain_id).contracts == later
    wrong = replace(later["TrialRegistry"], code_hash="0x" + "00" * 32)
    given = replace(deployed, contracts={**later, "TrialRegistry": wrong})
    with pytest.raises(DeploymentMismatch, match="TrialRegistry"):
        import_record(web3, folder, record(given))


# ------------------------------------------------------------------------------------- sources


def test_what_cannot_be_read(web3, folder, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b" " * ((1 << 20) + 1))
    for path, reason in {
        tmp_path / "nothing": "No such file",
        tmp_path: "Is a directory",
        large: "more than 1,048,576 bytes",
    }.items():
        with pytest.raises(InvalidRecord, match=reason) as error:
            import_record(web3, folder, str(path))
        assert error.value.values == {"source": str(path)}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        *((None, "format", value) for value in (True, 1.0, "1", None, -1, [])),
        *((None, "chainId", value) for value in (True, 1.0, "31337", None, -1, 1 << 256)),
        *((None, "genesis", value) for value in (5, "0x12", "../../x", None)),
        *((None, "contracts", value) for value in ([], None, {"../x": {}}, {"Forwarder": 5})),
        *((None, "parameters", value) for value in ([], None, 5)),
        *((None, "predecessor", value) for value in ([], 5, {}, True)),
        *((None, "pending", value) for value in ([], 5, {}, {"contract": "Forwarder"})),
        *(("Forwarder", "address", value) for value in (5, "0x12", None, ["0x"])),
        *(("Forwarder", "block", value) for value in (True, 1.0, "5", None, -1, 1 << 63)),
        *(("Forwarder", "transaction", value) for value in (5, "0x12", None, {})),
        *(("Forwarder", "codeHash", value) for value in (5, "0x12", None, {})),
    ],
)
def test_a_record_is_exactly_of_its_form(web3, deployed, folder, record, name, field, value):
    content = json.loads(Path(path := record()).read_text())
    place = content if name is None else content["contracts"][name]
    Path(path).write_text(json.dumps(content))
    assert import_record(web3, folder, path) == deployed
    place[field] = value
    Path(path).write_text(json.dumps(content))
    with pytest.raises(InvalidRecord, match="is not the record of a deployment"):
        import_record(web3, folder, path)


def test_addresses_of_a_record_may_be_in_any_case(web3, deployed, folder, record):
    content = json.loads(Path(path := record()).read_text())
    for contract in content["contracts"].values():
        contract["address"] = contract["address"].lower()
    Path(path).write_text(json.dumps(content))
    assert import_record(web3, folder, path) == deployed


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"<html>", b"[" * 100_000])
def test_what_is_not_a_record(web3, folder, served, content):
    with pytest.raises(InvalidRecord, match="not the record of a deployment") as error:
        import_record(web3, folder, served(content))
    assert "secret" not in str(error.value)


def test_servers_that_have_no_record(web3, folder, served):
    url = served(b"", 404)
    with pytest.raises(DeploymentUnreadable, match="answers with 404") as error:
        import_record(web3, folder, url)
    assert error.value.values == {"source": url.removesuffix("/31337.json?token=secret")}
    with pytest.raises(InvalidRecord, match="more than 1,048,576 bytes"):
        import_record(web3, folder, served(b" " * (2 << 20)))
    for nowhere in ("http://127.0.0.1:1/record.json", "http://[", "https://"):
        with pytest.raises(DeploymentUnreadable, match="check the URL, or give a file"):
            import_record(web3, folder, nowhere)


@pytest.mark.parametrize("part", PARTS)
def test_an_answer_that_never_ends_is_not_waited_for(folder, trickling, part):
    trickling.part = part
    with pytest.raises(DeploymentUnreadable, match="no whole answer within 30 s"):
        import_record(None, folder, f"http://127.0.0.1:{trickling.port}/record.json")

"""Lost validators: one of four is tolerated, two are reported, nothing is done twice."""

from __future__ import annotations

import shutil

import pytest

from radledger.access import CustodianKeyService, Receipt, ReceiptBook
from radledger.chain import deployments
from radledger.chain.errors import ChainStale, TransactionPending
from radledger.chain.nodes.connect import connect, node_states
from radledger.chain.nodes.networks import Network
from radledger.chain.sending.sender import Sender
from radledger.deployment import deploy
from radledger.dicom.synthetic import make_ct_series
from radledger.facade import RadLedger
from radledger.imaging.model import NONE, ImageSet
from tests.network.conftest import ask, block_hash, height, until

pytestmark = pytest.mark.soak

ZERO = "0x" + "00" * 20
NAME = b"did/svc/Email".ljust(32, b"\0")


def change(account, value):
    """Arguments with which an account sets an attribute of its own identity."""
    return "IdentityRegistry", "setAttribute", account.address, NAME, value, 3600


def values(ledger, account):
    """The values of that attribute so far."""
    events = ledger.events("IdentityRegistry", "DIDAttributeChanged", identity=account.address)
    name = "0x" + NAME.hex()
    return [
        bytes.fromhex(event.args["value"][2:]) for event in events if event.args["name"] == name
    ]


def states(consortium):
    return {each.state for each in node_states(consortium.network)}


def test_one_of_four_is_not_missed(consortium):
    ledger, stranger = consortium.ledger(), consortium.account("stranger")
    before = values(ledger, stranger)
    assert ledger.send(stranger, *change(stranger, b"1")).block
    # The very node that the ledger speaks to.
    consortium.kill("validator-1")
    receipts = [ledger.send(stranger, *change(stranger, value)) for value in (b"2", b"3")]
    assert values(ledger, stranger) == [*before, b"1", b"2", b"3"]
    left = [node for name, node in consortium.nodes.items() if name != "validator-1"]
    for receipt in receipts:
        assert len({block_hash(node, receipt.block) for node in left}) == 1
    found = {each.endpoint: each.state for each in node_states(consortium.network)}
    gone = consortium.nodes["validator-1"].endpoint
    assert found == dict.fromkeys(found, "good") | {gone: "unreachable"}


def test_without_two_of_four_nothing_is_reported_as_done_and_later_all_is_once(
    consortium, capsys, tmp_path
):
    consortium.have_no_patience()
    ledger, stranger = consortium.ledger(timeout=12), consortium.account("stranger")
    before = values(ledger, stranger)
    make_ct_series(tmp_path / "study", 2, size=32)
    add = ("image", "add", tmp_path / "study", "--patient", "patient", "--as", "hospital")
    consortium.kill("validator-1", "validator-3")
    gone = [consortium.nodes[name].endpoint for name in ("validator-1", "validator-3")]

    with pytest.raises(TransactionPending) as pending:
        ledger.send(stranger, *change(stranger, b"once"))
    code, (told,) = consortium.cli(capsys, *add)
    assert (code, told["error"]) == (1, "TransactionPending")
    for message in (pending.value.message, told["message"]):
        assert "\n" not in message
        assert "made no block" in message
        assert all(f"{endpoint} is unreachable" in message for endpoint in gone)
    # The two that are left may have made a block or two; none that counts.
    for transaction in (pending.value.values["transaction"], told["values"]["transaction"]):
        receipt = ask(consortium.nodes["validator-2"], "eth_getTransactionReceipt", transaction)
        block = int(receipt["blockNumber"], 16) if receipt else ledger.block_number()
        assert ledger.block_number() - block < 3

    consortium.up()
    patient = Sender.on(consortium.network, ledger.web3, ledger.sender.intents)
    (finished,) = patient.finish(stranger)
    assert finished.state == "mined"
    code, (added,) = consortium.cli(capsys, *add)
    assert (code, added["added"]) == (0, True)
    assert added["tx"] == told["values"]["transaction"]
    assert values(consortium.ledger(), stranger) == [*before, b"once"]
    code, images = consortium.cli(capsys, "image", "list")
    assert [image["image_id"] for image in images] == [added["image_id"]]
    assert consortium.cli(capsys, *add)[1][0]["added"] is False


def test_without_two_of_four_nothing_is_permitted_or_released(consortium, tmp_path):
    consortium.notice_after(5)
    radledger, stranger = RadLedger.open(home=consortium.home), consortium.account("stranger")
    ledger, image_set = radledger.ledger, ImageSet(ZERO, stranger.address, NONE, NONE)
    service = CustodianKeyService(
        ledger, ReceiptBook(tmp_path / "receipts.sqlite3"), show=unreached, secret=unreached
    )
    receipt = Receipt(
        *(stranger.address, image_set.image_id, 32, 0, "0x" + "00" * 13, NONE, ledger.now()),
        *(ledger.chain_id, ledger.address("ConsentRegistry")),
    )

    def reason():
        return radledger.consents.check(stranger.address, image_set, ["CC"]).reason

    until(lambda: reason() == "not anchored", "the chain makes no blocks")
    consortium.kill("validator-1", "validator-3")
    until(lambda: states(consortium) == {"stalled", "unreachable"}, "no node is stalled")
    assert reason() == "stale chain"
    with pytest.raises(ChainStale) as stale:
        service.release(receipt.sign(stranger))
    assert stale.value.values["block_age"] > stale.value.values["max_block_age"] == 5

    consortium.up()
    until(lambda: reason() == "not anchored", "the chain makes no blocks again")


def unreached(image_id):
    pytest.fail(f"the key service went on to {image_id}")


def test_a_validator_that_lost_its_disk_joins_again_and_verifies(consortium):
    ledger, stranger = consortium.ledger(), consortium.account("stranger")
    consortium.kill("validator-4")
    shutil.rmtree(consortium.folder("validator-4") / "geth")
    receipt = ledger.send(stranger, *change(stranger, b"meanwhile"))
    consortium.up()

    node, other = (consortium.nodes[name] for name in ("validator-4", "validator-2"))
    until(lambda: height(node) >= receipt.block, "validator-4 does not catch up")
    assert block_hash(node, receipt.block) == block_hash(other, receipt.block)
    alone = connect(Network("alone", node.endpoint))
    deploy.verify(alone, deployments.load(consortium.home / "deployments", alone.eth.chain_id))
    until(lambda: states(consortium) == {"good"}, "validator-4 is not taken for good again")
    # It signs again.
    signer = ask(node, "eth_coinbase")
    begin = height(node)

    def signed():
        numbers = range(begin, height(other) + 1)
        return signer in {ask(other, "clique_getSigner", hex(number)) for number in numbers}

    until(signed, "validator-4 signs no block")


def test_a_transaction_counts_with_three_blocks_on_top(consortium):
    ledger, stranger = consortium.ledger(), consortium.account("stranger")
    assert consortium.network.confirmations == 3
    receipt = ledger.send(stranger, *change(stranger, b"deep"))
    assert ledger.block_number() >= receipt.block + 3
    for node in consortium.nodes.values():
        until(lambda node=node: height(node) >= receipt.block + 2, "a node is behind")
        found = ask(node, "eth_getTransactionReceipt", receipt.transaction)
        assert int(found["blockNumber"], 16) == receipt.block

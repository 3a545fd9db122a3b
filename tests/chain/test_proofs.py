"""Proofs of a transaction's events, from nodes of every fork and kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from web3 import Web3
from web3.providers import BaseProvider

from radledger.chain.errors import NotSealedYet, ProofUnavailable
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.proofs import EventProof, encode_header, prove
from radledger.chain.rpc import request
from radledger.verify.proof import headers, logs, signer
from tests.anvil import account, running_chain
from tests.verify.clique import ADDRESSES, Block, address

FORKS = ("berlin", "london", "paris", "shanghai", "cancun", "prague", "osaka")
FIELDS = {
    "berlin": 15,
    "london": 16,
    "paris": 16,
    "shanghai": 17,
    "cancun": 20,
    "prague": 21,
    "osaka": 21,
}
# Init code of a contract whose every call logs the word 1 under no topic.
LOGGER = "0x600b8060093d393df3600160005260206000a000"


def proven_logs(proof: EventProof) -> list[Any]:
    """What the verifier reads out of a proof."""
    fields = headers(list(proof.headers), "headers")[0]
    return logs(fields[5], proof.transaction, list(proof.receipt), "receipt")


@pytest.mark.parametrize("fork", FORKS)
def test_every_fork_and_every_type_of_transaction(fork: str) -> None:
    with running_chain(fork) as chain:
        deploy = {"from": account("someone"), "data": LOGGER, "gas": hex(200_000)}
        (made,) = chain._mined([{**deploy, "gasPrice": "0x0"}])
        logger = made["contractAddress"]
        call = {"from": account("someone"), "to": logger, "gas": hex(100_000)}
        kinds: list[dict[str, Any]] = [{"gasPrice": "0x0"}, {"gasPrice": "0x0", "accessList": []}]
        if fork != "berlin":
            kinds.append({"maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0"})
        receipts = chain._mined([{**call, **kind} for kind in kinds * 7])
        assert len({each["blockHash"] for each in receipts}) == 1
        assert {each["type"] for each in receipts} == {"0x0", "0x1", "0x2"} - (
            {"0x2"} if fork == "berlin" else set()
        )
        web3 = connect(Network("anvil", f"http://127.0.0.1:{chain.port}"))
        for receipt in receipts:
            proof = prove(web3, receipt["transactionHash"])
            (header,) = headers(list(proof.headers), "headers")
            assert len(header) == FIELDS[fork]
            assert "0x" + keccak(proof.headers[0]).hex() == proof.hash == receipt["blockHash"]
            assert rlp.decode(proof.transaction, rlp.sedes.big_endian_int) == int(
                receipt["transactionIndex"], 16
            )
            assert proven_logs(proof) == [[bytes.fromhex(logger[2:]), [], (1).to_bytes(32, "big")]]


def test_each_kind_of_node(web3: Web3, new_account: Any) -> None:
    sender = new_account(web3)

    def sent(nonce: int) -> str:
        transaction = {
            "to": sender.address,
            "value": 1,
            "gas": 21_000,
            "gasPrice": 10**10,
            "nonce": nonce,
            "chainId": web3.eth.chain_id,
        }
        raw = sender.sign_transaction(transaction).raw_transaction.to_0x_hex()
        mined = request(web3, "eth_sendRawTransaction", [raw])
        web3.eth.wait_for_transaction_receipt(mined, timeout=240, poll_latency=0.05)
        return str(mined)

    transaction = sent(0)
    sent(1)  # on top
    assert proven_logs(prove(web3, transaction)) == []
    with pytest.raises(ProofUnavailable) as refusal:
        prove(web3, unknown := "0x" + "07" * 32)
    assert refusal.value.values == {"transaction": unknown}


# ---------------------------------------------------------------------- proof of authority


class Clique(BaseProvider):
    """A node that knows one block with transactions, and those above it."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.blocks = [self._block(each) for each in block.headers]
        self.receipts = [
            {
                "transactionIndex": hex(position),
                "blockHash": self.blocks[0]["hash"],
                "type": "0x2",
                "status": "0x1",
                "cumulativeGasUsed": hex(50_000 * (position + 1)),
                "logsBloom": "0x" + "00" * 256,
                "logs": [{"address": _hex(address("token")), "topics": [], "data": "0x"}],
            }
            for position in range(block.transactions)
        ]

    @staticmethod
    def _block(encoded: bytes) -> dict[str, Any]:
        names = (
            "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom "
            "difficulty number gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas"
        )
        fields = zip(names.split(), rlp.decode(encoded), strict=True)
        return {name: _hex(value) for name, value in fields} | {"hash": _hex(keccak(encoded))}

    def make_request(self, method: Any, parameters: Any) -> Any:
        return {"jsonrpc": "2.0", "id": 1, "result": self._answer(method, parameters)}

    def _answer(self, method: str, parameters: Sequence[Any]) -> Any:
        if method == "eth_getTransactionReceipt":
            return self.receipts[3]
        if method == "eth_getBlockReceipts":
            return self.receipts
        if method == "eth_getBlockByHash":
            return self.blocks[0]
        assert method == "eth_getBlockByNumber"
        wanted = [each for each in self.blocks if int(each["number"], 16) == int(parameters[0], 16)]
        return wanted[0] if wanted else None


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def on_top(*sealers: int) -> Web3:
    token = [[address("token"), [], b""]]
    return Web3(Clique(Block(token, sealers=sealers, position=3, transactions=6)))


@pytest.mark.parametrize(
    ("sealers", "taken"),
    [
        # All in turn; a round without a new sealer ends it.
        ((0, 1, 2, 3, 0, 1, 2, 3), 4),
        ((2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0), 4),
        # Enough to know that more than half have sealed: one has sealed again.
        ((0, 1, 2, 0), 3),
        # One is late, or away.
        ((0, 1, 2, 0, 3, 1, 2, 0, 3), 5),
        ((0, 1, 2, 0, 1, 2, 0, 1, 2, 3), 3),
        # A single validator.
        ((0, 0), 1),
        ((0, 0, 0, 0), 1),
    ],
)
def test_headers_until_all_who_take_part_have_sealed(sealers: tuple[int, ...], taken: int) -> None:
    proof = prove(on_top(*sealers), "0x00")
    run = headers(list(proof.headers), "headers")
    assert len(run) == taken
    assert [signer(each, "header") for each in run] == [ADDRESSES[n] for n in sealers[:taken]]
    assert proof.hash == _hex(keccak(proof.headers[-1]))
    assert proof.number == 77 + taken - 1
    assert proven_logs(proof) == [[address("token"), [], b""]]


@pytest.mark.parametrize("sealers", [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)])
def test_too_few_blocks_on_top(sealers: tuple[int, ...]) -> None:
    with pytest.raises(NotSealedYet) as refusal:
        prove(on_top(*sealers), "0x00")
    assert refusal.value.values["above"] == len(sealers) - 1


def test_a_block_that_the_chain_has_left() -> None:
    web3 = on_top(0, 1, 2, 3, 0)
    provider: Any = web3.provider
    provider.blocks[1] = Clique(Block([], sealers=(3, 2, 1, 0))).blocks[1]
    with pytest.raises(NotSealedYet, match="has left block 77"):
        prove(web3, "0x00")


# ------------------------------------------------------------------------ what does not add up


def test_a_header_that_is_not_what_the_hash_is_of() -> None:
    block = Clique(Block([], sealers=(0, 0))).blocks[0]
    assert keccak(encode_header(block)) == bytes.fromhex(block["hash"][2:])
    for name, value in (("stateRoot", "0x" + "11" * 32), ("withdrawalsRoot", "0x" + "00" * 32)):
        with pytest.raises(ProofUnavailable) as refusal:
            encode_header({**block, name: value})
        assert refusal.value.values == {"block": block["hash"]}


def test_receipts_that_are_not_the_blocks() -> None:
    web3 = on_top(0, 1, 2, 0)
    provider: Any = web3.provider
    provider.receipts[5]["cumulativeGasUsed"] = "0x1"
    with pytest.raises(ProofUnavailable, match="receipts of block 77"):
        prove(web3, "0x00")
    provider.receipts = [*provider.receipts[:5], None]
    with pytest.raises(ProofUnavailable, match="does not tell all receipts"):
        prove(web3, "0x00")

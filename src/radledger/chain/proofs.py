"""Proofs that a transaction's events were recorded, for who has no node at hand.

A block's header names the root of a trie that holds the block's receipts, and a receipt holds the
events.  So a header, the nodes of the trie on the way to one receipt, and the receipt prove the
events to a verifier that trusts the header.  On a proof-of-authority chain (Clique) the headers
above it come along, until all validators that take part have sealed one.

References
----------
.. [1] Ethereum Yellow Paper, section 4.4 "The Block", appendix D "Modified Merkle Patricia Tree"
.. [2] EIP-225 "Clique proof-of-authority consensus protocol", EIP-2718 "Typed Transaction Envelope"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import NotSealedYet, ProofUnavailable, RequestFailed
from radledger.chain.rpc import request, request_batch

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["EventProof", "encode_header", "encode_receipt", "prove"]

# In the order of the header's RLP.  The later ones came one hard fork after the other: London,
# Shanghai, Cancun (three) and Prague.
_FIELDS = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
)
_LATER_FIELDS = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
_NUMBERS = {
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "baseFeePerGas",
    "blobGasUsed",
    "excessBlobGas",
}
# Bytes of a Clique header's extra data: 32 of the signer's choice and a seal of 65.
_SEALED = 97


@dataclass(frozen=True)
class EventProof:
    """What proves the events of one transaction.

    Attributes
    ----------
    headers
        RLP of the header of the transaction's block, and of those above it.
    transaction
        RLP of the transaction's position in its block: the key in the trie.
    receipt
        RLP of the nodes of the trie from the root to the receipt.
    number, hash
        Of the last header's block: who trusts its hash trusts the proof.
    """

    headers: tuple[bytes, ...]
    transaction: bytes
    receipt: tuple[bytes, ...]
    number: int
    hash: str


def prove(web3: Web3, transaction: str) -> EventProof:
    """Gather the proof of a mined transaction's events.

    Parameters
    ----------
    web3
        The connected chain.
    transaction
        Hash of the transaction.

    Raises
    ------
    NotSealedYet
        If the chain is a proof-of-authority chain, and too few blocks follow it.
    ProofUnavailable
        If the transaction is not mined, or the node tells something else than what the block's
        hash covers.
    """
    from rlp.exceptions import RLPException

    try:
        return _proof(web3, transaction)
    except (LookupError, TypeError, ValueError, RLPException) as error:
        raise ProofUnavailable(
            f"the node tells only a part of the block of {transaction} or of its receipts; ask "
            "another node",
            transaction=transaction,
        ) from error


def _proof(web3: Web3, transaction: str) -> EventProof:
    import rlp
    from trie import HexaryTrie

    mined = request(web3, "eth_getTransactionReceipt", [transaction])
    if mined is None or mined.get("blockHash") is None:
        raise ProofUnavailable(
            f"the node knows no mined transaction {transaction}; ask again, or another node",
            transaction=transaction,
        )
    block = request(web3, "eth_getBlockByHash", [mined["blockHash"], False])
    trie = HexaryTrie({})
    for receipt in _receipts(web3, block):
        key = rlp.encode(int(receipt["transactionIndex"], 16))
        trie.set(key, encode_receipt(receipt))
    if trie.root_hash != _bytes(block["receiptsRoot"]):
        raise ProofUnavailable(
            f"the receipts of block {int(block['number'], 16)}, as the node tells them, are not "
            "those that the block covers; ask another node",
            block=mined["blockHash"],
        )
    blocks = _run(web3, block)
    key = rlp.encode(int(mined["transactionIndex"], 16))
    return EventProof(
        headers=tuple(encode_header(each) for each in blocks),
        transaction=key,
        receipt=tuple(rlp.encode(node) for node in trie.get_proof(key)),
        number=int(blocks[-1]["number"], 16),
        hash=blocks[-1]["hash"],
    )


def encode_header(block: Mapping[str, Any]) -> bytes:
    """RLP of a block's header, of any fork, as JSON-RPC tells it.

    Raises
    ------
    ProofUnavailable
        If it is not what the block's hash is the hash of.
    """
    import rlp
    from eth_hash.auto import keccak

    names = (*_FIELDS, *(name for name in _LATER_FIELDS if block.get(name) is not None))
    fields = [int(block[n], 16) if n in _NUMBERS else _bytes(block[n]) for n in names]
    encoded: bytes = rlp.encode(fields)
    if keccak(encoded) != _bytes(block["hash"]):
        raise ProofUnavailable(
            f"the header of block {int(block['number'], 16)}, as the node tells it, is not what "
            "the block's hash is the hash of; its chain has another form of headers, or a later "
            "fork than this release knows",
            block=block["hash"],
        )
    return encoded


def encode_receipt(receipt: Mapping[str, Any]) -> bytes:
    """A receipt as the trie has it: its type, unless it is 0, and RLP of the rest."""
    import rlp

    kind = int(receipt.get("type") or "0x0", 16)
    result = receipt.get("root")  # before Byzantium a state root stood for the status
    logs = [
        [_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])]
        for log in receipt["logs"]
    ]
    fields = [
        int(receipt["status"], 16) if receipt.get("status") else _bytes(result or "0x"),
        int(receipt["cumulativeGasUsed"], 16),
        _bytes(receipt["logsBloom"]),
        logs,
    ]
    return (bytes([kind]) if kind else b"") + bytes(rlp.encode(fields))


def _receipts(web3: Web3, block: Mapping[str, Any]) -> Sequence[Any]:
    """All receipts of a block; at once, or one by one from a node that cannot."""
    try:
        found = request(web3, "eth_getBlockReceipts", [block["hash"]])
    except RequestFailed:
        found = None
    if found is None:
        calls = [("eth_getTransactionReceipt", [each]) for each in block["transactions"]]
        found = request_batch(web3, calls)
    for receipt in found:
        if not isinstance(receipt, dict):
            raise ProofUnavailable(
                f"the node does not tell all receipts of block {int(block['number'], 16)}; ask it "
                "again, or another node",
                block=block["hash"],
            )
    return list(found)


def _run(web3: Web3, block: Mapping[str, Any]) -> list[Any]:
    """A block, and on a proof-of-authority chain those above it that others have sealed.

    A Clique validator seals at most one in (validators / 2 + 1) blocks in a row.  So when one seals
    again, more than half have sealed in between.  A round later no new one is to be expected.
    """
    if len(_bytes(block["extraData"])) < _SEALED:
        return [block]
    run: list[Any] = []
    signers: set[bytes] = set()
    newest, again = 0, False
    for each in _upwards(web3, block):
        run.append(each)
        signer = _signer(each)
        if signer not in signers:
            signers.add(signer)
            newest = len(run)
        elif len(run) - newest >= len(signers):
            return run[:newest]
        again = again or len(signers) < len(run)
    if again:
        return run[:newest]
    raise NotSealedYet(
        f"only {len(run) - 1} blocks stand on top of block {int(block['number'], 16)}, too few to "
        "know that most validators have accepted it; try again in a moment",
        block=block["hash"],
        above=len(run) - 1,
    )


def _upwards(web3: Web3, block: Mapping[str, Any]) -> Iterator[Any]:
    """A block and those above it, up to the latest."""
    below: Any = block
    while below is not None:
        yield below
        number = hex(int(below["number"], 16) + 1)
        above = request(web3, "eth_getBlockByNumber", [number, False])
        if above is not None and above["parentHash"] != below["hash"]:
            raise NotSealedYet(
                f"the chain has left block {int(below['number'], 16)} meanwhile; try again",
                block=below["hash"],
                above=0,
            )
        below = above


def _signer(block: Mapping[str, Any]) -> bytes:
    from radledger.verify.proof import headers, signer

    (fields,) = headers([encode_header(block)], "header")
    return signer(fields, "header")


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value[2:])

"""From what the verifier trusts, over blocks and events, to the files of an image set."""

from contextlib import suppress
from typing import Any, NamedTuple

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature, ValidationError  # type: ignore[attr-defined]
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from radledger.verify.form import Invalid, read, text

__all__ = ["Trust", "headers", "logs", "signer", "verify", "vouched"]

_EVENTS = {
    "ImageAnchored": "bytes32 image,address custodian,address patient,bytes32 root,"
    "bytes32 manifest,bytes32 visit,bytes32 course,uint32 instances,uint8 kind,bytes32 parent",
    "ImageRekeyed": "bytes32 image,bytes32 manifest",
    "ImageErased": "bytes32 image,bytes32 certificate",
}
_KINDS = ("original", "deidentified", "derived", "segmentation", "corrected")


class Trust(NamedTuple):
    """Known from elsewhere: validators, of whom so many must seal; block hashes; registries."""

    validators: frozenset[bytes] = frozenset()
    needed: int = 0
    block_hashes: frozenset[bytes] = frozenset()
    contracts: frozenset[bytes] = frozenset()


def verify(data: bytes, trust: Trust) -> dict[str, Any]:
    """What a bundle proves, as JSON has it; raises `Invalid`."""
    bundle = read(data)
    contract, parent, root, events = bundle["contract"], bundle["image"], b"", []
    if trust.contracts and contract not in trust.contracts:
        raise Invalid("bundle.contract", "is not the image registry that was given")
    for position, proof in enumerate(bundle["events"]):
        where, anchored = f"bundle.events[{position}]", proof["event"] == "ImageAnchored"
        image = parent if anchored else bundle["image"]
        words, block = _recorded(proof, image, contract, trust, where)
        if anchored:
            named = (words[n] for n in ("custodian", "patient", "root", "visit", "course"))
            if keccak(b"".join(named)) != image:
                raise Invalid(where, "is of no image registry: the id is not the set's hash")
            parent, root = words["parent"], root or words["root"]
        plain = {name: _plain(name, word) for name, word in words.items()}
        events.append({"event": proof["event"], **plain, **block})
    if not root or any(parent):
        raise Invalid("bundle.events", f"has no ImageAnchored of {text(parent)}")
    for position, leaf in enumerate(bundle["leaves"]):
        node = keccak(keccak(leaf["salt"] + leaf["fileDigest"] + leaf["imageDigest"]))
        for sibling in leaf["proof"]:  # as OpenZeppelin's StandardMerkleTree
            node = keccak(min(node, sibling) + max(node, sibling))
        if node != root:
            raise Invalid(f"bundle.leaves[{position}]", "does not lead to the set's root")
    leaves = [text(leaf["fileDigest"]) for leaf in bundle["leaves"]]
    return {"contract": text(contract), "events": events, "leaves": leaves}


def headers(encoded: list[bytes], where: str) -> list[list[bytes]]:
    """The fields of headers (Yellow Paper, 4.4), each of which names the one before as parent."""
    run: list[list[bytes]] = []
    for position, each in enumerate(encoded or [b""]):
        fields = _decode(each, f"{where}[{position}]")
        if len(fields) < 15 or {*map(type, fields)} != {bytes} or len(fields[11]) > 4:
            raise Invalid(f"{where}[{position}]", "is not a block header")
        if run and fields[0] != keccak(encoded[position - 1]):
            raise Invalid(f"{where}[{position}]", f"does not build on {where}[{position - 1}]")
        run.append(fields)
    return run


def signer(fields: list[bytes], where: str) -> bytes:
    """The address that sealed a Clique header, that is all of it but the seal (EIP-225)."""
    sealed = keccak(rlp.encode([*fields[:12], fields[12][:-65], *fields[13:]]))
    try:
        key = Signature(fields[12][-65:]).recover_public_key_from_msg_hash(sealed)
    except (BadSignature, ValidationError):
        raise Invalid(where, "carries no seal of a proof-of-authority (Clique) chain") from None
    return key.to_canonical_address()


def logs(root: bytes, key: bytes, nodes: list[bytes], where: str) -> list[Any]:
    """The logs, [address, topics, data], of the receipt to which nodes lead from a trie's root."""
    decoded, above, receipt = [], root, b""
    for position, node in enumerate(nodes):  # so that a node is blamed, and none is idle
        if keccak(node) not in above:
            raise Invalid(f"{where}[{position}]", "is not the node that the one above it names")
        decoded.append(_decode(node, f"{where}[{position}]"))
        above = node
    with suppress(BadTrieProof):
        receipt = HexaryTrie.get_from_proof(root, key, decoded)
    if not receipt:
        raise Invalid(where, f"does not lead to a receipt at {text(key)}")
    # EIP-2718: a typed receipt has its type before the list, and a list begins at 0xc0.
    return list(_decode(receipt[1:] if receipt[0] < 0x80 else receipt, where)[3])


def _recorded(proof: Any, image: bytes, contract: bytes, trust: Trust, where: str) -> Any:
    """The words of an event by name, and the block that recorded it."""
    encoded, event = proof["headers"], proof["event"]
    run = headers(encoded, f"{where}.headers")
    why = vouched(run, keccak(encoded[-1]), trust, f"{where}.headers")
    parameters = [each.split() for each in _EVENTS[event].split(",")]
    signature = f"{event}({','.join(kind for kind, _ in parameters)})".encode("ascii")
    wanted, found = [keccak(signature), image], b""
    receipt = proof["transaction"], proof["receipt"], f"{where}.receipt"
    for address, topics, data in logs(run[0][5], *receipt):
        if address == contract and topics[:2] == wanted:
            found = b"".join(topics[1:]) + data
    if len(found) != 32 * len(parameters):
        raise Invalid(where, f"is not an {event} of {text(image)} by {text(contract)}")
    words = {name: found[32 * i : 32 * i + 32] for i, (_, name) in enumerate(parameters)}
    hash_, (block, at) = text(keccak(encoded[0])), (int.from_bytes(run[0][n]) for n in (8, 11))
    return words, {"block": block, "hash": hash_, "timestamp": at, "vouched": why}


def vouched(run: list[list[bytes]], last: bytes, trust: Trust, where: str) -> str:
    """Why the last header, and with it each below, is believed."""
    number, sealed = int.from_bytes(run[-1][8], "big"), set()
    if last in trust.block_hashes:
        return f"the given hash of block {number}"
    if not trust.validators:
        raise Invalid(where, f"lead to block {number}, whose hash {text(last)} was not given")
    for position, fields in enumerate(run):
        sealed.add(address := signer(fields, f"{where}[{position}]"))
        if address not in trust.validators:
            raise Invalid(f"{where}[{position}]", f"was sealed by {text(address)}, no validator")
    told = f"seals of {len(sealed)} of {len(trust.validators)} validators"
    if len(sealed) < trust.needed:
        raise Invalid(where, f"has {told}; {trust.needed} are needed")
    return told


def _decode(encoded: bytes, where: str) -> list[Any]:
    with suppress(rlp.DecodingError, RecursionError):
        if isinstance(item := rlp.decode(encoded), list) and rlp.encode(item) == encoded:
            return item
    raise Invalid(where, "is not a list in RLP")


def _plain(name: str, word: bytes) -> str | int:
    if name in ("kind", "instances"):
        return _KINDS[word[-1]] if name == "kind" else int.from_bytes(word, "big")
    return text(word[12:] if name in ("custodian", "patient") else word)

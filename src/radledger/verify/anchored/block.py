"""From what the verifier trusts, over a block and its event, to a checkpoint of a log."""

import hashlib
import json
import re
from typing import Any

from eth_hash.auto import keccak

from radledger.verify.form import Invalid, text
from radledger.verify.logged.notes import Checkpoint
from radledger.verify.proof import Trust, headers, logs, vouched

__all__ = ["FORMAT", "anchored", "trust"]

FORMAT = "radledger-log-block/1"
_EVENT = keccak(b"AccessLogAnchored(address,bytes32,uint40,bytes32)")
_MOST_BYTES = 1 << 20
_BYTES = re.compile("0x([0-9a-f]{2})*")


def trust(validators: str, block_hashes: list[str], contract: str, *, all_: bool) -> Trust:
    """What is known from elsewhere, from texts; raises `Invalid`."""
    addresses = frozenset(_word(each, 20) for each in validators.split())
    hashes = frozenset(_word(each, 32) for each in block_hashes)
    if not addresses and (all_ or not hashes):
        raise Invalid("trust", "in the block is missing: --validators FILE, or --block-hash HASH")
    if not contract:
        raise Invalid("trust", "in a contract is missing: --contract ADDRESS of the access ledger")
    needed = len(addresses) if all_ else len(addresses) // 2 + 1
    return Trust(addresses, needed, hashes, frozenset([_word(contract, 20)]))


def anchored(data: bytes, checkpoint: Checkpoint, believed: Trust) -> dict[str, Any]:
    """By which block a chain had a checkpoint, as JSON has it; raises `Invalid`."""
    proof = _read(data)
    run = headers(proof["headers"], "block.headers")
    why = vouched(run, keccak(proof["headers"][-1]), believed, "block.headers")
    log = hashlib.sha256(checkpoint.origin.encode()).digest()
    told = checkpoint.size.to_bytes(32) + checkpoint.root
    receipts_root, number, time = (run[0][n] for n in (5, 8, 11))
    path = proof["transaction"], proof["receipt"], "block.receipt"
    for address, topics, content in logs(receipts_root, *path):
        if address in believed.contracts and len(topics) == 3 and content == told:
            event, institution, origin = topics
            if (event, origin) == (_EVENT, log):
                return {
                    "institution": text(institution[12:]),
                    "block": int.from_bytes(number),
                    "hash": text(keccak(proof["headers"][0])),
                    "timestamp": int.from_bytes(time),
                    "vouched": why,
                }
    raise Invalid("block", f"has no checkpoint of {checkpoint.size} entries of this log and root")


def _read(data: bytes) -> dict[str, Any]:
    """A proof of a block, each ``0x…`` as bytes."""
    try:
        found = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
        raise Invalid("block", f"is not a proof of the form {FORMAT}")
    lists = [found.get("headers"), found.get("receipt")]
    if found.keys() != {"headers", "receipt", "transaction"} or {*map(type, lists)} != {list}:
        raise Invalid("block", "has fields that are missing or not known")
    return {
        name: [_bytes(each) for each in value] if isinstance(value, list) else _bytes(value)
        for name, value in found.items()
    }


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        raise Invalid("block", f"has {str(value)[:40]!r} for bytes")
    return bytes.fromhex(value[2:])


def _word(value: str, size: int) -> bytes:
    if not re.fullmatch(f"0x[0-9a-fA-F]{{{2 * size}}}", value):
        raise Invalid("trust", f"{value[:80]!r} is not 0x and {2 * size} hexadecimal digits")
    return bytes.fromhex(value[2:])

"""What a log has of a receipt, and what a ``.tlog-proof`` proves of one."""

import hashlib
from typing import Any

from radledger.verify.form import Invalid, text
from radledger.verify.logged.notes import read_proof
from radledger.verify.logged.policy import Policy
from radledger.verify.logged.tree import included, leaf_hash

__all__ = ["logged", "receipt_entry"]

_PREFIX = b"radledger.receipt/1\n"
_DIGEST, _NONCE = 32, 16


def receipt_entry(digest: bytes, nonce: bytes) -> bytes:
    """What a log has of a receipt: its digest, salted with its nonce, which is not public."""
    return hashlib.sha256(_PREFIX + nonce + digest).digest()


def logged(data: bytes, policy: Policy) -> dict[str, Any]:
    """What a ``.tlog-proof`` of a receipt proves, as JSON has it; raises `Invalid`."""
    proof = read_proof(data)
    digest, nonce = proof.extra[:_DIGEST], proof.extra[_DIGEST:]
    if len(nonce) != _NONCE:
        raise Invalid("proof", "has no digest and nonce of a receipt as its extra data")
    checkpoint = proof.checkpoint
    witnesses = policy.require(checkpoint)
    leaf = leaf_hash(receipt_entry(digest, nonce))
    included(proof.index, checkpoint.size, leaf, checkpoint.root, proof.hashes)
    return {
        "receipt": text(digest),
        "log": checkpoint.origin,
        "index": proof.index,
        "size": checkpoint.size,
        "root": text(checkpoint.root),
        "witnesses": witnesses,
    }

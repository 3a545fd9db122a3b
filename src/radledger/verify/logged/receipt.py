"""What a log has of a receipt, and what a ``.tlog-proof`` proves of one."""

import hashlib
from typing import Any

from radledger.verify.form import Invalid, text
from radledger.verify.logged.notes import read_proof
from radledger.verify.logged.policy import Policy
from radledger.verify.logged.tree import included, leaf_hash

__all__ = ["logged", "receipt_entry", "receipt_salt"]

_ENTRY, _SALT = b"radledger.receipt/1\n", b"radledger.receipt-salt/1\n"
_DIGEST_SIZE, _SALT_SIZE = 32, 16


def receipt_salt(nonce: bytes) -> bytes:
    """The salt of a receipt's entry, from which its nonce, and so its content, is not found."""
    return hashlib.sha256(_SALT + nonce).digest()[:_SALT_SIZE]


def receipt_entry(digest: bytes, salt: bytes) -> bytes:
    """What a log has of a receipt: its digest, which may become public, with its salt."""
    return hashlib.sha256(_ENTRY + salt + digest).digest()


def logged(data: bytes, policy: Policy) -> dict[str, Any]:
    """What a ``.tlog-proof`` of a receipt proves, as JSON has it; raises `Invalid`."""
    proof = read_proof(data)
    digest, salt = proof.extra[:_DIGEST_SIZE], proof.extra[_DIGEST_SIZE:]
    if len(salt) != _SALT_SIZE:
        raise Invalid("proof", "has no digest and salt of a receipt as its extra data")
    checkpoint = proof.checkpoint
    witnesses = policy.require(checkpoint)
    leaf = leaf_hash(receipt_entry(digest, salt))
    included(proof.index, checkpoint.size, leaf, checkpoint.root, proof.hashes)
    return {
        "receipt": text(digest),
        "log": checkpoint.origin,
        "index": proof.index,
        "size": checkpoint.size,
        "root": text(checkpoint.root),
        "witnesses": witnesses,
    }

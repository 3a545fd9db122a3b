"""Whether an account signed a digest: with its key, or as a contract that says so (ERC-1271).

References
----------
.. [1] ERC-1271, Standard Signature Validation Method for Contracts,
   https://eips.ethereum.org/EIPS/eip-1271
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.chain.errors import RequestFailed
from radledger.chain.rpc import request
from radledger.chain.signatures import recover_digest

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["is_signed_by"]

_MAGIC = bytes.fromhex("1626ba7e")  # isValidSignature(bytes32,bytes), and the answer for yes
# The contract is the account's own choice, and so is how long it computes.
_MOST_GAS = 1_000_000


def is_signed_by(web3: Web3, account: str, digest: bytes, signature: bytes) -> bool:
    """Whether an account signed, at the latest block; as ``Signatures.isSignedBy`` on the chain.

    Parameters
    ----------
    web3
        The chain that knows the account's code.
    account
        Its address.
    digest
        The 32 bytes that were signed.
    signature
        In any form that a key's signature has, or whatever a contract takes.
    """
    if recover_digest(digest, signature) == account:
        return True
    if not request(web3, "eth_getCode", [account, "latest"])[2:]:
        return False
    from eth_abi.abi import encode

    data = _MAGIC + encode(["bytes32", "bytes"], [digest, signature])
    call = {"to": account, "data": "0x" + data.hex(), "gas": hex(_MOST_GAS)}
    try:
        answer = request(web3, "eth_call", [call, "latest"])
    except RequestFailed:
        return False  # it reverted
    return bool(answer == "0x" + _MAGIC.ljust(32, b"\0").hex())

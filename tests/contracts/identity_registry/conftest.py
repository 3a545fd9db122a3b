"""The changes that ERC-1056 knows, as data, and their signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.packed import encode_packed
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak, to_bytes

VERI_KEY = b"veriKey".ljust(32, b"\0")
SIG_AUTH = b"sigAuth".ljust(32, b"\0")
ENCRYPTION_KEY = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
DAY = 24 * 3600
DELEGATE = Account.from_key("0x" + "d1" * 32).address
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Change:
    """One kind of change: how it is called, signed and announced."""

    name: str
    types: tuple[str, ...]
    values: tuple[Any, ...]
    event: str

    def announced(self, at: int) -> dict[str, Any]:
        """The event's values of a change made ``at``, but ``identity`` and ``previousChange``."""
        if self.name == "changeOwner":
            return {"owner": self.values[0]}
        if self.event == "DIDDelegateChanged":
            kind, delegate, *validity = self.values
            return {
                "delegateType": "0x" + kind.hex(),
                "delegate": delegate,
                "validTo": at + sum(validity),
            }
        name, value, *validity = self.values
        return {
            "name": "0x" + name.hex(),
            "value": "0x" + value.hex(),
            "validTo": at + validity[0] if validity else 0,
        }


CHANGES = [
    Change("changeOwner", ("address",), (DELEGATE,), "DIDOwnerChanged"),
    Change(
        "addDelegate",
        ("bytes32", "address", "uint256"),
        (VERI_KEY, DELEGATE, DAY),
        "DIDDelegateChanged",
    ),
    Change("revokeDelegate", ("bytes32", "address"), (VERI_KEY, DELEGATE), "DIDDelegateChanged"),
    Change(
        "setAttribute",
        ("bytes32", "bytes", "uint256"),
        (ENCRYPTION_KEY, b"\x25" * 32, DAY),
        "DIDAttributeChanged",
    ),
    Change(
        "revokeAttribute",
        ("bytes32", "bytes"),
        (ENCRYPTION_KEY, b"\x25" * 32),
        "DIDAttributeChanged",
    ),
]


def digest(registry: str, nonce: int, identity: str, change: Change) -> bytes:
    """What ERC-1056 has the owner of ``identity`` sign."""
    return keccak(
        encode_packed(
            ["bytes1", "bytes1", "address", "uint256", "address", "string", *change.types],
            [b"\x19", b"\x00", str(registry), nonce, str(identity), change.name, *change.values],
        )
    )


def sign(digest: bytes, private_key: str) -> tuple[int, str, str]:
    """The signature of ``digest`` as v, r and s."""
    signature = keys.PrivateKey(to_bytes(hexstr=private_key)).sign_msg_hash(digest)
    return as_vrs(signature)


def as_vrs(signature: keys.Signature) -> tuple[int, str, str]:
    return (signature.v + 27, f"0x{signature.r:064x}", f"0x{signature.s:064x}")


def signer_of(digest: bytes, vrs: tuple[int, str, str]) -> str:
    """Who a registry takes for the signer of ``digest``."""
    v, r, s = vrs
    signature = keys.Signature(vrs=(v - 27, int(r, 16), int(s, 16)))
    return signature.recover_public_key_from_msg_hash(digest).to_checksum_address()


@pytest.fixture(params=CHANGES, ids=lambda change: change.name)
def change(request):
    return request.param

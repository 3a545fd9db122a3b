"""How a reader asks for an image set's secret, and what a key service answers.

A reader signs a receipt, which says what is read, for what use, under which grant and when, and
hands it to a key service.  The service checks it, keeps it, and answers with the secret wrapped
to the reader's registered key.  Readers do not depend on where it runs.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from eth_hash.auto import keccak

from radledger.chain.typed_data import Domain, Fields, typed_data
from radledger.crypto import keys
from radledger.identity.address import parse_address
from radledger.imaging.errors import ReceiptInvalid

if TYPE_CHECKING:
    from eth_account.messages import SignableMessage
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.model import ImageSet

__all__ = [
    "KeyService",
    "Receipt",
    "Released",
    "SignedReceipt",
    "Use",
    "WrappedSecret",
    "release_context",
    "request_release",
]

_FIELDS: Fields = (
    ("address", "reader"),
    ("bytes32", "image"),
    ("uint16", "purposes"),
    ("uint16", "fulfilled"),
    ("bytes13", "disease"),
    ("bytes32", "grant"),
    ("uint40", "time"),
    ("bytes16", "nonce"),
)
_RELEASE_DOMAIN = b"release\0"


class Use(Protocol):
    """What a reader wants to do, as ``radledger.consent.permission.Use`` is."""

    @property
    def struct(self) -> tuple[int, int, bytes]:
        """The struct ``Use`` of ``IConsentRegistry``: purposes, fulfilled conditions, disease."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a reader signs to be given a secret; it stays with the custodian that released it.

    Attributes
    ----------
    reader
        Who reads: an identity, which signs with its owner's key.
    image_id
        What is read.
    purposes, fulfilled
        Bits of Data Use Ontology terms: for what, and which conditions the use fulfils.
    disease
        Code of the disease under research, ``0x`` and 26 digits, zero without one.
    grant_id
        The grant that permits it; `radledger.imaging.model.NONE` for the patient's own images.
    time
        Unix time when it was signed, by the later of the chain's clock and the signer's.
    chain_id, contract
        On which chain, and by which ``ConsentRegistry``.
    nonce
        16 random bytes, so that no two receipts are the same.

    Examples
    --------
    >>> from eth_account import Account
    >>> reader = Account.from_key("0x" + "01" * 32)
    >>> receipt = Receipt(reader.address, "0x" + "ab" * 32, 32, 0, "0x" + "00" * 13,
    ...                   "0x" + "cd" * 32, 1_800_000_000, 1337, "0x" + "11" * 20)
    >>> signed = receipt.sign(reader)
    >>> signed.signer == reader.address
    True
    >>> SignedReceipt.from_json(signed.to_json()) == signed
    True
    """

    reader: str
    image_id: str
    purposes: int
    fulfilled: int
    disease: str
    grant_id: str
    time: int
    chain_id: int
    contract: str
    nonce: str = field(default_factory=lambda: "0x" + secrets.token_hex(16))

    @property
    def use(self) -> tuple[int, int, bytes]:
        """The struct ``Use`` of ``IConsentRegistry``."""
        return self.purposes, self.fulfilled, bytes.fromhex(self.disease[2:])

    @property
    def typed_data(self) -> dict[str, Any]:
        """EIP-712 typed data, as wallets take it."""
        message = {
            "reader": self.reader,
            "image": self.image_id,
            "purposes": self.purposes,
            "fulfilled": self.fulfilled,
            "disease": self.disease,
            "grant": self.grant_id,
            "time": self.time,
            "nonce": self.nonce,
        }
        domain = Domain("RadLedger Receipt", "1", self.chain_id, self.contract)
        return typed_data(domain, "Receipt", _FIELDS, message)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed, which identify the receipt."""
        message = self._message()
        return keccak(b"\x19" + message.version + message.header + message.body)

    def sign(self, owner: LocalAccount) -> SignedReceipt:
        """Sign as the owner of the reader's identity: the reader, unless that was recovered."""
        signature = owner.sign_message(self._message()).signature
        return SignedReceipt(self, "0x" + bytes(signature).hex())

    def _message(self) -> SignableMessage:
        from eth_account.messages import encode_typed_data

        return encode_typed_data(full_message=self.typed_data)


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt and its signature in hexadecimal."""

    receipt: Receipt
    signature: str

    @property
    def signer(self) -> str | None:
        """Address of who signed it; None if the signature is none.

        Whether that is the reader's owner, `IdentityRegistry` knows.
        """
        from radledger.chain.signatures import recover, signature_bytes

        try:
            return recover(self.receipt.typed_data, signature_bytes(self.signature))
        except (ValueError, TypeError):
            return None

    def to_json(self) -> dict[str, Any]:
        """As an object that :func:`json.dumps` takes."""
        return {**asdict(self.receipt), "signature": self.signature}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> SignedReceipt:
        """Back from :meth:`to_json`.

        Raises
        ------
        ReceiptInvalid
            If a field is missing or not known.
        """
        fields = dict(value)
        try:
            signature = fields.pop("signature")
            return cls(Receipt(**fields), signature)
        except (KeyError, TypeError):
            raise ReceiptInvalid(
                "not a signed receipt: fields are missing or not known; sign a new one",
                fields=sorted(value),
            ) from None


@dataclass(frozen=True, slots=True)
class WrappedSecret:
    """A secret that only the reader of the receipt can open.

    Attributes
    ----------
    image_id, grant_id
        What it opens, and under which grant it was released.
    wrapped
        From :func:`radledger.crypto.keys.wrap` with :func:`release_context` as the context.
    block_age
        How many seconds ago the block was made by which the release was decided.
    """

    image_id: str
    grant_id: str
    wrapped: bytes
    block_age: int


@dataclass(frozen=True, slots=True)
class Released:
    """A secret that its reader has opened, and the age in seconds of the block that decided."""

    secret: str
    block_age: int


class KeyService(Protocol):
    """Who releases secrets: a hospital, a patient, here or behind a network."""

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Release an image set's secret to the reader who signed for it.

        Raises
        ------
        Refusal
            With the reason, if `ConsentRegistry` does not permit the use at the latest block, or
            the grant has ended since.
        ChainStale
            If the latest block is older than the network allows.
        ReceiptInvalid
            If the receipt is not signed by the reader's owner, or not for this chain, time or
            grant.
        """
        ...


def release_context(image_id: str, grant_id: str) -> bytes:
    """HPKE context of a released secret: it opens as this image set's under this grant alone.

    Examples
    --------
    >>> len(release_context("0x" + "ab" * 32, "0x" + "cd" * 32))
    72
    """
    return _RELEASE_DOMAIN + bytes.fromhex(image_id[2:]) + bytes.fromhex(grant_id[2:])


def request_release(
    ledger: Ledger,
    image_set: ImageSet,
    reader: LocalAccount,
    private_key: bytes,
    key_service: KeyService,
    use: Use,
    identity: str | None = None,
) -> Released:
    """Ask a key service for a secret, with a receipt signed for the grant that permits the use.

    The reading identity is ``identity``, which ``reader`` owns; default: the reader's own address.

    Raises
    ------
    Refusal
        With the reason, if no grant does; nothing is signed then.
    UnwrapFailed
        If what came does not open with ``private_key``.
    """
    struct, reads = use.struct, parse_address(identity or reader.address)
    _, grant = ledger.call("ConsentRegistry", "requirePermitted", reads, image_set.struct, struct)
    receipt = Receipt(
        reader=reads,
        image_id=image_set.image_id,
        purposes=struct[0],
        fulfilled=struct[1],
        disease="0x" + struct[2].hex(),
        grant_id="0x" + bytes(grant).hex(),
        time=ledger.present().time,
        chain_id=ledger.chain_id,
        contract=ledger.address("ConsentRegistry"),
    )
    answer = key_service.release(receipt.sign(reader))
    context = release_context(receipt.image_id, receipt.grant_id)
    return Released(keys.unwrap(answer.wrapped, private_key, context), answer.block_age)

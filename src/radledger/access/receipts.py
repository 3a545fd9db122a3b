"""Receipts, which a reader signs to obtain an image set's secret.

A receipt says what is read, for what use, under which grant and when.  The key service that
answered it keeps it as proof of what was delivered, and to whom.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import reprlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from radledger.access.errors import ReceiptInvalid
from radledger.chain.signatures import recover_digest, signature_bytes, standard
from radledger.chain.typed_data import Domain, Fields, digests, typed_data
from radledger.consent import bindings
from radledger.errors import UsageError
from radledger.forms import Form, digits, integer, text
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.consent.permission import Use

__all__ = ["FRESH", "Receipt", "SignedReceipt"]

FRESH = 300
"""Seconds by which a receipt's time may differ from that of its release."""

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


@dataclass(frozen=True, slots=True)
class Receipt:
    """A statement that a reader signs to obtain a secret; the custodian that releases it keeps it.

    Attributes
    ----------
    reader
        The reader: an identity, for which its owner signs.
    image_id
        The image set.
    purposes, fulfilled
        Bits of Data Use Ontology terms: the purposes, and the conditions that the use fulfils.
    disease
        Code of the disease under research, ``0x`` and 26 digits, zero without one.
    grant_id
        The grant that permits it; `radledger.imaging.model.NONE` for the patient's own images.
    time
        Unix time of signing, by the later of the chain's clock and the signer's.
    chain_id, contract
        The chain's id, and the address of its ``ConsentRegistry``.
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

    @classmethod
    def of(cls, ledger: Ledger, reader: str, image_id: str, use: Use, grant_id: str) -> Receipt:
        """A receipt of the present time, for the chain and contracts of a ledger."""
        purposes, fulfilled, disease = use.struct
        return cls(
            reader=reader,
            image_id=image_id,
            purposes=purposes,
            fulfilled=fulfilled,
            disease="0x" + disease.hex(),
            grant_id=grant_id,
            time=ledger.present().time,
            chain_id=ledger.chain_id,
            contract=ledger.address("ConsentRegistry"),
        )

    @property
    def use(self) -> bindings.Use:
        """As the contract takes it."""
        return bindings.Use(self.purposes, self.fulfilled, bytes.fromhex(self.disease[2:]))

    @property
    def _message(self) -> dict[str, Any]:
        return {
            "reader": self.reader,
            "image": self.image_id,
            "purposes": self.purposes,
            "fulfilled": self.fulfilled,
            "disease": self.disease,
            "grant": self.grant_id,
            "time": self.time,
            "nonce": self.nonce,
        }

    @property
    def _domain(self) -> Domain:
        return Domain("RadLedger Receipt", "1", self.chain_id, self.contract)

    @property
    def typed_data(self) -> dict[str, Any]:
        """EIP-712 typed data, as wallets take it."""
        return typed_data(self._domain, "Receipt", _FIELDS, self._message)

    @property
    def _digests(self) -> tuple[bytes, bytes]:
        return digests(self._domain, "Receipt", _FIELDS, self._message)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed, which identify the receipt."""
        return self._digests[1]

    @property
    def content(self) -> bytes:
        """Its hash as a struct, from which a contract computes the digest."""
        return self._digests[0]

    def is_for(self, ledger: Ledger) -> bool:
        """Whether it is for the chain and contracts of a ledger."""
        return (self.chain_id, self.contract) == (
            ledger.chain_id,
            ledger.address("ConsentRegistry"),
        )

    def sign(self, owner: LocalAccount) -> SignedReceipt:
        """Sign as the owner of the reader's identity: the reader, unless that was recovered."""
        signature = owner.sign_typed_data(full_message=self.typed_data).signature
        return SignedReceipt(self, "0x" + bytes(signature).hex())


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt and its signature in hexadecimal."""

    receipt: Receipt
    signature: str

    @property
    def signer(self) -> str | None:
        """Address of the signer; None if the signature is not a valid one.

        `IdentityRegistry` knows whether that is the reader's owner.
        """
        try:
            return recover_digest(self.receipt.digest, signature_bytes(self.signature))
        except (ValueError, TypeError):
            return None

    @property
    def standard_signature(self) -> bytes | None:
        """The signature in the form that contracts take; None if it is not one of a key."""
        try:
            return standard(signature_bytes(self.signature))
        except ValueError:
            return None

    def to_json(self) -> dict[str, Any]:
        """The receipt as an object for :func:`json.dumps`."""
        return {**asdict(self.receipt), "signature": self.signature}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SignedReceipt:
        """Read the form of :meth:`to_json`; the form of untrusted input is checked.

        Raises
        ------
        ReceiptInvalid
            If a field is missing, unknown or malformed.
        """
        if not isinstance(value, Mapping) or value.keys() != _FORMS.keys():
            raise ReceiptInvalid(
                "not a signed receipt: fields are missing or not known; sign a new one",
                fields=sorted(map(str, value)) if isinstance(value, Mapping) else None,
            )
        fields = {}
        for name, parsed in _FORMS.items():
            try:
                fields[name] = parsed(value[name])
            except (UsageError, ValueError, TypeError, AttributeError):
                raise ReceiptInvalid(
                    f"not a signed receipt: {name} is {reprlib.repr(value[name])}; sign a new one",
                    field=name,
                ) from None
        signature = fields.pop("signature")
        return cls(Receipt(**fields), signature)


def _bits(size: int) -> Form:
    return integer(0, (1 << size) - 1)


_FORMS: Mapping[str, Form] = {
    "reader": parse_address,
    "image_id": digits(32),
    "purposes": _bits(16),
    "fulfilled": _bits(16),
    "disease": digits(13),
    "grant_id": digits(32),
    "time": _bits(40),
    "chain_id": _bits(256),
    "contract": parse_address,
    "nonce": digits(16),
    # Any text: one that is not a signature was made by no key, which its check says better.
    "signature": text(),
}
"""How each field of a receipt is read."""

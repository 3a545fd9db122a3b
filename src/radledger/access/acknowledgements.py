"""What a key service signs for a reader: that it puts the reader's receipt under a day's root.

By it a holder can demand the receipt on the chain (:class:`radledger.access.ledger.AccessLedger`).

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from radledger.access import bindings
from radledger.access.days import day_of, to_number
from radledger.access.errors import AcknowledgementInvalid
from radledger.access.receipts import FRESH
from radledger.chain.signatures import compact, recover, signature_bytes
from radledger.chain.typed_data import Domain, canonical, typed_data
from radledger.forms import Form, digits, fields, text

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipts import Receipt
    from radledger.chain.ledger import Ledger

__all__ = ["CONTRACT", "Acknowledgement"]

CONTRACT = "AccessLedger"
_PRIMARY = "Acknowledgement"
_DAY = text("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORMS: Mapping[str, Form] = {
    "receipt": digits(32),
    "institution": lambda value: str(canonical("address", value)),
    "day": lambda value: date.fromisoformat(_DAY(value)),
    "signature": digits(65),
}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A receipt's acknowledgement by the institution that released what it is for.

    Attributes
    ----------
    receipt
        Digest of the receipt, ``0x…``.
    institution
        The custodian of what was read.
    day
        Under the root of which day the receipt is put.
    signature
        By a recorder of the institution, in hexadecimal.
    """

    receipt: str
    institution: str
    day: date
    signature: str

    @classmethod
    def sign(
        cls, ledger: Ledger, recorder: LocalAccount, receipt: bytes, institution: str, day: date
    ) -> Acknowledgement:
        """Acknowledge the receipt of this digest, with the key of a recorder."""
        from eth_account.messages import encode_typed_data

        unsigned = cls("0x" + receipt.hex(), institution, day, "0x")
        message = encode_typed_data(full_message=unsigned.typed_data(ledger))
        signature = "0x" + bytes(recorder.sign_message(message).signature).hex()
        return cls(unsigned.receipt, institution, day, signature)

    @classmethod
    def from_json(cls, content: Any) -> Acknowledgement:
        """Read what `to_json` wrote; who signed it is not checked here.

        Raises
        ------
        ValueError
            If a field is missing, or not of its form.
        """
        return cls(**fields(_FORMS, content))

    def to_json(self) -> dict[str, Any]:
        """For a file or a message; the day is a date of ISO 8601."""
        return {
            "receipt": self.receipt,
            "institution": self.institution,
            "day": self.day.isoformat(),
            "signature": self.signature,
        }

    @property
    def struct(self) -> bindings.Acknowledgement:
        """As the contract takes it."""
        receipt = bytes.fromhex(self.receipt[2:])
        return bindings.Acknowledgement(receipt, self.institution, to_number(self.day))

    @property
    def signature_words(self) -> tuple[bytes, bytes] | None:
        """The signature as the contract takes it (EIP-2098); none if it is not one of a key."""
        try:
            return compact(signature_bytes(self.signature))
        except ValueError:
            return None

    def typed_data(self, ledger: Ledger) -> dict[str, Any]:
        """EIP-712 typed data, for the chain and contract of a ledger."""
        domain = Domain("RadLedger Access", "1", ledger.chain_id, ledger.address(CONTRACT))
        message = {
            "receipt": self.receipt,
            "institution": self.institution,
            "day": to_number(self.day),
        }
        return typed_data(domain, _PRIMARY, bindings.TYPED_DATA[_PRIMARY], message)

    def signer(self, ledger: Ledger) -> str | None:
        """Address of the key that signed it; none if the signature is not valid."""
        try:
            return recover(self.typed_data(ledger), signature_bytes(self.signature))
        except ValueError:
            return None

    def require_binding(self, ledger: Ledger, receipt: Receipt, institution: str) -> None:
        """Refuse one that does not bind an institution to a receipt of now.

        Raises
        ------
        AcknowledgementInvalid
            If it is of another receipt, institution or day, or its signer is not a recorder of the
            institution.
        """
        digest = "0x" + receipt.digest.hex()
        days = {day_of(receipt.time + seconds) for seconds in (-FRESH, FRESH)}
        if (self.receipt, self.institution) != (digest, institution) or self.day not in days:
            raise AcknowledgementInvalid(
                f"{institution} acknowledged another receipt or another day than this reading's; "
                "ask its key service again, and report it if this happens twice",
                institution=institution,
                receipt=digest,
                acknowledged=self.receipt,
                day=str(self.day),
            )
        signer = self.signer(ledger)
        known = 0 if signer is None else ledger.call(CONTRACT, "lastDayOf", institution, signer)
        if known < to_number(self.day):
            raise AcknowledgementInvalid(
                f"the acknowledgement is not signed by a recorder of {institution}; have the "
                "institution appoint the key of its key service",
                institution=institution,
                receipt=digest,
                signer=signer,
            )

"""Certificates of erasure: what each holder of an image set signs (EIP-712).

A certificate names no patient and no content of the store, so that it may be shown.  The SHA-256
of the custodian's is on the chain.  It covers the signature, so no guess can be tried on it.

References
----------
.. [1] EIP-712, Typed structured data hashing and signing, https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.chain.signatures import recover, signature_bytes, typed_data_digest
from radledger.chain.signers import is_signed_by
from radledger.chain.typed_data import Domain, Fields, canonical, typed_data
from radledger.files import write_atomically
from radledger.forms import Form, digits, fields, integer, text
from radledger.imaging.errors import CertificateInvalid

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.model import ImageRecord

__all__ = ["BY_CUSTODIAN", "BY_HOLDER", "Certificates", "ErasureCertificate"]

BY_CUSTODIAN = (
    "The custodian destroys the secret and the salts of this image set, deletes its ciphertext, "
    "and keeps nothing that could open it."
)
BY_HOLDER = (
    "The holder has deleted the ciphertext of this image set from its store, and its home keeps "
    "no secret that opens it."
)
_CONTRACT = "ImageRegistry"
_PRIMARY = "ErasureCertificate"
_FIELDS: Fields = (
    ("string", "statement"),
    ("bytes32", "image"),
    ("address", "holder"),
    ("uint32", "instances"),
    ("uint32", "contents"),
    ("uint40", "time"),
)
_FORMS: Mapping[str, Form] = {
    "statement": text("(?s:.{1,500})"),
    "image_id": digits(32),
    "holder": lambda value: str(canonical("address", value)),
    "instances": integer(0, (1 << 32) - 1),
    "contents": integer(0, (1 << 32) - 1),
    "time": integer(0, (1 << 40) - 1),
    "chain_id": integer(0, (1 << 256) - 1),
    "contract": lambda value: str(canonical("address", value)),
    "signature": text("0x(?:[0-9a-fA-F]{2}){1,4096}"),
}


@dataclass(frozen=True, slots=True)
class ErasureCertificate:
    """A statement of one holder that it keeps nothing of an image set.

    Attributes
    ----------
    statement
        What is certified, in words.
    image_id
        The set.
    holder
        Whose statement it is.
    instances
        How many instances the set had.
    contents
        How many contents the holder has unpinned: ciphertexts and manifests.
    time
        Unix time.
    chain_id, contract
        The chain's id, and the address of its ``ImageRegistry``.
    signature
        By the holder, in hexadecimal; of a custodian's, by an account that acts for it.

    Examples
    --------
    >>> from eth_account import Account
    >>> clinic = Account.from_key("0x" + "01" * 32)
    >>> unsigned = ErasureCertificate(BY_HOLDER, "0x" + "ab" * 32, clinic.address, 2, 3,
    ...                               1_800_000_000, 1337, "0x" + "11" * 20, "0x")
    >>> signed = unsigned.sign(clinic)
    >>> signed.signer == clinic.address
    True
    >>> ErasureCertificate.from_json(signed.to_json()) == signed
    True
    """

    statement: str
    image_id: str
    holder: str
    instances: int
    contents: int
    time: int
    chain_id: int
    contract: str
    signature: str

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        record: ImageRecord,
        statement: str,
        holder: str,
        contents: int,
        signer: LocalAccount,
    ) -> ErasureCertificate:
        """A certificate of the present time, for the chain of a ledger, signed.

        Parameters
        ----------
        ledger, record
            The chain, and the image set on it.
        statement
            :data:`BY_CUSTODIAN` or :data:`BY_HOLDER`.
        holder
            Whose statement it is.
        contents
            How many contents it unpins.
        signer
            The account that signs.
        """
        return cls(
            statement=statement,
            image_id=record.image_id,
            holder=holder,
            instances=record.instances,
            contents=contents,
            time=ledger.present().time,
            chain_id=ledger.chain_id,
            contract=ledger.address(_CONTRACT),
            signature="0x",
        ).sign(signer)

    def sign(self, signer: LocalAccount) -> ErasureCertificate:
        """The same, signed."""
        signature = signer.sign_typed_data(full_message=self.typed_data).signature
        return replace(self, signature="0x" + bytes(signature).hex())

    @classmethod
    def from_json(cls, content: Any) -> ErasureCertificate:
        """Read what `to_json` wrote; who signed it is not checked here.

        Raises
        ------
        CertificateInvalid
            If a field is missing or unknown, or not of its form.
        """
        try:
            if isinstance(content, Mapping) and content.keys() - _FORMS.keys():
                raise ValueError("it has unknown fields")
            return cls(**fields(_FORMS, content))
        except ValueError as error:
            raise CertificateInvalid(
                f"not a certificate of erasure: {error}; have its holder sign another one"
            ) from None

    @classmethod
    def from_file(cls, path: Path) -> ErasureCertificate:
        """Read a file with one.

        Raises
        ------
        CertificateInvalid
            If it cannot be read, or is not one.
        """
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise CertificateInvalid(
                f"{path} is not a certificate of erasure: {type(error).__name__}; have its holder "
                "send it again",
                path=str(path),
            ) from None
        return cls.from_json(content)

    def to_json(self) -> dict[str, Any]:
        """For a file or a message."""
        return {name: getattr(self, name) for name in _FORMS}

    @property
    def text(self) -> str:
        """As it is kept in a file, whose SHA-256 the chain has of the custodian's."""
        return json.dumps(self.to_json(), indent=2, sort_keys=True) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return "0x" + hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def typed_data(self) -> dict[str, Any]:
        """EIP-712 typed data, as wallets take it."""
        domain = Domain("RadLedger Erasure", "1", self.chain_id, self.contract)
        message = {
            "statement": self.statement,
            "image": self.image_id,
            "holder": self.holder,
            "instances": self.instances,
            "contents": self.contents,
            "time": self.time,
        }
        return typed_data(domain, _PRIMARY, _FIELDS, message)

    @property
    def signer(self) -> str | None:
        """Address of the key that signed; none if the signature is not that of a key."""
        return recover(self.typed_data, signature_bytes(self.signature))

    def require_valid(self, ledger: Ledger, image_id: str) -> None:
        """Refuse one that is not its holder's statement about an image set of this chain.

        The holder signs, or who controls its identity.

        Raises
        ------
        CertificateInvalid
            If it is of another image set, chain or statement, or not signed by its holder.
        """
        of = (self.chain_id, self.contract, self.image_id, self.statement)
        if of != (ledger.chain_id, ledger.address(_CONTRACT), image_id, BY_HOLDER):
            raise CertificateInvalid(
                f"the certificate of {self.holder} is of another image set or chain, or states "
                "something else; have it signed with `radledger image forget`",
                image=image_id,
                certified=self.image_id,
                holder=self.holder,
            )
        controller = str(ledger.call("IdentityRegistry", "controllerOf", self.holder))
        digest, signature = typed_data_digest(self.typed_data), signature_bytes(self.signature)
        if not is_signed_by(ledger.web3, controller, digest, signature):
            raise CertificateInvalid(
                f"the certificate is not signed by its holder {self.holder}; have the holder "
                "sign it",
                image=image_id,
                holder=self.holder,
                signer=self.signer,
            )


class Certificates:
    """The certificates that one home keeps: ``IMAGE.json`` its own, ``IMAGE/HOLDER.json`` others'.

    Parameters
    ----------
    folder
        Made when the first is kept, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def own(self, image_id: str) -> Path:
        """Where the custodian's is, or will be."""
        return self._folder / f"{image_id}.json"

    def write_own(self, certificate: ErasureCertificate) -> Path:
        """Keep the custodian's."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.own(certificate.image_id)
        write_atomically(path, certificate.text)
        return path

    def keep(self, certificate: ErasureCertificate) -> Path:
        """Keep a holder's; a later one of the same holder replaces it."""
        path = self.path_of(certificate)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, certificate.text)
        return path

    def path_of(self, certificate: ErasureCertificate) -> Path:
        """Where a holder's is, or will be."""
        return self._folder / certificate.image_id / f"{certificate.holder}.json"

    def of(self, image_id: str) -> dict[str, ErasureCertificate]:
        """The holders' certificates of an image set, by the holder."""
        paths = sorted((self._folder / image_id).glob("*.json"))
        found = map(ErasureCertificate.from_file, paths)
        return {certificate.holder: certificate for certificate in found}

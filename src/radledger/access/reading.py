"""Reading an image set: with a key service's permission, or as its custodian or patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.access.book import Acknowledged, ReceiptBook, Release
from radledger.access.keyservice import release_context
from radledger.access.receipts import Receipt
from radledger.consent.permission import Use
from radledger.crypto import keys
from radledger.errors import UsageError
from radledger.identity.address import parse_address
from radledger.imaging.model import NONE

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.acknowledgements import Acknowledgement
    from radledger.access.keyservice import KeyService, ViewerLink, Viewers
    from radledger.access.receipts import SignedReceipt
    from radledger.chain.ledger import Ledger
    from radledger.crypto.keys import PrivateKey
    from radledger.imaging.model import FetchResult, ImageSet
    from radledger.imaging.service import Images

__all__ = ["Reading", "Released"]

_NOTHING = Use(0, 0, None)


@dataclass(frozen=True, slots=True)
class Released:
    """A secret that its reader has opened.

    ``block_age`` is the age in seconds of the block at which the release was decided; None if
    nothing was released, as for the custodian.
    """

    secret: str
    block_age: int | None


class Reading:
    """Read image sets.

    Parameters
    ----------
    ledger
        The connected chain.
    images
        The image sets that are read.
    receipts
        The book of receipts of what patient and custodian read with a secret of their own, and of
        what key services acknowledged.

    Examples
    --------
    >>> service = radledger.key_service(partial(radledger.images.rekey, custodian=hospital))
    ... # doctest: +SKIP
    >>> fetched = radledger.reading.fetch(
    ...     image_id, "fetched", reader=radiologist, private_key=private_key, key_service=service,
    ...     use=Use.of(["CC"]))                                    # doctest: +SKIP
    >>> {file.path.suffix for file in fetched.files}               # doctest: +SKIP
    {'.dcm'}
    """

    def __init__(self, ledger: Ledger, images: Images, receipts: ReceiptBook) -> None:
        self._ledger = ledger
        self._images = images
        self._receipts = receipts

    def secret(
        self,
        image_id: str,
        *,
        reader: LocalAccount,
        private_key: PrivateKey,
        key_service: KeyService | None = None,
        use: Use | None = None,
        identity: str | None = None,
    ) -> Released:
        """Return an image set's secret, against a signed receipt.

        A key service is asked with a receipt for the grant that permits the use.  If it
        acknowledges the receipt, that is kept here: by it the reader can demand the receipt from
        the custodian (:class:`radledger.access.ledger.AccessLedger`).  The patient and
        the custodian, to whom the secret was wrapped at ingest, need none; a receipt of their
        reading is kept here.

        Parameters
        ----------
        image_id
            The set.
        reader, private_key
            The reader, and the private key of its registered public key.
        key_service, use
            The service to ask for the secret, and the use; neither for the patient and the
            custodian.
        identity
            The identity that reads, if the reader took it over from another key.

        Raises
        ------
        Refusal
            If the use is not permitted, and nothing is signed then; if the set was erased, and for
            the patient also if they have disowned it.
        ChainStale
            If the key service's latest block is older than its network allows.
        SecretUnknown
            If no key service is asked, and the secret was not wrapped to the reader.
        UnwrapFailed
            If the answer cannot be opened with `private_key`.
        AcknowledgementInvalid
            If the acknowledgement is of something else, or its signer is not a recorder.
        UsageError
            If a key service is given without a use.
        """
        if key_service is None:
            return self._own(image_id, reader, private_key)
        if use is None:
            raise UsageError("a key service releases a secret for a use; say for which")
        receipt, image_set = self._receipt(image_id, reader, use, identity)
        signed = receipt.sign(reader)
        answer = key_service.release(signed)
        if answer.acknowledgement is not None:
            self._keep(signed, answer.acknowledgement, image_set)
        context = release_context(receipt.image_id, receipt.grant_id)
        return Released(keys.unwrap(answer.wrapped, private_key, context), answer.block_age)

    def fetch(
        self,
        image_id: str,
        to: Path | str,
        *,
        reader: LocalAccount,
        private_key: PrivateKey,
        key_service: KeyService | None = None,
        use: Use | None = None,
        identity: str | None = None,
    ) -> FetchResult:
        """Fetch an image set into a folder, as :meth:`.Images.fetch` does, with its secret.

        Parameters and errors are those of `secret` and of :meth:`.Images.fetch`.
        """
        released = self.secret(
            image_id,
            reader=reader,
            private_key=private_key,
            key_service=key_service,
            use=use,
            identity=identity,
        )
        fetched = self._images.fetch(image_id, to, secret=released.secret)
        return replace(fetched, block_age=released.block_age)

    def view(
        self,
        image_ids: Sequence[str],
        *,
        reader: LocalAccount,
        viewers: Viewers,
        use: Use,
        identity: str | None = None,
    ) -> ViewerLink:
        """Have image sets shown in a browser, against a signed receipt for each.

        No secret leaves their custodian, and nothing is stored here but the acknowledgements of
        the receipts.

        Parameters
        ----------
        image_ids
            The sets, all of one custodian.
        viewers
            The service that shows them.
        reader, use, identity
            As for `secret`.

        Raises
        ------
        Refusal
            If a use is not permitted, and nothing is signed then.
        ChainStale
            If the service's latest block is older than its network allows.
        AcknowledgementInvalid
            If an acknowledgement is of something else, or its signer is not a recorder.
        """
        receipts = [self._receipt(each, reader, use, identity) for each in image_ids]
        signed = [receipt.sign(reader) for receipt, _ in receipts]
        opened = viewers.open(signed)
        for (_, image_set), each, acknowledgement in zip(
            receipts, signed, opened.acknowledgements, strict=False
        ):
            self._keep(each, acknowledgement, image_set)
        return opened

    def _receipt(
        self, image_id: str, reader: LocalAccount, use: Use, identity: str | None
    ) -> tuple[Receipt, ImageSet]:
        """A receipt for the grant that permits a use, and what it is for."""
        image_set = self._images.show(image_id).image_set
        reads = parse_address(identity or reader.address)
        _, grant = self._ledger.call(
            "ConsentRegistry", "requirePermitted", reads, image_set.struct, use.struct
        )
        grant_id = "0x" + bytes(grant).hex()
        return Receipt.of(self._ledger, reads, image_set.image_id, use, grant_id), image_set

    def _keep(
        self, signed: SignedReceipt, acknowledgement: Acknowledgement, image_set: ImageSet
    ) -> None:
        """Keep an acknowledgement, by which the receipt can be demanded."""
        acknowledgement.require_binding(self._ledger, signed.receipt, image_set.custodian)
        self._receipts.keep_acknowledged(Acknowledged(signed, acknowledgement))

    def _own(self, image_id: str, reader: LocalAccount, private_key: PrivateKey) -> Released:
        """What was wrapped to the patient or the custodian; no grant and no purpose is named."""
        record = self._images.show(image_id)
        receipt = Receipt.of(self._ledger, reader.address, record.image_id, _NOTHING, NONE)
        self._receipts.keep(Release(receipt.sign(reader), record.manifest, receipt.time))
        secret = self._images.own_secret(image_id, reader=reader.address, private_key=private_key)
        return Released(secret, None)

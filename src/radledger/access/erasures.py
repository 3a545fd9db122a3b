"""Erasure at every holder: who was given an image set, who has deleted it, who has not answered.

The receipts of a custodian say to whom a set's secret was released.  Each of them is asked by the
gateway that it, or its institution, has published, deletes what its home keeps, and signs a
certificate.  Holders without a gateway sign it by themselves.  A set is erased at a holder when
the holder's certificate is here, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY
from radledger.endpoints import is_loopback
from radledger.errors import RadLedgerError
from radledger.identity import Identities
from radledger.imaging import records
from radledger.imaging.certificates import ErasureCertificate
from radledger.imaging.errors import CertificateInvalid, CiphertextRemains, ImageNotErased
from radledger.imaging.model import NONE, EraseResult, State

if TYPE_CHECKING:
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from radledger.access.book import ReceiptBook
    from radledger.chain.ledger import Ledger
    from radledger.imaging.erasing import Erasing
    from radledger.imaging.model import ImageRecord
    from radledger.imaging.service import Images

__all__ = ["AskHolder", "Erasure", "Erasures", "Holder"]

_AT_ONCE = 8

AskHolder = Callable[[str, str], ErasureCertificate]
"""Asks the gateway at a URL to delete its copy of an image set, and gives its certificate."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An account to which the secret of an image set was released.

    Attributes
    ----------
    account
        The reader.
    certified_by
        Who has signed that nothing is kept: the reader or its institution; None as long as neither
        has.
    certificate
        Digest of that certificate.
    reason
        Why there is none.
    """

    account: str
    certified_by: str | None
    certificate: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far the erasure of an image set has come.

    Attributes
    ----------
    image_id
        The set, which is erased on chain and at its custodian.
    certificate
        SHA-256 of the custodian's certificate, as the chain has it.
    complete
        Whether all holders have certified that they keep nothing.
    holders
        Each of them.
    """

    image_id: str
    certificate: str | None
    complete: bool
    holders: tuple[Holder, ...]


class Erasures:
    """Erasures as a custodian has them done, and as a holder does its part.

    Parameters
    ----------
    ledger
        The connected chain.
    images, erasing
        The image sets of the home, and those that were erased.
    receipts
        The book that says who holds what.

    Examples
    --------
    >>> from radledger.gateway import GatewayHolders
    >>> ask = GatewayHolders(hospital, 1337).ask                       # doctest: +SKIP
    >>> done = radledger.erasures.erase(image_id, custodian=hospital, ask=ask)
    ... # doctest: +SKIP
    >>> [holder.account for holder in done[1].holders if not holder.certified_by]
    ... # doctest: +SKIP
    []
    """

    def __init__(
        self, ledger: Ledger, images: Images, erasing: Erasing, receipts: ReceiptBook
    ) -> None:
        self._ledger = ledger
        self._images = images
        self._erasing = erasing
        self._receipts = receipts

    # --- the custodian ------------------------------------------------------------------------

    def erase(
        self, image_id: str, *, custodian: LocalAccount, ask: AskHolder
    ) -> tuple[EraseResult, Erasure]:
        """Erase an image set here, as :meth:`.Images.erase` does, and ask its holders.

        Raises
        ------
        CiphertextRemains
            If a node of this home's store is unavailable; the holders have been asked.
        """
        try:
            done = self._images.erase(image_id, custodian=custodian)
        except CiphertextRemains:
            self._ask_all(image_id, ask)
            raise
        return done, self._ask_all(image_id, ask)

    def resume(
        self, image_id: str | None = None, *, custodian: LocalAccount, ask: AskHolder
    ) -> list[Erasure]:
        """Ask holders again that have not answered, and destroy what a backup has brought back.

        Parameters
        ----------
        image_id
            An erased image set; default: all of the custodian's.
        custodian
            Who acts for the institution.
        ask
            Asks a holder.

        Raises
        ------
        ImageNotErased
            If the chain does not say that the set was erased.
        CiphertextRemains
            If a node of this home's store is unavailable; the holders have been asked.
        """
        remains: CiphertextRemains | None = None
        resumed = []
        for each in self._erased_of(custodian) if image_id is None else [image_id]:
            try:
                self._erasing.destroy_again(each)
            except CiphertextRemains as error:
                remains = error
            resumed.append(self._ask_all(each, ask))
        if remains is not None:
            raise remains
        return resumed

    def status(self, image_id: str) -> Erasure:
        """How far an erasure has come; no holder is asked.

        Raises
        ------
        ImageUnknown, ImageNotErased
            If there is no such set, or it is not erased.
        """
        return self._status(self._erased(image_id), {})

    def accept(self, certificate: ErasureCertificate) -> Erasure:
        """Keep a holder's certificate.

        Raises
        ------
        CertificateInvalid
            If its holder did not sign it, or is neither the patient nor known here as a holder.
        ImageUnknown, ImageNotErased
            If it is of a set that is not there or not erased.
        """
        record = self._erased(certificate.image_id)
        certificate.require_valid(self._ledger, record.image_id)
        speakers = {
            each for reader in self._readers(record) for each in self._speakers(record, reader)
        }
        if certificate.holder not in speakers | {record.image_set.patient}:
            raise CertificateInvalid(
                f"{certificate.holder} is not known here as a holder of the image set: its secret "
                "was not released to that account or a member of it; have the reader sign",
                image=record.image_id,
                holder=certificate.holder,
            )
        self._erasing.certificates.keep(certificate)
        return self._status(record, {})

    # --- a holder -----------------------------------------------------------------------------

    def forget(self, image_id: str, *, holder: LocalAccount) -> ErasureCertificate:
        """Delete this home's copy of an erased set and certify it; see :meth:`.Erasing.forget`."""
        return self._erasing.forget(image_id, holder=holder)

    def path_of(self, certificate: ErasureCertificate) -> Path:
        """The file of a certificate that is kept here."""
        return self._erasing.certificates.path_of(certificate)

    def learned(self) -> list[str]:
        """Ids of erased image sets that this home has a copy or an acknowledged receipt of."""
        acknowledged = {
            each.signed.receipt.image_id
            for each in self._receipts.acknowledged()
            if each.signed.receipt.is_for(self._ledger)
        }
        return self._erasing.learned(acknowledged)

    # --- internal -----------------------------------------------------------------------------

    def _ask_all(self, image_id: str, ask: AskHolder) -> Erasure:
        """Ask the holders of which there is no certificate."""
        record = self._erased(image_id)
        readers: dict[str, list[str]] = {}
        for holder in self._status(record, {}).holders:
            if holder.certified_by is None and (url := self._gateway(record, holder.account)):
                readers.setdefault(url, []).append(holder.account)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = {url: pool.submit(ask, url, record.image_id) for url in readers}
        reasons: dict[str, str] = {}
        for url, answer in answers.items():
            try:
                self.accept(answer.result())
            except RadLedgerError as error:
                reasons |= dict.fromkeys(readers[url], error.message)
        return self._status(record, reasons)

    def _status(self, record: ImageRecord, reasons: Mapping[str, str]) -> Erasure:
        certificates = self._erasing.certificates.of(record.image_id)
        holders = []
        for reader in self._readers(record):
            signed = [each for each in self._speakers(record, reader) if each in certificates]
            if signed:
                digest = certificates[signed[0]].digest
                holders.append(Holder(reader, signed[0], digest, None))
            else:
                reason = reasons.get(reader) or self._unasked(record, reader)
                holders.append(Holder(reader, None, None, reason))
        complete = all(holder.certified_by for holder in holders)
        return Erasure(record.image_id, record.certificate, complete, tuple(holders))

    def _unasked(self, record: ImageRecord, reader: str) -> str:
        if self._gateway(record, reader) is None:
            return (
                "it or its institution publishes no gateway that can be asked; it certifies with "
                f"`radledger image forget {record.image_id}`"
            )
        return "not asked yet"

    def _readers(self, record: ImageRecord) -> list[str]:
        """To whom this home has released the secret, its custodian aside, in that order."""
        released = (
            each.signed.receipt
            for each in self._receipts.releases(record.image_id)
            # Viewers are shown images, and patient and custodian open a secret of their own.
            if each.manifest != NONE and each.signed.receipt.grant_id != NONE
        )
        readers = (each.reader for each in released if each.is_for(self._ledger))
        custodian = record.image_set.custodian
        return [reader for reader in dict.fromkeys(readers) if reader != custodian]

    def _gateway(self, record: ImageRecord, reader: str) -> str | None:
        """Where a reader is asked; not at the custodian's own gateway.

        Nor on this machine, where a reader could have other services asked, unless the custodian's
        gateway is there as well.
        """
        gateway = Identities(self._ledger).gateway
        urls = [gateway(account) for account in self._speakers(record, reader)]
        own = gateway(record.image_set.custodian)
        here = own is not None and is_loopback(own)
        others = (url for url in urls if url not in (None, own))
        return next((url for url in others if url and (here or not is_loopback(url))), None)

    def _speakers(self, record: ImageRecord, reader: str) -> Iterator[str]:
        """Whose certificate counts for a reader: its own, or that of another institution."""
        yield reader
        institution = str(self._ledger.call("ParticipantRegistry", "institutionOf", reader))
        # The custodian's members sign for themselves: its own certificate is of its own home.
        if institution not in (reader, NOBODY, record.image_set.custodian):
            yield institution

    def _erased_of(self, custodian: LocalAccount) -> list[str]:
        institution = self._ledger.call("ParticipantRegistry", "institutionOf", custodian.address)
        found = records.find_records(self._ledger, custodian=str(institution))
        return [each.image_id for each in found if each.state is State.ERASED]

    def _erased(self, image_id: str) -> ImageRecord:
        record = self._images.show(image_id)
        if record.state is not State.ERASED:
            raise ImageNotErased(
                "the image set is not erased; its custodian erases it with `radledger image erase`",
                image=record.image_id,
                state=record.state,
            )
        return record

"""What a home still has of image sets that were erased: destroyed again, or forgotten by a holder.

A journal or a store that was restored from a backup may have what was erased after the backup was
made.  Nothing is deleted on the word of a node alone: the operator of the home has it done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from radledger.imaging import records
from radledger.imaging.certificates import BY_HOLDER, Certificates, ErasureCertificate
from radledger.imaging.copies import Copies
from radledger.imaging.errors import CiphertextRemains, SecretRemains
from radledger.imaging.home import ImagingHome
from radledger.imaging.maintenance import Maintenance
from radledger.imaging.model import State
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.storage import Storage

__all__ = ["Erasing"]


class Erasing:
    """The erased image sets of one home.

    Parameters
    ----------
    ledger, storage, home, journal
        As for :class:`.Images`.
    """

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self._home = ImagingHome(ledger, storage, home, journal)
        self._copies = Copies(ledger, storage, home, journal)

    @property
    def certificates(self) -> Certificates:
        """The certificates that this home keeps."""
        return self._home.certificates

    def destroy_again(self, image_id: str) -> bool:
        """Destroy what a backup brought back of an erased image set, as its custodian.

        Returns
        -------
        bool
            Whether the secret was here.

        Raises
        ------
        ImageNotErased
            If the chain does not say that it was erased: nothing is destroyed then.
        CiphertextRemains
            If a node of the store is unavailable; run again, it finishes.
        JournalAltered
            If the journal's row is not as the home wrote it.
        """
        return Maintenance(self._home).destroy_again(image_id)

    def forget(self, image_id: str, *, holder: LocalAccount) -> ErasureCertificate:
        """Delete this home's copy of an erased image set, and certify that nothing is kept.

        Done again, it gives the certificate of before.

        Parameters
        ----------
        image_id
            The set.
        holder
            Who signs.

        Raises
        ------
        ImageNotErased
            If the chain does not say that it was erased: nothing is deleted then.
        SecretRemains
            If the custodian's journal has its secret.
        CiphertextRemains
            If a node of the store is unavailable; nothing is certified then.
        """
        record = self._home.erased(image_id)
        row = self._home.journal.find(record.image_id)
        if row is not None and row.secret is not None:
            raise SecretRemains(
                "this home has the secret of the erased image set; destroy it with `radledger "
                f"image erase --resume {record.image_id}`",
                image=record.image_id,
            )
        kept = record.image_id in self._copies.noted()
        before = self.certificates.of(record.image_id).get(holder.address)
        if before is not None and not kept:
            return before
        try:
            unpinned = self._copies.unpin(record.image_id).unpinned
        except StorageUnavailable as error:
            raise CiphertextRemains(
                "the copy of the erased image set remains where the store is unavailable: "
                f"{error.message}; then run this again",
                image=record.image_id,
                reason=error.message,
            ) from error
        certificate = ErasureCertificate.of(
            self._home.ledger, record, BY_HOLDER, holder.address, unpinned, holder
        )
        self.certificates.keep(certificate)
        return certificate

    def learned(self, image_ids: set[str]) -> list[str]:
        """Those of some image sets, and of the copies kept here, that the chain says are erased."""
        known = image_ids | set(self._copies.noted())
        return sorted(each for each in known if self._is_erased(each))

    def _is_erased(self, image_id: str) -> bool:
        return records.state_of(self._home.ledger, image_id) is State.ERASED

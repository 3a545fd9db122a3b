"""Image sets, from files to the chain and back: the service over ``ImageRegistry``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.identity.address import parse_address
from radledger.imaging import reading, records
from radledger.imaging.custody import Custody
from radledger.imaging.disowning import Disowning
from radledger.imaging.maintenance import held
from radledger.imaging.model import FetchResult, ImageRecord, VerifyResult

if TYPE_CHECKING:
    from radledger.crypto.keys import PrivateKey
    from radledger.imaging.manifest import Manifest

__all__ = ["Images"]


class Images(Custody, Disowning):
    """Image sets of one chain: those of a custodian's home, and any that the caller may read.

    Parameters
    ----------
    ledger
        The connected chain.
    storage
        Where the ciphertext is.  It must survive pickling, and reach the same content from
        another process.
    home
        Folder for the journal, in which the custodian's secrets are, and for temporary files.
    journal
        URL of a PostgreSQL database that has the journal instead.

    Examples
    --------
    >>> images = Images(ledger, LocalStore(home / "store"), home)  # doctest: +SKIP
    >>> added = images.add([Path("study")], patient, custodian=hospital)  # doctest: +SKIP
    >>> # what was added is the de-identified file, which holds the same image
    >>> images.verify(added[0].image_id, [Path("study/1.dcm")])[0].verdict  # doctest: +SKIP
    'reencoded'
    """

    def list(
        self, *, custodian: str | None = None, patient: str | None = None
    ) -> Sequence[ImageRecord]:
        """All image sets, or those of a custodian or a patient, oldest first."""
        return records.find_records(
            self._ledger,
            custodian=parse_address(custodian) if custodian else None,
            patient=parse_address(patient) if patient else None,
        )

    def versions(self, image_id: str) -> Sequence[ImageRecord]:
        """An image set, those that it came from, and all that came from any of them."""
        return records.versions(self._ledger, image_id)

    def contents(self, image_id: str, *, secret: str | None = None) -> Manifest:
        """The manifest of an image set, checked against the root on the chain.

        Parameters
        ----------
        image_id
            The set.
        secret
            As it was released; default: from this home.
        """
        record = self._usable(image_id)
        if secret is None:
            secret = self._present_secret(held(self._journal, record.image_id), record)
        return reading.open_manifest(self._storage, record, secret)

    def verify(
        self, image_id: str, paths: Iterable[Path | str], *, secret: str | None = None
    ) -> Sequence[VerifyResult]:
        """Verify files against an image set.

        Parameters
        ----------
        image_id
            The set.
        paths
            Files and folders.
        secret
            As it was released; default: from this home.
        """
        from radledger.imaging.ingest.workers import WorkerPool
        from radledger.imaging.verifying import verify_paths

        pool = WorkerPool(self._journal.location, self._storage, self._folder)
        manifest = self.contents(image_id, secret=secret)
        return verify_paths(pool, manifest, [Path(path) for path in paths])

    def own_secret(self, image_id: str, *, reader: str, private_key: PrivateKey) -> str:
        """An image set's secret, as it was wrapped to the patient or the custodian at ingest.

        Raises
        ------
        SecretUnknown
            If it was not wrapped to them.
        UnwrapFailed
            If the private key is another's.
        ImageIsErased
            If the set was erased.
        ImageIsDisowned
            If its patient asks, who has disowned it.
        """
        record = self._usable(image_id)
        role = "custodian"
        if parse_address(reader) == record.image_set.patient:
            role, record = "patient", self._recognised(image_id)
        with reading.opened_envelope(self._storage, record) as envelope:
            return envelope.secret_for(role, record.image_id, private_key)

    def fetch(self, image_id: str, to: Path | str, *, secret: str | None = None) -> FetchResult:
        """Fetch an image set, check every byte, decrypt it, and write its files to a folder.

        The folder appears when all files are in it; they are named by SOP Instance UID.

        Parameters
        ----------
        image_id
            The set.
        to
            A folder that is not there yet, or empty.
        secret
            As it was released, see :class:`radledger.access.Reading`; default: from this home.

        Raises
        ------
        ImageErased
            If the set was erased.
        SecretUnknown
            If no secret is given, and this home does not have it.
        ContentMismatch, DecryptionFailed, CommitmentMismatch, RootMismatch
            If what came is not what was anchored; nothing is written then.
        FolderNotEmpty
            If `to` has something in it.
        """
        if secret is None:
            secret = self.secret(image_id)
        manifest = self.contents(image_id, secret=secret)
        folder = Path(to).absolute()
        files = reading.write_files(self._storage, manifest, secret, folder)
        return FetchResult(manifest.image_set.image_id, folder, files)

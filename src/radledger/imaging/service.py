"""Image sets, from files to the chain and back: the service over ``ImageRegistry``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.chain.action import Action, one_call
from radledger.chain.ledger import Call
from radledger.identity.address import parse_address
from radledger.imaging import reading, records
from radledger.imaging.home import ImagingHome
from radledger.imaging.maintenance import Maintenance
from radledger.imaging.model import (
    Added,
    Addition,
    AddResult,
    EraseResult,
    FetchResult,
    ImageRecord,
    RekeyResult,
    VerifyResult,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt
    from radledger.crypto.keys import PrivateKey
    from radledger.imaging.ingest.run import Report
    from radledger.imaging.manifest import Manifest
    from radledger.storage import Storage

__all__ = ["Images"]


class Images:
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

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self._home = ImagingHome(ledger, storage, home, journal)
        self._maintenance = Maintenance(self._home)

    def show(self, image_id: str) -> ImageRecord:
        """What the chain tells of an image set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return records.image_record(self._home.ledger, image_id)

    def list(
        self, *, custodian: str | None = None, patient: str | None = None
    ) -> Sequence[ImageRecord]:
        """All image sets, or those of a custodian or a patient, oldest first."""
        return records.find_records(
            self._home.ledger,
            custodian=parse_address(custodian) if custodian else None,
            patient=parse_address(patient) if patient else None,
        )

    def versions(self, image_id: str) -> Sequence[ImageRecord]:
        """An image set, those that it came from, and all that came from any of them."""
        return records.versions(self._home.ledger, image_id)

    def contents(self, image_id: str, *, secret: str | None = None) -> Manifest:
        """The manifest of an image set, checked against the root on the chain.

        Parameters
        ----------
        image_id
            The set.
        secret
            As it was released; default: from this home.
        """
        record = self._home.usable(image_id)
        if secret is None:
            secret = self._home.secret(self._home.held(record.image_id), record)
        return reading.open_manifest(self._home.storage, record, secret)

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

        pool = WorkerPool(self._home.journal.location, self._home.storage, self._home.folder)
        manifest = self.contents(image_id, secret=secret)
        secret = self.secret(image_id) if secret is None else secret
        return verify_paths(pool, manifest, secret, [Path(path) for path in paths])

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
        files = reading.write_files(self._home.storage, manifest, secret, folder)
        return FetchResult(manifest.image_set.image_id, folder, files)

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
        record = self._home.usable(image_id)
        role = "custodian"
        if parse_address(reader) == record.image_set.patient:
            role, record = "patient", self._home.recognised(image_id)
        with reading.opened_envelope(self._home.storage, record) as envelope:
            return envelope.secret_for(role, record.image_id, private_key)

    def add(
        self,
        paths: Iterable[Path | str],
        patient: str,
        *,
        custodian: LocalAccount,
        visit: str | None = None,
        course: str | None = None,
        profile: str = "basic",
        keep_identity: bool = False,
        allow_burned_in: bool = False,
        mixed_patient_ids: bool = False,
        allow_unchecked: bool = False,
        workers: int | None = None,
        scheduler: str | None = None,
        progress: Report | None = None,
    ) -> Sequence[AddResult]:
        """Encrypt, store and anchor DICOM files, one image set for each series.

        Run again after a crash, it finishes the work.  Files that were added before for the same
        patient and profile add nothing, but their sets are among the results.

        Parameters
        ----------
        paths
            Files and folders, any mix.
        patient
            Address that will decide about the images.
        custodian
            Who acts for the institution that holds them.
        visit
            What to call the visit; default: the study's UID.  Grants may be for a visit.
        course
            What to call the course of treatment that the visit is part of, if any.
        profile
            De-identification profile, see :class:`radledger.dicom.profiles.Profile`.
        keep_identity
            Take the files as they are, as for a clinical reading; `profile` does not count then.
        allow_burned_in
            Take files whose pixels may show text; the caller has looked at them.
        mixed_patient_ids
            Take studies whose files have different Patient IDs; all are of this patient.
        allow_unchecked
            Take videos that may hold texts beside their pictures, and, with `keep_identity`,
            pixels that no decoder reads; their image digests are of kind ``undecoded``.
        workers, scheduler, progress
            As for `add_all`.

        Returns
        -------
        sequence of AddResult
            One for each set; those paths that were not taken are in it with the reason.

        Raises
        ------
        NothingToAdd
            If no file could be taken.
        ParticipantLacksRole
            If `custodian` acts for no accredited custodian.
        HomeBusy
            If another process is adding images in this home, or on its journal.
        """
        (added,) = self.add_all(
            [Addition(tuple(map(Path, paths)), patient, visit, course)],
            custodian=custodian,
            profile=profile,
            keep_identity=keep_identity,
            allow_burned_in=allow_burned_in,
            mixed_patient_ids=mixed_patient_ids,
            allow_unchecked=allow_unchecked,
            workers=workers,
            scheduler=scheduler,
            progress=progress,
        )
        return added.require_results()

    def add_all(
        self,
        additions: Iterable[Addition],
        *,
        custodian: LocalAccount,
        profile: str = "basic",
        keep_identity: bool = False,
        allow_burned_in: bool = False,
        mixed_patient_ids: bool = False,
        allow_unchecked: bool = False,
        workers: int | None = None,
        scheduler: str | None = None,
        progress: Report | None = None,
        total: int = 0,
    ) -> Iterator[Added]:
        """Add the files of many patients, as `add` does those of one; an archive, for instance.

        Additions are taken as they are needed, and what became of each is reported as soon as its
        image sets are on the chain, so that memory does not grow with their number.  The files of
        one series belong into one addition: from two they may become two image sets.

        Parameters
        ----------
        additions
            What belongs to whom.
        custodian, profile, keep_identity, allow_burned_in, mixed_patient_ids, allow_unchecked
            As for `add`.
        workers
            How many processes store files; default: as many as there are processors.
        scheduler
            Address of the scheduler of a Dask cluster, such as ``tcp://10.0.0.1:8786``, whose
            workers store the files instead.  They reach paths and store under the same names as
            this process does, and the journal, which has to be in PostgreSQL.
        progress, total
            Called as the work goes on, of so many bytes.

        Yields
        ------
        Added
            What became of each addition, in the order in which they are done.
        """
        from radledger.imaging.ingest.additions import Additions, Allowed

        return Additions(self._home, custodian, workers, scheduler).of_files(
            additions,
            None if keep_identity else profile,
            Allowed(allow_burned_in, mixed_patient_ids, allow_unchecked),
            progress,
            total,
        )

    def deidentify(
        self,
        image_id: str,
        profile: str,
        *,
        custodian: LocalAccount,
        allow_burned_in: bool = False,
        allow_unchecked: bool = False,
        progress: Report | None = None,
    ) -> AddResult:
        """Make a de-identified version of an image set that names the original.

        Raises
        ------
        NothingToAdd
            If no file could be taken, because of burned-in annotations for instance.
        SecretUnknown
            If this home does not have the original's secret.
        ImageIsErased, ImageIsDisowned
            If the original was erased, or its patient has disowned it.
        """
        from radledger.imaging.ingest.additions import Additions, Allowed

        allowed = Allowed(allow_burned_in, unchecked=allow_unchecked)
        (added,) = Additions(self._home, custodian).of_version(image_id, profile, allowed, progress)
        return added.require_results()[0]

    def rekey(self, image_id: str, *, custodian: LocalAccount) -> RekeyResult:
        """Encrypt an image set under a new secret; id and root stay, the old ciphertext goes.

        The old secret opens nothing that is fetched from now on.
        """
        return self._maintenance.rekey(self._home.usable(image_id).image_id, custodian)

    def erase(self, image_id: str, *, custodian: LocalAccount) -> EraseResult:
        """Erase an image set for good: secret, salts, ciphertext; versions of it stay.

        The certificate is a file in the home, its SHA-256 is on the chain.
        """
        return self._maintenance.erase(self.show(image_id).image_id, custodian)

    def secret(self, image_id: str) -> str:
        """An image set's secret, for the custodian's own key service.

        Raises
        ------
        SecretUnknown, ImageIsErased
            If this home does not have it, or has an earlier one; if the set was erased.
        JournalAltered
            If the journal is not as this home wrote it.
        """
        row = self._home.held(image_id)
        return self._home.secret(row, self._home.usable(image_id))  # or in a restored journal alone

    def disown(self, image_id: str) -> Action[Receipt]:
        """Disown an image set that names the patient by mistake, or that they do not recognise.

        From then on no account is permitted to use it, neither the patient nor a clinician in an
        emergency, and no version of it can be anchored.  Its custodian keeps the files, and can
        erase them.  Existing versions are separate sets and stay usable.

        The patient does, or who may act for them (:data:`.CONSENT_DELEGATE`).  It is refused with
        `ImageIsErased`, `ImageIsDisowned` or `ImageNotAuthorized`.

        Parameters
        ----------
        image_id
            The set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return self._of_patient("disown", image_id)

    def acknowledge(self, image_id: str) -> Action[Receipt]:
        """Take back that an image set is disowned; the patient's grants apply to it again.

        Who may, and the parameters, are as for `disown`.  It is refused with `ImageIsErased`,
        `ImageNotDisowned` or `ImageNotAuthorized`.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return self._of_patient("acknowledge", image_id)

    def _of_patient(self, function: str, image_id: str) -> Action[Receipt]:
        image_set = self.show(image_id).image_set.struct
        return one_call(self._home.ledger, lambda _: Call(records.CONTRACT, function, (image_set,)))

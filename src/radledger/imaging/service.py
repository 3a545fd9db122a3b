"""Image sets, from files to the chain and back: the service over ``ImageRegistry``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.chain.refusals import ImageErased
from radledger.errors import UsageError
from radledger.identity.address import parse_address
from radledger.identity.roles import ROLES
from radledger.imaging import reading, records
from radledger.imaging.home import imaging_folder, journal_location
from radledger.imaging.journal import Journal
from radledger.imaging.keys import request_secret
from radledger.imaging.model import (
    NONE,
    AddResult,
    EraseResult,
    FetchResult,
    ImageRecord,
    RekeyResult,
    State,
    VerifyResult,
)
from radledger.imaging.schema import Purpose
from radledger.imaging.upkeep import Upkeep, held

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.ingest import Ingest, Progress
    from radledger.imaging.keys import KeyService, Use
    from radledger.imaging.manifest import Manifest
    from radledger.storage import Storage

__all__ = ["Images"]


class Images:
    """Image sets of one chain: those of a custodian's home, and any that one may read.

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
        self._ledger = ledger
        self._storage = storage
        self._home = home
        self._journal_url = journal

    # ------------------------------------------------------------------ the custodian

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
        progress: Callable[[Progress], None] | None = None,
    ) -> Sequence[AddResult]:
        """Encrypt, store and anchor DICOM files, one image set for each series.

        Run again after a crash, it finishes the work.  Files that were added before for the
        same patient and profile add nothing; their sets are among the results all the same.

        Parameters
        ----------
        paths
            Files and folders, any mix.
        patient
            Address that will decide about the images.
        custodian
            Who acts for the institution that holds them.
        visit
            What to call the visit; the study's UID unless given.  Grants may be for a visit.
        course
            What to call the course of treatment that the visit is part of, if any.
        profile
            De-identification profile, see :class:`radledger.dicom.profiles.Profile`.
        keep_identity
            Take the files as they are, as for a clinical reading; `profile` does not count then.
        allow_burned_in
            Take files whose pixels may show text; the caller has looked at them.
        progress
            Called as the work goes on.

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
            If another process is adding images in this home.
        """
        from radledger.imaging.ingest import found_tasks, profile_name, start_workers

        start_workers()
        chosen = "" if keep_identity else profile_name(profile)
        institution = self._institution(custodian)
        purpose = Purpose(institution, parse_address(patient), chosen)
        journal = self._journal
        tasks, skipped = found_tasks(
            [Path(path) for path in paths],
            purpose,
            journal.group(purpose, "visit", visit) if visit else None,
            journal.group(purpose, "course", course) if course else NONE,
            burned_in=allow_burned_in,
        )
        return self._ingest.add(tasks, skipped, purpose, custodian, progress)

    def deidentify(
        self,
        image_id: str,
        profile: str,
        *,
        custodian: LocalAccount,
        allow_burned_in: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> AddResult:
        """Make a de-identified version of an image set that names the original.

        Raises
        ------
        NothingToAdd
            If no file could be taken, because of burned-in annotations for instance.
        SecretUnknown
            If this home does not have the original's secret.
        """
        from radledger.imaging.ingest import profile_name, start_workers
        from radledger.imaging.storing import StoredFile, Task

        start_workers()
        record = self._usable(image_id)
        row = held(self._journal, record.image_id)
        purpose = Purpose(
            self._institution(custodian),
            record.image_set.patient,
            profile_name(profile),
            record.image_id,
        )
        tasks = [
            Task(
                source=StoredFile(file.cid, row.secret or ""),
                name=file.sop_instance,
                size=file.size,
                purpose=purpose,
                visit=record.image_set.visit,
                course=record.image_set.course,
                allow_burned_in=allow_burned_in,
            )
            for file in self._journal.files(row.set_id)
        ]
        return self._ingest.add(tasks, [], purpose, custodian, progress)[0]

    def rekey(self, image_id: str, *, custodian: LocalAccount) -> RekeyResult:
        """Encrypt an image set under a new secret; id and root stay, the old ciphertext goes.

        Whoever was given the old secret can open nothing that is fetched from now on.
        """
        return self._upkeep.rekey(self._usable(image_id).image_id, custodian)

    def erase(self, image_id: str, *, custodian: LocalAccount) -> EraseResult:
        """Erase an image set for good: secret, salts, ciphertext; versions of it stay.

        The certificate is a file in the home, its SHA-256 is on the chain.
        """
        return self._upkeep.erase(self.show(image_id).image_id, custodian)

    def secret(self, image_id: str) -> str:
        """An image set's secret, for the custodian's own key service.

        Raises
        ------
        SecretUnknown
            If this home does not have it.
        """
        return held(self._journal, image_id).secret or ""

    # ------------------------------------------------------------------ everybody

    def show(self, image_id: str) -> ImageRecord:
        """What the chain tells of an image set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return records.image_record(self._ledger, image_id)

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
            As it was released; from this home unless given.
        """
        record = self._usable(image_id)
        return reading.open_manifest(self._storage, record, secret or self.secret(record.image_id))

    def verify(
        self, image_id: str, paths: Iterable[Path | str], *, secret: str | None = None
    ) -> Sequence[VerifyResult]:
        """Say of each file whether it is the set's, and unchanged.

        Parameters
        ----------
        image_id
            The set.
        paths
            Files and folders.
        secret
            As it was released; from this home unless given.
        """
        from radledger.imaging.processes import Crew
        from radledger.imaging.verifying import verify_paths

        crew = Crew(self._journal.location, self._storage, self._folder)
        manifest = self.contents(image_id, secret=secret)
        return verify_paths(crew, manifest, [Path(path) for path in paths])

    def release(
        self,
        image_id: str,
        *,
        reader: LocalAccount,
        private_key: bytes,
        key_service: KeyService,
        use: Use,
        identity: str | None = None,
    ) -> str:
        """Ask a key service for an image set's secret, with a signed receipt.

        Parameters are those of `fetch`.

        Raises
        ------
        Refusal
            If the consent registry does not permit the use: the reason.
        """
        image_set = self.show(image_id).image_set
        return request_secret(
            self._ledger, image_set, reader, private_key, key_service, use, identity
        )

    def own_secret(self, image_id: str, *, reader: str, private_key: bytes) -> str:
        """An image set's secret, as it was wrapped to the patient or the custodian at ingest.

        Raises
        ------
        SecretUnknown
            If it was not wrapped to them.
        UnwrapFailed
            If the private key is another's.
        """
        record = self._usable(image_id)
        role = "patient" if parse_address(reader) == record.image_set.patient else "custodian"
        with reading.opened_envelope(self._storage, record) as envelope:
            return envelope.secret_for(role, record.image_id, private_key)

    def fetch(
        self,
        image_id: str,
        to: Path | str,
        *,
        reader: LocalAccount,
        private_key: bytes,
        key_service: KeyService | None = None,
        use: Use | None = None,
        identity: str | None = None,
    ) -> FetchResult:
        """Fetch an image set, check every byte, decrypt it, and write its files to a folder.

        The folder appears when all files are in it; they are named by SOP Instance UID.

        Parameters
        ----------
        image_id
            The set.
        to
            A folder that is not there yet, or empty.
        reader, private_key
            Who reads, and the X25519 key whose public half is registered.
        key_service, use
            Whom to ask for the secret and for what use; neither for the patient and the
            custodian, to whom it was wrapped at ingest.
        identity
            Who reads, where that is an identity which the reader took over.

        Raises
        ------
        Refusal
            If the use is not permitted, or the set was erased.
        ContentMismatch, DecryptionFailed, CommitmentMismatch, RootMismatch
            If what came is not what was anchored; nothing is written then.
        FolderNotEmpty
            If `to` has something in it.
        """
        if key_service is None:
            secret = self.own_secret(image_id, reader=reader.address, private_key=private_key)
        elif use is None:
            raise UsageError("a key service releases a secret for a use; say for which")
        else:
            secret = self.release(
                image_id,
                reader=reader,
                private_key=private_key,
                key_service=key_service,
                use=use,
                identity=identity,
            )
        manifest = self.contents(image_id, secret=secret)
        folder = Path(to).absolute()
        files = reading.write_files(self._storage, manifest, secret, folder)
        return FetchResult(manifest.image_set.image_id, folder, files)

    # ------------------------------------------------------------------ internals

    @cached_property
    def _folder(self) -> Path:
        return imaging_folder(self._home, self._ledger)

    @cached_property
    def _journal(self) -> Journal:
        return Journal(journal_location(self._folder, self._journal_url))

    @property
    def _ingest(self) -> Ingest:
        from radledger.imaging.ingest import Ingest

        return Ingest(self._ledger, self._storage, self._folder, self._journal.location)

    @property
    def _upkeep(self) -> Upkeep:
        return Upkeep(self._ledger, self._storage, self._journal, self._folder)

    def _institution(self, signer: LocalAccount) -> str:
        """The institution for which somebody acts as a custodian."""
        role = ROLES["custodian"]
        return str(self._ledger.call("ParticipantRegistry", "requireRole", signer.address, role))

    def _usable(self, image_id: str) -> ImageRecord:
        record = self.show(image_id)
        if record.state is State.ERASED:
            raise ImageErased.of({"image": record.image_id})
        return record

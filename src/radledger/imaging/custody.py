"""What only a custodian does with image sets: add files and versions, re-encrypt, erase."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from radledger.identity.address import parse_address
from radledger.identity.roles import ROLES
from radledger.imaging import reading, records
from radledger.imaging.errors import CommitmentMismatch, NothingToAdd, SecretUnknown
from radledger.imaging.home import ImagingHome
from radledger.imaging.journal.tables import Purpose
from radledger.imaging.maintenance import Maintenance, held
from radledger.imaging.model import (
    NONE,
    Added,
    Addition,
    AddResult,
    EraseResult,
    ImageRecord,
    RekeyResult,
    SkippedFile,
)
from radledger.storage import cid_digest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.imaging.ingest.run import Progress, StudyBatch, Workers
    from radledger.imaging.ingest.storing import Task
    from radledger.imaging.journal.tables import SetRow

__all__ = ["Custody", "all_or_nothing"]


class Custody(ImagingHome):
    """Image sets of a custodian's home; see :class:`.Images`."""

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
        progress: Callable[[Progress], None] | None = None,
    ) -> list[AddResult]:
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
        list of AddResult
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
        addition = Addition(tuple(map(Path, paths)), patient, visit, course)
        (added,) = self.add_all(
            [addition],
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
        return all_or_nothing(added)

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
        progress: Callable[[Progress], None] | None = None,
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
        from radledger.imaging.ingest.workers import WorkerPool

        if scheduler is None:
            WorkerPool.prepare()
        chosen = "" if keep_identity else _profile_name(profile)
        institution = self._institution(custodian)

        def lot(addition: Addition) -> StudyBatch:
            purpose = Purpose(institution, parse_address(addition.patient), chosen)
            return self._found(
                addition,
                purpose,
                allow_burned_in=allow_burned_in,
                mixed_patient_ids=mixed_patient_ids,
                allow_unchecked=allow_unchecked,
            )

        return self._ingest(
            map(lot, additions),
            institution,
            custodian,
            partial(self._workers, workers, scheduler),
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
        progress: Callable[[Progress], None] | None = None,
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
        from radledger.imaging.ingest.storing import StoredFile, Task
        from radledger.imaging.ingest.workers import WorkerPool

        WorkerPool.prepare()
        record = self._recognised(image_id)
        row = held(self._journal, record.image_id)
        institution = self._institution(custodian)
        purpose = Purpose(
            institution, record.image_set.patient, _profile_name(profile), record.image_id
        )
        secret = self._journal.secret_of(row)
        tasks = [
            Task(
                source=StoredFile(file.cid, secret, file.size),
                name=file.sop_instance,
                size=file.size,
                purpose=purpose,
                visit=record.image_set.visit,
                course=record.image_set.course,
                allow_burned_in=allow_burned_in,
                allow_unchecked=allow_unchecked,
            )
            for file in self._journal.files(row.set_id)
        ]
        workers = partial(self._workers, None, None)
        total = sum(task.size for task in tasks)
        (added,) = self._ingest([tasks], institution, custodian, workers, progress, total)
        return all_or_nothing(added)[0]

    def rekey(self, image_id: str, *, custodian: LocalAccount) -> RekeyResult:
        """Encrypt an image set under a new secret; id and root stay, the old ciphertext goes.

        The old secret opens nothing that is fetched from now on.
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
            If this home does not have it, or has an earlier one.
        JournalAltered
            If the journal is not as this home wrote it.
        """
        return self._present_secret(held(self._journal, image_id), self.show(image_id))

    def show(self, image_id: str) -> ImageRecord:
        """What the chain tells of an image set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return records.image_record(self._ledger, image_id)

    # ------------------------------------------------------------------ internals

    @property
    def _upkeep(self) -> Maintenance:
        return Maintenance(self._ledger, self._storage, self._journal, self._folder)

    def _present_secret(self, row: SetRow, record: ImageRecord) -> str:
        """The secret that opens the manifest which the chain names now."""
        secret = self._journal.secret_of(row)
        if record.manifest == "0x" + cid_digest(row.manifest_cid or "").hex():
            return secret
        # It was re-encrypted, or sealed again with a journal from a backup.
        try:
            with reading.opened_envelope(self._storage, record) as envelope:
                envelope.require_secret(secret)
        except CommitmentMismatch as error:
            raise SecretUnknown(
                "the journal has an earlier secret of the image set, which was re-encrypted "
                "since: if that was interrupted, finish it with `radledger image rekey`, else "
                "restore the journal from a later backup",
                image=record.image_id,
            ) from error
        return secret

    def _ingest(
        self,
        lots: Iterable[StudyBatch],
        institution: str,
        signer: LocalAccount,
        workers: Callable[[Path], Workers],
        progress: Callable[[Progress], None] | None,
        total: int,
    ) -> Iterator[Added]:
        from radledger.imaging.ingest.run import Ingest

        ingest = Ingest(self._ledger, self._storage, self._folder, self._journal.location)
        return ingest.add(lots, institution, signer, workers, progress, total)

    def _workers(self, processes: int | None, scheduler: str | None, temporary: Path) -> Workers:
        """Who stores files: processes of this machine, or a cluster."""
        location, storage = self._journal.location, self._storage
        if scheduler is not None:
            from radledger.imaging.ingest.cluster import Cluster

            return Cluster(scheduler, location, storage)
        from radledger.imaging.ingest.workers import WorkerPool

        return WorkerPool(location, storage, temporary, processes)

    def _found(
        self, addition: Addition, purpose: Purpose, **allowed: Any
    ) -> Iterator[Task | SkippedFile]:
        """A task for each file behind some paths, and what is left out from the start."""
        from radledger.dicom.scan import Candidate, printable, scan
        from radledger.imaging.ingest.storing import Task

        def named(kind: Literal["visit", "course"], name: str | None) -> str | None:
            return self._journal.group(purpose, kind, name) if name else None

        visit, course = named("visit", addition.visit), named("course", addition.course) or NONE
        for found in scan(addition.paths):
            if isinstance(found, Candidate):
                name = printable(found.path)
                size = found.size
                yield Task(found.path, name, size, purpose, visit, course, **allowed)
            else:
                yield SkippedFile(found.name, found.reason)

    def _institution(self, signer: LocalAccount) -> str:
        """The institution for which an account acts as a custodian."""
        role = ROLES["custodian"]
        return str(self._ledger.call("ParticipantRegistry", "requireRole", signer.address, role))


def all_or_nothing(added: Added) -> list[AddResult]:
    """The results of an addition, the first of which tells of paths that are of no set.

    Raises
    ------
    NothingToAdd
        If there are none.
    """
    if not added.results:
        raise NothingToAdd(
            "none of the files could be taken; the reason is given for each",
            skipped=[{"path": each.path, "reason": each.reason} for each in added.skipped],
        )
    first, *others = added.results
    return [replace(first, skipped=first.skipped + added.skipped), *others]


def _profile_name(profile: str) -> str:
    """A profile's name in its one spelling."""
    from radledger.dicom.profiles import Profile

    return Profile.parse(profile).name

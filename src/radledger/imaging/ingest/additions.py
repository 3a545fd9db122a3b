"""Additions to a custodian's home: which files, for which purpose, stored by whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from radledger.dicom.profiles import Profile
from radledger.dicom.scan import Candidate, printable, scan
from radledger.identity.address import parse_address
from radledger.identity.roles import ROLES
from radledger.imaging.ingest.run import Ingest
from radledger.imaging.ingest.storing import Allowed, StoredFile, Task
from radledger.imaging.ingest.workers import WorkerPool
from radledger.imaging.journal.tables import Purpose
from radledger.imaging.model import NONE, Added, Addition, SkippedFile

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.imaging.home import ImagingHome
    from radledger.imaging.ingest.run import Report, StudyBatch, Workers

__all__ = ["Additions", "Allowed"]


class Additions:
    """Additions to one home by one custodian; see :meth:`radledger.imaging.Images.add_all`.

    Parameters
    ----------
    home
        To which image sets are added.
    signer
        Who acts for the institution that holds them.
    processes
        How many store files; default: as many as there are processors.
    scheduler
        Address of the scheduler of a Dask cluster that stores them instead.

    Raises
    ------
    ParticipantLacksRole
        If `signer` acts for no accredited custodian.
    """

    def __init__(
        self,
        home: ImagingHome,
        signer: LocalAccount,
        processes: int | None = None,
        scheduler: str | None = None,
    ) -> None:
        if scheduler is None:
            WorkerPool.prepare()
        self._home = home
        self._signer = signer
        self._processes = processes
        self._scheduler = scheduler
        role = ROLES["custodian"]
        institution = home.ledger.call("ParticipantRegistry", "requireRole", signer.address, role)
        self._institution = str(institution)

    def of_files(
        self,
        additions: Iterable[Addition],
        profile: str | None,
        allowed: Allowed,
        progress: Report | None,
        total: int,
    ) -> Iterator[Added]:
        """Add files as they are, or de-identified by a profile."""
        chosen = Profile.parse(profile).name if profile else ""

        def batch(addition: Addition) -> StudyBatch:
            purpose = Purpose(self._institution, parse_address(addition.patient), chosen)
            return self._found(addition, purpose, allowed)

        return self._ingest(map(batch, additions), progress, total)

    def of_version(
        self, image_id: str, profile: str, allowed: Allowed, progress: Report | None
    ) -> Iterator[Added]:
        """Add a de-identified version of an image set."""
        home = self._home
        record = home.recognised(image_id)
        image_set = record.image_set
        row = home.held(record.image_id)
        chosen = Profile.parse(profile).name
        purpose = Purpose(self._institution, image_set.patient, chosen, record.image_id)
        secret = home.journal.secret_of(row)
        tasks = [
            Task(
                source=StoredFile(file.cid, secret, file.size),
                name=file.sop_instance,
                size=file.size,
                purpose=purpose,
                visit=image_set.visit,
                course=image_set.course,
                allowed=allowed,
            )
            for file in home.journal.files(row.set_id)
        ]
        return self._ingest([tasks], progress, sum(task.size for task in tasks))

    def _ingest(
        self, batches: Iterable[StudyBatch], progress: Report | None, total: int
    ) -> Iterator[Added]:
        home = self._home
        ingest = Ingest(home.ledger, home.storage, home.folder, home.journal.location)
        return ingest.add(batches, self._institution, self._signer, self._workers, progress, total)

    def _workers(self, temporary: Path) -> Workers:
        """Who stores files: processes of this machine, or a cluster."""
        location, storage = self._home.journal.location, self._home.storage
        if self._scheduler is not None:
            from radledger.imaging.ingest.cluster import Cluster

            return Cluster(self._scheduler, location, storage)
        return WorkerPool(location, storage, temporary, self._processes)

    def _found(self, addition: Addition, purpose: Purpose, allowed: Allowed) -> StudyBatch:
        """A task for each file behind some paths, and what is left out from the start."""
        visit = self._group(purpose, "visit", addition.visit)
        course = self._group(purpose, "course", addition.course) or NONE
        for found in scan(addition.paths):
            if isinstance(found, Candidate):
                name = printable(found.path)
                yield Task(found.path, name, found.size, purpose, visit, course, allowed)
            else:
                yield SkippedFile(found.name, found.reason)

    def _group(
        self, purpose: Purpose, kind: Literal["visit", "course"], name: str | None
    ) -> str | None:
        return self._home.journal.group(purpose, kind, name) if name else None

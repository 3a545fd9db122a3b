"""From files and folders to anchored image sets.

A run that was killed anywhere is finished by the next one with the same files: what is stored
is found by the file's digest, what is sealed is anchored, and nothing is anchored twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from radledger.dicom.profiles import Profile
from radledger.dicom.scan import Candidate, printable, scan
from radledger.imaging import anchoring, pinning
from radledger.imaging.errors import NothingToAdd
from radledger.imaging.home import workplace
from radledger.imaging.journal import Journal
from radledger.imaging.model import NONE, AddResult, SkippedFile
from radledger.imaging.processes import Crew
from radledger.imaging.storing import Outcome, Task, store_file
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.schema import Purpose, SetRow
    from radledger.storage import Storage

__all__ = ["Ingest", "Progress", "found_tasks", "profile_name", "start_workers"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an addition is: bytes read of all bytes, or sets anchored of all sets."""

    stage: Literal["files", "anchoring"]
    done: int
    total: int


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Ingest:
    """What additions of one custodian's home have in common.

    Attributes
    ----------
    ledger, storage
        Where roots and ciphertext go.
    folder
        Where temporary files are.
    journal
        Where the journal is.
    """

    ledger: Ledger
    storage: Storage
    folder: Path
    journal: Path | str

    def add(
        self,
        tasks: Sequence[Task],
        skipped: Sequence[SkippedFile],
        purpose: Purpose,
        signer: LocalAccount,
        report: Report | None = None,
    ) -> list[AddResult]:
        """Store files, then anchor the sets to which they belong.

        Parameters
        ----------
        tasks
            The files, all of one `purpose`.
        skipped
            What was left out before, for the results.
        purpose
            For whom they are added.
        signer
            Who acts for the custodian.
        report
            Called with the progress.

        Returns
        -------
        list of AddResult
            One for each set that the files are in, in the order in which the sets began.

        Raises
        ------
        NothingToAdd
            If no file could be taken.
        HomeBusy
            If another addition runs in this home.
        """
        with workplace(self.folder, "adding") as temporary:
            outcomes = self._stored(tasks, temporary, report)
            journal = Journal(self.journal)
            try:
                return self._anchored(journal, outcomes, skipped, purpose, signer, report)
            finally:
                journal.close()

    def _stored(
        self, tasks: Sequence[Task], temporary: Path, report: Report | None
    ) -> list[Outcome]:
        crew = Crew(self.journal, self.storage, temporary)
        total, done = sum(task.size for task in tasks), 0
        outcomes = []
        for outcome in crew.run(store_file, tasks, _crashed):
            outcomes.append(outcome)
            done += outcome.task.size
            if report:
                report(Progress("files", done, total))
        return outcomes

    def _anchored(
        self,
        journal: Journal,
        outcomes: Sequence[Outcome],
        skipped: Sequence[SkippedFile],
        purpose: Purpose,
        signer: LocalAccount,
        report: Report | None,
    ) -> list[AddResult]:
        journal.abandon("adding")
        with suppress(StorageUnavailable):  # then it goes by a later collection
            pinning.collect(journal, self.storage)
        taken = {each.set_id for each in outcomes if each.set_id is not None and not each.reason}
        left_out = _left_out(outcomes, skipped, taken)
        rows = journal.sets(taken)
        waiting = [row for row in rows if row.state == "open"]
        if waiting:
            public_keys = anchoring.encryption_keys(self.ledger, purpose.custodian, purpose.patient)
            tasks = {each.set_id: each.task for each in outcomes}
            for row in waiting:
                row = _as_stated(journal, row, tasks[row.set_id])
                anchoring.seal(journal, self.storage, row, public_keys)
        # also what an earlier run had sealed and did not live to see anchored
        sealed = journal.unconfirmed(purpose.custodian)
        for start in range(0, len(sealed), 100):
            part = sealed[start : start + 100]
            anchoring.anchor(self.ledger, journal, signer, part)
            if report:
                report(Progress("anchoring", start + len(part), len(sealed)))
        if not taken:
            raise NothingToAdd(
                "none of the files could be taken; the reason is given for each",
                skipped=[{"path": each.path, "reason": each.reason} for each in left_out[None]],
            )
        anchored = {row.set_id for row in sealed}
        return _results(journal, journal.sets(taken), anchored, left_out)


def start_workers() -> None:
    """Let what worker processes need be imported while the caller does something else."""
    Crew.prepare()


def profile_name(profile: str) -> str:
    """A profile's name in its one spelling."""
    return Profile.parse(profile).name


def found_tasks(
    paths: Iterable[Path], purpose: Purpose, visit: str | None, course: str, *, burned_in: bool
) -> tuple[list[Task], list[SkippedFile]]:
    """A task for each file behind some paths, and what is left out from the start."""
    tasks, skipped = [], []
    for found in scan(paths):
        if isinstance(found, Candidate):
            name = printable(found.path)
            tasks.append(Task(found.path, name, found.size, purpose, visit, course, burned_in))
        else:
            skipped.append(SkippedFile(found.name, found.reason))
    return tasks, skipped


def _as_stated(journal: Journal, row: SetRow, task: Task) -> SetRow:
    """An open set under the visit and course that this addition states, not an interrupted one."""
    visit = task.visit or row.visit
    course = row.course if task.course == NONE else task.course
    if (visit, course) == (row.visit, row.course):
        return row
    return journal.regroup(row.set_id, visit, course)


def _crashed(task: Task, reason: str) -> Outcome:
    return Outcome(task, reason=reason)


def _left_out(
    outcomes: Iterable[Outcome], skipped: Iterable[SkippedFile], taken: set[int]
) -> dict[int | None, list[SkippedFile]]:
    """What was left out, by the set among those `taken` to which it would belong, or none."""
    left_out: dict[int | None, list[SkippedFile]] = defaultdict(list)
    left_out[None] += skipped
    for outcome in outcomes:
        if outcome.reason is not None:
            set_id = outcome.set_id if outcome.set_id in taken else None
            left_out[set_id].append(SkippedFile(outcome.task.name, outcome.reason))
    for files in left_out.values():
        files.sort(key=lambda each: each.path)
    return left_out


def _results(
    journal: Journal,
    rows: Sequence[SetRow],
    anchored: set[int],
    left_out: dict[int | None, list[SkippedFile]],
) -> list[AddResult]:
    results: list[AddResult] = []
    for row in rows:
        skipped = left_out[row.set_id] + (left_out[None] if not results else [])
        results.append(
            AddResult(
                image_id=row.image_id or "",
                root=row.root or "",
                manifest_cid=row.manifest_cid or "",
                instances=len(journal.files(row.set_id)),
                skipped=tuple(skipped),
                transaction=row.transaction_hash or "",
                gas=row.gas or 0,
                added=row.set_id in anchored,
            )
        )
    return results

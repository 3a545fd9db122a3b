"""From files and folders to anchored image sets.

The next run with the same files resumes an interrupted one: stored files are found by their
digest, sealed sets are anchored, and nothing is anchored twice.

Workers read, encrypt and store files; this process alone seals sets and signs transactions.  It
holds what is under way and no more, so that an archive of any size takes the same memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from radledger.identity.identities import MOST_NAMED, warn_of_x25519
from radledger.imaging.errors import JournalAltered, WorkerAnswerInvalid
from radledger.imaging.home import custodian_journal, exclusive_workdir
from radledger.imaging.ingest import anchoring
from radledger.imaging.ingest.anchoring import ERASED
from radledger.imaging.ingest.retry import Retry
from radledger.imaging.ingest.storing import FileOutcome, Task, store_files
from radledger.imaging.journal import pinning
from radledger.imaging.journal.identifiers import MIXED
from radledger.imaging.journal.tables import Purpose
from radledger.imaging.model import NONE, Added, AddResult, SkippedFile
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.ingest.workers import Crashed, Work
    from radledger.imaging.journal.journal import Journal
    from radledger.imaging.journal.tables import SetRow
    from radledger.storage import Storage

__all__ = ["Ingest", "Progress", "Report", "StudyBatch", "Workers"]

_BATCH = 100
_KEYS = 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an addition.

    Attributes
    ----------
    files, size, total
        Files that were dealt with, their bytes, and the bytes of all.
    skipped
        How many of the files were not taken.
    sealed, anchored
        Image sets that no file joins any more, and those of them that are on the chain.
    """

    files: int = 0
    size: int = 0
    total: int = 0
    skipped: int = 0
    sealed: int = 0
    anchored: int = 0


Report = Callable[[Progress], None]
StudyBatch = Iterable[Task | SkippedFile]
"""Files whose sets are sealed together once all of them are stored, and what was left out."""


class Workers(Protocol):
    """Who stores the files: a `WorkerPool`, or a `Cluster`."""

    def run(
        self,
        work: Work[Task, FileOutcome],
        tasks: Iterable[Task],
        crashed: Crashed[Task, FileOutcome],
    ) -> Iterator[FileOutcome]:
        """See :meth:`.WorkerPool.run`."""
        ...


@dataclass
class _Open:
    """A lot under way."""

    under_way: set[int] = field(default_factory=set)
    whole: bool = False
    task: Task | None = None  # any of them states the visit and course of all
    taken: dict[int, str] = field(default_factory=dict)  # each set with the name of a file
    left_out: list[tuple[int | None, SkippedFile]] = field(default_factory=list)
    sealed: list[SetRow] = field(default_factory=list)


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
        lots: Iterable[StudyBatch],
        custodian: str,
        signer: LocalAccount,
        workers: Callable[[Path], Workers],
        report: Report | None = None,
        total: int = 0,
    ) -> Iterator[Added]:
        """Store files, then anchor the sets to which they belong.

        Parameters
        ----------
        lots
            The files, those together whose sets are sealed together once all are stored; taken
            as they are needed.
        custodian, signer
            The institution, and who acts for it.
        workers
            Makes who stores the files, with a folder for temporary ones.
        report, total
            Called with the progress, of so many bytes.

        Yields
        ------
        Added
            What became of each lot, as soon as its sets are anchored.

        Raises
        ------
        HomeBusy
            If another addition runs in this home, or on its journal.
        """
        with exclusive_workdir(self.folder, "adding") as temporary:
            journal = custodian_journal(self.folder, self.journal)
            try:
                with journal.claimed("adding"):
                    run = _Run(self, journal, signer, report, Progress(total=total))
                    run.finish_earlier(custodian)
                    yield from run.add(workers(temporary), lots)
            finally:
                journal.close()


class _Run:
    """One addition: which lots are under way, and which sets wait to be anchored."""

    def __init__(
        self,
        ingest: Ingest,
        journal: Journal,
        signer: LocalAccount,
        report: Report | None,
        progress: Progress,
    ) -> None:
        self._ingest = ingest
        self._journal = journal
        self._signer = signer
        self._report = report
        self._progress = progress
        self._noting = Lock()
        self._patience = Retry()
        self._open: dict[int, _Open] = {}
        self._complete: list[_Open] = []
        self._earlier: set[int] = set()
        self._mixed: set[int] = set()
        self._public_keys = lru_cache(_KEYS)(partial(anchoring.encryption_keys, ingest.ledger))
        self._without_hybrid: set[str] = set()

    def finish_earlier(self, custodian: str) -> None:
        """Anchor what an earlier run had sealed and not anchored."""
        rows = self._patience.insist(lambda: self._whole(self._journal.unconfirmed(custodian)))
        self._note(sealed=len(rows))
        for start in range(0, len(rows), _BATCH):
            self._anchor(rows[start : start + _BATCH])
        self._earlier = {row.set_id for row in rows}

    def add(self, workers: Workers, lots: Iterable[StudyBatch]) -> Iterator[Added]:
        """Store, seal and anchor, all at once; a batch is anchored while the next is stored."""
        waiting: list[_Open] = []
        with ThreadPoolExecutor(1) as aside:
            under_way: Future[list[Added]] | None = None
            for _ in self._stored(workers, lots):
                waiting += self._sealed()
                # a lot of which nothing is to be anchored does not wait forever either
                if sum(len(lot.sealed) or 1 for lot in waiting) < _BATCH:
                    continue
                if under_way is not None:
                    yield from under_way.result()
                under_way, waiting = aside.submit(self._anchored, waiting), []
            self._collect()
            if under_way is not None:
                yield from under_way.result()
        yield from self._anchored(waiting)
        warn_of_x25519(self._ingest.ledger, self._without_hybrid)

    def _stored(self, workers: Workers, lots: Iterable[StudyBatch]) -> Iterator[None]:
        """Store all files; after each, and at the end, some lots may be complete."""
        for outcome in workers.run(store_files, self._tasks(lots), _crashed):
            self._patience.succeeded()
            task, reason = outcome.task, outcome.reason
            lot = self._open.get(task.addition)
            if lot is None or task.number not in lot.under_way:
                raise _not_asked(f"a worker answered for {task.name}, which is not under way")
            lot.under_way.remove(task.number)
            if reason is not None:
                lot.left_out.append((outcome.set_id, SkippedFile(task.name, reason)))
            elif outcome.set_id is not None:
                lot.taken.setdefault(outcome.set_id, task.name)
            self._note(files=1, size=task.size, skipped=int(reason is not None))
            self._look_at(task.addition)
            yield
        if self._open:
            raise _not_asked("workers did not answer for all files")
        yield

    def _tasks(self, lots: Iterable[StudyBatch]) -> Iterator[Task]:
        for number, lot in enumerate(lots):
            state = self._open[number] = _Open()
            for place, found in enumerate(lot):
                if isinstance(found, SkippedFile):
                    state.left_out.append((None, found))
                    self._note(skipped=1)
                else:
                    state.under_way.add(place)
                    state.task = self._with_keys(found, state.task)
                    yield replace(state.task, addition=number, number=place)
            state.whole = True
            self._look_at(number)

    def _with_keys(self, task: Task, before: Task | None) -> Task:
        """A task with what its worker needs and may not read in the journal."""
        if before is not None:
            key = before.pseudonym_key  # of the same lot, so of the same patient
        else:
            key = self._patience.insist(lambda: self._journal.pseudonym_key(task.purpose))
        return replace(task, pseudonym_key=key, public_key=self._journal.key.public_key)

    def _look_at(self, number: int) -> None:
        lot = self._open[number]
        if lot.whole and not lot.under_way:
            self._complete.append(self._open.pop(number))

    def _sealed(self) -> list[_Open]:
        """Fix the sets of the lots of which every file is stored."""
        complete, self._complete = self._complete, []
        for lot in complete:
            self._patience.insist(partial(self._seal, lot))
            self._note(sealed=len(lot.sealed))
        return complete

    def _seal(self, lot: _Open) -> None:
        if lot.task is not None and not lot.task.allowed.mixed_patient_ids:
            self._mixed |= self._journal.discard_mixed(lot.taken)
        self._leave_out_lost(lot)
        for row in self._journal.sets(lot.taken):
            _require_asked_for(row, lot.task)
            if row.state == "open":
                if lost := anchoring.lost(self._journal, self._ingest.storage, row):
                    # An earlier run stored them, and they are not among the files of this one.
                    del lot.taken[row.set_id]
                    lot.left_out += [(None, SkippedFile(file.sop_instance, _LOST)) for file in lost]
                    continue
                row = _as_stated(self._journal, row, lot.task)
                public_keys = self._public_keys(row.custodian, row.patient)
                if len(self._without_hybrid) <= MOST_NAMED:
                    who = row.custodian, row.patient
                    self._without_hybrid |= anchoring.without_hybrid(public_keys, *who)
                try:
                    anchoring.seal(self._journal, self._ingest.storage, row, public_keys)
                except JournalAltered:
                    self._journal.discard(row.set_id)
                    lot.left_out.append((None, SkippedFile(lot.taken.pop(row.set_id), _ALTERED)))
        lot.sealed = [row for row in self._journal.sets(lot.taken) if row.state == "sealed"]

    def _whole(self, rows: Sequence[SetRow]) -> list[SetRow]:
        ingest = self._ingest
        return anchoring.whole(ingest.ledger, self._journal, ingest.storage, self._signer, rows)

    def _leave_out_lost(self, lot: _Open) -> None:
        """Report sets that were removed from the journal, such as by another lot of the study."""
        left = {row.set_id for row in self._journal.sets(lot.taken)}
        for set_id in lot.taken.keys() - left:
            reason = MIXED if set_id in self._mixed else _ALTERED
            lot.left_out.append((None, SkippedFile(lot.taken.pop(set_id), reason)))

    def _collect(self) -> None:
        """Unpin what was stored and no row names, now that no process stores any more."""
        self._patience.insist(lambda: self._journal.abandon("adding"))
        with suppress(StorageUnavailable):  # then it goes by a later collection
            pinning.collect(self._journal, self._ingest.storage)

    def _anchored(self, lots: Sequence[_Open]) -> list[Added]:
        """Bring the sealed sets of some lots onto the chain; what became of the lots."""
        rows = {row.set_id: row for lot in lots for row in lot.sealed}
        if rows:
            self._anchor(list(rows.values()))
        anchored = self._earlier.union(rows)
        for lot in lots:
            self._patience.insist(partial(self._leave_out_erased, lot, anchored))
        return self._patience.insist(lambda: [self._added(lot, anchored) for lot in lots])

    def _leave_out_erased(self, lot: _Open, anchored: set[int]) -> None:
        """Report sets that were erased, which a journal from a backup still has."""
        for row in self._journal.sets(lot.taken):
            if anchoring.was_erased(self._ingest.ledger, row, row.set_id in anchored):
                reason = ERASED.format(row.image_id)
                lot.left_out.append((None, SkippedFile(lot.taken.pop(row.set_id), reason)))

    def _anchor(self, rows: Sequence[SetRow]) -> None:
        self._patience.insist(
            lambda: anchoring.anchor(self._ingest.ledger, self._journal, self._signer, rows)
        )
        self._note(anchored=len(rows))

    def _added(self, lot: _Open, anchored: set[int]) -> Added:
        left_out: dict[int | None, list[SkippedFile]] = defaultdict(list)
        for set_id, skipped in sorted(lot.left_out, key=lambda each: each[1].path):
            left_out[set_id if set_id in lot.taken else None].append(skipped)
        results = [
            AddResult(
                image_id=row.image_id or "",
                root=row.root or "",
                manifest_cid=row.manifest_cid or "",
                instances=len(self._journal.files(row.set_id)),
                skipped=tuple(left_out[row.set_id]),
                transaction=row.transaction_hash or "",
                gas=row.gas or 0,
                added=row.set_id in anchored,
            )
            for row in self._journal.sets(lot.taken)
        ]
        return Added(tuple(results), tuple(left_out[None]))

    def _note(self, **more: int) -> None:
        with self._noting:
            counted = {name: getattr(self._progress, name) + n for name, n in more.items()}
            self._progress = replace(self._progress, **counted)
            if self._report is not None:
                self._report(self._progress)


_LOST = "the store has lost this file of the series; add all files of the series again"
_ALTERED = "the journal's row of this file's series was replaced; add all files of the series again"


def _require_asked_for(row: SetRow, task: Task | None) -> None:
    """Workers say in which sets they put files; they were asked to do so for one purpose."""
    purpose = Purpose(row.custodian, row.patient, row.profile, row.parent)
    if task is None or purpose != task.purpose:
        raise _not_asked(
            f"a worker answered with image set {row.set_id} of patient {row.patient}, which is "
            "not the patient, custodian, profile or original that it was given",
            set=row.set_id,
            patient=row.patient,
        )


def _not_asked(answer: str, **values: Any) -> WorkerAnswerInvalid:
    return WorkerAnswerInvalid(
        f"{answer}; see that only workers of yours reach the scheduler and the journal, then run "
        "again",
        **values,
    )


def _as_stated(journal: Journal, row: SetRow, task: Task | None) -> SetRow:
    """An open set under the visit and course that this addition states, not an interrupted one."""
    visit = task.visit if task and task.visit else row.visit
    course = task.course if task and task.course != NONE else row.course
    if (visit, course) == (row.visit, row.course):
        return row
    return journal.regroup(row, visit, course)


def _crashed(task: Task, reason: str) -> FileOutcome:
    return FileOutcome(task, reason=reason)

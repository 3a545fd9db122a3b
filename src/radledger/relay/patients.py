"""The patients: subjects that image sets name, read from the chain once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.databases import SqliteDatabase

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["Patients"]

_REGISTRY = "ImageRegistry"
_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS patients (address TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS patients_read (block INTEGER NOT NULL) STRICT;
""",
)


class Patients:
    """A table of patients that follows the chain; safe to use from several threads.

    Each block is read once, for all addresses. Anyone can make addresses and ask about them: those
    cost the node at most one question for each new block.

    Parameters
    ----------
    ledger
        The deployed contracts.
    path
        The database. What is lost with it is read again.

    Examples
    --------
    >>> patients = Patients(ledger, home / "relay" / "queue.sqlite3")  # doctest: +SKIP
    >>> patients.include(subject, block=1_000, settled=936)            # doctest: +SKIP
    True
    """

    def __init__(self, ledger: Ledger, path: Path) -> None:
        self._ledger = ledger
        self._database = SqliteDatabase(path, _SCHEMA)
        self._reading = threading.Lock()
        self._latest: int | None = None

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def include(self, subject: str, *, block: int, settled: int) -> bool:
        """Whether an accredited custodian anchored an image set of a subject.

        Parameters
        ----------
        subject
            The address, in EIP-55 form.
        block
            Number of the latest block.
        settled
            Number of a block that stays as it is: later ones are read again.

        Raises
        ------
        RequestFailed, ConnectionFailed
            If the node does not give the events of blocks that were not read yet.
        """
        if self._knows(subject):
            return True
        with self._reading:
            if block != self._latest:
                self._read(block, settled)
                self._latest = block
        return self._knows(subject)

    def _knows(self, subject: str) -> bool:
        return bool(self._database.rows("SELECT 1 FROM patients WHERE address = ?", subject))

    def _read(self, block: int, settled: int) -> None:
        decoder = self._ledger.decoder(_REGISTRY)
        deployed = self._ledger.deployment.contracts[_REGISTRY].block
        read = [number for (number,) in self._database.rows("SELECT block FROM patients_read")]
        # A development chain that was set back has fewer blocks than were read.
        first = max(deployed, 1 + min(settled, *read)) if read else deployed
        for last, logs in self._ledger.logs(_REGISTRY, ["ImageAnchored"], first, block):
            with self._database.writing(durable=False) as write:
                for log in logs:
                    _, _, args = decoder.decode(log)
                    write("INSERT OR IGNORE INTO patients VALUES (?)", args["patient"])
                write("DELETE FROM patients_read")
                write("INSERT INTO patients_read VALUES (?)", min(last, settled))

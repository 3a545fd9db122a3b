"""The transparency log of the receipts that a home released for.

The book of receipts decides: what is in it is logged, in its order, at the next publication.  The
log has of a receipt its digest, with a salt that its nonce gives: the holder of the receipt finds
it there, and no one else can tell what was read, or which receipt of the access ledger it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.access.anchoring import anchors_of, earliest
from radledger.access.errors import (
    LogProofInvalid,
    PolicyInvalid,
    ReceiptLogExists,
    ReceiptLogMissing,
)
from radledger.access.ids import parse_digest
from radledger.files import private_folder, write_atomically
from radledger.tlog import FolderSource, Log, LogSigner, publish
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import proof_text
from radledger.verify.logged.policy import Policy, read_policy
from radledger.verify.logged.receipt import logged, receipt_entry, receipt_salt

if TYPE_CHECKING:
    from radledger.access.book import ReceiptBook
    from radledger.access.model import LogAnchor
    from radledger.access.receipts import Receipt, SignedReceipt
    from radledger.chain.ledger import Ledger
    from radledger.verify.logged.notes import Checkpoint

__all__ = [
    "LogProof",
    "PublishedLog",
    "ReceiptLog",
    "check_log_proof",
    "entry_of",
    "policy_from",
    "salt_of",
]

_BATCH = 1000
_POLICY = """# Who is believed: a policy of C2SP (https://c2sp.org/tlog-policy). Add witnesses like
#   witness patients witness.patients.example+… https://witness.patients.example/
# and name those that have to cosign. Those who check proofs need this file.
log {vkey}
quorum none
"""


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """A log of receipts that was just published.

    Attributes
    ----------
    log
        Its origin.
    size, root
        How many entries its checkpoint covers, and their root.
    added
        How many receipts are new in it.
    witnesses
        When each witness cosigned, Unix time.
    refused
        Why others did not.
    """

    log: str
    size: int
    root: str
    added: int
    witnesses: dict[str, int]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class LogProof:
    """What a ``.tlog-proof`` shows: a receipt, its place in a log, and who cosigned that.

    `anchored` is where its checkpoint is on the chain, by which block the receipt was logged; none
    if it is not there, or the chain was not asked.
    """

    receipt: str
    log: str
    index: int
    size: int
    root: str
    witnesses: dict[str, int]
    anchored: LogAnchor | None = None


class ReceiptLog:
    """The log of this home's receipts on one chain.

    Parameters
    ----------
    ledger
        The connected chain.
    receipts
        The book of receipts.
    folder
        Where the log is kept: ``key``, ``policy`` and ``entries.sqlite3``; ``public/`` is for any
        static server.

    Examples
    --------
    >>> log = ReceiptLog(ledger, book, home / "log" / "chain")         # doctest: +SKIP
    >>> log.create("gateway.hospital.example/log")                     # doctest: +SKIP
    >>> log.publish().size                                             # doctest: +SKIP
    3
    >>> Path("receipt.tlog-proof").write_text(log.prove(receipt))      # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger, receipts: ReceiptBook, folder: Path) -> None:
        self._ledger = ledger
        self._receipts = receipts
        self._folder = folder

    @property
    def exists(self) -> bool:
        """Whether a log has been begun."""
        return (self._folder / "key").exists()

    @property
    def vkey(self) -> str:
        """Its verifier key, for policies.

        Raises
        ------
        ReceiptLogMissing
            If no log has been begun.
        """
        return self._signer().key.vkey

    @property
    def public(self) -> Path:
        """The folder with the files by which others read it."""
        return self._folder / "public"

    @property
    def source(self) -> FolderSource:
        """Those files, to be read."""
        return FolderSource(self.public)

    @property
    def policy(self) -> Policy:
        """Its own key and its witnesses, from the file ``policy``.

        Raises
        ------
        ReceiptLogMissing
            If no log has been begun.
        PolicyInvalid
            If the file is missing or not a policy.
        """
        self._signer()
        return policy_from(self._folder / "policy")

    def published(self) -> Checkpoint | None:
        """The checkpoint that others read; none before the first.

        Raises
        ------
        ReceiptLogMissing
            If no log has been begun.
        LogDiffers
            If it is not of this log.
        """
        log = self._log()
        try:
            return log.published()
        finally:
            log.close()

    def create(self, origin: str) -> str:
        """Begin the log, with a new key.

        Parameters
        ----------
        origin
            Its name, by which it is known for good: the address of its public files without the
            scheme, such as ``gateway.hospital.example/log``.

        Returns
        -------
        str
            The verifier key, for policies.

        Raises
        ------
        InvalidOrigin
            If the origin is empty, or has white space or a plus.
        ReceiptLogExists
            If there is one.
        """
        signer = LogSigner.new(origin)
        if self.exists:
            known = self._signer().key.name
            raise ReceiptLogExists(
                f"this home's log of receipts is {known}; publish it without another origin",
                log=known,
            )
        # The key last: with it the log exists, and it is never replaced.
        private_folder(self._folder)
        write_atomically(self._folder / "policy", _POLICY.format(vkey=signer.key.vkey))
        signer.write(self._folder / "key")
        return signer.key.vkey

    def publish(self) -> PublishedLog:
        """Log all receipts of the book that are not logged yet, and publish a checkpoint.

        Raises
        ------
        ReceiptLogMissing
            If no log has been begun.
        WitnessesMissing
            If too few witnesses cosigned: the receipts are logged, and published next time.
        LogDiffers
            If the log's files and database are of different times; see `Log`.
        """
        log, policy = self._log(), self.policy
        try:
            added = self._follow(log)
            done = publish(log, policy, lambda: int(time.time()))
        finally:
            log.close()
        checkpoint = done.checkpoint
        return PublishedLog(
            checkpoint.origin,
            checkpoint.size,
            "0x" + checkpoint.root.hex(),
            added,
            done.witnesses,
            done.refused,
        )

    def prove(self, receipt: str) -> str:
        """Prove that a receipt is in the published log, as the text of a ``.tlog-proof``.

        It is by the first checkpoint on the chain that covers the receipt, if there is one.

        Parameters
        ----------
        receipt
            Its digest.

        Raises
        ------
        UnknownReceipt
            If this home did not release for it.
        EntryUnknown, EntryPending
            If it is not published yet.
        ReceiptLogMissing
            If no log has been begun.
        """
        signed = self._receipts.released(self._ledger, receipt).signed.receipt
        log = self._log()
        try:
            digest, salt = parse_digest(receipt), salt_of(signed)
            entry = receipt_entry(digest, salt)
            under = self._anchored(log.find(entry))
            text = proof_text(log.prove(entry, digest + salt, under))
        finally:
            log.close()
        check_log_proof(text.encode(), self.policy)
        return text

    # --- internal -------------------------------------------------------------------------------

    def _anchored(self, index: int) -> Checkpoint | None:
        """The first checkpoint on the chain that covers an entry."""
        return earliest(anchors_of(self._ledger, self._signer().key.name), self.source, index)

    def _signer(self) -> LogSigner:
        try:
            return LogSigner.read(self._folder / "key")
        except FileNotFoundError:
            raise ReceiptLogMissing(
                "this home has no log of receipts; begin one with `radledger receipt publish "
                "--origin NAME`, such as gateway.hospital.example/log"
            ) from None

    def _log(self) -> Log:
        return Log(self._folder, self._signer())

    def _follow(self, log: Log) -> int:
        """Log what the book has more than the log; how many receipts that is."""
        last, after, added = log.last(), 0, 0
        if last is not None:
            known = self._receipts.since(last.origin - 1, 1)
            # In a book that was restored from a backup, the number may be that of another.
            if known and _numbered(known[0]) == (last.origin, last.entry):
                after = last.origin
        while batch := self._receipts.since(after, _BATCH):
            added += log.append(
                _numbered(each) for each in batch if each[2].receipt.is_for(self._ledger)
            )
            after = batch[-1][0]
        return added


def check_log_proof(data: bytes, policy: Policy) -> LogProof:
    """What a ``.tlog-proof`` of a receipt shows, without asking anyone.

    Raises
    ------
    LogProofInvalid
        If it does not show that a log of the policy has the receipt, or too few witnesses cosigned.
    """
    try:
        return LogProof(**logged(data, policy))
    except Invalid as error:
        raise LogProofInvalid(
            f"the proof does not hold: {' '.join(error.args)}; have it made again",
        ) from None


def policy_from(path: Path) -> Policy:
    """A policy from its file.

    Raises
    ------
    PolicyInvalid
        If it is missing, or not a policy.
    """
    try:
        return read_policy(path.read_bytes())
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
    except Invalid as error:
        why = " ".join(error.args)
    raise PolicyInvalid(
        f"{path} is not a policy of logs and witnesses: {why}; see https://c2sp.org/tlog-policy",
        path=str(path),
    )


def entry_of(receipt: Receipt, digest: bytes) -> bytes:
    """What the log has of a receipt of this digest."""
    return receipt_entry(digest, salt_of(receipt))


def salt_of(receipt: Receipt) -> bytes:
    """The salt of what the log has of a receipt."""
    return receipt_salt(bytes.fromhex(receipt.nonce[2:]))


def _numbered(row: tuple[int, bytes, SignedReceipt]) -> tuple[int, bytes]:
    number, digest, signed = row
    return number, entry_of(signed.receipt, digest)

"""A patient's readings, from all custodians of their image sets: collected, checked, remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from radledger.access.acknowledgements import CONTRACT
from radledger.access.days import day_of
from radledger.access.errors import LogProofInvalid
from radledger.access.model import DemandState
from radledger.access.receipt_log import check_log_proof
from radledger.access.roots import Proven, Roots
from radledger.access.shown import ShownReceipt
from radledger.access.shown_book import ShownBook
from radledger.chain.signatures import signature_bytes
from radledger.chain.signers import is_signed_by
from radledger.errors import RadLedgerError
from radledger.imaging.records import find_records
from radledger.texts import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from radledger.access.book import Acknowledged, ReceiptBook
    from radledger.access.ledger import AccessLedger
    from radledger.access.model import Proof
    from radledger.access.receipts import SignedReceipt
    from radledger.access.shown import Shower
    from radledger.chain.ledger import Ledger
    from radledger.verify.logged.policy import Policy

__all__ = ["Collected", "Collector", "CustodianReport", "Disclosed"]

_MOST = 100_000
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A receipt for an image set, and what shows it.

    Attributes
    ----------
    signed
        The receipt.
    released_at
        Unix time.
    custodian
        Whose key service released; none where that is not known.
    shown_by
        The gateway's address, or ``here``; ``earlier`` if this home has it from before and the
        custodian does not show it now.
    proven, proof
        What the chain shows of it, and by which proof.
    log_index, log_proof
        Its place in a transparency log whose policy is believed, and the proof of that.
    """

    signed: SignedReceipt
    released_at: int
    custodian: str | None = None
    shown_by: str = "here"
    proven: Proven | None = None
    proof: Proof | None = None
    log_index: int | None = None
    log_proof: str | None = None


@dataclass(frozen=True, slots=True)
class CustodianReport:
    """Whether a custodian shows a patient all that can be known of.

    Attributes
    ----------
    custodian, shown_by
        Who, and at which gateway; ``here`` if it is this home.
    complete
        Whether it answered, and nothing below is missing.
    unanswered
        Why it showed nothing, or not all; none if it answered.
    image_sets, receipts
        How many image sets of the patient it has, and how many receipts it shows for them.
    anchored, pending, not_recorded, logged
        How many of the receipts are under a root on the chain, can still be, cannot be as the
        custodian had no recorder then, and are in a log whose policy is believed.
    unproven, missing
        Receipts whose day has a root under which nothing shows them; whose day has no root.
    unsigned
        Receipts that no owner of the reader's identity signed.
    withheld
        Receipts that it showed before or acknowledged to this home, and does not show now.
    omitted
        Receipts of anyone that were demanded of it on the chain, and not shown in time.
    days_without_root
        Past days on which it had a recorder and anchored nothing.
    """

    custodian: str
    shown_by: str | None
    complete: bool
    unanswered: str | None
    image_sets: int
    receipts: int
    anchored: int
    pending: int
    not_recorded: int
    logged: int
    unproven: tuple[str, ...]
    missing: tuple[str, ...]
    unsigned: tuple[str, ...]
    withheld: tuple[str, ...]
    omitted: tuple[str, ...]
    days_without_root: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What the custodians of a patient's image sets show, and a report for each."""

    disclosed: tuple[Disclosed, ...]
    reports: tuple[CustodianReport, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    custodian: str
    shown_by: str | None
    unanswered: str | None
    image_sets: int


class Collector:
    """Collects the readings of a patient's image sets.

    Parameters
    ----------
    ledger
        The connected chain, which decides what a proof shows.
    access_ledger
        Demands on that chain.
    receipts
        The book of this home, with what was acknowledged to it.
    path
        The database of what custodians showed before.
    policy
        Logs and witnesses that are believed; without it, proofs of logs are not checked.

    Examples
    --------
    >>> collector = Collector(ledger, access_ledger, book, home / "shown.sqlite3")  # doctest: +SKIP
    >>> found = collector.collect(patient.address, gateway_of)      # doctest: +SKIP
    >>> [report.complete for report in found.reports]               # doctest: +SKIP
    [True]
    """

    def __init__(
        self,
        ledger: Ledger,
        access_ledger: AccessLedger,
        receipts: ReceiptBook,
        path: Path,
        policy: Policy | None = None,
    ) -> None:
        self._ledger = ledger
        self._access_ledger = access_ledger
        self._receipts = receipts
        self._book = ShownBook(path)
        self._policy = policy

    def collect(self, patient: str, shower_of: Callable[[str], Shower | None]) -> Collected:
        """Ask each custodian of the patient's image sets, and check what they show.

        Parameters
        ----------
        patient
            The patient's address.
        shower_of
            What shows the receipts of a custodian; none if it publishes no gateway.
        """
        images: dict[str, set[str]] = {}
        for record in find_records(self._ledger, patient=patient):
            images.setdefault(record.image_set.custodian, set()).add(record.image_id)
        disclosed: list[Disclosed] = []
        reports = []
        for custodian, image_ids in images.items():
            found, report = self._from(custodian, image_ids, patient, shower_of)
            disclosed += found
            reports.append(report)
        return Collected(tuple(disclosed), tuple(reports))

    def _from(
        self,
        custodian: str,
        image_ids: set[str],
        patient: str,
        shower_of: Callable[[str], Shower | None],
    ) -> tuple[list[Disclosed], CustodianReport]:
        shown, where, unanswered = self._shown(custodian, image_ids, patient, shower_of)
        known = self._book.known(custodian, patient)
        self._book.keep(custodian, patient, known, shown.values())
        roots = Roots(self._ledger, custodian)
        disclosed = [self._disclosed(each, custodian, where, roots) for each in shown.values()]
        earlier = {digest: each for digest, each in known.items() if digest not in shown}
        disclosed += [self._disclosed(each, custodian, None, roots) for each in earlier.values()]
        for each in self._acknowledged(custodian, image_ids):
            digest = each.signed.receipt.digest
            if digest not in shown and digest not in earlier:
                kept = ShownReceipt(1, each.signed, each.signed.receipt.time, None, None)
                earlier[digest] = kept
                disclosed.append(self._disclosed(kept, custodian, None, roots))
        withheld = () if unanswered else tuple(sorted("0x" + digest.hex() for digest in earlier))
        now = [each for each in disclosed if each.shown_by != "earlier"]
        answer = _Answer(custodian, where, unanswered, len(image_ids))
        return disclosed, self._report(answer, now, withheld, roots)

    def _report(
        self, answer: _Answer, shown: list[Disclosed], withheld: tuple[str, ...], roots: Roots
    ) -> CustodianReport:
        unproven, missing = _digests(shown, Proven.UNPROVEN), _digests(shown, Proven.MISSING)
        unsigned = tuple(
            "0x" + each.signed.receipt.digest.hex()
            for each in shown
            if not self._is_signed(each.signed)
        )
        omitted, lacking = self._omitted(answer.custodian), roots.lacking()
        faults = (answer.unanswered, unproven, missing, unsigned, withheld, omitted, lacking)
        return CustodianReport(
            custodian=answer.custodian,
            shown_by=answer.shown_by,
            complete=not any(faults),
            unanswered=answer.unanswered,
            image_sets=answer.image_sets,
            receipts=len(shown),
            anchored=len(_digests(shown, Proven.ANCHORED)),
            pending=len(_digests(shown, Proven.PENDING)),
            not_recorded=len(_digests(shown, Proven.NOT_RECORDED)),
            logged=sum(each.log_index is not None for each in shown),
            unproven=unproven,
            missing=missing,
            unsigned=unsigned,
            withheld=withheld,
            omitted=omitted,
            days_without_root=lacking,
        )

    def _shown(
        self,
        custodian: str,
        image_ids: set[str],
        patient: str,
        shower_of: Callable[[str], Shower | None],
    ) -> tuple[dict[bytes, ShownReceipt], str | None, str | None]:
        """What a custodian shows by digest, where, and why that is not all."""
        shown: dict[bytes, ShownReceipt] = {}
        where = None
        try:
            shower = shower_of(custodian)
            if shower is None:
                return shown, None, "it publishes no gateway"
            where = shower.where
            for each in islice(shower.receipts(patient), _MOST):
                receipt = each.signed.receipt
                if not receipt.is_for(self._ledger) or receipt.image_id not in image_ids:
                    other = f"it shows a receipt of something else: {receipt.image_id}"
                    return shown, where, other
                shown[receipt.digest] = each
        except RadLedgerError as error:
            return shown, where, one_line(error)
        many = f"it shows {_MOST:,} receipts or more" if len(shown) >= _MOST else None
        return shown, where, many

    def _disclosed(
        self, shown: ShownReceipt, custodian: str, where: str | None, roots: Roots
    ) -> Disclosed:
        receipt = shown.signed.receipt
        proven = roots.proven(receipt.digest, day_of(shown.released_at), shown.proof)
        # A receipt under the root of another day than its own shows that the day was chosen.
        if abs(shown.released_at - receipt.time) > _DAY:
            proven = Proven.UNPROVEN
        index = self._log_index(shown)
        return Disclosed(
            signed=shown.signed,
            released_at=shown.released_at,
            custodian=custodian,
            shown_by=where or "earlier",
            proven=proven,
            proof=shown.proof if proven is Proven.ANCHORED else None,
            log_index=index,
            log_proof=None if index is None else shown.log_proof,
        )

    def _log_index(self, shown: ShownReceipt) -> int | None:
        if self._policy is None or shown.log_proof is None:
            return None
        try:
            proof = check_log_proof(shown.log_proof.encode(), self._policy)
        except LogProofInvalid:
            return None
        return proof.index if proof.receipt == "0x" + shown.signed.receipt.digest.hex() else None

    def _acknowledged(self, custodian: str, image_ids: set[str]) -> Iterable[Acknowledged]:
        """Receipts for these image sets that the custodian acknowledged to this home."""
        return (
            each
            for each in self._receipts.acknowledged()
            if each.acknowledgement.institution == custodian
            and each.signed.receipt.image_id in image_ids
            and each.signed.receipt.is_for(self._ledger)
        )

    def _omitted(self, custodian: str) -> tuple[str, ...]:
        if CONTRACT not in self._ledger.deployment.contracts:
            return ()
        demands = self._access_ledger.demands(custodian)
        return tuple(each.receipt for each in demands if each.state is DemandState.OMITTED)

    def _is_signed(self, signed: SignedReceipt) -> bool:
        """Whether someone signed who owns the reader's identity, or once did."""
        if signed.signer == signed.receipt.reader:
            return True
        owners = self._owners(signed.receipt.reader)
        if signed.signer in owners:
            return True
        try:
            signature = signature_bytes(signed.signature)
        except ValueError:
            return False
        digest = signed.receipt.digest
        return any(is_signed_by(self._ledger.web3, each, digest, signature) for each in owners)

    def _owners(self, identity: str) -> set[str]:
        """All that ever owned an identity, or an identity that owned it."""
        known: set[str] = set()
        wanted = {identity}
        while wanted:
            known |= wanted
            changes = self._ledger.events(
                "IdentityRegistry", "DIDOwnerChanged", identity=sorted(wanted)
            )
            wanted = {event.args["owner"] for event in changes} - known
        return known


def _digests(disclosed: Iterable[Disclosed], proven: Proven) -> tuple[str, ...]:
    return tuple(
        "0x" + each.signed.receipt.digest.hex() for each in disclosed if each.proven is proven
    )

"""What this home shows patients: the receipts that it keeps for their image sets, proven."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from radledger.access.days import day_of
from radledger.access.ids import parse_digest
from radledger.access.model import Proof
from radledger.access.roots import Roots
from radledger.access.shown import Page, ShownReceipt
from radledger.crypto.merkle import MerkleTree
from radledger.errors import RadLedgerError
from radledger.imaging.errors import ImageUnknown
from radledger.imaging.records import find_records, image_record

if TYPE_CHECKING:
    from radledger.access.book import ReceiptBook, Release
    from radledger.access.log import Access
    from radledger.access.receipt_log import ReceiptLog
    from radledger.chain.ledger import Ledger

__all__ = ["HereShown", "Showing"]

_MOST = 25
"""Receipts of a page: with their proofs they are less than half a megabyte."""
_MOST_TREES = 8


class Showing:
    """Shows the receipts of a home.

    Parameters
    ----------
    ledger
        The connected chain.
    receipts
        The book of receipts.
    receipt_log
        The transparency log of the book, which may not have been begun.
    """

    def __init__(self, ledger: Ledger, receipts: ReceiptBook, receipt_log: ReceiptLog) -> None:
        self._ledger = ledger
        self._receipts = receipts
        self._receipt_log = receipt_log
        self._trees = _Trees(ledger, receipts)

    def page(self, custodian: str, patient: str, after: int = 0) -> Page:
        """The receipts for a custodian's image sets of a patient, after a number of the book."""
        images = find_records(self._ledger, custodian=custodian, patient=patient)
        found = self._receipts.of_images([each.image_id for each in images], after, _MOST)
        roots = Roots(self._ledger, custodian)
        shown = tuple(self.shown(number, release, custodian, roots) for number, release in found)
        return Page(shown, found[-1][0] if len(found) == _MOST else None)

    def shown(self, number: int, release: Release, custodian: str, roots: Roots) -> ShownReceipt:
        """One receipt, with its proofs as far as there are any."""
        digest = release.signed.receipt.digest
        return ShownReceipt(
            number=number,
            signed=release.signed,
            released_at=release.released_at,
            proof=self._proof(digest, custodian, day_of(release.released_at), roots),
            log_proof=self._log_proof(digest),
        )

    def proven(self, log: Iterable[Access]) -> list[Access]:
        """An access log whose readings are those of this home, with what proves each on the chain.

        Those of image sets that the chain does not know stay as they are.
        """
        custodians: dict[str, str | None] = {}
        roots: dict[str, Roots] = {}
        return [self._proven(each, custodians, roots) for each in log]

    def _proven(
        self, access: Access, custodians: dict[str, str | None], roots: dict[str, Roots]
    ) -> Access:
        if access.event != "released" or access.images is None:
            return access
        if access.images not in custodians:
            custodians[access.images] = self._custodian(access.images)
        custodian = custodians[access.images]
        if custodian is None:
            return access
        if custodian not in roots:
            roots[custodian] = Roots(self._ledger, custodian)
        digest, day = parse_digest(access.evidence), day_of(access.timestamp)
        proof = self._proof(digest, custodian, day, roots[custodian])
        state = roots[custodian].proven(digest, day, proof)
        return replace(access, custodian=custodian, proven=state, proof=proof)

    def _custodian(self, image_id: str) -> str | None:
        try:
            return image_record(self._ledger, image_id).image_set.custodian
        except ImageUnknown:
            return None

    def _proof(self, digest: bytes, custodian: str, day: date, roots: Roots) -> Proof | None:
        root = roots.by_day.get(day)
        if root is None:
            return None
        tree = self._trees.of(day, root)
        siblings = None if tree is None else tree.proof(digest)
        if siblings is None:
            return None  # the book is not the one over which the root was made
        named = tuple("0x" + each.hex() for each in siblings)
        return Proof("0x" + digest.hex(), custodian, day, root, named)

    def _log_proof(self, digest: bytes) -> str | None:
        if not self._receipt_log.exists:
            return None
        try:
            return self._receipt_log.prove("0x" + digest.hex())
        except RadLedgerError:
            return None  # not published yet; who watches the log sees whether it ever is


class HereShown:
    """Shows a patient what this home keeps for one custodian.

    Parameters
    ----------
    showing
        The receipts of the home.
    custodian
        Whose they are.
    """

    where = "here"

    def __init__(self, showing: Showing, custodian: str) -> None:
        self._showing = showing
        self._custodian = custodian

    def receipts(self, patient: str) -> Iterator[ShownReceipt]:
        """All receipts for the patient's image sets, oldest first."""
        after: int | None = 0
        while after is not None:
            page = self._showing.page(self._custodian, patient, after)
            yield from page.receipts
            after = page.next


class _Tree:
    def __init__(self, digests: list[bytes]) -> None:
        self._tree = MerkleTree(digests)
        self._places = {digest: place for place, digest in enumerate(digests)}

    @property
    def root(self) -> str:
        return "0x" + self._tree.root.hex()

    def proof(self, digest: bytes) -> list[bytes] | None:
        place = self._places.get(digest)
        return None if place is None else self._tree.proof(place)


class _Trees:
    """The trees of days, those that were asked for last kept."""

    def __init__(self, ledger: Ledger, receipts: ReceiptBook) -> None:
        self._ledger = ledger
        self._receipts = receipts
        self._kept: OrderedDict[tuple[date, str], _Tree] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, day: date, root: str) -> _Tree | None:
        """The tree over a day's receipts; none if it has not that root."""
        with self._lock:
            if (day, root) in self._kept:
                self._kept.move_to_end((day, root))
                return self._kept[day, root]
            contract = self._ledger.address("ConsentRegistry")
            digests = self._receipts.on_day(day, self._ledger.chain_id, contract)
            if not digests or (tree := _Tree(digests)).root != root:
                return None
            self._kept[day, root] = tree
            while len(self._kept) > _MOST_TREES:
                self._kept.popitem(last=False)
            return tree

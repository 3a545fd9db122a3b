"""Receipts that cannot be left out unseen: the service over ``AccessLedger``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from radledger.access import bindings
from radledger.access.acknowledgements import CONTRACT
from radledger.access.bindings import RootState
from radledger.access.days import day_of, to_number
from radledger.access.errors import InstitutionUnclear, UnknownDemand, UnknownReceipt
from radledger.access.ids import parse_digest
from radledger.access.model import (
    Anchored,
    Demand,
    Demanded,
    KeptReceipt,
    LogAnchor,
    Proof,
    Root,
)
from radledger.access.proofs import check, proof_of, root_of
from radledger.access.state import AccessState
from radledger.chain.action import Action, last, one_call
from radledger.chain.ledger import Call
from radledger.crypto.merkle import MerkleTree
from radledger.identity.address import parse_address
from radledger.imaging.errors import ImageUnknown
from radledger.imaging.records import image_record

if TYPE_CHECKING:
    from radledger.access.book import ReceiptBook
    from radledger.access.receipts import SignedReceipt
    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["AccessLedger"]

_RECORDERS = ("AccessRecorderAppointed", "AccessRecorderDismissed")
_DEMANDS = ("AccessDemanded", "AccessAnswered")


class AccessLedger:
    """Anchor the receipts of a home, prove and demand them.

    The book of a home that anchors is one institution's: all receipts of a day go under its root.
    What people do is an :class:`~radledger.chain.action.Action`, which they send and pay.

    Parameters
    ----------
    ledger
        The connected chain.
    receipts
        The receipts that this home keeps.

    Examples
    --------
    >>> access = AccessLedger(ledger, ReceiptBook(home / "receipts.sqlite3"))  # doctest: +SKIP
    >>> access.appoint(recorder.address).send(hospital)                        # doctest: +SKIP
    >>> for day in access.unanchored(hospital.address):                        # doctest: +SKIP
    ...     access.anchor(hospital.address, day).send(recorder)
    >>> demanded = access.demand(receipt).send(radiologist)                    # doctest: +SKIP
    >>> access.answer(demanded.demand_id).send(hospital)                       # doctest: +SKIP
    """

    def __init__(self, ledger: Ledger, receipts: ReceiptBook) -> None:
        self._ledger = ledger
        self._receipts = receipts

    # --- the institution ------------------------------------------------------------------------

    def appoint(self, recorder: str) -> Action[Receipt]:
        """Appoint a key that acknowledges and anchors receipts for the signer's institution.

        Parameters
        ----------
        recorder
            Its address.  It needs no role and no Ether, and can be appointed once.

        Raises
        ------
        InvalidAddress
            If it is not an address.
        """
        call = Call(CONTRACT, "appoint", (parse_address(recorder),))
        return one_call(self._ledger, lambda _: call)

    def dismiss(self, recorder: str) -> Action[Receipt]:
        """Dismiss a recorder of the signer's institution; what it acknowledged stays binding.

        Raises
        ------
        InvalidAddress
            If it is not an address.
        """
        call = Call(CONTRACT, "dismiss", (parse_address(recorder),))
        return one_call(self._ledger, lambda _: call)

    def recorders(self, institution: str | None = None) -> tuple[tuple[str, str], ...]:
        """Institutions and the keys that record for them now; of one institution, or of all."""
        events = self._ledger.events(CONTRACT, *_RECORDERS, **_of(institution))
        return tuple(AccessState.of(events).recorders())

    def institution_of(self, recorder: str) -> str:
        """The institution of which an account is the recorder.

        Raises
        ------
        InstitutionUnclear
            If it is a recorder of none, or of several.
        """
        events = self._ledger.events(CONTRACT, *_RECORDERS, recorder=recorder)
        found = [institution for institution, _ in AccessState.of(events).recorders()]
        if len(found) != 1:
            raise InstitutionUnclear(
                f"{recorder} is a recorder of {len(found)} institutions; name the institution with "
                "--institution, which appoints it with `radledger receipt appoint`",
                recorder=recorder,
                institutions=found,
            )
        return found[0]

    # --- the recorder ---------------------------------------------------------------------------

    def record(self, receipt: str, *, checked: bool = False) -> Action[Receipt]:
        """Record a receipt of this home by itself, by its digest.

        Parameters
        ----------
        receipt
            Its digest.
        checked
            Whether the contract checks the reader's signature, which shows who read.

        Raises
        ------
        UnknownReceipt
            If this home did not release for it.
        """
        release = self._receipts.released(self._ledger, receipt)
        signed, institution = release.signed, self._custodian(release.signed)
        if checked:
            told = (signed.receipt.content, signed.signer, signed.standard_signature)
            call = Call(CONTRACT, "recordSigned", (institution, *told))
        else:
            call = Call(CONTRACT, "record", (institution, signed.receipt.digest))
        return one_call(self._ledger, lambda _: call)

    def anchor(self, institution: str, day: date) -> Action[Anchored]:
        """Anchor the root over all receipts that this home released for on a day.

        A day without receipts gets a random root, so that an observer cannot tell.

        Parameters
        ----------
        institution
            Whose recorder the signer is.
        day
            The day (UTC); its root can be replaced until two days after it.

        Raises
        ------
        InvalidAddress
            If the institution is not an address.
        """
        digests = self._digests(day)
        root = MerkleTree(digests).root if digests else secrets.token_bytes(32)
        call = Call(CONTRACT, "anchorDay", (parse_address(institution), to_number(day), root))

        def result(receipts: Sequence[Receipt]) -> Anchored:
            args = last(receipts).event("AccessDayAnchored").args
            made = (args["institution"], day, args["root"], len(digests))
            return Anchored(*made, last(receipts))

        return Action(self._ledger, lambda _: [call], result)

    def unanchored(self, institution: str) -> tuple[date, ...]:
        """The past days that are still open and whose root is not that of the receipts here."""
        today = day_of(self._ledger.now())
        past = [
            today - timedelta(days=before)
            for before in range(bindings.AccessLedger.OPEN_DAYS, 0, -1)
        ]
        return tuple(day for day in past if self._is_unanchored(institution, day))

    # --- the holder of a receipt ----------------------------------------------------------------

    def demand(self, receipt: str) -> Action[Demanded]:
        """Demand that a receipt, which an institution acknowledged to this home, be shown.

        From three days after its day until eight weeks after it; anyone can send it.

        Parameters
        ----------
        receipt
            Its digest.

        Raises
        ------
        UnknownReceipt
            If this home has no acknowledgement of it.
        """
        found = self._receipts.acknowledged(parse_digest(receipt))
        words = found[0].acknowledgement.signature_words if found else None
        if words is None:
            raise UnknownReceipt(
                f"this home has no acknowledgement of a receipt {receipt}; list what it has with "
                "`radledger receipt list`",
                receipt=receipt,
            )
        call = Call(CONTRACT, "demand", (found[0].acknowledgement.struct, *words))

        def result(receipts: Sequence[Receipt]) -> Demanded:
            args = last(receipts).event("AccessDemanded").args
            return Demanded(args["demand"], args["due"], last(receipts))

        return Action(self._ledger, lambda _: [call], result)

    # --- who has the day's receipts -------------------------------------------------------------

    def answer(self, demand_id: str) -> Action[Receipt]:
        """Answer a demand with the proof that the receipt is under the root of its day.

        Anyone can who has all receipts of that day.

        Raises
        ------
        UnknownDemand
            If nothing was demanded under that id.
        UnknownReceipt, ReceiptsDiffer
            If the receipts here do not give the proof.
        """
        demand = self.demand_of(demand_id)
        proof = proof_of(
            self._ledger,
            self._digests(demand.day),
            *(demand.institution, demand.day, demand.receipt),
        )
        acknowledgement = bindings.Acknowledgement(
            parse_digest(demand.receipt), demand.institution, to_number(demand.day)
        )
        siblings = [parse_digest(each) for each in proof.siblings]
        call = Call(CONTRACT, "answer", (acknowledgement, siblings))
        return one_call(self._ledger, lambda _: call)

    def prove(self, receipt: str) -> Proof:
        """Prove that a receipt for which this home released is under the root of its day.

        Raises
        ------
        UnknownReceipt
            If this home did not release for it.
        ReceiptsDiffer
            If the receipts of that day do not give the root that was anchored.
        """
        release = self._receipts.released(self._ledger, receipt)
        day = day_of(release.released_at)
        whose = self._custodian(release.signed)
        return proof_of(self._ledger, self._digests(day), whose, day, receipt)

    def check(self, proof: Proof) -> None:
        """Refuse a proof that does not show its receipt under the anchored root.

        Raises
        ------
        ProofInvalid
            If it does not, with what is known of the root.
        """
        check(self._ledger, proof)

    # --- lists ----------------------------------------------------------------------------------

    def demand_of(self, demand_id: str) -> Demand:
        """A demand, and what became of it.

        Raises
        ------
        InvalidReceiptId
            If it is not an id.
        UnknownDemand
            If nothing was demanded under it.
        """
        events = self._ledger.events(CONTRACT, *_DEMANDS, demand=parse_digest(demand_id))
        found = AccessState.of(events).demands(self._ledger.now())
        if not found:
            raise UnknownDemand(
                f"nothing was demanded under {demand_id}; list demands with "
                "`radledger receipt demands`",
                demand=demand_id,
            )
        return found[0]

    def demands(self, institution: str | None = None) -> tuple[Demand, ...]:
        """All demands, or those to an institution, oldest first."""
        demanded = self._ledger.events(CONTRACT, _DEMANDS[0], **_of(institution))
        if not demanded:
            return ()
        answered = self._ledger.events(CONTRACT, _DEMANDS[1], from_block=demanded[0].block)
        return tuple(AccessState.of([*demanded, *answered]).demands(self._ledger.now()))

    def roots(self, institution: str | None = None) -> tuple[Root, ...]:
        """The roots that were anchored, of an institution or of all; of each day the last one."""
        events = self._ledger.events(CONTRACT, "AccessDayAnchored", **_of(institution))
        return tuple(AccessState.of(events).roots())

    def logs(self, institution: str | None = None) -> tuple[LogAnchor, ...]:
        """The logs of receipts that are on the chain, by their last checkpoints.

        An institution that shows some readers one log and others another has both of them here.
        """
        events = self._ledger.events(CONTRACT, "AccessLogAnchored", **_of(institution))
        return AccessState.of(events).logs()

    def receipts(self) -> tuple[KeptReceipt, ...]:
        """The receipts for this chain that this home keeps, with what became of each."""
        demands = {(each.receipt, each.institution, each.day): each for each in self.demands()}
        roots: dict[tuple[str, date], RootState] = {}
        found = []
        for kept_as, signed, whose, day in self._kept():
            if (whose, day) not in roots:
                roots[whose, day] = root_of(self._ledger, whose, day)[0]
            receipt = "0x" + signed.receipt.digest.hex()
            demand = demands.get((receipt, whose, day))
            read = (signed.receipt.image_id, signed.receipt.reader)
            state = demand.state if demand else None
            found.append(KeptReceipt(receipt, *read, day, whose, kept_as, roots[whose, day], state))
        return tuple(found)

    # --- internal -------------------------------------------------------------------------------

    def _kept(self) -> Iterator[tuple[str, SignedReceipt, str, date]]:
        """The receipts here: kept as what, the receipt, whose it is, and of which day."""
        custodians: dict[str, str | None] = {}
        for release in self._receipts.releases():
            if not release.signed.receipt.is_for(self._ledger):
                continue
            image_id = release.signed.receipt.image_id
            if image_id not in custodians:
                custodians[image_id] = self._custodian_if_known(release.signed)
            # A development chain that was made again has the id and addresses of the one before.
            if whose := custodians[image_id]:
                yield "released", release.signed, whose, day_of(release.released_at)
        for each in self._receipts.acknowledged():
            if each.signed.receipt.is_for(self._ledger):
                by = each.acknowledgement
                yield "acknowledged", each.signed, by.institution, by.day

    def _digests(self, day: date) -> list[bytes]:
        """Digests of the receipts for this chain for which this home released on a day."""
        contract = self._ledger.address("ConsentRegistry")
        return self._receipts.on_day(day, self._ledger.chain_id, contract)

    def _custodian(self, signed: SignedReceipt) -> str:
        return image_record(self._ledger, signed.receipt.image_id).image_set.custodian

    def _custodian_if_known(self, signed: SignedReceipt) -> str | None:
        try:
            return self._custodian(signed)
        except ImageUnknown:
            return None

    def _is_unanchored(self, institution: str, day: date) -> bool:
        state, kept = root_of(self._ledger, institution, day)
        digests = self._digests(day)
        if state != RootState.ANCHORED or not digests:
            return state != RootState.ANCHORED
        return MerkleTree(digests).root[: len(kept)] != kept


def _of(institution: str | None) -> dict[str, Any]:
    """The filter of events of an institution; of all where there is none."""
    return {} if institution is None else {"institution": parse_address(institution)}

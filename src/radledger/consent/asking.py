"""Requests for grants, and checks whether a use is permitted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from radledger.chain.action import Action, last
from radledger.chain.clock import STALE
from radledger.chain.ledger import Call
from radledger.consent import permission, records, signing
from radledger.consent.diseases import decode_disease
from radledger.consent.ids import requested_id
from radledger.consent.model import Decision, Requested
from radledger.consent.permission import Use
from radledger.consent.scope import ALL, parse_scope
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.consent.diseases import Diseases
    from radledger.consent.model import Terms
    from radledger.imaging.model import ImageSet

__all__ = ["Asking"]


class Asking:
    """The readers' part of :class:`.Consents`."""

    _ledger: Ledger
    _diseases: Diseases

    def request(
        self,
        subject: str,
        terms: Terms,
        *,
        scope: str = ALL,
        grantee: str | None = None,
        exact: bool = False,
    ) -> Action[Requested]:
        """Ask a subject for a grant to the signer, or to the signer's institution as grantee.

        Parameters
        ----------
        subject
            Whose images.
        terms, scope, exact
            As in :meth:`.Consents.grant`.
        grantee
            The signer's institution, if it is to be the grantee; default: the signer.

        Returns
        -------
        Action of Requested
            The subject needs its ``disease`` to approve the request.  It is refused with
            `EmergencyReviewsOverdue` if too many reviews of emergencies are overdue at the signer's
            institution.

        Raises
        ------
        UnknownTerm, InvalidDisease, InvalidScope, InvalidAddress
            If an argument is invalid.
        ConsentPeriodInvalid
            If the terms end before they begin, or have ended.
        """
        whose, where = parse_address(subject), parse_scope(scope)
        named = None if grantee is None else parse_address(grantee)
        struct = signing.struct(self._ledger, self._diseases, terms, exact=exact)

        def calls(account: str) -> list[Call]:
            asked = (whose, named or account, where)
            signing.require_grantable(*asked, struct)
            return [Call(records.CONTRACT, "request", (*asked, struct))]

        def result(receipts: Sequence[Receipt]) -> Requested:
            receipt = last(receipts)
            id_ = requested_id(receipt.event("ConsentRequested").args)
            return Requested(id_, self._diseases.named(decode_disease(struct[-1])), receipt)

        return Action(self._ledger, calls, result)

    def check(
        self,
        reader: str,
        image: ImageSet,
        purposes: Iterable[str],
        *,
        fulfilled: Iterable[str] = (),
        disease: str | None = None,
    ) -> Decision:
        """Say whether a reader may use an image set now, and why.

        Grants end by the later of the chain's clock and this machine's.  If the latest block is
        older than the network allows, the answer is no, for the reason ``stale chain``.

        Parameters
        ----------
        reader
            Address of the reader.
        image
            The image set.
        purposes
            DUO terms of the use; each must be permitted.
        fulfilled
            DUO conditions that the use fulfils.
        disease
            Code of the disease under research, with its salt (``CODE@SALT``) if this service's book
            does not have that of the grant.
        """
        use = self.use(reader, image, purposes, fulfilled=fulfilled, disease=disease)
        present = self._ledger.present()
        if present.stale:
            return Decision(False, STALE, None, present.block_age)
        return permission.decide(self._ledger, present, parse_address(reader), image, use.struct)

    def use(
        self,
        reader: str,
        image: ImageSet,
        purposes: Iterable[str],
        *,
        fulfilled: Iterable[str] = (),
        disease: str | None = None,
    ) -> Use:
        """The use for the contract; a disease's code gets the salt of a grant to the reader.

        Parameters are those of :meth:`check`.
        """
        terms = (tuple(purposes), tuple(fulfilled), disease)
        return permission.use_of(self._ledger, self._diseases, parse_address(reader), image, *terms)

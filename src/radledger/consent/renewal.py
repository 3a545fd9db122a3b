"""Grants that end soon, and requests that renew them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radledger.chain.action import Action, last
from radledger.chain.ledger import Call
from radledger.consent import records, signing
from radledger.consent.errors import GrantNotRenewable, NoSuchGrant
from radledger.consent.ids import requested_id
from radledger.consent.model import UNTIL_REVOKED, Grant, Requested, Terms
from radledger.consent.scope import EMERGENCY, parse_scope
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.consent.diseases import Diseases

__all__ = ["Renewal"]


class Renewal:
    """The part of :class:`.Consents` about the ends of grants."""

    _ledger: Ledger
    _diseases: Diseases

    def expiring(self, account: str, within: int) -> tuple[Grant, ...]:
        """Grants that end soon, of a patient, or to a reader or its institution.

        Emergency access, which ends within a day, is not among them.

        Parameters
        ----------
        account
            Address of the patient or the reader.
        within
            Seconds from now.

        Returns
        -------
        tuple
            Those that stand, by their ends.

        Raises
        ------
        InvalidAddress
            If it is not an address.
        """
        whose = parse_address(account)
        last_end = self._ledger.present().time + within
        found = {each.grant_id: each for each in records.grants(self._ledger, subject=whose)}
        found |= {each.grant_id: each for each in self._to(whose)}
        ending = [
            each
            for each in found.values()
            if each.status == "active" and each.scope != EMERGENCY and each.terms.until <= last_end
        ]
        return tuple(sorted(ending, key=lambda each: (each.terms.until, each.grant_id)))

    def renew(
        self, grant_id: str, *, until: int | None = None, exact: bool = False
    ) -> Action[Requested]:
        """Ask for a grant again, with its grantee, images, purposes and conditions, from now on.

        The signer is the grantee or a member of it.  Once the subject approves the request, it
        replaces the grant.

        When it is sent it raises `NoSuchGrant` if neither the signer nor its institution has such a
        grant, and `GrantNotRenewable` if that has no end, was revoked or is emergency access.

        Parameters
        ----------
        grant_id
            Id of the grant, which may have ended.
        until
            End (Unix time); default: as long again as the grant lasts.
        exact
            As in :meth:`.Consents.grant`.
        """

        def calls(account: str) -> list[Call]:
            grant = self._renewable(account, grant_id)
            now = self._ledger.present().time
            lasted = grant.terms.until - (grant.terms.start or 0)
            end = min(now + lasted, UNTIL_REVOKED - 1) if until is None else until
            given = grant.terms
            terms = Terms(given.purposes, given.conditions, given.disease, until=end)
            struct = signing.struct(self._ledger, self._diseases, terms, exact=exact)
            whose = grant.subject, grant.grantee, parse_scope(grant.scope)
            return [Call(records.CONTRACT, "request", (*whose, struct))]

        def result(receipts: Sequence[Receipt]) -> Requested:
            receipt = last(receipts)
            asked = receipt.event("ConsentRequested").args
            disease = records.asked_terms(asked).disease
            return Requested(requested_id(asked), self._diseases.named(disease), receipt)

        return Action(self._ledger, calls, result)

    # --- internal -------------------------------------------------------------------------------

    def _to(self, account: str) -> list[Grant]:
        """Grants to an account or to its institution."""
        institution, _ = self._ledger.call("ParticipantRegistry", "standing", account)
        grantees = sorted({account, institution})
        return list(records.grants(self._ledger, grantee=grantees))

    def _renewable(self, account: str, grant_id: str) -> Grant:
        found = {each.grant_id: each for each in self._to(account)}.get(grant_id.lower())
        if found is None:
            raise NoSuchGrant(
                f"neither {account} nor its institution has a grant {grant_id}; list grants with "
                "`radledger consent list --grantee ACCOUNT`",
                grant=grant_id,
                account=account,
            )
        why = None
        if found.scope == EMERGENCY:
            why = "is emergency access"
        elif found.status == "revoked":
            why = "was revoked"
        elif found.terms.until == UNTIL_REVOKED:
            why = "has no end"
        if why is not None:
            raise GrantNotRenewable(
                f"the grant {grant_id} {why}; ask for a new one with `radledger consent request "
                "SUBJECT --purpose TERM`",
                grant=grant_id,
                status=found.status,
            )
        return found

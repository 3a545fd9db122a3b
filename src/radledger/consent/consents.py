"""The consent service, over ``ConsentRegistry``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from radledger.chain.action import Action, Statement, one_call
from radledger.chain.ledger import Call
from radledger.chain.refusals import ConsentNotRequested
from radledger.consent import bindings, records, signing
from radledger.consent.asking import Asking
from radledger.consent.diseases import Diseases, decode_disease
from radledger.consent.emergencies import EmergencyAccess
from radledger.consent.model import ConsentRequest, Grant, Terms
from radledger.consent.renewal import Renewal
from radledger.consent.scope import ALL, parse_scope
from radledger.consent.signing import Consent
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Consents"]

_T = TypeVar("_T", Grant, ConsentRequest)


class Consents(Asking, Renewal, EmergencyAccess):
    """Grants, requests and emergency access, and checks of a use against them.

    Each change is an :class:`~radledger.chain.action.Action`, which its author sends and pays for.
    A subject can also sign it into a document that any account with Ether can submit
    (:func:`radledger.signed.submit`).  The subject is the signer, unless the signer is its delegate
    (a parent, a proxy) and names it.

    Documents count by the time of signing, in whichever order they arrive: a revocation takes back
    what was signed before it.  A grant that is signed after a revocation counts only if the
    revocation stood on chain by then, since a device's clock does not prove which came first: have
    the revocation submitted before the grant is signed.

    Examples
    --------
    >>> from radledger import signed
    >>> consents = Consents(ledger)                                  # doctest: +SKIP
    >>> grant = consents.grant(radiologist.address, Terms(("CC",)))  # doctest: +SKIP
    >>> signed.submit(ledger, grant.sign(patient), payer=hospital)   # doctest: +SKIP
    >>> consents.check(radiologist.address, image_set, ["CC"]).reason  # doctest: +SKIP
    'permitted'
    """

    def __init__(self, ledger: Ledger, diseases: Diseases | None = None) -> None:
        super().__init__(ledger)
        self._diseases = diseases or Diseases(None)

    # --- the subject --------------------------------------------------------------------------

    def grant(
        self,
        grantee: str,
        terms: Terms,
        *,
        scope: str = ALL,
        subject: str | None = None,
        exact: bool = False,
    ) -> Action[Receipt]:
        """Let a person, or an institution with its active members, use images.

        A grant for the same grantee and scope is replaced.

        Parameters
        ----------
        grantee
            Address of a person or institution.
        terms
            Purposes, conditions and time.
        scope
            ``all``, or the id of an image set or the digest of a visit or course.
        subject
            The patient; default: the signer.
        exact
            Keep the end exact to the second instead of rounding it (`radledger.consent.periods`).

        Raises
        ------
        UnknownTerm, InvalidDisease, InvalidScope, InvalidAddress
            If an argument is invalid.
        ConsentPeriodInvalid
            If the terms end before they begin, or have ended.
        """
        whose = _whose(grantee, scope, subject)
        struct = signing.struct(self._ledger, self._diseases, terms, exact=exact)

        def statement(account: str) -> Statement:
            return self._granted("Grant", {}, whose(account), struct)

        return self._action("grant", lambda account: (*whose(account), struct), statement)

    def revoke(
        self, grantee: str, *, scope: str = ALL, subject: str | None = None
    ) -> Action[Receipt]:
        """Take one grant back, and each for this grantee and scope that was signed before.

        If nothing was granted, a signed grant that arrives later will not count.
        """
        whose = _whose(grantee, scope, subject)

        def statement(account: str) -> Statement:
            after = signing.last_signed(self._ledger, *whose(account))
            fields = signing.whose_fields(*whose(account))
            return Consent(self._ledger, "Revoke", fields, after)

        return self._action("revoke", whose, statement)

    def revoke_all(self, *, subject: str | None = None) -> Action[Receipt]:
        """Take every grant back, at the same cost for any number of them."""

        def statement(account: str) -> Statement:
            whose = parse_address(subject or account)
            fields = {"subject": whose, "epoch": signing.epoch(self._ledger, whose)}
            after = self._ledger.call(records.CONTRACT, "revokedAllAt", whose)
            return Consent(self._ledger, "RevokeAll", fields, after)

        return self._action(
            "revokeAll", lambda account: (parse_address(subject or account),), statement
        )

    def approve(
        self, request_id: str, *, subject: str | None = None, disease: str | None = None
    ) -> Action[Receipt]:
        """Grant exactly what was requested; for anything less, use :meth:`grant`.

        When it is sent or signed it raises `InvalidRequestId` if that is not an id,
        `NoSuchRequest` if there is no such request, `ConsentNotRequested` if it has been answered,
        and `DiseaseUnknown` if which disease it names is not known, or is another one.

        Parameters
        ----------
        request_id
            Id of the request.
        subject
            As in :meth:`grant`.
        disease
            ``CODE@SALT`` as the requester passed it on, where the request names a disease that is
            not in this service's book.
        """

        def arguments(account: str) -> tuple[Any, ...]:
            asked = self._asked(subject or account, request_id, disease)
            scope, struct = parse_scope(asked.scope), asked.terms.encode(0)
            return asked.requester, asked.subject, asked.grantee, scope, struct

        def statement(account: str) -> Statement:
            requester, *whose, struct = arguments(account)
            return self._granted("Approve", {"requester": requester}, whose, struct)

        return self._action("approve", arguments, statement)

    # --- lists --------------------------------------------------------------------------------

    def has_granted(self, subject: str, grantee: str, *, scope: str = ALL) -> bool:
        """Whether a subject has granted, and not revoked that grant itself.

        It says nothing of the grant's time, nor of :meth:`revoke_all`; see :meth:`check`.
        """
        key = parse_address(subject), parse_address(grantee), parse_scope(scope)
        return signing.is_granted(self._ledger, *key)

    def list(self, *, subject: str | None = None, grantee: str | None = None) -> tuple[Grant, ...]:
        """Grants of a subject, to a grantee, or both, each with its state."""
        filters = _filters(subject=subject, grantee=grantee)
        return tuple(map(self._named, records.grants(self._ledger, **filters)))

    def subjects(self, reader: str) -> set[str]:
        """All whose images a reader can be permitted to use, and some who no longer permit it.

        It is by what was ever granted to the reader or its institution: a first look, for who has
        many image sets to ask about.
        """
        return records.subjects(self._ledger, parse_address(reader))

    def requests(
        self, *, subject: str | None = None, requester: str | None = None
    ) -> tuple[ConsentRequest, ...]:
        """Requests to a subject, by a requester, or both, that wait for an answer."""
        filters = _filters(subject=subject, requester=requester)
        return tuple(map(self._named, records.requests(self._ledger, **filters)))

    # --- internal -----------------------------------------------------------------------------

    def _asked(self, subject: str, request_id: str, disease: str | None) -> ConsentRequest:
        asked = records.request_of(self._ledger, parse_address(subject), request_id)
        if not asked.requested_at:
            raise ConsentNotRequested.of({"request": asked.request_id})
        self._diseases.require(asked.terms.disease, disease)
        return asked

    def _named(self, record: _T) -> _T:
        """A grant or request with ``CODE@SALT`` if that is known here."""
        terms: Terms = record.terms
        return replace(record, terms=replace(terms, disease=self._diseases.named(terms.disease)))

    def _granted(
        self, primary: str, fields: Mapping[str, Any], whose: Sequence[Any], struct: bindings.Terms
    ) -> Consent:
        """A grant or approval to sign, given the state of the chain now."""
        subject, grantee, scope = whose
        granted = signing.grant_fields(self._ledger, subject, grantee, scope, struct)
        disease = self._diseases.named(decode_disease(struct[-1]))
        return Consent(self._ledger, primary, {**fields, **granted}, disease=disease)

    def _action(
        self,
        function: str,
        arguments: Callable[[str], tuple[Any, ...]],
        statement: Callable[[str], Statement],
    ) -> Action[Receipt]:
        def call(account: str) -> Call:
            return Call(records.CONTRACT, function, arguments(account))

        return one_call(self._ledger, call, statement)


def _whose(
    grantee: str, scope: str, subject: str | None
) -> Callable[[str], tuple[str, str, bytes]]:
    """The grant, by the address of the acting account."""
    rest = parse_address(grantee), parse_scope(scope)
    return lambda account: (parse_address(subject or account), *rest)


def _filters(**addresses: str | None) -> dict[str, str]:
    return {name: parse_address(text) for name, text in addresses.items() if text is not None}

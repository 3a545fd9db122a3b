"""Who may use whose images for what: the service over ``ConsentRegistry``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from radledger.chain.refusals import ConsentNotRequested
from radledger.consent import messages, records, signing
from radledger.consent.asking import Asking
from radledger.consent.diseases import Diseases, decode_disease
from radledger.consent.emergencies import EmergencyAccess
from radledger.consent.model import ConsentRequest, Grant, Terms
from radledger.consent.scope import ALL, parse_scope
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Consents"]

_T = TypeVar("_T", Grant, ConsentRequest)

_WEEK = 7 * 24 * 3600


class Consents(Asking, EmergencyAccess):
    """Grants, requests and emergencies, and the one question that they answer.

    What a subject does exists twice: under its name, sent by the signer, who pays; and as
    ``sign_…``, which gives a document that anybody with Ether may :meth:`submit` within
    ``valid_for`` seconds.  The subject is the signer, unless the signer is its delegate (a parent,
    a proxy) and names it.

    Documents count by the time of signing, in whichever order they arrive: a revocation takes back
    what was signed before it.  A grant that is signed after a revocation counts only if the
    revocation stood on chain by then, since a device's clock does not prove which came first: have
    the revocation submitted before the grant is signed.

    Examples
    --------
    >>> consents = Consents(ledger)                                  # doctest: +SKIP
    >>> document = consents.sign_grant(patient, radiologist.address, Terms(("CC",)))
    ... # doctest: +SKIP
    >>> consents.submit(document, payer=hospital)                    # doctest: +SKIP
    >>> consents.check(radiologist.address, image_set, ["CC"]).reason  # doctest: +SKIP
    'permitted'
    """

    def __init__(self, ledger: Ledger, diseases: Diseases | None = None) -> None:
        super().__init__(ledger)
        self._diseases = diseases or Diseases(None)

    # --- the subject --------------------------------------------------------------------------

    def grant(
        self,
        signer: LocalAccount,
        grantee: str,
        terms: Terms,
        *,
        scope: str = ALL,
        subject: str | None = None,
        exact: bool = False,
    ) -> Receipt:
        """Let a person, or an institution with its active members, use images.

        A grant for the same grantee and scope is replaced.

        Parameters
        ----------
        signer
            The subject, or its delegate for consent.
        grantee
            Address of a person or institution.
        terms
            For what, under which conditions, how long.
        scope
            ``all``, or the id of an image set or the digest of a visit or course.
        subject
            Whose images; default: the signer's.
        exact
            Keep the end to the second; it is rounded otherwise (`radledger.consent.periods`).

        Raises
        ------
        UnknownTerm, InvalidDisease, InvalidScope, InvalidAddress
            If an argument is invalid.
        Refusal
            If the contract refuses, as the subclass of its error's name.
        """
        whose = _whose(signer, grantee, scope, subject)
        return self._send(
            signer,
            "grant",
            *whose,
            signing.struct(self._ledger, self._diseases, terms, exact=exact),
        )

    def sign_grant(
        self,
        signer: LocalAccount,
        grantee: str,
        terms: Terms,
        *,
        scope: str = ALL,
        subject: str | None = None,
        exact: bool = False,
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """As :meth:`grant`, signed for another account to submit."""
        whose = _whose(signer, grantee, scope, subject)
        struct = signing.struct(self._ledger, self._diseases, terms, exact=exact)
        fields = signing.grant_fields(self._ledger, *whose, struct)
        return self._sign(signer, "Grant", fields, valid_for)

    def revoke(
        self, signer: LocalAccount, grantee: str, *, scope: str = ALL, subject: str | None = None
    ) -> Receipt:
        """Take one grant back, and each for this grantee and scope that was signed before.

        Where nothing was granted, what is still on its way will not count.
        """
        return self._send(signer, "revoke", *_whose(signer, grantee, scope, subject))

    def sign_revoke(
        self,
        signer: LocalAccount,
        grantee: str,
        *,
        scope: str = ALL,
        subject: str | None = None,
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """As :meth:`revoke`, signed for another account to submit."""
        whose = _whose(signer, grantee, scope, subject)
        after = signing.last_signed(self._ledger, *whose)
        fields = signing.whose_fields(*whose)
        return signing.sign(self._ledger, signer, "Revoke", fields, valid_for, after=after)

    def revoke_all(self, signer: LocalAccount, *, subject: str | None = None) -> Receipt:
        """Take every grant back, at the same cost for any number of them."""
        return self._send(signer, "revokeAll", _subject(signer, subject))

    def sign_revoke_all(
        self, signer: LocalAccount, *, subject: str | None = None, valid_for: int = _WEEK
    ) -> dict[str, Any]:
        """As :meth:`revoke_all`, signed for another account to submit."""
        whose = _subject(signer, subject)
        fields = {"subject": whose, "epoch": signing.epoch(self._ledger, whose)}
        after = self._ledger.call(records.CONTRACT, "revokedAllAt", whose)
        return signing.sign(self._ledger, signer, "RevokeAll", fields, valid_for, after=after)

    def approve(
        self,
        signer: LocalAccount,
        request_id: str,
        *,
        subject: str | None = None,
        disease: str | None = None,
    ) -> Receipt:
        """Grant what was requested, to the letter; for anything less, :meth:`grant` it.

        Parameters
        ----------
        signer, subject
            As in :meth:`grant`.
        request_id
            Which request.
        disease
            ``CODE@SALT`` as the requester passed it on, where the request names a disease that is
            not in this service's book.

        Raises
        ------
        NoSuchRequest
            If there is no such request.
        DiseaseUnknown
            If which disease it names is not known, or is another one.
        ConsentNotRequested
            If it has been answered.
        """
        asked = self._asked(signer, request_id, subject, disease)
        return self._send(
            signer,
            "approve",
            asked.requester,
            asked.subject,
            asked.grantee,
            parse_scope(asked.scope),
            asked.terms.encode(0),
        )

    def sign_approve(
        self,
        signer: LocalAccount,
        request_id: str,
        *,
        subject: str | None = None,
        disease: str | None = None,
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """As :meth:`approve`, signed for another account to submit."""
        asked = self._asked(signer, request_id, subject, disease)
        whose = (asked.subject, asked.grantee, parse_scope(asked.scope))
        fields = signing.grant_fields(self._ledger, *whose, asked.terms.encode(0))
        return self._sign(signer, "Approve", {"requester": asked.requester, **fields}, valid_for)

    def submit(self, document: Mapping[str, Any], payer: LocalAccount) -> Receipt:
        """Send what a subject signed.

        Parameters
        ----------
        document
            From one of the ``sign_…`` methods, perhaps by way of JSON.
        payer
            Who sends and pays; need not be anybody in particular.

        Raises
        ------
        DocumentMalformed, DocumentForAnotherChain, DocumentTampered, DocumentExpired
            If it cannot hold; nothing is sent then.
        ConsentSuperseded, ConsentRevokedSince, ConsentAllRevokedSince
            If it is a grant, and it or a later document was submitted before.
        ConsentNothingToRevoke, ConsentAllRevokedAlready, ConsentGrantedSince
            If it is a revocation, and it or a later document was submitted before.
        Refusal
            If the contract refuses otherwise, as the subclass of its error's name.
        """
        call = messages.call_of(messages.verified(self._ledger, document))
        self._diseases.sealed(document.get("disease"))  # the submitter knows it from now on
        return self._send(payer, call.function, *call.arguments)

    # --- lists --------------------------------------------------------------------------------

    def has_granted(self, subject: str, grantee: str, *, scope: str = ALL) -> bool:
        """Whether a subject granted, and has not revoked that grant by itself.

        It says nothing of the grant's time, nor of :meth:`revoke_all`; see :meth:`check`.
        """
        key = parse_address(subject), parse_address(grantee), parse_scope(scope)
        return signing.is_granted(self._ledger, *key)

    def list(self, *, subject: str | None = None, grantee: str | None = None) -> tuple[Grant, ...]:
        """Grants of a subject, for a grantee, or both, with what has become of each."""
        filters = _filters(subject=subject, grantee=grantee)
        return tuple(map(self._named, records.grants(self._ledger, **filters)))

    def requests(
        self, *, subject: str | None = None, requester: str | None = None
    ) -> tuple[ConsentRequest, ...]:
        """Requests to a subject, by a requester, or both, that wait for an answer."""
        filters = _filters(subject=subject, requester=requester)
        return tuple(map(self._named, records.requests(self._ledger, **filters)))

    # --- internal -----------------------------------------------------------------------------

    def _asked(
        self, signer: LocalAccount, request_id: str, subject: str | None, disease: str | None
    ) -> ConsentRequest:
        asked = records.request_of(self._ledger, _subject(signer, subject), request_id)
        if not asked.requested_at:
            raise ConsentNotRequested.of({"request": asked.request_id})
        self._diseases.require(asked.terms.disease, disease)
        return asked

    def _named(self, record: _T) -> _T:
        """A grant or request with ``CODE@SALT`` where that is known here."""
        terms: Terms = record.terms
        return replace(record, terms=replace(terms, disease=self._diseases.named(terms.disease)))

    def _send(self, signer: LocalAccount, function: str, *arguments: Any) -> Receipt:
        return self._ledger.send(signer, records.CONTRACT, function, *arguments)

    def _sign(
        self, signer: LocalAccount, primary: str, message: Mapping[str, Any], valid_for: int
    ) -> dict[str, Any]:
        disease = self._diseases.named(decode_disease(bytes.fromhex(message["disease"][2:])))
        return signing.sign(self._ledger, signer, primary, message, valid_for, disease=disease)


def _subject(signer: LocalAccount, subject: str | None) -> str:
    return parse_address(subject or signer.address)


def _whose(
    signer: LocalAccount, grantee: str, scope: str, subject: str | None
) -> tuple[str, str, bytes]:
    return _subject(signer, subject), parse_address(grantee), parse_scope(scope)


def _filters(**addresses: str | None) -> dict[str, str]:
    return {name: parse_address(text) for name, text in addresses.items() if text is not None}

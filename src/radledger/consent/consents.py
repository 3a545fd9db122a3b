"""Who may use whose images for what: the service over ``ConsentRegistry``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from radledger.chain.clock import STALE
from radledger.chain.refusals import ConsentPeriodInvalid
from radledger.chain.typed_data import typed_data
from radledger.consent import documents, messages, permission, records
from radledger.consent.model import (
    UNTIL_REVOKED,
    ConsentRequest,
    Decision,
    Emergency,
    Grant,
    Requested,
    SealedNote,
    Terms,
    TermsStruct,
)
from radledger.consent.permission import Use
from radledger.consent.scope import ALL, parse_scope
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt
    from radledger.imaging.model import ImageSet

__all__ = ["Consents"]

_DAY = 24 * 3600
_WEEK = 7 * _DAY
# How far ahead of the block a grant may be dated; a revocation may be a day.
_AHEAD = 5 * 60


class Consents:
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

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- the subject --------------------------------------------------------------------------

    def grant(
        self,
        signer: LocalAccount,
        grantee: str,
        terms: Terms,
        *,
        scope: str = ALL,
        subject: str | None = None,
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
            Whose images; the signer's unless given.

        Raises
        ------
        UnknownTerm, InvalidDisease, InvalidScope, InvalidAddress
            If an argument makes no sense.
        Refusal
            If the contract refuses, as the subclass of its error's name.
        """
        whose = _whose(signer, grantee, scope, subject)
        return self._send(signer, "grant", *whose, self._struct(terms))

    def sign_grant(
        self,
        signer: LocalAccount,
        grantee: str,
        terms: Terms,
        *,
        scope: str = ALL,
        subject: str | None = None,
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """As :meth:`grant`, signed for somebody else to submit."""
        whose = _whose(signer, grantee, scope, subject)
        fields = messages.terms_fields(self._struct(terms))
        message = {**_whose_fields(*whose), **fields, **self._basis(*whose)}
        return self._sign(signer, "Grant", message, valid_for)

    def revoke(
        self, signer: LocalAccount, grantee: str, *, scope: str = ALL, subject: str | None = None
    ) -> Receipt:
        """Take one grant back."""
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
        """As :meth:`revoke`, signed for somebody else to submit."""
        whose = _whose(signer, grantee, scope, subject)
        after = self._signed(*whose)
        return self._sign(signer, "Revoke", _whose_fields(*whose), valid_for, after=after)

    def revoke_all(self, signer: LocalAccount, *, subject: str | None = None) -> Receipt:
        """Take every grant back, at the same cost for any number of them."""
        return self._send(signer, "revokeAll", parse_address(subject or signer.address))

    def sign_revoke_all(
        self, signer: LocalAccount, *, subject: str | None = None, valid_for: int = _WEEK
    ) -> dict[str, Any]:
        """As :meth:`revoke_all`, signed for somebody else to submit."""
        whose = parse_address(subject or signer.address)
        fields = {"subject": whose, "epoch": self._epoch(whose)}
        after = self._ledger.call(records.CONTRACT, "revokedAllAt", whose)
        return self._sign(signer, "RevokeAll", fields, valid_for, after=after)

    def approve(
        self, signer: LocalAccount, request_id: str, *, subject: str | None = None
    ) -> Receipt:
        """Grant what was requested, to the letter; for anything less, :meth:`grant` it.

        Raises
        ------
        NoSuchRequest
            If nobody made it.
        ConsentNotRequested
            If it has been answered.
        """
        asked = self._asked(signer, request_id, subject)
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
        valid_for: int = _WEEK,
    ) -> dict[str, Any]:
        """As :meth:`approve`, signed for somebody else to submit."""
        asked = self._asked(signer, request_id, subject)
        whose = (asked.subject, asked.grantee, parse_scope(asked.scope))
        fields = {
            "requester": asked.requester,
            **_whose_fields(*whose),
            **messages.terms_fields(asked.terms.encode(0)),
            **self._basis(*whose),
        }
        return self._sign(signer, "Approve", fields, valid_for)

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
        return self._send(payer, call.function, *call.arguments)

    # --- who asks -----------------------------------------------------------------------------

    def request(
        self,
        signer: LocalAccount,
        subject: str,
        terms: Terms,
        *,
        scope: str = ALL,
        grantee: str | None = None,
    ) -> Requested:
        """Ask a subject for a grant to the signer, or to the signer's institution as grantee."""
        asked = (
            parse_address(subject),
            parse_address(grantee or signer.address),
            parse_scope(scope),
        )
        struct = self._struct(terms)
        receipt = self._send(signer, "request", *asked, struct)
        id_ = records.request_id(self._ledger, (signer.address, *asked), struct)
        return Requested("0x" + id_.hex(), receipt)

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
            Address of who wants to.
        image
            The image set.
        purposes
            DUO terms of the use; each must be permitted.
        fulfilled
            DUO conditions that the use fulfils.
        disease
            Code of the disease under research.
        """
        use = Use.of(purposes, fulfilled, disease)
        present = self._ledger.present()
        if present.stale:
            return Decision(False, STALE, None, present.block_age)
        return permission.decide(self._ledger, present, parse_address(reader), image, use.struct)

    # --- lists --------------------------------------------------------------------------------

    def list(self, *, subject: str | None = None, grantee: str | None = None) -> tuple[Grant, ...]:
        """Grants of a subject, for a grantee, or both, with what has become of each."""
        filters = _filters(subject=subject, grantee=grantee)
        return tuple(records.grants(self._ledger, **filters))

    def requests(
        self, *, subject: str | None = None, requester: str | None = None
    ) -> tuple[ConsentRequest, ...]:
        """Requests to a subject, by a requester, or both, that wait for an answer."""
        filters = _filters(subject=subject, requester=requester)
        return tuple(records.requests(self._ledger, **filters))

    def emergencies(
        self,
        *,
        subject: str | None = None,
        clinician: str | None = None,
        institution: str | None = None,
    ) -> tuple[Emergency, ...]:
        """Broken glasses, whether they were reviewed, and whether that is overdue."""
        filters = _filters(subject=subject, clinician=clinician, institution=institution)
        return tuple(records.emergencies(self._ledger, **filters))

    # --- emergencies --------------------------------------------------------------------------

    def break_glass(
        self, signer: LocalAccount, subject: str, reason: SealedNote, *, duration: int = _DAY
    ) -> Receipt:
        """As a clinician, use everything of a subject for care, at most 24 hours.

        A second person of the institution has to review it; keep the note for that.
        """
        return self._send(signer, "breakGlass", parse_address(subject), duration, reason.digest)

    def review(
        self,
        signer: LocalAccount,
        subject: str,
        clinician: str,
        since: int,
        *,
        justified: bool,
        opinion: SealedNote,
    ) -> Receipt:
        """As a second person of the clinician's institution, say whether it was justified."""
        which = (parse_address(subject), parse_address(clinician), since)
        return self._send(signer, "review", *which, justified, opinion.digest)

    # --- internal -----------------------------------------------------------------------------

    def _asked(self, signer: LocalAccount, request_id: str, subject: str | None) -> ConsentRequest:
        return records.request_of(
            self._ledger, parse_address(subject or signer.address), request_id
        )

    def _struct(self, terms: Terms) -> TermsStruct:
        """Terms as the contract takes them, if they end after they begin, and later than now."""
        present = self._ledger.present()
        struct = terms.encode(present.block_time)
        start, until, *_ = struct
        if not 0 <= start < until <= UNTIL_REVOKED or until <= present.time:
            raise ConsentPeriodInvalid.of({"from": start, "until": until})
        return struct

    def _send(self, signer: LocalAccount, function: str, *arguments: Any) -> Receipt:
        return self._ledger.send(signer, records.CONTRACT, function, *arguments)

    def _signed(self, subject: str, grantee: str, scope: bytes) -> int:
        """When what stands for a grantee and scope was signed; zero if nothing stands."""
        return int(self._ledger.call(records.CONTRACT, "grantOf", subject, grantee, scope).signed)

    def _epoch(self, subject: str) -> int:
        return int(self._ledger.call(records.CONTRACT, "epochOf", subject))

    def _basis(self, subject: str, grantee: str, scope: bytes) -> dict[str, int]:
        """What stands on chain before a grant is signed."""
        return {"seen": self._signed(subject, grantee, scope), "epoch": self._epoch(subject)}

    def _sign(
        self,
        signer: LocalAccount,
        primary: str,
        fields: Mapping[str, Any],
        valid_for: int,
        *,
        after: int = -1,
    ) -> dict[str, Any]:
        """Sign a message of now, or of a second after what it takes back if that is later."""
        present = self._ledger.present()
        # The clocks may differ by as much as the contract takes them to.
        tolerated = present.block_time + (_DAY if primary.startswith("Revoke") else _AHEAD)
        message = {
            **fields,
            "signed": max(min(present.time, tolerated), after + 1),
            "deadline": present.time + valid_for,
        }
        data = typed_data(
            messages.domain(self._ledger), primary, messages.STRUCTS[primary], message
        )
        return documents.sign(signer, messages.KIND, messages.summarise(primary, message), data)


def _whose(
    signer: LocalAccount, grantee: str, scope: str, subject: str | None
) -> tuple[str, str, bytes]:
    return parse_address(subject or signer.address), parse_address(grantee), parse_scope(scope)


def _whose_fields(subject: str, grantee: str, scope: bytes) -> dict[str, str]:
    return {"subject": subject, "grantee": grantee, "scope": "0x" + scope.hex()}


def _filters(**addresses: str | None) -> dict[str, str]:
    return {name: parse_address(text) for name, text in addresses.items() if text is not None}

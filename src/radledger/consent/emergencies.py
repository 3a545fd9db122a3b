"""Emergency access and its reviews, and the conduct of clinicians and institutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.area.fold import NOBODY
from radledger.chain.action import Action, Statement, one_call
from radledger.chain.ledger import Call
from radledger.consent import records
from radledger.consent.model import Conduct, Emergency, EmergencyCounts, SealedNote
from radledger.consent.signing import Consent
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["EmergencyAccess"]

_CONTRACT = "ConsentRegistry"
_DAY = 24 * 3600


class EmergencyAccess:
    """The part of :class:`.Consents` about emergencies."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def break_glass(
        self, subject: str, reason: SealedNote, *, duration: int = _DAY
    ) -> Action[Receipt]:
        """As a clinician, use everything of a subject for care.

        A second person of the institution has to review it; keep the note for that.

        It is refused with `EmergencyForbidden` if the subject forbids emergency access.

        Parameters
        ----------
        subject
            Whose images.
        reason
            Why; its salted digest goes on chain.
        duration
            For how many seconds, 24 hours at most. While a review of the signer's emergencies is
            overdue it lasts one hour at most: the event ``EmergencyDeclared`` says until when.
        """
        which = (parse_address(subject), duration, reason.digest)
        return one_call(self._ledger, lambda _: Call(_CONTRACT, "breakGlass", which))

    def forbid_emergencies(self, *, subject: str | None = None) -> Action[Receipt]:
        """Forbid emergency access to the subject's images, where the deployment allows that.

        Emergency access in force ends at once.  Clinicians then see nothing that was not granted,
        even if a life depends on it.  It is refused with `EmergenciesNotForbiddable` if the
        deployment does not let subjects forbid it.
        """
        return self._choice(subject, forbidden=True)

    def allow_emergencies(self, *, subject: str | None = None) -> Action[Receipt]:
        """Allow emergency access again, which is the default."""
        return self._choice(subject, forbidden=False)

    def review(
        self,
        subject: str,
        clinician: str,
        since: int,
        *,
        justified: bool,
        opinion: SealedNote,
    ) -> Action[Receipt]:
        """As a second person of the clinician's institution, say whether it was justified.

        Access that is found not justified ends at once. Once the review is overdue, a governor may
        review as well.  The review is refused with `EmergencyUnknown` or
        `EmergencyAlreadyReviewed` if there was none, or it has been reviewed, and with
        `EmergencyReviewerInvalid` if the signer may not review it.

        Parameters
        ----------
        subject, clinician, since
            The emergency access, as :meth:`emergencies` lists it.
        justified
            The outcome.
        opinion
            Why; its salted digest goes on chain.
        """
        which = (parse_address(subject), parse_address(clinician), since)
        call = Call(_CONTRACT, "review", (*which, justified, opinion.digest))
        return one_call(self._ledger, lambda _: call)

    def emergencies(
        self,
        *,
        subject: str | None = None,
        clinician: str | None = None,
        institution: str | None = None,
    ) -> tuple[Emergency, ...]:
        """Emergency accesses, whether they were reviewed, and whether that is overdue.

        Parameters
        ----------
        subject, clinician, institution
            Addresses of the patient, clinician and institution; default: all.
        """
        given = {"subject": subject, "clinician": clinician, "institution": institution}
        filters = {name: parse_address(text) for name, text in given.items() if text is not None}
        return tuple(records.emergencies(self._ledger, **filters))

    def conduct(self, account: str) -> Conduct:
        """The conduct of a clinician or an institution, to consult before granting access.

        Parameters
        ----------
        account
            Address of the clinician or institution.

        Examples
        --------
        >>> consents.conduct(hospital.address).as_institution.overdue  # doctest: +SKIP
        0
        """
        account = parse_address(account)
        as_clinician, as_institution = self._ledger.call(_CONTRACT, "conductOf", account)
        institution, suspended = self._ledger.call("ParticipantRegistry", "standing", account)
        suspensions = self._ledger.events(
            "ParticipantRegistry", "ParticipantSuspended", account=account
        )
        return Conduct(
            account=account,
            institution=None if institution == NOBODY else institution,
            as_clinician=EmergencyCounts(*as_clinician),
            as_institution=EmergencyCounts(*as_institution),
            suspended=suspended,
            # Who leaves a suspended institution takes its suspension along, as the event's actor.
            suspensions=sum(event.args["actor"] != account for event in suspensions),
        )

    def forbids_emergencies(self, subject: str) -> bool:
        """Whether a subject forbids emergency access to its images."""
        forbidden, _ = self._ledger.call(_CONTRACT, "emergencyChoiceOf", parse_address(subject))
        return bool(forbidden)

    def _choice(self, subject: str | None, *, forbidden: bool) -> Action[Receipt]:
        def call(account: str) -> Call:
            whose = parse_address(subject or account)
            return Call(_CONTRACT, "forbidEmergencies", (whose, forbidden))

        def statement(account: str) -> Statement:
            whose = parse_address(subject or account)
            _, seen = self._ledger.call(_CONTRACT, "emergencyChoiceOf", whose)
            fields = {"subject": whose, "forbidden": forbidden, "seen": seen}
            return Consent(self._ledger, "ForbidEmergencies", fields, after=seen)

        return one_call(self._ledger, call, statement)

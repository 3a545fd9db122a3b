"""Emergency access in the state of ``ConsentRegistry``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radledger.area.fold import View
from radledger.consent.bindings import Outcome
from radledger.consent.model import Emergency
from radledger.consent.scope import EMERGENCY, scope_name

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["EmergencyState", "is_emergency"]

_CONTRACT = "ConsentRegistry"


@dataclass
class _Emergency:
    declared: Event | None = None
    reviewed: Event | None = None
    ended: bool = False

    @property
    def outcome(self) -> Outcome:
        if self.reviewed is None:
            return Outcome.WAITING
        return Outcome.JUSTIFIED if self.reviewed.args["justified"] else Outcome.UNJUSTIFIED

    def answer(self) -> dict[str, Any]:
        """What ``emergencyOf`` answers; less where the declaration is missing."""
        declared = self.declared.args if self.declared else {}
        names = ("institution", "until", "reviewBy")
        said = {name: declared[name] for name in names if name in declared}
        return {**said, "outcome": self.outcome.number, "ended": self.ended}


class EmergencyState:
    """Every emergency access, whether it was ended, and who forbids them."""

    def __init__(self) -> None:
        self._emergencies: dict[tuple[str, str, int], _Emergency] = {}
        self._latest: dict[tuple[str, str], _Emergency] = {}
        self._choices: dict[str, tuple[bool, int]] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        match event.name:
            case "EmergencyDeclared":
                emergency = self._emergencies[_which(args)] = _Emergency(event)
                self._latest[args["subject"], args["clinician"]] = emergency
            case "EmergencyReviewed":
                emergency = self._emergencies.setdefault(_which(args), _Emergency())
                emergency.reviewed = event
                emergency.ended |= not args["justified"]
            case "ConsentRevoked" if is_emergency(args):
                self._latest.setdefault(
                    (args["subject"], args["grantee"]), _Emergency()
                ).ended = True
            case "EmergenciesForbidden":
                self._choices[args["subject"]] = args["forbidden"], args["signed"]

    def emergencies(self, now: int) -> Iterator[Emergency]:
        """Each emergency access and its review, in the order in which they were declared."""
        for emergency in self._emergencies.values():
            if emergency.declared is None:
                continue  # its declaration is missing, which the comparison of the events names
            args, review = emergency.declared.args, emergency.reviewed
            yield Emergency(
                subject=args["subject"],
                clinician=args["clinician"],
                institution=args["institution"],
                since=args["since"],
                until=args["until"],
                review_by=args["reviewBy"],
                reason=args["reason"],
                reviewer=review.args["reviewer"] if review else None,
                justified=review.args["justified"] if review else None,
                overdue=review is None and now >= args["reviewBy"],
                transaction=emergency.declared.transaction,
            )

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for which, emergency in self._emergencies.items():
            yield View(_CONTRACT, "emergencyOf", which, (emergency.answer(),))
        subjects = [*self._choices, *(subject for subject, _, _ in self._emergencies)]
        for subject in dict.fromkeys(subjects):
            choice = self._choices.get(subject, (False, 0))
            yield View(_CONTRACT, "emergencyChoiceOf", (subject,), choice)
        as_clinician, as_institution = self._conduct(now)
        for account in sorted(as_clinician.keys() | as_institution.keys()):
            answers = (_counts(as_clinician, account), _counts(as_institution, account))
            yield View(_CONTRACT, "conductOf", (account,), answers)

    def _conduct(self, now: int) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
        """What became of emergencies, by clinician and by institution."""
        clinicians: dict[str, Counter[str]] = {}
        institutions: dict[str, Counter[str]] = {}
        for (_, clinician, _), emergency in self._emergencies.items():
            own = clinicians.setdefault(clinician, Counter())
            if emergency.declared is None:
                continue  # its declaration is missing, which the views tell
            args, outcome = emergency.declared.args, emergency.outcome
            open_ = "overdue" if now >= args["reviewBy"] else "waiting"
            counted = open_ if outcome is Outcome.WAITING else outcome.value
            for counts in (own, institutions.setdefault(args["institution"], Counter())):
                counts.update(("declared", counted))
        return clinicians, institutions


def _counts(conduct: Mapping[str, Counter[str]], account: str) -> dict[str, int]:
    counts = conduct.get(account, Counter())
    names = ("declared", "justified", "unjustified", "waiting", "overdue")
    return {name: counts[name] for name in names}


def _which(args: Mapping[str, Any]) -> tuple[str, str, int]:
    return args["subject"], args["clinician"], args["since"]


def is_emergency(args: Mapping[str, Any]) -> bool:
    """Whether a revocation is one of emergency access."""
    return scope_name(bytes.fromhex(args["scope"][2:])) == EMERGENCY

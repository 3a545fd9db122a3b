"""Emergency access in the state of ``ConsentRegistry``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from radledger.area.fold import View
from radledger.consent.bindings import Outcome
from radledger.consent.scope import EMERGENCY, scope_name

if TYPE_CHECKING:
    from radledger.chain.events import Event

__all__ = ["EmergencyState", "is_emergency"]

_CONTRACT = "ConsentRegistry"


class EmergencyState:
    """Every emergency, whether it was ended, and who forbids them."""

    def __init__(self) -> None:
        self._emergencies: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._latest: dict[tuple[str, str], dict[str, Any]] = {}
        self._choices: dict[str, tuple[bool, int]] = {}

    def apply(self, event: Event) -> None:
        """Do what the contract did."""
        args = event.args
        match event.name:
            case "EmergencyDeclared":
                emergency = {
                    "institution": args["institution"],
                    "until": args["until"],
                    "reviewBy": args["reviewBy"],
                    "outcome": Outcome.WAITING.number,
                    "ended": False,
                }
                self._emergencies[_which(args)] = emergency
                self._latest[args["subject"], args["clinician"]] = emergency
            case "EmergencyReviewed":
                emergency = self._emergencies.setdefault(_which(args), {})
                outcome = Outcome.JUSTIFIED if args["justified"] else Outcome.UNJUSTIFIED
                emergency["outcome"] = outcome.number
                if not args["justified"]:
                    emergency["ended"] = True
            case "ConsentRevoked" if is_emergency(args):
                self._latest.setdefault((args["subject"], args["grantee"]), {})["ended"] = True
            case "EmergenciesForbidden":
                self._choices[args["subject"]] = args["forbidden"], args["signed"]

    def views(self, now: int) -> Iterator[View]:
        """What its views must answer."""
        for which, emergency in self._emergencies.items():
            yield View(_CONTRACT, "emergencyOf", which, (emergency,))
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
            if "institution" not in emergency:
                continue  # its declaration is missing, which the views tell
            open_ = "overdue" if now >= emergency["reviewBy"] else "waiting"
            outcome = Outcome.of(emergency["outcome"])
            counted = open_ if outcome is Outcome.WAITING else outcome.value
            for counts in (
                own,
                institutions.setdefault(emergency["institution"], Counter()),
            ):
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

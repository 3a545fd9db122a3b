"""The Consent Registry of IHE PCF (ITI-108), whose answers are the chain's.

A Consent that is recorded is *proposed* until the chain holds what it says, *active* as long as it
does, and *inactive* afterwards.  An update to inactive takes it back, once that is signed.  What
was granted without the registry is shown as Consent too.

References
----------
.. [1] IHE ITI PCF 1.1, Access Consent [ITI-108], https://profiles.ihe.net/ITI/PCF/ITI-108.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.errors import Refusal, UsageError
from radledger.fhir.elements import Consent
from radledger.fhir.errors import (
    ConsentNotHeld,
    ConsentRecordChanged,
    ConsentRecordUnknown,
    Issue,
    RecorderNotAllowed,
)
from radledger.fhir.onchain import OnChain, says
from radledger.fhir.reading import read
from radledger.fhir.showing import RANKS, Showing, Shown
from radledger.fhir.statements import Dissent, EmergencyChoice, Permission, Statement
from radledger.fhir.store import Record, Records

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.consent import Consents
    from radledger.consent.diseases import Diseases
    from radledger.facade import RadLedger

__all__ = ["ConsentRegistry", "Criteria"]

_KEPT = (
    *("scope", "category", "patient", "dateTime", "performer", "organization"),
    *("sourceAttachment", "sourceReference", "policy", "provision"),
)
_NOT_GIVEN = ("rejected", "inactive", "entered-in-error")
_OF_CHAIN = re.compile(r"(?P<subject>[0-9a-f]{40})-(?:[0-9a-f]{22}|emergencies)", re.ASCII)
_VERSION = re.compile(r"([1-9][0-9]{0,8})\.([0-3])", re.ASCII)
_NOT_HELD = "the chain cannot hold this Consent"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search asks for.

    Attributes
    ----------
    subject
        Whose Consents.
    statuses, actor, ids
        Which of them: in one of these states, about this person or institution, with one of these
        ids; none for any.
    """

    subject: str
    statuses: Collection[str] | None = None
    actor: str | None = None
    ids: Collection[str] | None = None

    def include(self, shown: Shown) -> bool:
        """Whether a Consent of the subject is meant."""
        return (
            (self.statuses is None or shown.status in self.statuses)
            and self.actor in (None, getattr(shown.statement, "grantee", None))
            and (self.ids is None or shown.id in self.ids)
        )


class ConsentRegistry:
    """The Consents of a custodian's patients.

    Parameters
    ----------
    ledger, consents, diseases
        The chain, and the services over it.
    path
        The database of what was recorded; made if it does not exist.
    base
        Address of the FHIR server.
    custodian
        The institution that enforces the Consents here.
    policies
        Policies, beside those of PCF, that forbid nothing but what a Consent says.

    Examples
    --------
    >>> shown = registry.create(hospital, consent)                 # doctest: +SKIP
    >>> shown.status                                               # doctest: +SKIP
    'proposed'
    >>> (document,) = registry.documents(hospital, shown.id)       # doctest: +SKIP
    """

    def __init__(
        self,
        ledger: Ledger,
        consents: Consents,
        diseases: Diseases,
        path: Path,
        *,
        base: str,
        custodian: str,
        policies: Collection[str] = (),
    ) -> None:
        self._chain = OnChain(ledger, base, policies)
        self._consents, self._diseases = consents, diseases
        self._records = Records(path)
        self._showing = Showing(self._chain, custodian)
        self._custodian = custodian

    @classmethod
    def open(
        cls, radledger: RadLedger, base: str, custodian: str, policies: Collection[str] = ()
    ) -> ConsentRegistry:
        """The registry of a home; parameters are those of the class."""
        ledger = radledger.ledger
        path = radledger.home / "fhir" / f"{ledger.deployment.chain_slug}.sqlite3"
        services = (radledger.consents, radledger.diseases)
        return cls(ledger, *services, path, base=base, custodian=custodian, policies=policies)

    def close(self) -> None:
        """Close the database."""
        self._records.close()

    def create(self, account: str, resource: Mapping[str, Any]) -> Shown:
        """Record a Consent, for its performer to sign.

        Raises
        ------
        ResourceInvalid, ConsentNotHeld
            If it is not a Consent, or the chain cannot hold it; every reason is given.
        RecorderNotAllowed
            If the account is neither the patient's, nor accredited.
        """
        record = self._new(account, uuid.uuid4().hex, 1, resource)
        return self._add(account, record)

    def read(self, account: str, id_: str, version: str | None = None) -> Shown:
        """A Consent as it is now, or a version of it.

        Raises
        ------
        ConsentRecordUnknown
            If there is none, or the account is not shown it.
        """
        current = self._find(account, id_)
        if version in (None, current.version):
            return current
        match = _VERSION.fullmatch(version or "")
        record = self._records.find(id_, int(match[1])) if match else None
        if match is None or record is None or current.record is None:
            raise _unknown(id_)
        # Of a version that was replaced, only its first state is known.
        is_latest = record.version == current.record.version
        reached = RANKS[current.status] if is_latest else 0
        status = list(RANKS)[int(match[2])]
        if RANKS[status] > reached or status == "rejected":
            raise _unknown(id_)
        return self._showing.as_of(record, status)

    def update(
        self, account: str, id_: str, resource: Mapping[str, Any], expected: str | None = None
    ) -> Shown:
        """Record a new version of a Consent, or take it back by one that is inactive.

        Parameters
        ----------
        account, id_, resource
            Who records what, of which Consent.
        expected
            The version that it is made for.

        Raises
        ------
        ConsentRecordUnknown
            If there is no such Consent, or the account is not shown it.
        ConsentRecordChanged
            If another version is there than is expected.
        ResourceInvalid, ConsentNotHeld, RecorderNotAllowed
            As in `create`, and if it is about another patient, person or image set.
        """
        current = self._find(account, id_)
        stated = Consent.parse(resource)
        if stated.id != id_:
            raise _not_held("Consent.id", "value", f"it has to be {id_}, as in the address")
        if expected not in (None, current.version):
            raise ConsentRecordChanged(
                f"Consent {id_} is at version {current.version} by now, not {expected}; read it "
                "again",
                id=id_,
                version=current.version,
            )
        if stated.status in _NOT_GIVEN:
            record = self._withdrawn(account, current)
        else:
            number = 1 if current.record is None else current.record.version + 1
            record = self._new(account, id_, number, resource)
            _require_same(current, record)
        return self._add(account, record)

    def search(self, account: str, criteria: Criteria) -> list[Shown]:
        """The Consents of a patient that an account is shown."""
        return list(filter(criteria.include, self._all(account, criteria.subject)))

    def documents(self, account: str, id_: str) -> list[dict[str, Any]]:
        """What the performer has to sign for a Consent to become what it says; none if it is.

        Each is a document that lacks its signature (:mod:`radledger.chain.documents`).

        Raises
        ------
        ConsentRecordUnknown
            If there is no such Consent, or the account is not shown it.
        Refusal
            If the contract would refuse it by now.
        """
        shown = self._find(account, id_)
        record, statement = shown.record, shown.statement
        if record is None:
            return []
        if shown.status == "active" and record.withdrawn:
            actions = statement.withdrawal(self._consents, record.subject)
        elif shown.status == "proposed":
            standing = self._chain.standing(record.subject)
            if isinstance(statement, Dissent) and standing.revoked_all_at > record.seen:
                statement = EmergencyChoice(statement.forbidden)
            actions = statement.actions(self._consents, record.subject)
        else:
            actions = []
        return [action.unsigned(record.signer) for action in actions]

    # ------------------------------------------------------------------------------ who may do what

    def _add(self, account: str, record: Record) -> Shown:
        subject = record.subject
        may_record = account == self._custodian or self._chain.is_active(account)
        if not may_record and not self._chain.may_act(subject, account):
            raise RecorderNotAllowed(
                f"{account} is neither {subject} or a delegate of it, nor accredited; sign in as "
                "one of these",
                account=account,
                subject=subject,
            )
        if not self._records.add(record):
            raise ConsentRecordChanged(
                f"Consent {record.id} was changed meanwhile; read it again", id=record.id
            )
        return self._showing.recorded(record, self._chain.standing(subject))

    def _sees(self, account: str, shown: Shown) -> bool:
        """What the chain holds is public there; a proposal is for those whom it concerns."""
        record = shown.record
        if record is None or shown.status == "active":
            return True
        concerned = (self._custodian, record.recorder, record.signer)
        return account in concerned or self._chain.may_act(record.subject, account)

    def _find(self, account: str, id_: str) -> Shown:
        record = self._records.find(id_)
        shown = None
        if record is not None:
            shown = self._showing.recorded(record, self._chain.standing(record.subject))
        elif match := _OF_CHAIN.fullmatch(id_):
            from eth_utils.address import to_checksum_address

            subject = str(to_checksum_address("0x" + match["subject"]))
            held = self._showing.of_chain(subject, self._chain.standing(subject))
            shown = next((each for each in held if each.id == id_), None)
        if shown is None or not self._sees(account, shown):
            raise _unknown(id_)
        return shown

    def _all(self, account: str, subject: str) -> Iterator[Shown]:
        standing = self._chain.standing(subject)
        recorded = [self._showing.recorded(each, standing) for each in self._records.of(subject)]
        yield from (each for each in recorded if self._sees(account, each))
        ids = {each.id for each in recorded}
        past = [each.statement for each in recorded if each.status in ("active", "inactive")]
        for each in self._showing.of_chain(subject, standing):
            if each.id not in ids and not any(_same(one, each.statement) for one in past):
                yield each

    # ------------------------------------------------------------------------------------ versions

    def _new(self, account: str, id_: str, version: int, resource: Mapping[str, Any]) -> Record:
        """A version that the chain can hold."""
        stated = read(Consent.parse(resource), self._chain)
        statement = stated.statement
        if isinstance(statement, Permission):
            terms = statement.terms
            sealed = replace(terms, disease=self._diseases.sealed(terms.disease))
            statement = replace(statement, terms=sealed)
        self._require_signable(stated.subject, statement)
        return Record(
            id=id_,
            version=version,
            subject=stated.subject,
            signer=stated.signer,
            recorder=account,
            recorded_at=self._chain.now(),
            seen=self._showing.seen(stated.subject, statement),
            withdrawn=False,
            statement=statement,
            resource={
                "performer": [resource["patient"]],  # unless another one is stated
                **{name: resource[name] for name in _KEPT if resource.get(name)},
            },
        )

    def _require_signable(self, subject: str, statement: Statement) -> None:
        """That the contract would take it, as far as that can be known."""
        try:
            for action in statement.actions(self._consents, subject):
                action.words(subject)
        except (Refusal, UsageError) as error:
            raise _not_held("Consent.provision", "business-rule", error.message) from error

    def _withdrawn(self, account: str, current: Shown) -> Record:
        """A version by which what a Consent says is taken back."""
        if isinstance(current.statement, Dissent):
            reason = "a dissent ends with the next permission, and is not taken back by itself"
            raise _not_held("Consent.status", "business-rule", reason)
        now = self._chain.now()
        if current.record is not None:
            number = current.record.version + 1
            return replace(
                current.record, version=number, recorder=account, recorded_at=now, withdrawn=True
            )
        return Record(
            id=current.id,
            version=1,
            subject=current.subject,
            signer=current.subject,
            recorder=account,
            recorded_at=now,
            seen=0,
            withdrawn=True,
            statement=current.statement,
            resource={name: current.resource[name] for name in _KEPT if name in current.resource},
        )


def _require_same(current: Shown, record: Record) -> None:
    if (current.subject, _key(current.statement)) != (record.subject, _key(record.statement)):
        reason = (
            "an update keeps patient, actor and data, as they name the grant; record another "
            "Consent, and update this one to inactive"
        )
        raise _not_held("Consent.provision", "business-rule", reason)


def _key(statement: Statement) -> tuple[Any, ...]:
    """What of a statement its updates keep."""
    if isinstance(statement, Permission):
        return statement.grantee, statement.scope
    return (type(statement),)


def _same(stated: Statement, held: Statement) -> bool:
    """Whether what the chain holds is what was stated."""
    if isinstance(stated, Permission) and isinstance(held, Permission):
        return _key(stated) == _key(held) and says(held.terms, stated)
    return stated == held


def _not_held(element: str, code: str, reason: str) -> ConsentNotHeld:
    return ConsentNotHeld.of(_NOT_HELD, [Issue(element, code, reason)])


def _unknown(id_: str) -> ConsentRecordUnknown:
    return ConsentRecordUnknown(
        f"there is no Consent {id_} that you may see, or not that version of it; search by patient",
        id=id_,
    )

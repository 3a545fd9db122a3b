"""``radledger access-log``: who read what, with proofs; what custodians do not show; notices."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.files import file_to_write
from radledger.cli.index import Url, synced, term_of
from radledger.cli.leading import LeadingGroup
from radledger.cli.output import plain, show_all
from radledger.cli.parameters import PolicyFile
from radledger.cli.session import session
from radledger.errors import RadLedgerError, UsageError
from radledger.texts import one_line

if TYPE_CHECKING:
    from radledger.access.collecting import Collected, CustodianReport, Disclosed
    from radledger.access.log import Access
    from radledger.access.shown import Shower
    from radledger.gateway.shower import GatewayAccessLog

__all__ = ["group"]


class NoticesUnclear(UsageError):
    """Notices are to be sent in more than one way, or not and in some."""


group = typer.Typer(
    cls=LeadingGroup,
    help="Who read what, with receipts and proofs; without a command: `show`.",
)

Patient = Annotated[
    str | None,
    typer.Option(
        metavar="ACCOUNT", help="Patient for whom you act (default: the account that acts)."
    ),
]


@group.command(name="show")
def show_(
    id_or_address: Annotated[
        str | None,
        typer.Argument(metavar="ID|ADDRESS", help="Image set, reader or patient; all if none."),
    ] = None,
    patient: Patient = None,
    csv: Annotated[
        Path | None,
        typer.Option(parser=file_to_write, metavar="FILE", help="Write it as CSV too."),
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_write,
            metavar="FILE",
            help="Write the readings as FHIR AuditEvents too (R4, IHE BALP).",
        ),
    ] = None,
    policy: PolicyFile = None,
    index: Url = None,
) -> None:
    """List who read what, with their receipts, and what gave them access or ended it.

    As a patient (--as), receipts are those that the custodians of your image sets show; otherwise
    those of this home.
    """
    events = synced(index)  # before the book is opened: a refused command changes no file
    term = None if id_or_address is None else term_of(id_or_address)
    whose = _patient(patient)
    if whose is None:
        log = session.radledger.showing.proven(events.access_log(_kept(), term))
    else:
        collected = _collected(whose, policy)
        _tell_incomplete(collected.reports)
        log = events.access_log([*collected.disclosed, *_own(collected)], term or whose.lower())
    if csv is not None:
        from radledger.access.exports import write_csv

        write_csv(log, csv)
    if fhir is not None:
        from radledger.access.audit_events import write_audit_events

        write_audit_events(log, session.radledger.ledger, fhir)
    show_all(log if session.json else _for_people(log), empty="no access")


@group.command()
def check(patient: Patient = None, policy: PolicyFile = None) -> None:
    """Ask the custodians of your image sets, and say whether what they show is all.

    Exits with 1 if a custodian does not answer, or if anything is missing.
    """
    reports = _collected(session.whose(patient) or session.signer.address, policy).reports
    show_all(reports, empty="no image sets of this patient")
    if not all(report.complete for report in reports):
        raise typer.Exit(1)


@group.command()
def notify(
    webhook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Have a signed request sent there at each reading."),
    ] = None,
    mail: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Have a mail sent there at each reading.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Have no further notices sent.")] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Custodian (default: all of your image sets)."),
    ] = None,
    patient: Patient = None,
) -> None:
    """Say where custodians send you a notice at each reading; without options, show it.

    A notice says that something happened, not what was seen. The secret of a webhook is shown once.
    """
    chosen = [each for each in (webhook, mail, off or None) if each is not None]
    if len(chosen) > 1:
        raise NoticesUnclear("give one of --webhook, --mail and --off")
    whose = session.whose(patient) or session.signer.address
    custodians = [session.address(at)] if at is not None else _custodians(whose)
    answers = [_notices(each, whose, webhook, mail, off) for each in custodians]
    show_all(answers, empty="no image sets of this patient")
    if any(answer["unanswered"] for answer in answers):
        raise typer.Exit(1)


def _notices(
    custodian: str, patient: str, webhook: str | None, mail: str | None, off: bool
) -> dict[str, Any]:
    """What a custodian's gateway answers about a patient's notices."""
    from radledger.gateway.notices.store import Channel

    told: dict[str, Any] = {"custodian": custodian, "gateway": None, "unanswered": None}
    try:
        asked = _gateway(custodian)
        if asked is None:
            return {**told, "unanswered": "it publishes no gateway"}
        told["gateway"] = asked.where
        if webhook is not None:
            settings = asked.notify(patient, Channel.WEBHOOK, webhook)
        elif mail is not None:
            settings = asked.notify(patient, Channel.MAIL, mail)
        else:
            settings = asked.end_notices(patient) if off else asked.notices(patient)
    except RadLedgerError as error:
        return {**told, "unanswered": one_line(error)}
    return {**told, **plain(settings)}


def _custodians(patient: str) -> list[str]:
    from radledger.imaging.records import find_records

    records = find_records(session.radledger.ledger, patient=patient)
    return list(dict.fromkeys(each.image_set.custodian for each in records))


def _patient(named: str | None) -> str | None:
    """Whose log is shown as a patient's: the acting account's, if any image set names it."""
    if session.account is None and named is None:
        return None
    from radledger.imaging.records import find_records

    whose = session.whose(named) or session.address(session.name)
    known = find_records(session.radledger.ledger, patient=whose)
    return whose if known or named is not None else None


def _collected(patient: str, policy: Path | None) -> Collected:
    from radledger.access.collecting import Collector
    from radledger.access.receipt_log import policy_from

    radledger = session.radledger
    believed = None if policy is None else policy_from(policy)
    path = radledger.home / "shown" / f"{radledger.ledger.deployment.chain_slug}.sqlite3"
    services = (radledger.ledger, radledger.access_ledger, radledger.receipts)
    return Collector(*services, path, believed).collect(patient, _shower)


def _shower(custodian: str) -> Shower | None:
    """This home if the custodian's account is here, or the gateway that it published."""
    radledger = session.radledger
    if custodian in {each.address for each in session.keystore.list()}:
        from radledger.access.showing import HereShown

        return HereShown(radledger.showing, custodian)
    return _gateway(custodian)


def _gateway(custodian: str) -> GatewayAccessLog | None:
    """The gateway that a custodian published, asked as the account that acts; none without one."""
    radledger = session.radledger
    url = radledger.identities.gateway(custodian)
    if url is None:
        return None
    from radledger.gateway.shower import GatewayAccessLog

    return GatewayAccessLog(url, session.signer, radledger.ledger.chain_id)


def _kept() -> list[Disclosed]:
    """The receipts of this home; a book that is not there is not made."""
    if not (session.folder / "receipts.sqlite3").exists():
        return []
    from radledger.access.collecting import Disclosed

    releases = session.radledger.receipts.releases()
    return [Disclosed(each.signed, each.released_at) for each in releases]


def _own(collected: Collected) -> list[Disclosed]:
    """The receipts of this home that no custodian showed, such as of a patient's own readings."""
    shown = {each.signed for each in collected.disclosed}
    return [each for each in _kept() if each.signed not in shown]


def _for_people(log: list[Access]) -> list[dict[str, Any]]:
    """Without proofs, which are long and in `--json`, and without what no entry has."""
    if not log:
        return []
    entries = [plain(replace(each, proof=None, log_proof=None)) for each in log]
    names = [name for name in entries[0] if any(each[name] is not None for each in entries)]
    return [{name: each[name] for name in names} for each in entries]


def _tell_incomplete(reports: tuple[CustodianReport, ...]) -> None:
    for report in reports:
        if not report.complete:
            why = report.unanswered or "something is missing"
            print(
                f"not complete: {session.named(report.custodian)}: {why}; see "
                "`radledger access-log check`",
                file=sys.stderr,
            )

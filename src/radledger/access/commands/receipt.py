"""``radledger receipt``: receipts under roots of days and in a log, and demands for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.acting import act, sign
from radledger.cli.files import file_to_read, file_to_write, named_path, write_document
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import Address, PolicyFile, SignOnly, ValidFor
from radledger.cli.session import session
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.access import AccessLedger
    from radledger.tlog.sources import Source

__all__ = ["group"]

# A proof of 2^32 receipts has some 3 kB.
_LONGEST = 100_000


class PolicyMissing(UsageError):
    """A log is to be believed, and not said whose witnesses have to have seen it."""


group = typer.Typer(help="Receipts of reading: anchored, proven, and demanded where left out.")

ReceiptId = Annotated[str, typer.Argument(metavar="RECEIPT", help="Digest of the receipt.")]
DemandId = Annotated[str, typer.Argument(metavar="DEMAND", help="Id of the demand.")]
OfInstitution = Annotated[
    str | None, typer.Option(metavar="ACCOUNT", help="Only those of an institution.")
]


def _access() -> AccessLedger:
    return session.radledger.access_ledger


# --- the institution --------------------------------------------------------------------------


@group.command()
def appoint(recorder: Address, sign_only: SignOnly = None, valid_for: ValidFor = "7d") -> None:
    """Appoint the key that acknowledges and anchors receipts for your institution."""
    act(_access().appoint(session.address(recorder)), sign_only, valid_for)


@group.command()
def dismiss(recorder: Address, sign_only: SignOnly = None, valid_for: ValidFor = "7d") -> None:
    """Dismiss a recorder for good; what it acknowledged until tomorrow stays binding."""
    act(_access().dismiss(session.address(recorder)), sign_only, valid_for)


# --- the recorder -----------------------------------------------------------------------------


@group.command()
def record(
    receipt: ReceiptId,
    checked: Annotated[
        bool,
        typer.Option(
            "--checked", help="Have the reader's signature checked, which shows who read."
        ),
    ] = False,
) -> None:
    """Record one receipt at once, by its digest; its day's root has it too."""
    show(_access().record(receipt, checked=checked).send(session.signer))


@group.command()
def anchor(
    day: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Day in UTC (default: past days without one)."),
    ] = None,
    institution: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Whose (default: the one whose recorder you are)."),
    ] = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "2d",
) -> None:
    """Anchor the root over all receipts of a day that this home keeps; run it once a day.

    With --sign-only, of one day: the oldest without a root, unless --day names another.
    """
    from radledger.access.days import parse_day

    access = _access()
    whose = session.whose(institution) or access.institution_of(session.signer.address)
    days = access.unanchored(whose) if day is None else (parse_day(day),)
    if sign_only is not None and days:
        left = {"day": str(days[0]), "left": [str(each) for each in days[1:]]}
        sign(access.anchor(whose, days[0]), sign_only, valid_for, left)
        return
    done = [access.anchor(whose, each).send(session.signer) for each in days]
    show_all(done, empty="the roots of all past days are anchored")


# --- the log ----------------------------------------------------------------------------------


@group.command()
def publish(
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Begin the log under this name: the address of its files without https://.",
        ),
    ] = None,
) -> None:
    """Log the receipts of this home that are not logged yet, and publish the log's checkpoint.

    The files for readers are in `public/` of its folder; its policy names the witnesses to ask.
    """
    log = session.radledger.receipt_log
    if origin is not None:
        log.create(origin)
    done = log.publish()
    show({"folder": str(log.public), "key": log.vkey, **plain(done)})


@group.command(name="anchor-log")
def anchor_log(
    institution: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Whose (default: the one whose recorder you are)."),
    ] = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "1h",
) -> None:
    """Anchor the published checkpoint of this home's log on the chain; a gateway does it itself.

    Readers ask for it within an hour of what the log shows: run it every ten minutes.
    """
    from radledger.access.anchoring import LogAnchoring

    radledger = session.radledger
    whose = session.whose(institution) or _access().institution_of(session.signer.address)
    anchoring = LogAnchoring(radledger.ledger, radledger.receipt_log)
    if anchoring.is_behind(whose):
        act(anchoring.anchor(whose), sign_only, valid_for)
    else:
        show_all([], empty="the chain has all that the log has published")


@group.command()
def watch(
    log: Annotated[
        str, typer.Argument(metavar="URL|FOLDER", help="Address or folder of the log's files.")
    ],
    policy: Annotated[
        Path,
        typer.Option(
            parser=file_to_read, metavar="FILE", help="Believed log and witnesses (tlog-policy)."
        ),
    ],
    institution: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            help="Compare it with what this institution anchored, and look for the receipts that "
            "it acknowledged to this home.",
        ),
    ] = None,
    delay: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="By when a receipt has to be in the log, and what that shows on the chain.",
        ),
    ] = "1h",
) -> None:
    """Watch a key service's log: that it only grows, and has your receipts. Run it regularly."""
    from radledger.access.receipt_log import policy_from
    from radledger.access.watching import watch as check_log
    from radledger.cli.times import duration

    radledger = session.radledger
    seen = check_log(
        radledger.ledger,
        radledger.receipts,
        _source(log),
        policy_from(policy),
        session.folder / "watched",
        session.whose(institution),
        delay=duration(delay),
    )
    show(seen)


def _source(log: str) -> Source:
    from radledger.tlog import FolderSource, HttpSource

    return HttpSource(log) if "://" in log else FolderSource(named_path(log))


# --- proofs -----------------------------------------------------------------------------------


@group.command()
def prove(
    receipt: ReceiptId,
    file: Annotated[
        Path, typer.Argument(parser=file_to_write, metavar="FILE", help="The proof to write.")
    ],
    log: Annotated[
        bool, typer.Option("--log", help="Prove it by the log, as a .tlog-proof (C2SP).")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL|FOLDER", help="By the log there; needs --policy."),
    ] = None,
    policy: PolicyFile = None,
    block: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_write,
            metavar="FILE",
            help="Write here, too, what proves offline by which block it was logged.",
        ),
    ] = None,
) -> None:
    """Write the proof that a receipt released for here is under the root of its day, or logged.

    With --from, of a receipt that was acknowledged to this home, by the log of its institution.
    """
    if log or source is not None:
        _prove_logged(receipt, file, source, policy, block)
        return
    proof = _access().prove(receipt)
    write_document(file, plain(proof))
    show(proof)


def _prove_logged(
    receipt: str, file: Path, source: str | None, policy: Path | None, block: Path | None
) -> None:
    from radledger.access.anchoring import block_proof
    from radledger.access.receipt_log import check_log_proof, policy_from
    from radledger.access.watching import anchored_proof, prove_from
    from radledger.tlog.errors import EntryPending

    radledger = session.radledger
    if source is None:
        believed = radledger.receipt_log.policy
        text = radledger.receipt_log.prove(receipt)
    elif policy is None:
        raise PolicyMissing("say which log and witnesses are believed with --policy FILE")
    else:
        believed = policy_from(policy)
        where = _source(source)
        text = prove_from(radledger.ledger, radledger.receipts, where, believed, receipt)
    file.write_text(text, "utf-8")
    shown = anchored_proof(radledger.ledger, check_log_proof(text.encode(), believed))
    if block is not None:
        if shown.anchored is None:
            raise EntryPending(
                f"the chain does not have the receipt {receipt} in a log yet; ask again once its "
                "log is anchored",
                receipt=receipt,
            )
        block.write_text(block_proof(radledger.ledger, shown.anchored), "ascii")
    show(shown)


@group.command()
def check(
    file: Annotated[
        Path, typer.Argument(parser=file_to_read, metavar="FILE", help="What `prove` wrote.")
    ],
    policy: PolicyFile = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="With --policy: say by which block it was logged.")
    ] = False,
) -> None:
    """Check a proof against the root that is on the chain, or with --policy that of a log."""
    with file.open("rb") as content:
        text = content.read(_LONGEST)
    if policy is not None:
        from radledger.access.receipt_log import check_log_proof, policy_from

        shown = check_log_proof(text, policy_from(policy))
        if chain:
            from radledger.access.watching import anchored_proof

            shown = anchored_proof(session.radledger.ledger, shown)
        show(shown)
        return
    from radledger.access import Proof

    access = _access()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    proof = Proof.from_json(value)
    access.check(proof)
    show(proof)


# --- demands ----------------------------------------------------------------------------------


@group.command()
def demand(receipt: ReceiptId, sign_only: SignOnly = None, valid_for: ValidFor = "7d") -> None:
    """Demand that an institution show a receipt that it acknowledged to you, within seven days.

    Possible from three days after the receipt's day until eight weeks after it.
    """
    act(_access().demand(receipt), sign_only, valid_for)


@group.command()
def answer(demand: DemandId) -> None:
    """Answer a demand with the proof that the receipt is under the root of its day."""
    show(_access().answer(demand).send(session.signer))


@group.command()
def demands(institution: OfInstitution = None) -> None:
    """List demands, and which of them were not answered in time."""
    show_all(_access().demands(session.whose(institution)), empty="no demands")


# --- lists ------------------------------------------------------------------------------------


@group.command()
def roots(institution: OfInstitution = None) -> None:
    """List the roots that institutions anchored, of each day the last one."""
    show_all(_access().roots(session.whose(institution)), empty="no roots")


@group.command()
def logs(institution: OfInstitution = None) -> None:
    """List the logs of receipts that institutions anchored, each by its last checkpoint."""
    show_all(_access().logs(session.whose(institution)), empty="no logs")


@group.command(name="list")
def list_() -> None:
    """List the receipts that this home keeps, with the root of their day and their demand."""
    show_all(_access().receipts(), empty="no receipts; they come with `radledger image fetch`")

"""``radledger link``: links by which a patient shows images (SMART Health Links)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.acting import act
from radledger.cli.files import InvalidFile, file_to_write
from radledger.cli.output import show_all
from radledger.cli.parameters import SignOnly, Subject, ValidFor
from radledger.cli.session import session
from radledger.cli.times import moment
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.gateway.link_client import LinkClient

__all__ = ["group"]

group = typer.Typer(help="Links by which a patient shows images to anyone who is given one.")
_DIGITS = 8

GatewayUrl = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        metavar="URL",
        help="Gateway that shows the images (default: the one that the custodian of the image set "
        "published).",
    ),
]


def code_to_write(text: str) -> Path:
    """Path of a picture that can be written.

    Raises
    ------
    InvalidFile
        If it cannot, or its name does not say of what kind it is to be.
    """
    path = file_to_write(text)
    if path.suffix not in (".png", ".svg"):
        raise InvalidFile(
            f"{path} would be a QR code of an unknown format; end its name with .png or .svg",
            path=str(path),
        )
    return path


class LinkUnlisted(UsageError):
    """There is no link of that id among those of the patient."""


class GatewayNotNamed(UsageError):
    """No gateway was named, and none is published for what is to be shown."""


@group.command()
def create(
    scope: Annotated[
        str,
        typer.Argument(
            metavar="SCOPE",
            help="all, or the id of an image set, or the digest of a visit or course.",
        ),
    ],
    until: Annotated[
        str,
        typer.Option(metavar="TIME", help="End, such as +7d or 2027-01-31; a day is included."),
    ] = "+7d",
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it leads to, in a few words.")
    ] = None,
    long_term: Annotated[
        bool, typer.Option("--long-term", help="It may be opened more than once.")
    ] = False,
    passcode: Annotated[
        bool,
        typer.Option("--passcode", help="Protect it by a passcode, to be passed on separately."),
    ] = False,
    qr: Annotated[
        Path | None,
        typer.Option(
            parser=code_to_write, metavar="FILE", help="Write it as a QR code, .png or .svg."
        ),
    ] = None,
    gateway: GatewayUrl = None,
    subject: Subject = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Make a link, and grant what it shows to its account, for clinical care.

    The link is shlink:/…, a SMART Health Link to pass on or to show as a QR code; anyone who has it
    sees the images, with the passcode if it has one, once unless it is for the long term. It opens
    as long as the grant holds, and each opening is in the access log.
    """
    from radledger.consent import Terms
    from radledger.consent.scope import parse_scope

    parse_scope(scope)
    radledger, patient = session.radledger, session.whose(subject)
    end = moment(until, radledger.ledger.present().time, end=True)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}" if passcode else None
    client = _client(gateway, scope)
    made = client.make(
        subject=patient, scope=scope, until=end, label=label, long_term=long_term, passcode=code
    )
    terms = Terms(("CC",), until=end or 0)
    grant = radledger.consents.grant(made.address, terms, scope=scope, subject=patient, exact=True)
    told = {"id": made.id, "address": made.address, "link": made.link.text, "until": end}
    try:
        if qr is not None:
            _write_code(qr, made.link.text)
        act(grant, sign_only, valid_for, {**told, **({"passcode": code} if code else {})})
    except Exception:
        client.revoke(made.id)
        raise


@group.command(name="list")
def list_(gateway: GatewayUrl = None, subject: Subject = None) -> None:
    """List links: whether each still opens, and how often it was opened, when last and by whom."""
    patient = session.whose(subject) or session.signer.address
    show_all(_client(gateway).list(patient), empty="no links")


@group.command()
def revoke(
    link: Annotated[str, typer.Argument(metavar="LINK", help="Id of the link.")],
    gateway: GatewayUrl = None,
    subject: Subject = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Destroy a link, and take its grant back: who has opened it sees nothing more."""
    patient, client = session.whose(subject), _client(gateway)
    whose = patient or session.signer.address
    found = next((each for each in client.list(whose) if each.id == link), None)
    if found is None:
        raise LinkUnlisted(
            f"there is no link {link!r}; list them with `radledger link list`", id=link
        )
    client.revoke(found.id)
    action = session.radledger.consents.revoke(found.address, scope=found.scope, subject=patient)
    act(action, sign_only, valid_for, {"id": found.id, "address": found.address})


def _write_code(file: Path, link: str) -> None:
    """Write a QR code (ISO/IEC 18004) at the level of redundancy that SMART Health Links names."""
    import segno

    segno.make_qr(link, error="m").save(str(file), scale=8)


def _client(gateway: str | None, scope: str | None = None) -> LinkClient:
    from radledger.gateway.link_client import LinkClient
    from radledger.imaging.errors import ImageUnknown

    radledger = session.radledger
    if gateway is None and scope not in (None, "all"):
        try:
            custodian = radledger.images.show(str(scope)).image_set.custodian
            gateway = radledger.identities.gateway(custodian)
        except ImageUnknown:
            gateway = None
    if gateway is None:
        raise GatewayNotNamed(
            "no gateway is known that shows these images; name it with --gateway URL"
        )
    return LinkClient(gateway, session.signer, radledger.ledger.chain_id)

"""``radledger gateway``: image sets for readers elsewhere, as the chain permits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.files import file_to_read, path_to_read
from radledger.cli.output import show
from radledger.cli.parameters import (
    Disease,
    Fulfils,
    Host,
    Identity,
    KeepIdentity,
    Port,
    Profile,
    Purposes,
    Quiet,
)
from radledger.cli.session import session
from radledger.cli.times import duration
from radledger.errors import UsageError
from radledger.imaging.commands.reading import ReadOptions

if TYPE_CHECKING:
    from fastapi import FastAPI

    from radledger.gateway.storing import InstanceStore

__all__ = ["group"]


class StoringIncomplete(UsageError):
    """Who may add instances was given without whose they are, or the other way round."""


group = typer.Typer(
    help="Run a gateway, which gives readers elsewhere what the chain permits, or look at images "
    "at one."
)


@group.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8091,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address at which readers reach it, by a proxy with TLS (default: where it "
            "listens).",
        ),
    ] = None,
    viewer: Annotated[
        Path | None,
        typer.Option(
            parser=path_to_read,
            metavar="DIR",
            help="Viewer to serve, such as build/ohif of `make ohif` (default: none).",
        ),
    ] = None,
    viewer_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Origin of a viewer elsewhere whose pages may ask for images; repeatable.",
        ),
    ] = None,
    store_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCOUNT",
            help="Who may add instances by DICOMweb; repeatable, with --patients.",
        ),
    ] = None,
    patients: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="Whose instances are added: CSV with the columns patient_id, patient and, if "
            "wanted, issuer.",
        ),
    ] = None,
    quiet: Quiet = "60s",
    profile: Profile = "basic",
    keep_identity: KeepIdentity = False,
    orthanc: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="Answer an Orthanc that asks with the NAME:PASSWORD in this file.",
        ),
    ] = None,
    orthanc_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="That Orthanc's address, for links to its viewers."),
    ] = None,
    consent_policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URI",
            help="Policy of FHIR Consents to take because it forbids nothing but what they say, "
            "beside those of IHE PCF; repeatable.",
        ),
    ] = None,
    mail_server: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]", help="Server that takes mail for patients (default: no mail)."
        ),
    ] = None,
    mail_from: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Sender of that mail.")
    ] = None,
    allow_webhooks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="Let patients' webhooks go to this network too, such as 10.1.0.0/16, also "
            "without TLS (default: public addresses with TLS); repeatable.",
        ),
    ] = None,
) -> None:
    """Release image sets of this home to readers who may have them, until stopped."""
    from radledger.gateway.errors import GATEWAY, InvalidOrthanc
    from radledger.httpapi.server import serve as run
    from radledger.identity.identities import require_gateway_url
    from radledger.imaging.commands.reading import recorder_of

    if orthanc_url is not None and orthanc is None:
        raise InvalidOrthanc("--orthanc-url is the address of the Orthanc of --orthanc; give both")
    if (patients is None) != (not store_by):
        raise StoringIncomplete(
            "to add instances takes both whose they are and who may send them; give --patients and "
            "--store-by"
        )
    public = None if url is None else require_gateway_url(url)
    radledger, custodian = session.radledger, session.signer
    recorder = recorder_of(custodian.address)

    def stored() -> InstanceStore | None:
        from radledger.cli.adding import adding, show_closed
        from radledger.pacs.patients import PatientList
        from radledger.pacs.storing import InboxStore

        if patients is None:
            return None
        return InboxStore(
            radledger.home,
            radledger.ledger.deployment,
            PatientList(patients, session.address),
            [session.address(each) for each in store_by or ()],
            adding(radledger, custodian, profile=profile, keep_identity=keep_identity),
            quiet=duration(quiet),
            closed=show_closed,
        )

    def create(address: str) -> FastAPI:
        from radledger.gateway.application import create_application
        from radledger.gateway.notices.delivery import delivery_of
        from radledger.gateway.orthanc import Orthanc
        from radledger.gateway.service import Gateway
        from radledger.gateway.viewer import require_origin, require_viewer

        folder = None if viewer is None else require_viewer(viewer, public)
        origins = [require_origin(each) for each in viewer_origin or ()]
        asking = None if orthanc is None else Orthanc.read(orthanc, orthanc_url)
        at, policies = public or address, consent_policy or ()
        delivery = delivery_of(at, mail_server, mail_from, allow_webhooks or ())
        gateway = Gateway(radledger, custodian, at, recorder, policies, stored(), delivery)
        return create_application(gateway, folder, origins, asking)

    def ready(address: str) -> None:
        at = public or address
        show(
            {
                "gateway": at,
                "custodian": custodian.address,
                "recorder": None if recorder is None else recorder.address,
                "description": f"{at}/docs",
                "viewer": None if viewer is None else f"{at}/ohif/",
            }
        )
        sys.stdout.flush()  # a reader of this line may read it from a pipe

    run(GATEWAY, create, host, port, ready)


@group.command()
def view(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Ids of the image sets.")],
    purpose: Purposes = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    identity: Identity = None,
    key_service: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Gateway to ask (default: the one that the custodian published)."
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the link in a browser of this machine.")
    ] = False,
) -> None:
    """Print a link that shows image sets in the viewer of their custodian's gateway.

    It counts once, within a minute. Anyone who has it sees the images.
    """
    options = ReadOptions(purpose, fulfils, disease, identity, key_service)
    opened = session.radledger.reading.view(images, **options.viewing(images))
    names = ("link", "expires_at", "viewing_until")
    show({name: getattr(opened, name) for name in names})
    if open_:
        sys.stdout.flush()
        typer.launch(opened.link)

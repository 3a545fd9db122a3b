"""Answer the workstations of a hospital, until stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from radledger.files import private_folder
from radledger.imaging.home import exclusive_workdir
from radledger.pacs.errors import PacsNotInstalled
from radledger.pacs.inbox import inbox_folder

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment
    from radledger.pacs.archive import Archive
    from radledger.pacs.settings import Settings
    from radledger.pacs.workstations import Workstation

__all__ = ["serve"]


def serve(
    home: Path,
    deployment: Deployment,
    archive: Archive,
    stations: Mapping[str, Workstation],
    settings: Settings,
    *,
    address: tuple[str, int],
    ready: Callable[[int], None],
    stop: Event,
) -> None:
    """Answer the workstations of a hospital, until stopped.

    Parameters
    ----------
    home, deployment
        Of the custodian.
    archive, stations, settings
        See :class:`.Server`.
    address
        Host and port to listen at; port 0 lets the system choose one.
    ready
        Called with the port once associations are accepted.
    stop
        Set to stop.

    Raises
    ------
    HomeBusy
        If another process serves from this home.
    PacsNotListening
        If the address cannot be had.
    PacsNotInstalled
        If pynetdicom is missing.
    """
    try:
        from radledger.pacs.server import Server
    except ImportError as error:
        raise PacsNotInstalled.of(error) from error
    folder = private_folder(inbox_folder(home, deployment))
    with closing(archive), exclusive_workdir(folder, "serving") as temporary:
        archive.start()
        with Server(archive, stations, settings, temporary).listening(*address) as port:
            ready(port)
            stop.wait()

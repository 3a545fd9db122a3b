"""Send image sets to a PACS: fetched, verified, then sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.files import private_folder
from radledger.imaging.home import exclusive_workdir
from radledger.pacs.errors import InstancesNotSent, PacsNotInstalled
from radledger.pacs.inbox import inbox_folder

if TYPE_CHECKING:
    from radledger.chain.deployments import Deployment
    from radledger.imaging.model import FetchResult
    from radledger.pacs.peer import Peer

__all__ = ["Sent", "send"]


@dataclass(frozen=True, slots=True)
class Sent:
    """An image set that a peer has taken.

    Attributes
    ----------
    image_id
        Which one.
    peer
        AE title, host and port.
    instances
        How many.
    block_age
        Age in seconds of the block at which its secret was released; None if none was.
    """

    image_id: str
    peer: str
    instances: int
    block_age: int | None


def send(
    home: Path,
    deployment: Deployment,
    fetch: Callable[[Path], FetchResult],
    peer: Peer,
    *,
    title: str,
    tls: ssl.SSLContext | None = None,
) -> Sent:
    """Send an image set.

    Nothing is sent before all of it is fetched and verified.  Its files are in the home meanwhile,
    and are deleted at the end; those of a run that was interrupted, by the next one.

    Parameters
    ----------
    home, deployment
        Of who sends.
    fetch
        Fetches it into a folder, as :meth:`.Reading.fetch` does.
    peer, title, tls
        See :func:`.send_files`.

    Raises
    ------
    HomeBusy
        If another process sends from this home.
    PeerUnreachable, PeerRefused
        See :func:`.send_files`.
    InstancesNotSent
        If the peer did not take all instances.
    PacsNotInstalled
        If pynetdicom is missing.
    """
    try:
        from radledger.pacs.sender import send_files
    except ImportError as error:
        raise PacsNotInstalled.of(error) from error
    folder = private_folder(inbox_folder(home, deployment))
    with exclusive_workdir(folder, "sending") as temporary:
        fetched = fetch(temporary / "files")
        files = [file.path for file in fetched.files]
        not_sent = send_files(files, peer, title, tls)
    if not_sent:
        raise InstancesNotSent(
            f"{peer} did not take {len(not_sent)} of {len(files)} instances, the first because "
            f"{not_sent[0].reason}; have the peer accept them, and send again",
            image=fetched.image_id,
            peer=str(peer),
            sent=len(files) - len(not_sent),
            not_sent=[{"file": each.file, "reason": each.reason} for each in not_sent],
        )
    return Sent(fetched.image_id, str(peer), len(files), fetched.block_age)

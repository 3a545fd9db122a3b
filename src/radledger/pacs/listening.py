"""Listen for associations, within bounds and for those titles alone that are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import AE, evt

from radledger.pacs.bounds import BoundedServer, bound
from radledger.pacs.errors import PacsNotListening
from radledger.pacs.streaming import streaming
from radledger.texts import visible

if TYPE_CHECKING:
    from radledger.pacs.settings import Settings

__all__ = ["comment_of", "entity_of", "listening"]

_PDU_BYTES = 128 << 10
_VERIFICATION = "1.2.840.10008.1.1"
_LONGEST_COMMENT = 64  # of a value of LO (PS3.5 section 6.2)


def comment_of(reason: str) -> str:
    """A reason as the Error Comment (0000,0902) of a response."""
    return visible(reason)[:_LONGEST_COMMENT]


def entity_of(settings: Settings) -> AE:
    """An application entity that answers to C-ECHO; what else it supports is to be added."""
    bounds = settings.bounds
    entity = AE(settings.title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(settings.allowed)
    entity.maximum_associations = bounds.associations
    entity.maximum_pdu_size = _PDU_BYTES
    entity.acse_timeout = entity.dimse_timeout = bounds.idle_seconds
    entity.network_timeout = bounds.idle_seconds
    entity.add_supported_context(_VERIFICATION)
    return entity


@contextmanager
def listening(
    entity: AE,
    settings: Settings,
    handlers: Sequence[tuple[Any, Callable[..., Any]]],
    host: str,
    port: int,
) -> Iterator[int]:
    """Accept associations while the block runs; gives the port.

    Parameters
    ----------
    entity, settings
        Who listens, and within which bounds.
    handlers
        What answers which event.
    host, port
        Where; port 0 lets the system choose one.

    Raises
    ------
    PacsNotListening
        If the address cannot be had.
    """
    with streaming():
        server = _server(entity, settings, handlers, host, port)
        thread = Thread(target=server.serve_forever, args=(0.1,), name="pacs-listener")
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            for association in server.active_associations:
                association.abort()


def _server(
    entity: AE,
    settings: Settings,
    handlers: Sequence[tuple[Any, Callable[..., Any]]],
    host: str,
    port: int,
) -> BoundedServer:
    try:
        server = entity.make_server(
            (host, port),
            ssl_context=settings.tls,
            evt_handlers=[(evt.EVT_CONN_OPEN, bound, [settings.bounds]), *handlers],
            server_class=BoundedServer,
        )
    except OSError as error:
        raise PacsNotListening(
            f"cannot listen at {host} port {port}: {error.strerror}; choose others with "
            "--host and --port",
            host=host,
            port=port,
        ) from error
    return cast(BoundedServer, server)

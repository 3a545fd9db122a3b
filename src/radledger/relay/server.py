"""Serve a relayer's interface, in the foreground or in a thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from radledger.httpapi import server
from radledger.relay.errors import RELAYER

if TYPE_CHECKING:
    from fastapi import FastAPI

    from radledger.relay.service import Relayer

__all__ = ["serve", "serving"]


def serve(relayer: Relayer, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until the process is asked to end (SIGTERM, SIGINT).

    Parameters
    ----------
    relayer
        What is served.
    host, port
        Where; port 0 lets the system choose one.
    ready
        Called with the address once it can be used.

    Raises
    ------
    RelayNotInstalled
        If the extra ``relay`` is missing.
    RelayNotListening
        If the address cannot be had.
    """
    server.serve(RELAYER, _creating(relayer), host, port, ready)


def serving(
    relayer: Relayer, host: str = "127.0.0.1", port: int = 0
) -> AbstractContextManager[str]:
    """Serve in a thread; gives the address.

    Raises
    ------
    RelayNotInstalled
        If the packages that serve it are not there.
    RelayNotListening
        If the address cannot be had.
    """
    return server.serving(RELAYER, _creating(relayer), host, port)


def _creating(relayer: Relayer) -> Callable[[str], FastAPI]:
    def create(address: str) -> FastAPI:
        from radledger.relay.application import create_application

        return create_application(relayer)

    return create

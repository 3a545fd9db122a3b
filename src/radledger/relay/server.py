"""Serve a relayer's interface, in the foreground or in a thread."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from radledger.relay.errors import RelayNotInstalled, RelayNotListening

if TYPE_CHECKING:
    from radledger.relay.service import Relayer

__all__ = ["serve", "serving"]

# Further ones are answered with 503. A process has 1,024 descriptors by default.
_MOST_CONNECTIONS = 512


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
    with _listening(host, port) as listener:
        server = _server(relayer)
        for each in (signal.SIGTERM, signal.SIGINT):
            # Until uvicorn takes them over; it ends in good order and then sends them once more.
            signal.signal(each, lambda *_: setattr(server, "should_exit", True))
        ready(_address(listener))
        server.run([listener])


@contextmanager
def serving(relayer: Relayer, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread, and return the address.

    Raises
    ------
    RelayNotInstalled
        If the packages that serve it are not there.
    RelayNotListening
        If the address cannot be had.
    """
    with _listening(host, port) as listener:
        server = _server(relayer)
        thread = threading.Thread(target=server.run, args=([listener],), name="relay-server")
        thread.start()
        try:
            yield _address(listener)
        finally:
            server.should_exit = True
            thread.join()


def _server(relayer: Relayer) -> Any:
    try:
        import uvicorn

        from radledger.relay.application import create_application
        from radledger.relay.arrival import TimedProtocol
    except ImportError as error:
        raise RelayNotInstalled(
            "the relayer's server is not installed; run `pip install radledger[relay]`",
            missing=str(error.name),
        ) from error
    config = uvicorn.Config(
        create_application(relayer),
        log_config=None,
        log_level="error",
        ws="none",
        http=TimedProtocol,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return uvicorn.Server(config)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends answers at once (TCP_NODELAY) where the socket says that it is TCP's.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(512)
        except OSError as error:
            raise RelayNotListening(
                f"cannot listen at {host} port {port}: {error.strerror}; choose others with "
                "--host and --port",
                host=host,
                port=port,
            ) from error
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

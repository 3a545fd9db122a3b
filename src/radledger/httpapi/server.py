"""Serve an application over HTTP, in the foreground or in a thread."""

from __future__ import annotations

import ctypes
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from radledger.httpapi.service import Service

__all__ = ["serve", "serving"]

# Further ones are answered with 503. A process has 1,024 descriptors by default.
_MOST_CONNECTIONS = 512
# By the numbers in glibc's malloc.h: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX.
_MALLOC = {-3: 32 << 20, -1: 64 << 20, -8: 2}


def serve(
    service: Service,
    create: Callable[[str], FastAPI],
    host: str,
    port: int,
    ready: Callable[[str], None],
) -> None:
    """Serve until the process is asked to end (SIGTERM, SIGINT).

    Parameters
    ----------
    service
        What is served.
    create
        Makes the application for the address at which it is served.
    host, port
        Where; port 0 lets the system choose one.
    ready
        Called with the address once it can be used.

    Raises
    ------
    UsageError
        The service's own, if its extra is missing.
    RadLedgerError
        The service's own, if the address cannot be had.
    """
    _keep_memory()
    with _listening(service, host, port) as listener:
        server = _server(service, create, _address(listener))
        for each in (signal.SIGTERM, signal.SIGINT):
            # Until uvicorn takes them over; it ends in good order and then sends them once more.
            signal.signal(each, lambda *_: setattr(server, "should_exit", True))
        ready(_address(listener))
        server.run([listener])


@contextmanager
def serving(
    service: Service, create: Callable[[str], FastAPI], host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve in a thread; gives the address.

    Parameters and errors are those of `serve`.
    """
    with _listening(service, host, port) as listener:
        server = _server(service, create, _address(listener))
        thread = threading.Thread(
            target=server.run, args=([listener],), name=f"{service.key}-server"
        )
        thread.start()
        try:
            yield _address(listener)
        finally:
            server.should_exit = True
            thread.join()


def _server(service: Service, create: Callable[[str], FastAPI], address: str) -> Any:
    try:
        import uvicorn

        from radledger.httpapi.arrival import TimedProtocol

        application = create(address)
    except ImportError as error:
        raise service.not_installed(
            f"the {service.name}'s server is not installed; run "
            f"`pip install radledger[{service.key}]`",
            missing=str(error.name),
        ) from error
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="error",
        ws="none",
        http=TimedProtocol,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return uvicorn.Server(config)


def _keep_memory() -> None:
    """Keep some of the memory that an answer has freed for the next one.

    glibc would give it back to the kernel, which clears each page before it is used again: that
    takes longer than to decrypt and verify what is read into it.
    """
    with suppress(AttributeError):  # another C library
        set_option = ctypes.CDLL(None).mallopt
        for option, value in _MALLOC.items():
            set_option(option, value)


@contextmanager
def _listening(service: Service, host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends answers at once (TCP_NODELAY) where the socket says that it is TCP's.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(512)
        except OSError as error:
            raise service.not_listening(
                f"cannot listen at {host} port {port}: {error.strerror}; choose others with "
                "--host and --port",
                host=host,
                port=port,
            ) from error
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

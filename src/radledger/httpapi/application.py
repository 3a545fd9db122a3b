"""An application of FastAPI, as all services have it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from radledger import __version__
from radledger.httpapi.problems import Advice, BodyLimit, OneLength, Status, add_handlers

if TYPE_CHECKING:
    from radledger.httpapi.service import Service

__all__ = ["make_application"]


def make_application(
    service: Service,
    description: str,
    statuses: tuple[Status, ...],
    advice: Advice,
    *,
    start: Callable[[], None],
    stop: Callable[[], None],
    largest_body: int,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """An application without operations, whose page asks no other host for anything.

    Parameters
    ----------
    service
        What is served.
    description
        Of its interface, in Markdown.
    statuses, advice
        How it refuses; see `add_handlers`.
    start, stop
        Called before it serves and after.
    largest_body
        Bytes of a request's body.
    larger_bodies
        Bytes of the bodies for paths that begin so.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start()
        yield
        stop()

    application: FastAPI = FastAPIOffline(
        redoc_url=None,
        title=f"RadLedger {service.name}",
        description=description,
        version=__version__,
        lifespan=lifespan,
        swagger_ui_parameters={"validatorUrl": None},
    )
    application.add_middleware(BodyLimit, most=largest_body, larger=larger_bodies or {})
    application.add_middleware(OneLength)
    add_handlers(application, service, statuses, advice)
    return application

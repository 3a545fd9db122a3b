"""Who sends a request: the account of a session, the holder of a token, or a browser's cookie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from radledger.gateway.dicomweb import ROOT as DICOM_WEB
from radledger.gateway.dicomweb.view import View
from radledger.gateway.errors import CrossSiteRequest
from radledger.gateway.service import Gateway
from radledger.gateway.tokens import Viewing

__all__ = ["Account", "Cookie", "TheGateway", "TheView", "Token", "cookie_of"]

_SESSIONS = HTTPBearer(auto_error=False, scheme_name="session", description="From `/sessions`.")
_TOKENS = HTTPBearer(auto_error=False, scheme_name="token", description="From `/tokens`.")


@dataclass(frozen=True, slots=True)
class Cookie:
    """How a browser keeps a token."""

    name: str
    path: str
    secure: bool


def cookie_of(url: str) -> Cookie:
    """The cookie of a gateway at a public address.

    With TLS its prefix keeps it to this very host.  Without it, on this machine, it has the port
    in its name, since browsers send cookies to every port of a host.

    Examples
    --------
    >>> cookie_of("https://gateway.example")
    Cookie(name='__Host-radledger', path='/', secure=True)
    >>> cookie_of("http://127.0.0.1:8091")
    Cookie(name='radledger-8091', path='/dicom-web', secure=False)
    """
    parts = urlsplit(url)
    if parts.scheme == "https":
        return Cookie("__Host-radledger", "/", secure=True)
    return Cookie(f"radledger-{parts.port or 80}", DICOM_WEB, secure=False)


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]
"""The gateway whose application was asked."""


def _account(
    gateway: TheGateway,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_SESSIONS)],
) -> str:
    return gateway.account(bearer.credentials if bearer else None)


_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_TOKENS)]


def _holder(gateway: TheGateway, bearer: _Bearer) -> Viewing:
    return gateway.viewing(bearer.credentials if bearer else None)


def _viewer(request: Request, gateway: TheGateway, bearer: _Bearer) -> Viewing:
    cookie = request.cookies.get(cookie_of(gateway.url).name)
    if bearer is not None or cookie is None:
        return _holder(gateway, bearer)
    # Browsers send the cookie whichever page asks; they alone say which one does.
    site = request.headers.get("sec-fetch-site")
    if site != "same-origin":
        raise CrossSiteRequest(
            "a page that is not this gateway's has sent the request, or a browser that does not "
            "say which; open the viewer here, in a present browser",
            site=site,
        )
    return gateway.viewing(cookie)


Account = Annotated[str, Depends(_account)]
"""The account that has signed in; refused with 401 where none has."""
Token = Annotated[Viewing, Depends(_holder)]
"""What the token of a request is for; refused with 401 where there is none that counts."""


def _view(gateway: TheGateway, viewing: Annotated[Viewing, Depends(_viewer)]) -> View:
    return View(gateway, viewing)


TheView = Annotated[View, Depends(_view)]
"""What the token of a request permits, or the cookie where a page of the gateway asks."""

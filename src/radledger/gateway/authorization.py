"""Who sends a request: the account of a session, or the holder of a token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from radledger.gateway.dicomweb.view import View
from radledger.gateway.service import Gateway
from radledger.gateway.tokens import Viewing

__all__ = ["Account", "TheGateway", "TheView", "Token"]

_SESSIONS = HTTPBearer(auto_error=False, scheme_name="session", description="From `/sessions`.")
_TOKENS = HTTPBearer(auto_error=False, scheme_name="token", description="From `/tokens`.")


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(_gateway)]
"""The gateway whose application was asked."""


def _account(
    gateway: TheGateway,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_SESSIONS)],
) -> str:
    return gateway.sign_in.account(bearer.credentials if bearer else None)


def _viewing(
    gateway: TheGateway,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_TOKENS)],
) -> Viewing:
    return gateway.viewing(bearer.credentials if bearer else None)


Account = Annotated[str, Depends(_account)]
"""The account that has signed in; refused with 401 where none has."""
Token = Annotated[Viewing, Depends(_viewing)]
"""What the token of a request is for; refused with 401 where there is none that counts."""


def _view(gateway: TheGateway, viewing: Token) -> View:
    return View(gateway, viewing)


TheView = Annotated[View, Depends(_view)]
"""What the token of a request permits; refused where there is none that counts."""

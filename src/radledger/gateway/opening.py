"""From a token to a browser: a ticket that counts once, and the cookie that it is changed for.

A token in a link would stay in histories and logs, and a page loses it when it is loaded again.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from radledger.gateway.authorization import TheGateway, Token, cookie_of
from radledger.gateway.dicomweb.view import View
from radledger.gateway.errors import ViewerNotServed
from radledger.gateway.viewer import viewer_path
from radledger.httpapi.problems import problems

__all__ = ["router"]

router = APIRouter(tags=["Viewer"])


class TicketAnswer(BaseModel):
    """A link that opens the viewer."""

    link: str = Field(description="Counts once, for anyone who opens it.")
    expires_at: int = Field(description="Unix time until which it has to be opened.")


@router.post("/tickets", status_code=201, responses=problems(401, 404, 429, 503))
def issue_ticket(
    request: Request, response: Response, gateway: TheGateway, viewing: Token
) -> TicketAnswer:
    """Issue a link by which a browser is shown what the token permits."""
    if not request.app.state.has_viewer:
        raise ViewerNotServed(
            "this gateway serves no viewer; use one of your own with the token, or ask the "
            "custodian for one"
        )
    response.headers["Cache-Control"] = "no-store"
    ticket, expires_at = gateway.issue_ticket(viewing)
    return TicketAnswer(link=f"{gateway.url}/open?ticket={ticket}", expires_at=expires_at)


@router.get(
    "/open",
    status_code=303,
    response_class=Response,
    responses={303: {"description": "To the viewer, with a cookie"}, **problems(403, 422, 503)},
)
def open_viewer(
    gateway: TheGateway,
    ticket: Annotated[str, Query(max_length=100, description="As `/tickets` issued it.")],
) -> Response:
    """Open the viewer: the browser has a cookie from now on, and the link counts no longer."""
    token, viewing = gateway.redeem(ticket)
    studies = {each.manifest.study for each in View(gateway, viewing).image_sets}
    headers = {"Location": viewer_path(studies), "Cache-Control": "no-store"}
    response = Response(status_code=303, headers=headers)
    cookie = cookie_of(gateway.url)
    response.set_cookie(
        cookie.name,
        token,
        path=cookie.path,
        secure=cookie.secure,
        httponly=True,
        samesite="strict",
    )
    return response

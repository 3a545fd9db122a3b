"""A patient's links at a gateway somewhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radledger.fhir.health_links import HealthLink
from radledger.forms import Form, integer, optional, text
from radledger.gateway.link_model import Link, Made
from radledger.gateway.signed_in import SignedIn
from radledger.identity.address import parse_address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["LinkClient"]

_ID = text("[0-9a-f]{32}")
_TIME, _COUNT = integer(0, 1 << 40), integer(0, 1 << 40)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


_MADE: Mapping[str, Form] = {"id": _ID, "address": parse_address, "link": HealthLink.parse}
_LINK: Mapping[str, Form] = {
    "id": _ID,
    "subject": parse_address,
    "address": parse_address,
    "scope": text("all|0x[0-9a-f]{64}"),
    "label": optional(text()),
    "until": _TIME,
    "long_term": _flag,
    "attempts": optional(_COUNT),
    "status": text("[a-z ]{1,40}"),
    "opened": _COUNT,
    "opened_at": optional(_TIME),
    "recipient": optional(text()),
}


class LinkClient:
    """The links that an account makes at a gateway; parameters are those of :class:`.SignedIn`."""

    def __init__(self, url: str, account: LocalAccount, chain_id: int) -> None:
        self._gateway = SignedIn(url, account, chain_id)

    def make(self, **asked: Any) -> Made:
        """Make a link, as :meth:`.Links.make` does.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        LinkNotAllowed
            If the account may not consent for the subject.
        """
        stated = {name: value for name, value in asked.items() if value is not None}
        with self._gateway.session() as (ask, bearer):
            answer = ask("POST", "/links", _MADE, json=stated, headers=bearer)
        return Made(**self._gateway.read(_MADE, answer))

    def list(self, subject: str) -> list[Link]:
        """The links of a subject.

        Raises
        ------
        GatewayUnreachable, LinkNotAllowed
            As in `make`.
        """
        query = {"subject": subject}
        with self._gateway.session() as (ask, bearer):
            answer = ask("GET", "/links", ("links",), params=query, headers=bearer)
        links = answer["links"] if isinstance(answer["links"], list) else [{}]
        return [Link(**self._gateway.read(_LINK, each)) for each in links]

    def revoke(self, id_: str) -> None:
        """Destroy a link.

        Raises
        ------
        GatewayUnreachable, LinkUnknown
            As in `make`, or if there is none of that id.
        """
        with self._gateway.session() as (ask, bearer):
            ask("DELETE", f"/links/{id_}", ("id",), headers=bearer)

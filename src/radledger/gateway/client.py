"""A key service somewhere else: signs in to a gateway, and asks it with the reader's receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radledger.access.acknowledgements import Acknowledgement
from radledger.access.keyservice import ViewerLink, WrappedSecret
from radledger.crypto.keys import Kem, Wrapped
from radledger.forms import Form, digits, integer, optional, text
from radledger.gateway.signed_in import SignedIn

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipts import SignedReceipt

__all__ = ["GatewayKeyService"]

_SECRET: Mapping[str, Form] = {
    "image_id": digits(32),
    "grant_id": digits(32),
    "kem": Kem,
    "data": text("0x(?:[0-9a-f]{2})+"),
    "block_age": integer(0, 1 << 40),
    "acknowledgement": optional(Acknowledgement.from_json),
}
_OPAQUE = "[A-Za-z0-9_-]{1,100}"
_TIME = integer(0, 1 << 40)


def _acknowledgements(value: Any) -> tuple[Acknowledgement, ...]:
    if not isinstance(value, list):
        raise ValueError("acknowledgements are not a list")
    return tuple(map(Acknowledgement.from_json, value))


_TOKEN: Mapping[str, Form] = {
    "token": text(_OPAQUE),
    "expires_at": _TIME,
    "acknowledgements": _acknowledgements,
}
# An image set may have to be encrypted again before its secret is released.
_WAIT = 600.0


class GatewayKeyService:
    """A custodian's gateway; a :class:`.KeyService`, and :class:`.Viewers` in a browser.

    Parameters
    ----------
    url
        Its public address, with TLS unless it is on this machine.
    account
        Who signs in: the one that signs the receipts.
    chain_id
        The chain that the reader asks.

    Raises
    ------
    InvalidGatewayUrl
        If ``url`` is not such an address.

    Examples
    --------
    >>> url = "https://gateway.hospital.example"
    >>> service = GatewayKeyService(url, radiologist, 1337)        # doctest: +SKIP
    >>> radledger.reading.fetch(                                   # doctest: +SKIP
    ...     image_id, "fetched", reader=radiologist, private_key=private_key, key_service=service,
    ...     use=Use.of(["CC"]))
    """

    def __init__(self, url: str, account: LocalAccount, chain_id: int) -> None:
        self._gateway = SignedIn(url, account, chain_id)

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Sign in, and have an image set's secret released; see :class:`.KeyService`.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        RadLedgerError
            As the gateway or the contract refuses, of the type of its own error.
        """
        with self._gateway.session(wait=_WAIT) as (ask, bearer):
            answer = ask("POST", "/releases", _SECRET, json=request.to_json(), headers=bearer)
        secret = self._gateway.read(_SECRET, answer)
        wrapped = Wrapped(secret.pop("kem"), bytes.fromhex(secret.pop("data")[2:]))
        return WrappedSecret(**secret, wrapped=wrapped)

    def open(self, requests: Sequence[SignedReceipt]) -> ViewerLink:
        """Sign in, and have a browser shown image sets; see :class:`.Viewers`.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        RadLedgerError
            As the gateway or the contract refuses, of the type of its own error.
        """
        receipts = {"receipts": [each.to_json() for each in requests]}
        with self._gateway.session() as (ask, bearer):
            given = ask("POST", "/tokens", _TOKEN, json=receipts, headers=bearer)
            issued = self._gateway.read(_TOKEN, given)
            holder = {"Authorization": f"Bearer {issued['token']}"}
            # What is opened in a browser is of this gateway, whatever it says.
            forms = {
                "link": text(rf"{re.escape(self._gateway.url)}/open\?ticket={_OPAQUE}"),
                "expires_at": _TIME,
            }
            ticket = self._gateway.read(forms, ask("POST", "/tickets", forms, headers=holder))
        return ViewerLink(
            link=ticket["link"],
            expires_at=ticket["expires_at"],
            viewing_until=issued["expires_at"],
            acknowledgements=issued["acknowledgements"],
        )

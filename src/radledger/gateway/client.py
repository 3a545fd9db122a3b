"""A key service somewhere else: signs in to a gateway, and asks it with the reader's receipts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# The errors that a gateway may answer with have to be known by their names.
from radledger.access import errors as _access_errors
from radledger.access.acknowledgements import Acknowledgement
from radledger.access.keyservice import ViewerLink, WrappedSecret
from radledger.crypto.keys import Kem, Wrapped
from radledger.forms import Form, digits, fields, integer, optional, text
from radledger.gateway.errors import GATEWAY, SignInMalformed
from radledger.gateway.sign_in import authority
from radledger.gateway.siwe import SignInMessage
from radledger.httpapi.remote import Ask, Remote
from radledger.identity.identities import require_gateway_url
from radledger.imaging import errors as _imaging_errors

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipts import SignedReceipt

__all__ = ["GatewayKeyService"]

_KNOWN = (_access_errors, _imaging_errors)
_CHALLENGE = ("nonce", "issued_at", "expiration_time")
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
        self._url = require_gateway_url(url)
        self._account = account
        self._chain_id = chain_id
        self._remote = Remote(GATEWAY, self._url)

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Sign in, and have an image set's secret released; see :class:`.KeyService`.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        RadLedgerError
            As the gateway or the contract refuses, of the type of its own error.
        """
        with self._signed_in(wait=_WAIT) as (ask, bearer):
            answer = ask("POST", "/releases", _SECRET, json=request.to_json(), headers=bearer)
        secret = self._read(_SECRET, answer)
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
        with self._signed_in() as (ask, bearer):
            given = ask("POST", "/tokens", _TOKEN, json=receipts, headers=bearer)
            issued = self._read(_TOKEN, given)
            holder = {"Authorization": f"Bearer {issued['token']}"}
            # What is opened in a browser is of this gateway, whatever it says.
            forms = {
                "link": text(rf"{re.escape(self._url)}/open\?ticket={_OPAQUE}"),
                "expires_at": _TIME,
            }
            ticket = self._read(forms, ask("POST", "/tickets", forms, headers=holder))
        return ViewerLink(
            link=ticket["link"],
            expires_at=ticket["expires_at"],
            viewing_until=issued["expires_at"],
            acknowledgements=issued["acknowledgements"],
        )

    @contextmanager
    def _signed_in(self, *, wait: float = 0.0) -> Iterator[tuple[Ask, dict[str, str]]]:
        """What asks the gateway, and the header of a session."""
        with self._remote.connected(wait=wait) as ask:
            given = ask("POST", "/challenges", _CHALLENGE)
            message = self._message(given)
            signed = {"message": message, "signature": self._sign(message)}
            session = ask("POST", "/sessions", ("session",), json=signed)
            yield ask, {"Authorization": f"Bearer {session['session']}"}

    def _read(self, forms: Mapping[str, Form], answer: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an answer, each of its form."""
        try:
            return fields(forms, answer)
        except ValueError as error:
            raise self._remote.unreachable(error) from None

    def _message(self, given: Mapping[str, Any]) -> str:
        """What is signed: for this gateway and chain, whatever it says, and nothing else."""
        message = SignInMessage(
            domain=authority(self._url),
            address=self._account.address,
            uri=self._url,
            chain_id=self._chain_id,
            nonce=str(given["nonce"]),
            issued_at=str(given["issued_at"]),
            expiration_time=str(given["expiration_time"]),
        )
        try:
            if SignInMessage.parse(message.text) != message:
                raise ValueError("the challenge holds more than it should")
        except (SignInMalformed, ValueError) as error:
            raise self._remote.unreachable(error) from None
        return message.text

    def _sign(self, message: str) -> str:
        from eth_account.messages import encode_defunct

        signature = self._account.sign_message(encode_defunct(text=message)).signature
        return "0x" + bytes(signature).hex()

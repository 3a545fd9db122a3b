"""An account that signs in to a gateway somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# The errors that a gateway may answer with have to be known by their names.
from radledger.access import errors as _access_errors
from radledger.forms import Form, fields
from radledger.gateway.errors import GATEWAY, SignInMalformed
from radledger.gateway.sign_in import authority
from radledger.gateway.siwe import SignInMessage
from radledger.httpapi.remote import Ask, Remote
from radledger.identity.identities import require_gateway_url
from radledger.imaging import errors as _imaging_errors

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["SignedIn"]

_KNOWN = (_access_errors, _imaging_errors)
_CHALLENGE = ("nonce", "issued_at", "expiration_time")


class SignedIn:
    """A gateway as one account reaches it.

    Parameters
    ----------
    url
        Its public address, with TLS unless it is on this machine.
    account
        Who signs in.
    chain_id
        The chain that the account asks.

    Raises
    ------
    InvalidGatewayUrl
        If ``url`` is not such an address.
    """

    def __init__(self, url: str, account: LocalAccount, chain_id: int) -> None:
        self.url = require_gateway_url(url)
        self._account = account
        self._chain_id = chain_id
        self._remote = Remote(GATEWAY, self.url)

    @contextmanager
    def session(self, *, wait: float = 0.0) -> Iterator[tuple[Ask, dict[str, str]]]:
        """Sign in; gives what asks the gateway, and the headers of the session.

        Parameters
        ----------
        wait
            Seconds that the gateway may take before it answers, beside the usual time.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        RadLedgerError
            As the gateway or the contract refuses, of the type of its own error.
        """
        with self._remote.connected(wait=wait) as ask:
            given = ask("POST", "/challenges", _CHALLENGE)
            message = self._message(given)
            signed = {"message": message, "signature": self._sign(message)}
            session = ask("POST", "/sessions", ("session",), json=signed)
            yield ask, {"Authorization": f"Bearer {session['session']}"}

    def read(self, forms: Mapping[str, Form], answer: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an answer, each of its form.

        Raises
        ------
        GatewayUnreachable
            If one is not.
        """
        try:
            return fields(forms, answer)
        except ValueError as error:
            raise self._remote.unreachable(error) from None

    def _message(self, given: Mapping[str, Any]) -> str:
        """What is signed: for this gateway and chain, whatever it says, and nothing else."""
        message = SignInMessage(
            domain=authority(self.url),
            address=self._account.address,
            uri=self.url,
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

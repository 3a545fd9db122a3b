"""Sign-In with Ethereum: challenges, and the sessions of accounts that signed them.

Both are in memory and last minutes: after a restart accounts sign in again, and no challenge of
before is accepted.  Challenges take no memory before they are answered, so that anyone may ask for
any number.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from radledger.chain.signatures import signature_bytes
from radledger.chain.signers import is_signed_by
from radledger.gateway.errors import (
    SignInExpired,
    SignInForAnother,
    SignInNotSigned,
    SignInRequired,
)
from radledger.gateway.expiring import Expiring
from radledger.gateway.siwe import SignInMessage, digest

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger

__all__ = ["Challenge", "Session", "SignIn", "authority", "hashed", "moment"]

_CHALLENGE, _SESSION = 300, 900  # seconds
_RANDOM, _TIME, _CODE = 32, 10, 32  # hexadecimal digits of a nonce


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a wallet needs to write the message that it signs.

    Attributes
    ----------
    nonce
        Accepted once, until ``expiration_time``.
    domain, uri, chain_id
        For what the message has to be.
    issued_at, expiration_time
        As RFC 3339 writes them, by this gateway's clock.
    """

    nonce: str
    domain: str
    uri: str
    chain_id: int
    issued_at: str
    expiration_time: str


@dataclass(frozen=True, slots=True)
class Session:
    """Who has signed in, with what token, until when (Unix time)."""

    token: str = field(repr=False)
    account: str
    expires_at: int


class SignIn:
    """The accounts that have signed in to one gateway.

    Parameters
    ----------
    ledger
        Whose chain it is, and which knows the code of accounts that are contracts.
    url
        The gateway's public address, without a slash at its end.
    """

    def __init__(self, ledger: Ledger, url: str) -> None:
        self._ledger = ledger
        self._uri = url
        self._key = secrets.token_bytes(32)
        self._used = Expiring[str]("accounts have signed in")
        self._sessions = Expiring[str]("accounts have signed in")

    def challenge(self) -> Challenge:
        """Make a challenge."""
        now = self._now()
        head = secrets.token_hex(_RANDOM // 2) + f"{now:0{_TIME}d}"
        return Challenge(
            nonce=head + self._code(head),
            domain=authority(self._uri),
            uri=self._uri,
            chain_id=self._ledger.chain_id,
            issued_at=moment(now),
            expiration_time=moment(now + _CHALLENGE),
        )

    def open(self, text: str, signature: str) -> Session:
        """Open a session for the account that signed a message.

        Raises
        ------
        SignInMalformed
            If it is not a message of EIP-4361.
        SignInForAnother
            If it is for another domain, URI or chain.
        SignInExpired
            If its nonce is not this gateway's, too old or used, or its own time is not now.
        SignInNotSigned
            If the account that it names did not sign it.
        GatewayBusy
            If there is no room for another session.
        """
        message, now = SignInMessage.parse(text), self._now()
        self._require_for_here(message)
        end = self._end(message.nonce)
        if not now < end or not message.holds_at(now):
            raise _expired(message.nonce)
        self._require_signed(message, text, signature)
        # Remembered for longer than it counts: the check of a replay may be under way at its end.
        if not self._used.add(message.nonce, message.address, now, end + _CHALLENGE):
            raise _expired(message.nonce)
        token = secrets.token_urlsafe(32)
        self._sessions.add(hashed(token), message.address, now, now + _SESSION)
        return Session(token, message.address, now + _SESSION)

    def account(self, token: str | None) -> str:
        """The account of a session.

        Raises
        ------
        SignInRequired
            If there is no such session, or it has ended.
        """
        account = None if token is None else self._sessions.get(hashed(token), self._now())
        if account is None:
            raise SignInRequired("no session, or it has ended; sign in")
        return account

    def _now(self) -> int:
        return int(self._ledger.clock.wall())

    def _code(self, head: str) -> str:
        return hmac.new(self._key, head.encode(), hashlib.sha256).hexdigest()[:_CODE]

    def _end(self, nonce: str) -> int:
        """When a nonce ends (Unix time); 0 if it is not one of this gateway."""
        head, code = nonce[: _RANDOM + _TIME], nonce[_RANDOM + _TIME :]
        if not hmac.compare_digest(code, self._code(head)):
            return 0
        return int(head[_RANDOM:]) + _CHALLENGE

    def _require_for_here(self, message: SignInMessage) -> None:
        scheme = urlsplit(self._uri).scheme
        here = (authority(self._uri), self._uri, self._ledger.chain_id)
        signed = (message.domain, message.uri, message.chain_id)
        if signed != here or message.scheme not in (None, scheme):
            raise SignInForAnother(
                "what was signed is for another domain, URI or chain than this gateway's; sign "
                f"for {here[0]}, {here[1]} and chain {here[2]}",
                signed=signed,
                expected=here,
            )

    def _require_signed(self, message: SignInMessage, text: str, signature: str) -> None:
        try:
            given = signature_bytes(signature)
        except ValueError:
            given = b""
        if not is_signed_by(self._ledger.web3, message.address, digest(text), given):
            raise SignInNotSigned(
                f"{message.address} did not sign this message; sign it with that account",
                account=message.address,
            )


def _expired(nonce: str) -> SignInExpired:
    return SignInExpired(
        "the challenge is not this gateway's, is too old or was used before; ask for another one "
        "and sign that",
        nonce=nonce,
    )


def authority(url: str) -> str:
    """Host and port of a URL, as browsers name them.

    Examples
    --------
    >>> authority("https://gateway.example:8443/path")
    'gateway.example:8443'
    """
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def hashed(token: str) -> str:
    """By what a token is known here; nothing that is kept can be used as one."""
    return hashlib.sha256(token.encode()).hexdigest()


def moment(time: int) -> str:
    """A Unix time as RFC 3339 writes it.

    Examples
    --------
    >>> moment(1_796_054_400)
    '2026-11-30T16:00:00Z'
    """
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

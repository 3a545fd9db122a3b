"""Messages of Sign-In with Ethereum, as wallets show and sign them.

What is verified is the text that was signed, not one that is put together again from its fields.

References
----------
.. [1] ERC-4361, Sign-In with Ethereum, https://eips.ethereum.org/EIPS/eip-4361
.. [2] ERC-191, Signed Data Standard, https://eips.ethereum.org/EIPS/eip-191
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address

from radledger.gateway.errors import SignInMalformed

__all__ = ["SignInMessage", "digest", "timestamp"]

_LONGEST = 4096
_CHARACTER = r"[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]"  # reserved and unreserved, RFC 3986 section 2
_ENCODED = r"%[0-9A-Fa-f]{2}"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
_NAME = rf"(?:[A-Za-z0-9._~!$&'()*+,;=-]|{_ENCODED})"
_AUTHORITY = rf"(?:(?:{_NAME}|:)*@)?(?:\[[0-9A-Fa-f:.]+\]|{_NAME}+)(?::\d*)?"
_URI = rf"{_SCHEME}:(?:{_CHARACTER}|{_ENCODED})+"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_MESSAGE = re.compile(
    rf"(?:(?P<scheme>{_SCHEME})://)?(?P<domain>{_AUTHORITY})"
    r" wants you to sign in with your Ethereum account:\n(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?:(?P<statement>[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\] -]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>\d{1,78})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    rf"(?:\nRequest ID: (?P<request_id>(?:{_NAME}|[:@])*))?"
    rf"(?:\nResources:(?P<resources>(?:\n- {_URI})*))?",
    re.ASCII,
)
_OPTIONAL = (
    ("expiration_time", "Expiration Time"),
    ("not_before", "Not Before"),
    ("request_id", "Request ID"),
)


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What an account signs to sign in; times as RFC 3339 writes them.

    Examples
    --------
    >>> message = SignInMessage(
    ...     domain="gateway.example", address="0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    ...     uri="https://gateway.example", chain_id=1, nonce="32891756",
    ...     issued_at="2026-11-30T16:00:00Z")
    >>> print(message.text.splitlines()[0])
    gateway.example wants you to sign in with your Ethereum account:
    >>> SignInMessage.parse(message.text) == message
    True
    """

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None
    statement: str | None = None
    scheme: str | None = None

    @classmethod
    def parse(cls, text: str) -> SignInMessage:
        """Read a message.

        Raises
        ------
        SignInMalformed
            If it is not one, an address is not in its EIP-55 form, or a time does not exist.
        """
        found = _MESSAGE.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise SignInMalformed(
                "not a message of Sign-In with Ethereum (EIP-4361), version 1; sign one with the "
                "nonce of a challenge"
            )
        parts: dict[str, Any] = found.groupdict()
        if not is_checksum_address(parts["address"]):
            raise SignInMalformed(
                f"{parts['address']} is not in its EIP-55 form; sign with the account's address as "
                "wallets write it",
                address=parts["address"],
            )
        for name in ("issued_at", "expiration_time", "not_before"):
            if parts[name] is not None:
                timestamp(parts[name])
        resources = parts.pop("resources")
        return cls(
            **{**parts, "chain_id": int(parts["chain_id"])},
            resources=None if resources is None else tuple(resources.split("\n- ")[1:]),
        )

    @property
    def text(self) -> str:
        """The message itself."""
        scheme = f"{self.scheme}://" if self.scheme else ""
        lines = [
            f"{scheme}{self.domain} wants you to sign in with your Ethereum account:",
            self.address,
            "",
            *([self.statement] if self.statement else []),
            "",
            f"URI: {self.uri}",
            "Version: 1",
            f"Chain ID: {self.chain_id}",
            f"Nonce: {self.nonce}",
            f"Issued At: {self.issued_at}",
        ]
        lines += [
            f"{label}: {value}"
            for name, label in _OPTIONAL
            if (value := getattr(self, name)) is not None
        ]
        if self.resources is not None:
            lines += ["Resources:", *(f"- {each}" for each in self.resources)]
        return "\n".join(lines)

    def holds_at(self, time: float) -> bool:
        """Whether a Unix time lies between the message's own bounds."""
        begins = self.not_before and timestamp(self.not_before)
        ends = self.expiration_time and timestamp(self.expiration_time)
        return (not begins or begins <= time) and (not ends or time < ends)


def digest(text: str) -> bytes:
    """The 32 bytes that a wallet signs for a text (ERC-191, version 0x45).

    Examples
    --------
    >>> digest("hello").hex()[:16]
    '50b2c43fd39106ba'
    """
    encoded = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(encoded) + encoded)


def timestamp(text: str) -> float:
    """Unix time of a time of RFC 3339.

    Raises
    ------
    SignInMalformed
        If there is no such time.

    Examples
    --------
    >>> timestamp("2026-11-30T16:00:00.500Z")
    1796054400.5
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise SignInMalformed(
            f"{text} is not a time; write one such as 2026-11-30T16:00:00Z", time=text
        ) from None

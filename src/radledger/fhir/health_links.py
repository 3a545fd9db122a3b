"""SMART Health Links: their text, and the encryption of what they lead to.

References
----------
.. [1] HL7, SMART Health Cards and Links, Links,
   https://build.fhir.org/ig/HL7/smart-health-cards-and-links/links-specification.html
.. [2] RFC 7516, JSON Web Encryption; RFC 7518, section 5.3 (AES GCM)
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["HealthLink", "decrypted", "encrypted"]

_SCHEME = "shlink:/"
_NONCE, _TAG = 12, 16


@dataclass(frozen=True, slots=True)
class HealthLink:
    """What a SMART Health Link says.

    Attributes
    ----------
    url
        Where its manifest is.
    key
        By which what it leads to is encrypted: 32 bytes.
    until
        When it ends (Unix time).
    long_term
        Whether it may be opened more than once.
    with_passcode
        Whether it takes a passcode to open it.
    label
        What it leads to, in a few words.

    Examples
    --------
    >>> link = HealthLink("https://g.example/shl/x", bytes(32), 1_800_000_000, label="CT")
    >>> HealthLink.parse(link.text) == link
    True
    """

    url: str
    key: bytes = field(repr=False)
    until: int
    long_term: bool = False
    with_passcode: bool = False
    label: str | None = None

    @property
    def text(self) -> str:
        """The link as it is passed on, or shown as a QR code."""
        flag = "L" * self.long_term + "P" * self.with_passcode
        payload = {
            "url": self.url,
            "key": _base64(self.key),
            "exp": self.until,
            **({"flag": flag} if flag else {}),
            **({} if self.label is None else {"label": self.label}),
            "v": 1,
        }
        return _SCHEME + _base64(json.dumps(payload, separators=(",", ":")).encode())

    @classmethod
    def parse(cls, text: str) -> HealthLink:
        """Read a link of this form, perhaps behind the address of a viewer.

        Raises
        ------
        ValueError
            If it is not one.
        """
        _, found, payload = text.rpartition(_SCHEME)
        read = json.loads(_bytes(payload)) if found else None
        if not isinstance(read, dict):
            raise ValueError("it is not a SMART Health Link")
        flag = read.get("flag", "")
        return cls(
            url=read["url"],
            key=_bytes(read["key"]),
            until=read["exp"],
            long_term="L" in flag,
            with_passcode="P" in flag,
            label=read.get("label"),
        )


def encrypted(content: bytes, content_type: str, key: bytes) -> str:
    """Content as a compact JWE (``dir``, ``A256GCM``).

    Examples
    --------
    >>> decrypted(encrypted(b"{}", "application/fhir+json", bytes(32)), bytes(32))
    (b'{}', 'application/fhir+json')
    """
    header = {"alg": "dir", "enc": "A256GCM", "cty": content_type}
    protected = _base64(json.dumps(header, separators=(",", ":")).encode())
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, content, protected.encode())
    return ".".join([protected, "", *map(_base64, (nonce, sealed[:-_TAG], sealed[-_TAG:]))])


def decrypted(text: str, key: bytes) -> tuple[bytes, str]:
    """Content of a compact JWE, and its type.

    Raises
    ------
    ValueError
        If it is not such a JWE.
    cryptography.exceptions.InvalidTag
        If the key is another one, or something was changed.
    """
    protected, wrapped, *parts = text.split(".")
    header = json.loads(_bytes(protected))
    if (header.get("alg"), header.get("enc"), wrapped) != ("dir", "A256GCM", "") or len(parts) != 3:
        raise ValueError("it is not encrypted by the link's key with A256GCM")
    nonce, sealed, tag = map(_bytes, parts)
    return AESGCM(key).decrypt(nonce, sealed + tag, protected.encode()), str(header.get("cty"))


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

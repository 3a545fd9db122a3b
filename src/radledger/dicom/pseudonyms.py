"""Keyed replacements: the same key gives the same one everywhere, another key another.

Each is an HMAC-SHA256 (RFC 2104): without the key, a replacement does not reveal its original,
not even to someone who tries every patient number.
"""

from __future__ import annotations

import base64
import hmac
import uuid

from radledger.dicom.uids import is_registered
from radledger.errors import UsageError

__all__ = ["Pseudonyms"]

_SHORTEST_KEY = 16
_LONGEST_SHIFT = 3652


class Pseudonyms:
    """Replaces UIDs, patients and dates under one secret key.

    Parameters
    ----------
    key
        At least 16 secret bytes.  Keep one key for as long as studies have to match.

    Raises
    ------
    UsageError
        When the key is too short.

    Examples
    --------
    >>> one, other = Pseudonyms(b"k" * 32), Pseudonyms(b"x" * 32)
    >>> one.uid("1.2.3") == one.uid("1.2.3"), one.uid("1.2.3") == other.uid("1.2.3")
    (True, False)
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _SHORTEST_KEY:
            raise UsageError(
                f"the key for pseudonyms has {len(key)} bytes; give {_SHORTEST_KEY} or more",
                length=len(key),
                least=_SHORTEST_KEY,
            )
        self._key = key

    def uid(self, uid: str) -> str:
        """A UID under ``2.25.`` (PS3.5 section B.2); those that PS3.6 registers stay.

        Examples
        --------
        >>> Pseudonyms(b"k" * 32).uid("1.2.840.10008.1.2.1")
        '1.2.840.10008.1.2.1'
        """
        if not uid or is_registered(uid):
            return uid
        # version 5 marks the UUID as derived from a name
        return f"2.25.{uuid.UUID(bytes=self._mac('uid', uid)[:16], version=5).int}"

    def patient(self, patient: str) -> str:
        """A pseudonym such as ``RL-3K5X2MQPW7AB``, for Patient ID and Patient's Name."""
        return "RL-" + base64.b32encode(self._mac("patient", patient)).decode("ascii")[:12]

    def days(self, patient: str) -> int:
        """By how many days all dates of one patient move into the past: 1 to 3652."""
        span = _LONGEST_SHIFT
        return 1 + int.from_bytes(self._mac("days", patient)[:8], "big") % span

    def _mac(self, label: str, value: str) -> bytes:
        text = f"{label}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")

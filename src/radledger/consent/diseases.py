"""Diseases, which are salted digests on chain, and the book of known salts.

The chain is public, and there are few enough diseases to try them all.  So a disease has a
random salt: people pass on ``CODE@SALT``, such as ``MONDO:0004992@3f…``, and the chain holds the
first 13 bytes of Keccak-256 of the code in ASCII and the 16 bytes of the salt.  A use is on the
disease of a grant if both have the same code and the same salt.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from eth_hash.auto import keccak

from radledger.consent.errors import DiseaseUnknown, InvalidDisease
from radledger.databases import SqliteDatabase

__all__ = [
    "Diseases",
    "decode_disease",
    "disease_code",
    "encode_disease",
    "is_code",
    "is_digest",
    "seal_disease",
]

_LENGTH = 13
_SALT_LENGTH = 16
_CODE = r"[A-Z][A-Z0-9]{0,15}:[A-Za-z0-9._-]{1,47}"
_SEALED = re.compile(rf"({_CODE})@([0-9a-f]{{{2 * _SALT_LENGTH}}})")
_DIGEST = re.compile(rf"0x[0-9a-f]{{{2 * _LENGTH}}}")
_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS diseases (
    digest TEXT PRIMARY KEY,
    sealed TEXT NOT NULL
) STRICT;
""",
)


class Diseases:
    """The diseases whose salts are known here: of this home's requests, grants and data sets.

    Parameters
    ----------
    path
        An SQLite database that only its owner can read, created if it does not exist; None: in
        memory, for as long as this object.

    Examples
    --------
    >>> diseases = Diseases(None)
    >>> sealed = diseases.sealed("MONDO:0004992")
    >>> diseases.named(decode_disease(encode_disease(sealed))) == sealed
    True
    """

    def __init__(self, path: Path | None) -> None:
        self._database = SqliteDatabase(path, _SCHEMA)

    def sealed(self, disease: str | None) -> str | None:
        """Return a disease with its salt, which is new for a code; both are kept.

        Raises
        ------
        InvalidDisease
            If it is neither a code, nor ``CODE@SALT``, nor a digest.
        """
        if disease is None or is_digest(disease):
            return disease
        sealed = seal_disease(disease) if is_code(disease) else disease
        digest = decode_disease(encode_disease(sealed))
        with self._database.writing() as write:
            write("INSERT OR IGNORE INTO diseases VALUES (?, ?)", digest, sealed)
        return sealed

    def named(self, digest: str | None) -> str | None:
        """``CODE@SALT`` of a digest if it is known here, else the digest."""
        if digest is None:
            return None
        found = self._database.rows("SELECT sealed FROM diseases WHERE digest = ?", digest)
        return str(found[0][0]) if found else digest

    def matching(self, code: str, digests: Iterable[str]) -> list[str]:
        """``CODE@SALT`` of each digest that is known here as one of a code."""
        named = map(self.named, digests)
        return [each for each in named if each is not None and disease_code(each) == code]

    def require(self, named: str | None, stated: str | None = None) -> str | None:
        """``CODE@SALT`` of what names a disease, if that is known here, and is what is stated.

        Parameters
        ----------
        named
            A digest, or ``CODE@SALT``.
        stated
            A code, or ``CODE@SALT``, where its salt is known.

        Raises
        ------
        DiseaseUnknown
            With what names it and what was stated.
        """
        if stated is not None and not is_code(stated):
            stated = self.sealed(stated)
        known = self.named(named)
        if known is not None and is_digest(known):
            raise DiseaseUnknown(
                f"which disease {known} stands for is not known here; ask the requester, or the "
                "data set's curator, and give it with --disease CODE@SALT",
                digest=known,
                stated=stated,
            )
        if stated is not None and stated not in (known, disease_code(known or "")):
            raise DiseaseUnknown(
                f"the disease that is asked for is {known or 'none'}, not {stated}; have it asked "
                "for again",
                digest=named,
                stated=stated,
            )
        return known


def is_code(text: str) -> bool:
    """Whether a text is the code of a disease: a compact identifier of at most 64 characters.

    Examples
    --------
    >>> is_code("MONDO:0004992"), is_code("cancer")
    (True, False)
    """
    return bool(re.fullmatch(_CODE, text, re.ASCII))


def is_digest(text: str) -> bool:
    """Whether a text is the digest of a disease: ``0x`` and 26 digits.

    Examples
    --------
    >>> is_digest("0x" + "ab" * 13), is_digest("0xab")
    (True, False)
    """
    return bool(_DIGEST.fullmatch(text))


def seal_disease(code: str) -> str:
    """A disease's code with a new salt, ``CODE@SALT``, as who must know it passes it on.

    Parameters
    ----------
    code
        A compact identifier such as ``MONDO:0004992`` or ``DOID:162``.

    Raises
    ------
    InvalidDisease
        If it is not a compact identifier with an upper-case prefix.  The chain compares digests,
        so one disease must have one spelling.

    Examples
    --------
    >>> sealed = seal_disease("DOID:162")
    >>> sealed[:9], len(encode_disease(sealed)), disease_code(sealed)
    ('DOID:162@', 13, 'DOID:162')
    """
    if not is_code(code):
        raise _invalid_disease(code)
    return f"{code}@{secrets.token_hex(_SALT_LENGTH)}"


def disease_code(disease: str) -> str | None:
    """The code in ``CODE@SALT``; None for a digest, which does not reveal it.

    Examples
    --------
    >>> disease_code("DOID:162@" + "00" * 16), disease_code("0x" + "ab" * 13)
    ('DOID:162', None)
    """
    match = _SEALED.fullmatch(disease)
    return match[1] if match else None


def encode_disease(disease: str | None) -> bytes:
    """A disease as the chain holds it: the first 13 bytes of Keccak-256 of code and salt.

    Parameters
    ----------
    disease
        ``CODE@SALT`` as `seal_disease` gives it, or such a digest (``0x`` and 26 digits); none for
        no disease.

    Raises
    ------
    InvalidDisease
        If it is neither.  A code without a salt is refused, as anyone could read it on the public
        chain.

    Examples
    --------
    >>> encode_disease("DOID:162@" + "00" * 16).hex()
    '38e57fa23f2b5c60ee2f0125e7'
    """
    if disease is None:
        return bytes(_LENGTH)
    if is_digest(disease):
        return bytes.fromhex(disease[2:])
    match = _SEALED.fullmatch(disease)
    if match is None:
        raise _invalid_disease(disease)
    return keccak(match[1].encode() + bytes.fromhex(match[2]))[:_LENGTH]


def decode_disease(disease: bytes) -> str | None:
    """The digest of a disease (``0x`` and 26 digits), or None.

    Examples
    --------
    >>> decode_disease(bytes.fromhex("ab" * 13)), decode_disease(bytes(13))
    ('0xababababababababababababab', None)
    """
    return "0x" + bytes(disease).hex() if any(disease) else None


def _invalid_disease(disease: str) -> InvalidDisease:
    if is_code(disease):
        why = "has no salt, so anyone could read it on the chain; give CODE@SALT"
    else:
        why = (
            "is not a disease code of at most 64 characters; write it as MONDO:0004992, its prefix "
            "in upper case, or with its salt as CODE@SALT"
        )
    return InvalidDisease(f"{disease!r} {why}", disease=disease)

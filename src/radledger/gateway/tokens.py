"""Tokens for viewers: opaque, and kept by their SHA-256 alone.

They outlast a restart, as a viewer that is open does.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.consent.bindings import Use
from radledger.databases import SqliteDatabase
from radledger.gateway.errors import TokenInvalid
from radledger.gateway.sign_in import hashed

if TYPE_CHECKING:
    from radledger.chain.clock import Present

__all__ = ["Tokens", "Viewing"]

_SCHEMA = (
    """
CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    reader TEXT NOT NULL,
    purposes INTEGER NOT NULL,
    fulfilled INTEGER NOT NULL,
    disease BLOB NOT NULL,
    grants TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_end ON tokens (expires_at);
""",
)


@dataclass(frozen=True, slots=True)
class Viewing:
    """What a token is for.

    Attributes
    ----------
    account
        Who signed the receipts, as the owner of the reader's identity.
    reader
        Who reads.
    use
        For what.
    grants
        By which grant, for each image set.
    expires_at
        Unix time.
    """

    account: str
    reader: str
    use: Use
    grants: Mapping[str, str]
    expires_at: int


class Tokens:
    """The tokens of one gateway.

    Parameters
    ----------
    path
        The database; made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._database = SqliteDatabase(path, _SCHEMA)
        self._database.open()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def issue(self, viewing: Viewing, present: Present) -> str:
        """Make a token; those that have ended are forgotten."""
        token = secrets.token_urlsafe(32)
        purposes, fulfilled, disease = viewing.use
        with self._database.writing() as write:
            write("DELETE FROM tokens WHERE expires_at <= ?", present.time)
            write(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(hashed(token), viewing.account, viewing.reader, purposes, fulfilled, disease),
                *(json.dumps(dict(viewing.grants)), viewing.expires_at),
            )
        return token

    def find(self, token: str | None, present: Present) -> Viewing:
        """What a token is for.

        Raises
        ------
        TokenInvalid
            If there is no such token, or it has ended.
        """
        rows = self._database.rows(
            "SELECT account, reader, purposes, fulfilled, disease, grants, expires_at FROM tokens "
            "WHERE digest = ? AND expires_at > ?",
            *(hashed(token or ""), present.time),
        )
        if not rows:
            raise TokenInvalid("no token, or it has ended; ask for another one")
        account, reader, *use, grants, expires_at = rows[0]
        return Viewing(account, reader, Use(*use), json.loads(grants), expires_at)

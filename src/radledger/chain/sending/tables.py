"""The tables of the journal of transactions, and their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["SCHEMA", "Intent", "State", "Version", "content_digest"]

State = Literal["open", "mined", "reverted", "superseded", "refused"]

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS intents (
    intent_id INTEGER PRIMARY KEY, account TEXT NOT NULL, nonce INTEGER NOT NULL,
    target TEXT, data TEXT NOT NULL, content TEXT NOT NULL, fields TEXT NOT NULL,
    state TEXT NOT NULL, caller TEXT NOT NULL, follower TEXT NOT NULL,
    told INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
    transaction_hash TEXT, block INTEGER, reason TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS taken_nonces ON intents (account, nonce)
    WHERE state IN ('open', 'mined', 'reverted');
CREATE INDEX IF NOT EXISTS open_intents ON intents (account, nonce) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS intents_by_content ON intents (content);
CREATE INDEX IF NOT EXISTS intents_by_block ON intents (block);
CREATE TABLE IF NOT EXISTS versions (
    version_id INTEGER PRIMARY KEY, intent_id INTEGER NOT NULL REFERENCES intents,
    transaction_hash TEXT NOT NULL, raw TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS versions_by_intent ON versions (intent_id);
""",
)


@dataclass(frozen=True, slots=True)
class Version:
    """One signed form of a transaction: its hash and its bytes, as ``0x…``."""

    transaction: str
    raw: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that is to be mined, or has been mined.

    Attributes
    ----------
    intent_id
        Its number in the journal.
    account, nonce
        Who sends and pays, and with which nonce.
    to, data
        The contract and the call's data as ``0x…``; ``to`` is None for a creation, and once the
        transaction is many blocks deep, only the function's selector is left of the data.
    fields
        What was signed last besides these: gas, fees, chain id.
    state
        How far it has come; see :mod:`radledger.chain.sending.journal`.
    created_at
        Unix time at which it was written.
    transaction, block
        Hash of the version that was mined, and in which block.
    reason
        Why it was refused.
    content
        Digest of contract and data, which is kept when the data is dropped.
    versions
        Every version that was signed, oldest first.
    """

    intent_id: int
    account: str
    nonce: int
    to: str | None
    data: str
    fields: Mapping[str, Any]
    state: State
    created_at: int
    transaction: str | None
    block: int | None
    reason: str | None
    content: str
    versions: tuple[Version, ...]

    @property
    def hashes(self) -> list[str]:
        """Hash of each version that may be mined, or of the one that was."""
        return [version.transaction for version in self.versions] or [self.transaction or ""]

    @property
    def signable(self) -> dict[str, Any]:
        """All fields, as they are signed."""
        target = {} if self.to is None else {"to": self.to}
        return {**self.fields, **target, "data": self.data, "nonce": self.nonce}


def content_digest(to: str | None, data: str) -> str:
    """Digest of a call: its contract, and its data as ``0x…``."""
    return hashlib.sha256(f"{to or ''} {data}".lower().encode()).hexdigest()

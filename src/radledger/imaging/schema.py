"""The tables of the journal, and their rows."""

from __future__ import annotations

from dataclasses import dataclass

from radledger.imaging.model import NONE

__all__ = ["SCHEMA", "FileRow", "Purpose", "SetRow"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS patients (
    custodian TEXT NOT NULL, patient TEXT NOT NULL, pseudonym_key BLOB NOT NULL,
    PRIMARY KEY (custodian, patient)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS groups (
    custodian TEXT NOT NULL, patient TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    salt BLOB NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (custodian, patient, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sets (
    set_id INTEGER PRIMARY KEY,
    custodian TEXT NOT NULL, patient TEXT NOT NULL, profile TEXT NOT NULL, parent TEXT NOT NULL,
    visit TEXT NOT NULL, course TEXT NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL,
    modality TEXT NOT NULL, state TEXT NOT NULL, secret TEXT,
    image_id TEXT UNIQUE, root TEXT, manifest_cid TEXT, transaction_hash TEXT, gas INTEGER
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS open_sets ON sets
    (custodian, patient, profile, parent, visit, course, study, series) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS files (
    set_id INTEGER NOT NULL REFERENCES sets, source_digest BLOB NOT NULL,
    sop_instance TEXT NOT NULL, sop_class TEXT NOT NULL, transfer_syntax TEXT NOT NULL,
    number INTEGER, salt BLOB NOT NULL, file_digest BLOB NOT NULL, image_digest BLOB NOT NULL,
    cid TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (set_id, source_digest), UNIQUE (set_id, sop_instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_source ON files (source_digest);
CREATE TABLE IF NOT EXISTS rekeys (
    set_id INTEGER PRIMARY KEY REFERENCES sets, secret TEXT NOT NULL, manifest_cid TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS rekeyed_files (
    set_id INTEGER NOT NULL REFERENCES sets, sop_instance TEXT NOT NULL, cid TEXT NOT NULL,
    PRIMARY KEY (set_id, sop_instance)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS garbage (cid TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Purpose:
    """For whom and how files are added; the same file again for the same purpose adds nothing.

    Attributes
    ----------
    custodian, patient
        Addresses.
    profile
        Name of the de-identification profile; empty where the identity is kept.
    parent
        Image id of the set that the files come from; `NONE` for files that were given.
    """

    custodian: str
    patient: str
    profile: str
    parent: str = NONE


@dataclass(frozen=True, slots=True)
class SetRow:
    """One row of ``sets``; what is not known yet is `None`, and the secret after erasure."""

    set_id: int
    custodian: str
    patient: str
    profile: str
    parent: str
    visit: str
    course: str
    study: str
    series: str
    modality: str
    state: str
    secret: str | None
    image_id: str | None
    root: str | None
    manifest_cid: str | None
    transaction_hash: str | None
    gas: int | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of ``files``: a file whose ciphertext is stored."""

    set_id: int
    source_digest: bytes
    sop_instance: str
    sop_class: str
    transfer_syntax: str
    number: int | None
    salt: bytes
    file_digest: bytes
    image_digest: bytes
    cid: str
    size: int

"""The path of a home's index; imports no database library, for callers that only look for it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["index_file"]


def index_file(home: Path, slug: str) -> Path:
    """The SQLite file of the index of a deployment, which has that slug."""
    return home / "index" / f"{slug}.sqlite3"

"""Where a home keeps an index; imports no database library, for those that only look for one."""

from __future__ import annotations

from pathlib import Path

__all__ = ["index_file"]


def index_file(home: Path, slug: str) -> Path:
    """The SQLite file of the index of a deployment, which has that slug."""
    return home / "index" / f"{slug}.sqlite3"

"""What the steps of the story do, chapter by chapter."""

from __future__ import annotations

__all__: list[str] = []

"""Commands about image sets."""

from __future__ import annotations

__all__: list[str] = []

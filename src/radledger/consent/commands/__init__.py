"""Commands about consent and emergency access."""

from __future__ import annotations

__all__: list[str] = []

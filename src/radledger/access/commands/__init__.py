"""Commands about receipts."""

from __future__ import annotations

__all__: list[str] = []

"""Commands about participants and identities."""

from __future__ import annotations

__all__: list[str] = []

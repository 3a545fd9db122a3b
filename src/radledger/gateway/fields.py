"""Fields of what is sent to a gateway, as its interface describes them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["Address", "Digest"]

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "5b" * 20])]
Digest = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", examples=["0x" + "ab" * 32])]

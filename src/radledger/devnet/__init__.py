"""A local chain with everything deployed, for trials, demonstrations and development.

:func:`up` starts Ganache or anvil, deploys the contracts and makes seven people who can act at
once; :func:`down` stops it, and :func:`status` reports its state.  See
:mod:`radledger.devnet.people` for who they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.devnet.network import Devnet, down, status, up

__all__ = ["Devnet", "down", "status", "up"]

__getattr__ = lazily(__name__, {"network": ("Devnet", "down", "status", "up")})

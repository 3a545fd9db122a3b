"""RadLedger: consent, provenance and rewards for medical imaging on Ethereum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.lazy import lazily

if TYPE_CHECKING:
    from radledger.facade import RadLedger

__all__ = ["RadLedger", "__version__"]

__version__ = "0.1.0"

__getattr__ = lazily(__name__, {"facade": ("RadLedger",)})

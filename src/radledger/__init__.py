"""RadLedger: consent, provenance and rewards for medical imaging on Ethereum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radledger.facade import RadLedger

__all__ = ["RadLedger", "__version__"]

__version__ = "0.2.0.dev0"


def __getattr__(name: str) -> Any:
    # As `radledger.lazy` does, which the offline verifier must not import.
    if name == "RadLedger":
        from radledger.facade import RadLedger

        return RadLedger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""RadLedger: consent, provenance and rewards for medical imaging on Ethereum."""

__all__ = ["__version__"]

__version__ = "0.1.0"

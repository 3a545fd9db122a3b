"""Verify offline that a transparency log has a receipt; see ``docs/verification.md``."""

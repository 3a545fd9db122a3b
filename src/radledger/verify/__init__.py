"""Verify offline what was recorded of an image set; see ``docs/verification.md``."""

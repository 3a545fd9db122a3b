"""Verify offline by which block a chain had a log's checkpoint; see ``docs/verification.md``."""

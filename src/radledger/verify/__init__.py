"""Verify off line what was recorded of an image set; see ``docs/verification.md``."""

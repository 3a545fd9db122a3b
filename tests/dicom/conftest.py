"""Fixtures for random files."""

from __future__ import annotations

import os
import random

import pytest


@pytest.fixture
def rng() -> random.Random:
    """Random numbers from a printed seed; RADLEDGER_SEED repeats a run."""
    seed = int(os.environ.get("RADLEDGER_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"RADLEDGER_SEED={seed}")
    return random.Random(seed)

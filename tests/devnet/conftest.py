"""A home whose local chain is down when a test is over."""

from __future__ import annotations

import pytest

from radledger.devnet import down


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    yield home
    down(home)

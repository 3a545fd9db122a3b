"""What the tests of the verifier share: the program, and a bundle that it accepts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radledger.verify import __main__ as program
from radledger.verify.proof import Trust
from tests.verify.clique import ADDRESSES, bundle_of, write

MAJORITY = Trust(validators=frozenset(ADDRESSES), needed=3)


@dataclass(frozen=True)
class Told:
    """What the program said: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run the program in this process."""

    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["verify", *map(str, arguments)])
        capsys.readouterr()
        try:
            code = program.main()
        except SystemExit as done:
            code = int(done.code or 0)
        return Told(code, *capsys.readouterr())

    return call


@pytest.fixture
def validators(tmp_path: Path) -> Path:
    """The file that names the four validators."""
    path = tmp_path / "validators"
    path.write_text("".join(f"0x{each.hex()}\n" for each in ADDRESSES))
    return path


@pytest.fixture(scope="session")
def good() -> bytes:
    """A bundle with every kind of event."""
    return write(bundle_of())


@pytest.fixture
def bundle(tmp_path: Path, good: bytes) -> Path:
    """The same as a file."""
    path = tmp_path / "bundle"
    path.write_bytes(good)
    return path

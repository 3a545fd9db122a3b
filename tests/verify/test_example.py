"""The worked example of the documentation: what it says is so, and its command says yes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verify.conftest import Told
from tools.verification_example import FOLDER, PAGE, page

ROOT = Path(__file__).parents[2]


def test_every_value_is_derived_again() -> None:
    assert PAGE.read_text("utf-8") == page()


def test_its_command_says_yes(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Told]) -> None:
    example = PAGE.read_text("utf-8").partition("## Worked example")[2]
    block = re.search(r"^```\n(python -m radledger\.verify .*?)^```", example, re.M | re.S)
    assert block
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(block[1].replace("\\\n", ""))[3:]
    told = run(*arguments)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("yes\n")
    assert "  vouched     seals of 4 of 4 validators" in told.out
    assert "  identical   docs/verification/slice.dcm" in told.out
    assert run(*arguments, PAGE).code == 1


def test_a_real_bundle_of_a_chain_is_noticed_when_changed(
    run: Callable[..., Told], tmp_path: Path
) -> None:
    good = (FOLDER / "example.bundle").read_bytes()
    path = tmp_path / "changed"
    for position in range(0, len(good), len(good) // 100):
        changed = bytearray(good)
        changed[position] = ord("0") if changed[position] != ord("0") else ord("1")
        path.write_bytes(changed)
        told = run(path, "--validators", FOLDER / "validators.txt")
        assert (told.code, told.out.count("\n")) == (1, 1)
        assert told.out.startswith("no: bundle")

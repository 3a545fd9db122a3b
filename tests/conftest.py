"""What all tests share: which of them run where.

Contract tests need Brownie's plugin and run by ``make test-contracts``; without the plugin they
are left out.  A test that needs a program or server which this machine lacks skips with a reason
that starts with ``needs NAME``; where ``RADLEDGER_REQUIRE`` lists that name (comma-separated, as
in continuous integration), the skip is a failure.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest

CONTRACT_TESTS = Path(__file__).parent / "contracts"
REQUIRED = {name for name in os.environ.get("RADLEDGER_REQUIRE", "").split(",") if name}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let Brownie fingerprint test files where ``.venv`` is below the project.

    For its ``--update`` option it reads every module that a test imports from below the project
    as Python source, and fails on compiled ones.  A test's own bytes are fingerprint enough.
    """
    if config.pluginmanager.hasplugin("pytest-brownie"):
        from brownie.test.managers import base

        base._get_ast_hash = lambda path: hashlib.sha256(Path(path).read_bytes()).hexdigest()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the contract tests to runs with Brownie's plugin."""
    if collection_path == CONTRACT_TESTS and not config.pluginmanager.hasplugin("pytest-brownie"):
        return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips for want of what must be here."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        need = re.match(r"(?:Skipped: )?needs (\S+)", reason)
        if need and need[1].rstrip(",.:;") in REQUIRED:
            report.outcome = "failed"
            report.longrepr = f"{reason}\n(RADLEDGER_REQUIRE says that it is here)"
    return report

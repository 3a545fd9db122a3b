"""Report which statements and branches of the contracts the tests reach; fail below 100 %.

A pytest plugin over what Brownie records with ``--coverage`` (see `make coverage`).  Brownie's
own report raises TypeError in its compiled form, leaves out contracts with immutables, and counts
code that two contracts share once for each; here a place in a source file is reached if any
contract reaches it.  Constructors are
not measured: Brownie evaluates the code that is deployed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from brownie import project, web3
from brownie.network import contract
from brownie.test import coverage

ROOT = Path(__file__).resolve().parent.parent
# A token for local chains and doubles for tests are not what is measured.
LEFT_OUT = ("contracts/local/", "contracts/test/")

Place = tuple[int, int]


@dataclass
class SourceCoverage:
    """What of one file is there to reach, and what was reached; places are byte offsets."""

    statements: set[Place] = field(default_factory=set)
    branches: set[Place] = field(default_factory=set)
    reached: set[Place] = field(default_factory=set)
    passed: set[Place] = field(default_factory=set)
    jumped: set[Place] = field(default_factory=set)

    def missing(self) -> list[tuple[Place, str]]:
        """Each place that was not reached, or left one way only, in the order of the file."""
        both = self.passed & self.jumped
        either = self.passed | self.jumped
        return sorted(
            [(place, "not reached") for place in self.statements - self.reached]
            + [(place, "always the same way") for place in (self.branches & either) - both]
            + [(place, "branch not reached") for place in self.branches - either]
        )


def places(coverage_map: dict[str, Any]) -> dict[str, Place]:
    """Map Brownie's number of each statement or branch of one file to its place."""
    return {
        str(number): (int(offsets[0]), int(offsets[1]))
        for functions in coverage_map.values()
        for number, offsets in functions.items()
    }


def evaluate(builds: dict[str, Any], seen: dict[str, Any]) -> dict[str, SourceCoverage]:
    """Join what each contract can reach with what each transaction reached, by source file."""
    files: dict[str, SourceCoverage] = defaultdict(SourceCoverage)
    numbered: dict[tuple[str, str], tuple[str, dict[str, Place], dict[str, Place]]] = {}
    for name, build in builds.items():
        for number, path in (build.get("allSourcePaths") or {}).items():
            if not path.startswith("contracts/") or path.startswith(LEFT_OUT):
                continue
            statements = places(build["coverageMap"]["statements"].get(number, {}))
            branches = places(build["coverageMap"]["branches"].get(number, {}))
            numbered[name, number] = (path, statements, branches)
            files[path].statements |= set(statements.values())
            files[path].branches |= set(branches.values())
    for transaction in seen.values():
        for name, by_file in transaction.items():
            for number, (executed, passed, jumped) in by_file.items():
                if (name, str(number)) not in numbered:
                    continue
                path, statements, branches = numbered[name, str(number)]
                files[path].reached |= {statements[str(item)] for item in executed}
                files[path].passed |= {branches[str(item)] for item in passed}
                files[path].jumped |= {branches[str(item)] for item in jumped}
    return dict(files)


def report(files: dict[str, SourceCoverage]) -> Iterator[str]:
    """Yield a line for each file and one for each place that is missing in it."""
    for path, file in sorted(files.items()):
        if not file.statements | file.branches:
            continue
        both = len(file.branches & file.passed & file.jumped)
        yield (
            f"{path}: {len(file.statements & file.reached)}/{len(file.statements)} statements, "
            f"{both}/{len(file.branches)} branches"
        )
        source = (ROOT / path).read_bytes()
        for (start, stop), how in file.missing():
            line = source[:start].count(b"\n") + 1
            text = " ".join(source[start:stop].decode().split())
            yield f"  {path}:{line}: {how}: {text[:80]}"


class ContractCoverage:
    """Writes the report at the end of the run and fails it if anything is missing."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Evaluate what all workers recorded."""
        builds = dict(project.get_loaded_projects()[0]._build.items())
        files = evaluate(builds, coverage.get_coverage_eval())
        self.lines = list(report(files))
        if not session.exitstatus and any(file.missing() for file in files.values()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report."""
        terminalreporter.section("contract coverage")
        for line in self.lines:
            terminalreporter.write_line(line)


def is_code_but_for_immutables(address: str, compiled: str, language: str) -> bool:
    """Whether the code at `address` is `compiled`, where immutables are zeros."""
    deployed = bytes(web3.eth.get_code(address))
    expected = bytes.fromhex(compiled.removeprefix("0x"))
    return len(deployed) == len(expected) and all(
        byte in (0, actual) for byte, actual in zip(expected, deployed, strict=True)
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have Brownie trace every contract, and report in the one process that has all the data."""
    contract._verify_deployed_code = is_code_but_for_immutables
    coverage.get_merged_coverage_eval = dict
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ContractCoverage())

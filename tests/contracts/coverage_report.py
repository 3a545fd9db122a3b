"""Coverage of the contracts by statement and branch, from the traces that Brownie collects.

Brownie 1.22 traces each transaction and call under ``--coverage``, but its own report fails on
what it has collected, and it leaves out contracts with immutables.  This takes the place of both.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brownie import project, web3
from brownie.network import contract
from brownie.test import coverage, output

# How Brownie numbers what a trace reached: a statement, a branch not taken, a branch taken.
STATEMENT, NOT_TAKEN, TAKEN = range(3)

Span = tuple[int, int]


@dataclass
class FileCoverage:
    """What one source file has, and what of it was reached."""

    statements: set[Span] = field(default_factory=set)
    branches: set[Span] = field(default_factory=set)
    reached: dict[int, set[Span]] = field(default_factory=lambda: defaultdict(set))

    def missing(self) -> Iterator[tuple[Span, str]]:
        """The spans not fully reached, and how."""
        for span in self.statements - self.reached[STATEMENT]:
            yield span, "never run"
        for span in self.branches - self.reached[TAKEN] - self.reached[NOT_TAKEN]:
            yield span, "never decided"
        for span in self.branches & (self.reached[TAKEN] ^ self.reached[NOT_TAKEN]):
            yield span, "always decided the same way"

    def totals(self) -> dict[str, list[int]]:
        """Reached and existing; a branch counts once for each of its two sides."""
        sides = [span for kind in (NOT_TAKEN, TAKEN) for span in self.reached[kind]]
        return {
            "statements": [len(self.reached[STATEMENT]), len(self.statements)],
            "branches": [len(sides), 2 * len(self.branches)],
        }


def install() -> None:
    """Have Brownie trace contracts with immutables, and report as this module does."""
    contract._verify_deployed_code = _is_code_but_for_immutables
    coverage.get_merged_coverage_eval = collect
    output._build_coverage_output = _lines
    output._save_coverage_report = _save


def _is_code_but_for_immutables(address: str, compiled: str, language: str) -> bool:
    deployed = bytes(web3.eth.get_code(address))
    expected = bytes.fromhex(compiled.removeprefix("0x"))
    return len(deployed) == len(expected) and all(
        byte in (0, actual) for byte, actual in zip(expected, deployed, strict=True)
    )


def collect() -> dict[str, FileCoverage]:
    """The coverage of each of the project's own contract sources, by its path."""
    (loaded,) = project.get_loaded_projects()
    files: dict[str, FileCoverage] = defaultdict(FileCoverage)
    spans = {name: _spans(build) for name, build in loaded._build.items() if "coverageMap" in build}
    for build_spans in spans.values():
        for (path, kind, _), span in build_spans.items():
            (files[path].statements if kind == STATEMENT else files[path].branches).add(span)
    for reached in coverage.get_coverage_eval().values():
        for name, sources in reached.items():
            paths = loaded._build.get(name)["allSourcePaths"]
            for source, kinds in sources.items():
                for kind, indexes in enumerate(kinds):
                    path = paths[source]
                    keys = {(path, kind, int(index)) for index in indexes} & spans[name].keys()
                    files[path].reached[kind].update(spans[name][key] for key in keys)
    return {path: files[path] for path in sorted(files) if path.startswith("contracts/")}


def _spans(build: dict[str, Any]) -> dict[tuple[str, int, int], Span]:
    """Where each statement and branch of a compiled contract is, by path, kind and index."""
    found = {}
    kinds = {"statements": [STATEMENT], "branches": [NOT_TAKEN, TAKEN]}
    for name, numbers in kinds.items():
        for source, functions in build["coverageMap"][name].items():
            for items in functions.values():
                for index, (start, end, *_) in items.items():
                    for kind in numbers:
                        key = (build["allSourcePaths"][source], kind, int(index))
                        found[key] = (start, end)
    return found


def _lines(files: dict[str, FileCoverage]) -> Iterable[str]:
    for path, file in files.items():
        totals = (f"{name} {hit}/{all_}" for name, (hit, all_) in file.totals().items())
        yield f"  {path}: {', '.join(totals)}"
        source = Path(path).read_bytes()  # the compiler counts bytes
        for (start, end), how in sorted(file.missing()):
            line = source.count(b"\n", 0, start) + 1
            code = " ".join(source[start:end].decode().split())
            yield f"    line {line} {how}: {code[:70]}"


def _save(build: object, files: dict[str, FileCoverage], folder: str) -> None:
    report = {path: file.totals() for path, file in files.items()}
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "coverage.json").write_text(json.dumps(report, indent=2) + "\n")

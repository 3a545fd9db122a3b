"""Find source files that are too long: over 400 lines of Python, or 300 of Solidity.

python tools/check_length.py [FOLDER…]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKED = ("src", "contracts", "interfaces", "scripts", "tests", "tools", "benchmarks")
LIMITS = {".py": 400, ".sol": 300}


def too_long(folder: Path) -> list[tuple[Path, int]]:
    """The files of a folder that have more lines than their kind may have."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in LIMITS)
    lengths = [(path, path.read_bytes().count(b"\n")) for path in files]
    return [(path, length) for path, length in lengths if length > LIMITS[path.suffix]]


def main(folders: list[str]) -> int:
    """Print each file that is too long; return 1 if there is one."""
    found = [each for name in folders or CHECKED for each in too_long(ROOT / name)]
    for path, length in found:
        print(f"{path}: {length} lines, at most {LIMITS[path.suffix]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run the library's tests on each Python that RadLedger supports, finds here and has not run yet.

Each gets a virtual environment below ``build/`` with ``requirements/library.txt``: no Brownie,
and so the newest web3.  The Python of ``.venv``, which `make test` uses, is left out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SUPPORTED = [(3, 11), (3, 12), (3, 13)]
ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "library.txt"
# Tests of the contracts, of Brownie's scripts and of the wheel say nothing new on another Python,
# nor do those with a browser or Orthanc.
LEFT_OUT = [
    *(f"tests/{name}" for name in ("gas", "invariants", "packaging", "scripts", "security")),
    "tests/gateway/dicomweb/test_ohif.py",
    "tests/gateway/orthanc/test_peer.py",
    "tests/pacs/orthanc",
]


def candidates(name: str) -> list[Path]:
    """Programs called `name` on PATH, and in pyenv's folders where PATH has only its shims."""
    found = []
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        found.append(folder / name)
        if folder.name == "shims":
            versions = folder.parent / "versions"
            found += sorted(versions.glob(f"{name.removeprefix('python')}.*/bin/{name}"))
    return [path for path in found if os.access(path, os.X_OK)]


def python(version: tuple[int, int]) -> Path | None:
    """The first interpreter of that version which runs and can make virtual environments."""
    check = f"import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != {version})"
    for program in candidates(f"python{version[0]}.{version[1]}"):
        if subprocess.run([program, "-c", check], capture_output=True).returncode == 0:
            return program
    return None


def environment(program: Path, name: str) -> Path:
    """Make, or find again, the virtual environment `name` and return its Python."""
    folder = ROOT / "build" / name
    fingerprint = hashlib.sha256(
        REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    ).hexdigest()
    stamp, interpreter = folder / "installed", folder / "bin" / "python"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([program, "-m", "venv", folder], check=True)
    pip = [str(interpreter), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)], check=True)
    offline = ["--no-deps", "--no-build-isolation", "--editable"]
    subprocess.run([*pip, *offline, str(ROOT)], check=True)
    stamp.write_text(fingerprint)
    return interpreter


def main() -> int:
    """Return 1 if the tests fail on any Python."""
    failed = []
    for version in SUPPORTED:
        name = f"python-{version[0]}.{version[1]}"
        if version == sys.version_info[:2]:
            continue
        program = python(version)
        if program is None:
            print(f"{name}: not on this machine", flush=True)
            continue
        print(f"{name}: {program}", flush=True)
        tests = ["-q", "-n", "2", "--dist", "loadfile", *(f"--ignore={each}" for each in LEFT_OUT)]
        run = [str(environment(program, name)), "-m", "pytest", *tests]
        if subprocess.run(run, cwd=ROOT).returncode not in (0, 5):
            failed.append(name)
    if failed:
        print(f"failed on {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

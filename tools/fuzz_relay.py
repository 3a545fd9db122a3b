"""Let Schemathesis talk to a running relayer: requests made from its description, right and wrong.

Schemathesis needs a newer Hypothesis than Brownie allows, so it has a virtual environment of its
own below ``build/``.  The relayer runs as users run it, on a local chain; a request that it answers
with a fault, or with what its description does not say, fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radledger import devnet

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "schemathesis.txt"


def schemathesis() -> Path:
    """Make, or find again, the virtual environment; its ``schemathesis``."""
    folder = ROOT / "build" / "schemathesis"
    program, stamp = folder / "bin" / "schemathesis", folder / "installed"
    fingerprint = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", REQUIREMENTS], check=True)
    stamp.write_text(fingerprint)
    return program


@contextmanager
def relayer(home: Path) -> Iterator[str]:
    """A relayer on a chain of its own; its address."""
    devnet.up(home, "anvil")
    serve = ("relay", "serve", "--port", "0", "--as", "hospital", "--home", home, "--json")
    with (home / "relay.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "radledger.cli", *serve], stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None  # noqa: S101
        yield json.loads(process.stdout.readline())["relay"]
    finally:
        process.terminate()
        process.communicate(timeout=30)
        devnet.down(home)


def main() -> int:
    """Return the exit code of Schemathesis, or 1 if the relayer met a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", default="50", help="for each operation")
    options = parser.parse_args()
    program = schemathesis()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with relayer(home) as url:
            # A document made at random bears no signature, so none is ever taken on.
            unsigned = ["--exclude-checks", "positive_data_acceptance", "--warnings", "off"]
            run = [program, "run", f"{url}/openapi.json", "-n", options.examples, *unsigned]
            code = subprocess.run(run, check=False, cwd=folder).returncode
        faults = (home / "relay.log").read_text("utf-8")
    print(faults, end="", file=sys.stderr)
    return code or int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

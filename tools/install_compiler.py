"""Put solc where py-solc-x finds it: downloaded where that works, from npm otherwise."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

SOLC_VERSION = "0.8.30"
DOWNLOAD_SECONDS = 60
ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(sys.prefix) / "solcx"


def works(compiler: Path) -> bool:
    """Whether `compiler` runs on this machine and is the version asked for."""
    try:
        run = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0 and f"Version: {SOLC_VERSION}+" in run.stdout


def download() -> bool:
    """Let py-solc-x download the native compiler; it has no time limit of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "solcx.install", f"v{SOLC_VERSION}"]
    environment = {**os.environ, "SOLCX_BINARY_PATH": str(FOLDER)}
    try:
        run = subprocess.run(
            command, env=environment, capture_output=True, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def install_npm_compiler(compiler: Path) -> None:
    """Write a launcher for ``tools/solc.cjs`` under the name that py-solc-x looks for."""
    node = shutil.which("node")
    if node is None:
        sys.exit("no Node.js on PATH: run `make setup`, which installs one")
    command = shlex.join([node, str(ROOT / "tools" / "solc.cjs")])
    compiler.unlink(missing_ok=True)
    compiler.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    compiler.chmod(0o755)


def announce() -> None:
    """Have every program of this environment look for compilers in it, not in the user's home.

    Brownie reads ``dotenv`` files only after it has compiled, so a path file does it.
    """
    line = "import os, sys; " + "; ".join(
        f"os.environ.setdefault('{name}', os.path.join(sys.prefix, '{folder}'))"
        for name, folder in (("SOLCX_BINARY_PATH", "solcx"), ("VVM_BINARY_PATH", "vvm"))
    )
    site_packages = Path(sysconfig.get_path("purelib"))
    (site_packages / "compiler_folders.pth").write_text(line + "\n")


def main() -> None:
    """Install the compiler, or end with a message that says what is missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    announce()
    compiler = FOLDER / f"solc-v{SOLC_VERSION}"
    if works(compiler):
        print(f"solc {SOLC_VERSION}: there already")
        return
    if download() and works(compiler):
        print(f"solc {SOLC_VERSION}: native")
        return
    install_npm_compiler(compiler)
    if not works(compiler):
        sys.exit(f"solc {SOLC_VERSION} runs neither natively nor from npm")
    print(f"solc {SOLC_VERSION}: from npm (the native one could not be downloaded)")


if __name__ == "__main__":
    main()

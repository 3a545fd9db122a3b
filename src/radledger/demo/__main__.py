"""``python -m radledger.demo``: plays the story, prints a line for each step, writes the page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Play the story on a local node; 0 if every step did as it should."""
    parser = argparse.ArgumentParser(prog="python -m radledger.demo", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder, emptied first")
    parser.add_argument("--chain", choices=("ganache", "anvil", "poa"), default="ganache")
    parser.add_argument("--store", choices=("local", "kubo"), default="local")
    options = parser.parse_args(arguments)
    from radledger.demo.environment import LocalNode
    from radledger.demo.play import play

    another = _another if sys.stdin.isatty() and sys.stdout.isatty() else None
    return play(options.out, LocalNode(options.chain, options.store), another=another)


def _another() -> bool:
    """Whether the user wants another link; Ctrl-C or Ctrl-D ends."""
    try:
        input("Enter for another link, Ctrl-C to stop. ")
    except (EOFError, KeyboardInterrupt):
        print()
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

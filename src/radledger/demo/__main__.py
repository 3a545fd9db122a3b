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

    return play(options.out, LocalNode(options.chain, options.store))


if __name__ == "__main__":
    sys.exit(main())

"""The command line: it parses, calls the services and prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 refused, 2 usage."""
    from radledger.cli.run import run

    raise SystemExit(run(sys.argv[1:] if arguments is None else list(arguments)))

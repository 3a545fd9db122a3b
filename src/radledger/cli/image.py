"""``radledger image``: image sets from files to the chain, and back."""

from __future__ import annotations

import typer

__all__ = ["group"]

group = typer.Typer(help="Image sets, from files to the chain and back.", no_args_is_help=True)

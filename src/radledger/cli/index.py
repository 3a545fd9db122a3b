"""``radledger index`` and what it answers: history, lineage, who had access, and the audit."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.output import show, show_all
from radledger.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from radledger.index.following import Progress
    from radledger.index.service import Index

__all__ = ["group", "history"]

group = typer.Typer(help="The chain's events in SQL.")

Url = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="URL",
        help="Database of the index: sqlite:///PATH or postgresql://…; by default in the home.",
    ),
]


@group.command()
def sync(index: Url = None) -> None:
    """Bring the index up to the chain; every command that asks it does so first."""
    with _progress() as progress:
        show(_index(index).sync(progress))


@group.command()
def status(index: Url = None) -> None:
    """Show where the index is kept, how far it is and how much is in it."""
    show(_index(index).status())


@group.command()
def rebuild(index: Url = None) -> None:
    """Drop what the database holds and read all from the chain again."""
    with _progress() as progress:
        show(_index(index).rebuild(progress))


def history(
    id_or_address: Annotated[
        str,
        typer.Argument(metavar="ID|ADDRESS", help="Of an image set, data set, person, …"),
    ],
    index: Url = None,
) -> None:
    """Tell everything that happened to an image set, a data set or a person, oldest first.

    An image set's history has also the consent that covered it, and emergencies.
    """
    term = id_or_address if id_or_address[:2] == "0x" else session.address(id_or_address)
    show_all(_synced(index).history(term), empty="nothing happened")


def _index(url: str | None) -> Index:
    radledger = session.radledger
    if url is None:
        return radledger.index
    from radledger.index.service import Index

    return Index(radledger.ledger, radledger.home, url)


def _synced(url: str | None) -> Index:
    """The index, brought up to the chain."""
    index = _index(url)
    with _progress() as progress:
        index.sync(progress)
    return index


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Tell on the terminal how far the index is, for as long as it has far to go."""
    if session.json or not sys.stderr.isatty():
        yield None
        return

    def tell(block: int, head: int) -> None:
        print(f"\r\033[Kblock {block} of {head}", end="", file=sys.stderr, flush=True)

    yield tell
    print("\r\033[K", end="", file=sys.stderr)

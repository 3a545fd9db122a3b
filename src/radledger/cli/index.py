"""``radledger index``, and the commands that use it: history, lineage and audit."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radledger.cli.files import file_to_write
from radledger.cli.output import show, show_all
from radledger.cli.session import session
from radledger.texts import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from radledger.index.following import Progress
    from radledger.index.lineage import Lineage
    from radledger.index.service import Index

__all__ = ["Url", "audit", "group", "history", "lineage", "synced", "term_of"]

# Of what is known of a thing in a lineage, what tells it from others at a glance.
_TOLD = (
    *("kind", "name", "label", "state", "purposes", "contributions", "count"),
    *("class", "beneficiary", "amount"),
)

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
    """Synchronise the index with the chain; every command that uses it does so first."""
    with _progress() as progress:
        show(_index(index).sync(progress))


@group.command()
def status(index: Url = None) -> None:
    """Show the location, position and size of the index."""
    show(_index(index).status())


@group.command()
def rebuild(index: Url = None) -> None:
    """Drop the contents of the database and read everything from the chain again."""
    with _progress() as progress:
        show(_index(index).rebuild(progress))


def history(
    id_or_address: Annotated[
        str,
        typer.Argument(metavar="ID|ADDRESS", help="Of an image set, data set, person, …"),
    ],
    index: Url = None,
) -> None:
    """Show everything that happened to an image set, a data set or a person, oldest first.

    An image set's history has also the consent that covered it, and emergencies.
    """
    show_all(synced(index).history(term_of(id_or_address)), empty="nothing happened")


def lineage(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of an image set, work, data set, version, payout, algorithm or execution.",
        ),
    ],
    dot: Annotated[
        Path | None,
        typer.Option(parser=file_to_write, metavar="FILE", help="Write it for Graphviz."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(parser=file_to_write, metavar="FILE", help="Draw it; needs the extra graphs."),
    ] = None,
    prov: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_write,
            metavar="FILE",
            help="Write it as W3C PROV-JSON; needs the extra graphs.",
        ),
    ] = None,
    index: Url = None,
) -> None:
    """Show the origin of something and what was made of it, from first image to payouts."""
    found = synced(index).lineage(id_)
    if dot is not None:
        from radledger.index.graphs import to_dot

        dot.write_text(to_dot(found), "utf-8")
    if png is not None:
        from radledger.index.graphs import write_png

        write_png(found, png)
    if prov is not None:
        from radledger.index.provenance import to_prov

        to_prov(found, session.radledger.ledger.chain_id).serialize(str(prov), format="json")
    if session.json:
        show(found)
    else:
        _tell(found)


def audit(index: Url = None) -> None:
    """Replay all events, and compare the resulting state with the chain.

    Exits with 1 if anything differs, and names it.
    """
    result = synced(index).audit()
    show(result)
    if result.differences:
        raise typer.Exit(1)


def _tell(found: Lineage) -> None:
    """Print a lineage for people: numbered things, then how one led to another."""
    numbers = {node.id: number for number, node in enumerate(found.nodes, 1)}
    width = max(len(node.kind) for node in found.nodes)
    for node in found.nodes:
        own = [str(node.details[name]) for name in _TOLD if name in node.details]
        line = f"{numbers[node.id]:>3}  {node.kind:<{width}}  {node.id}  {', '.join(own)}"
        print(visible(line.rstrip()))
    for link in found.links:
        own = [str(link.details[name]) for name in ("kind", "class") if name in link.details]
        if link.details.get("state", "counted") != "counted":
            own.append(str(link.details["state"]))
        qualified = f" ({', '.join(own)})" if own else ""
        line = f"{numbers[link.source]:>3}  {link.relation}  {numbers[link.target]}{qualified}"
        print(visible(line))


def term_of(id_or_address: str) -> str:
    """An id or address, or the address of an account of the keystore."""
    return id_or_address if id_or_address[:2] == "0x" else session.address(id_or_address)


def _index(url: str | None) -> Index:
    radledger = session.radledger
    if url is None:
        return radledger.index
    if not url:
        raise typer.BadParameter("it cannot be ''", param_hint="--index")
    from radledger.index.service import Index

    return Index(radledger.ledger, radledger.home, url)


def synced(url: str | None) -> Index:
    """The index, brought up to the chain."""
    index = _index(url)
    with _progress() as progress:
        index.sync(progress)
    return index


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show the progress of a long synchronisation on the terminal."""
    if session.json or not sys.stderr.isatty():
        yield None
        return

    def tell(block: int, head: int) -> None:
        print(f"\r\033[Kblock {block} of {head}", end="", file=sys.stderr, flush=True)

    yield tell
    print("\r\033[K", end="", file=sys.stderr)

"""The index as a service: follow the chain, and answer from SQL."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy

from radledger.access.collecting import Disclosed
from radledger.access.log import Access, access_log
from radledger.chain.errors import RequestFailed
from radledger.index import tables
from radledger.index.audit import Audit, audit
from radledger.index.database import IndexDatabase, IndexOwner
from radledger.index.errors import (
    ChainMoved,
    IndexOfAnotherChain,
    IndexUnavailable,
    ReorganisationTooDeep,
)
from radledger.index.following import Progress, Synced, follow
from radledger.index.history import HistoryEntry, history, parse_term
from radledger.index.lineage import Lineage, lineage
from radledger.index.location import index_file
from radledger.index.reading import find_events
from radledger.index.source import ChainSource
from radledger.texts import digest_of

if TYPE_CHECKING:
    from radledger.access import Release
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger

__all__ = ["Index", "Status"]

_LOG = logging.getLogger(__name__)
# What keeps an index from answering.  Nodes behind one address may differ in what is the latest
# block, so that no range of blocks fits together, and each still answers a question by itself.
_UNUSABLE = (
    ChainMoved,
    IndexOfAnotherChain,
    IndexUnavailable,
    ReorganisationTooDeep,
    RequestFailed,
)
# To bring an index up by so many blocks takes seconds.
_MOST_BEHIND = 10_000


@dataclass(frozen=True)
class Status:
    """The state of an index: its location, position and size.

    ``behind`` is how many blocks the chain is ahead of it.
    """

    url: str
    first_block: int
    block: int
    behind: int
    event_count: int


class Index:
    """The events of a deployment in SQL.

    Parameters
    ----------
    ledger
        The connected chain with its deployment.
    home
        The folder in which the index is kept unless a URL is given.
    url
        A database for it: ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``.

    Raises
    ------
    InvalidIndexUrl, IndexUnavailable, IndexOfAnotherChain
        If the database cannot be used, or not for this.

    Examples
    --------
    >>> index = Index(ledger, home)                                # doctest: +SKIP
    >>> index.sync().added_events > 0                              # doctest: +SKIP
    True
    >>> [entry.event for entry in index.history(image_id)]         # doctest: +SKIP
    ['ImageAnchored']
    """

    def __init__(self, ledger: Ledger, home: Path, url: str | None = None) -> None:
        self._ledger = ledger
        self.source = ChainSource(ledger)
        deployment = ledger.deployment
        blocks = {name: deployment.contracts[name].block for name in self.source.contracts}
        belonging = IndexOwner(
            deployment.chain_id, deployment.genesis, self.source.contracts, blocks
        )
        self._belonging = belonging
        self._told: str | None = None
        self._unopened = IndexDatabase(url or _url_in(home, deployment.slug), belonging)

    @cached_property
    def database(self) -> IndexDatabase:
        """The tables, made where they are not there."""
        self._unopened.open()
        return self._unopened

    def sync(self, progress: Progress | None = None) -> Synced:
        """Bring the index up to the chain's head.

        Raises
        ------
        ReorganisationTooDeep
            If the chain left a branch further back than the index keeps headers.
        """
        return follow(self.database, self.source, progress)

    def rebuild(self, progress: Progress | None = None) -> Synced:
        """Drop the contents of the database and read everything from the chain again."""
        self._unopened.clear()
        return self.sync(progress)

    def find(
        self, contract: str, events: Sequence[str], filters: Mapping[str, Any], first: int
    ) -> list[Event] | None:
        """Events as `Ledger.events` has them; see `radledger.chain.ledger.EventStore`.

        The index is brought up to the chain before.

        Returns
        -------
        list of Event or None
            None if the index lacks the contract or cannot be used or brought up, or is so far
            behind the chain that asking the chain is faster.
        """
        if contract not in self.source.contracts:
            return None
        try:
            if self.source.head() - self._read_from() > _MOST_BEHIND:
                return None
            self.sync()
            with self.database.reading() as connection:
                return find_events(connection, contract, events, filters, first)
        except _UNUSABLE as error:
            if str(error) != self._told:  # a command asks for events more than once
                self._told = str(error)
                _LOG.warning("%s; asking the chain", error)
            return None

    def _read_from(self) -> int:
        """The block after which the next `sync` will read."""
        position, lacking = self.database.position(), self.database.lacking()
        return position.number if lacking is None else min(position.number, lacking.first - 1)

    def status(self) -> Status:
        """The state of the index."""
        position = self.database.position()
        count = sqlalchemy.select(sqlalchemy.func.count()).select_from(tables.events)
        with self.database.reading() as connection:
            events = connection.execute(count).scalar_one()
        return Status(
            url=self.database.url,
            first_block=self._belonging.start,
            block=position.number,
            behind=self.source.head() - position.number,
            event_count=events,
        )

    def history(self, id_or_address: str) -> list[HistoryEntry]:
        """The history of an id or address, oldest first.

        Raises
        ------
        NoIdOrAddress
            If it is neither.
        NothingKnown
            If nothing did.
        """
        term = parse_term(id_or_address)
        with self.database.reading() as connection:
            return history(connection, term)

    def lineage(self, id_: str) -> Lineage:
        """The lineage of an image set, work, data set, version or payout.

        Parameters
        ----------
        id_
            Of a version also its root, of a payout also its transaction; see
            :class:`~radledger.index.lineage.Node`.

        Raises
        ------
        NoIdOrAddress
            If it is not an id.
        NothingKnown
            If there is nothing of that id.
        """
        with self.database.reading() as connection:
            return lineage(connection, id_)

    def access_log(
        self, releases: Iterable[Release | Disclosed], id_or_address: str | None = None
    ) -> list[Access]:
        """Every access, or those to an image set, by a reader or to a patient's images.

        Parameters
        ----------
        releases
            What was released from here, as ``ReceiptBook.releases`` gives it, or collected from
            custodians; those for other chains are left out.
        id_or_address
            Of an image set, a reader or a patient; none for all.

        Raises
        ------
        NoIdOrAddress
            If it is neither.
        NothingKnown
            If it is an id, and nothing happened to what has it.
        """
        term = None if id_or_address is None else parse_term(id_or_address)
        here = (self._belonging.chain_id, self._ledger.address("ConsentRegistry"))
        ours = [
            each if isinstance(each, Disclosed) else Disclosed(each.signed, each.released_at)
            for each in releases
            if (each.signed.receipt.chain_id, each.signed.receipt.contract) == here
        ]
        with self.database.reading() as connection:
            found = access_log(connection, ours, term)
            if term is not None and digest_of(term) and not found:
                history(connection, term)  # raises if nothing is known of it
            return found

    def audit(self) -> Audit:
        """Compare the index with the chain: events, rows, and the state that they add up to.

        Raises
        ------
        ChainMoved
            If the chain is reorganised meanwhile.
        """
        return audit(self.database, self.source, self._ledger.web3)


def _url_in(home: Path, slug: str) -> sqlalchemy.URL:
    """A database for each deployment, readable by the home's owner alone."""
    file = index_file(home, slug)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In parts: in a text, signs such as `?` and `%` of a path would have a meaning of their own.
    return sqlalchemy.URL.create("sqlite", database=str(file))

"""The history of an image set, a data set, a person or anything else with an id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select, union

from radledger.chain.events import Event
from radledger.consent.scope import scope_name
from radledger.consent.tables import emergencies, grants, requests
from radledger.identity.address import parse_address
from radledger.imaging.model import NONE
from radledger.imaging.tables import images
from radledger.index import tables
from radledger.index.errors import NoIdOrAddress, NothingKnown
from radledger.index.rows import names_of, rows_of
from radledger.texts import digest_of, quoted

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Connection, Select

__all__ = ["HistoryEntry", "history", "parse_term"]

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened: when, what, by whom, and where on the chain it is recorded.

    Attributes
    ----------
    named_as
        Which of the event's arguments is what was asked for, or ``who`` where that acted.  The
        author of some events chooses an id freely: that of a work may be the id of an image set.
        Empty where the event concerns it without naming it, such as consent for everything.
    details
        The event's arguments with bits and numbers in words.
    """

    timestamp: int
    event: str
    who: str
    named_as: tuple[str, ...]
    details: Mapping[str, Any]
    contract: str
    block: int
    log_index: int
    transaction: str


def parse_term(text: str) -> str:
    """An id or address as the index holds it, from ``0x`` and digits in either case.

    Raises
    ------
    NoIdOrAddress
        If it is neither.
    InvalidAddress
        If it is an address whose EIP-55 checksum does not hold.

    Examples
    --------
    >>> parse_term("0x" + "AB" * 32)[:6]
    '0xabab'
    """
    if _ADDRESS.fullmatch(text):
        return parse_address(text)
    term = text.lower()
    if digest_of(text) is None or term == NONE:
        raise NoIdOrAddress(
            f"{quoted(text)} is neither an id nor an address; give 0x and 64 or 40 hexadecimal "
            "digits, copied whole",
            text=text,
        )
    return term


def history(connection: Connection, term: str) -> list[HistoryEntry]:
    """The history of an id or address, oldest first.

    The history of an image set, a visit or a course has also the consent of its patient that
    covered it and the requests to its patient that named it, and that of an image set the
    emergencies in which it could be read.  What anyone else grants or requests for its id does not
    concern it.

    Parameters
    ----------
    connection
        To the index.
    term
        From :func:`parse_term`.

    Raises
    ------
    NothingKnown
        If nothing happened to it.
    """
    rows = connection.execute(_statement(), {"term": term}).mappings()
    entries = [_entry(Event(**row), term) for row in rows]
    if not entries:
        raise NothingKnown(
            f"the index knows nothing of {term}; see that it was copied whole and that this is "
            "its network",
            term=term,
        )
    return entries


def _entry(event: Event, term: str) -> HistoryEntry:
    # The first row of an image set's anchoring is its own, the second its parent's.
    _, row = next(rows_of(event), (None, event.args))
    said = {name: value for name, value in row.items() if value not in (None, "", NONE)}
    if "scope" in said or row.get("scope") == NONE:
        said["scope"] = scope_name(bytes.fromhex(row["scope"][2:]))
    return HistoryEntry(
        timestamp=event.timestamp,
        event=event.name,
        who=str(event.who),
        named_as=names_of(event, term),
        details={n: v for n, v in said.items() if n not in ("block", "log_index")},
        contract=event.contract,
        block=event.block,
        log_index=event.log_index,
        transaction=event.transaction,
    )


@cache
def _statement() -> Select[Any]:
    """The events that name a term, or are of a transaction.

    Made once, for its making takes longer than the answer.
    """
    term: BindParameter[str] = bindparam("term")
    mention, recorded = tables.mentions.c, tables.events.c
    places = [
        select(mention.block, mention.log_index).where(mention.term == term),
        select(recorded.block, recorded.log_index).where(recorded.transaction == term),
    ]
    image, grant, request, emergency = images.c, grants.c, requests.c, emergencies.c
    covered = or_(
        grant.scope.in_([NONE, image.image, image.visit, image.course]), grant.scope.is_(None)
    )
    # Image sets by their id, their visit or their course, each of which names its custodian.
    anchored = and_(image.block == mention.block, image.log_index == mention.log_index)
    named = and_(mention.term == term, term.in_([image.image, image.visit, image.course]))
    subjects = select(image.patient).join(tables.mentions, anchored).where(named)
    places += [
        select(each.block, each.log_index).where(each.subject.in_(subjects), each.scope == term)
        for each in (grant, request)
    ]
    places += [
        select(grant.block, grant.log_index)
        .join(images, grant.subject == image.patient)
        .where(image.image == term, covered),
        select(emergency.block, emergency.log_index)
        .join(images, emergency.subject == image.patient)
        .where(image.image == term),
    ]
    found = union(*places).subquery()
    event = tables.events.c
    there = and_(event.block == found.c.block, event.log_index == found.c.log_index)
    wanted = select(tables.events).join(found, there)
    return wanted.order_by(event.block, event.log_index)

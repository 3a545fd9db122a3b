"""The access log: receipts, grants and emergencies in one list.

Receipts stay with the custodian that released a secret: those of this home are in its book, and
what other custodians show a patient is collected from them (``collecting``).  Grants and
emergencies come from the chain.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, true

from radledger.area.tables import events
from radledger.consent import duo
from radledger.consent.scope import ALL_DIGEST, EMERGENCY_DIGEST, scope_name
from radledger.consent.tables import emergencies, grants
from radledger.imaging.tables import images

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, RowMapping, Table

    from radledger.access.collecting import Disclosed
    from radledger.access.model import Proof
    from radledger.access.roots import Proven

__all__ = ["Access", "access_log"]

# Unix time, and in the same second block and log index.
_Place = tuple[int, int, int]
_AFTER_ITS_SECOND = (sys.maxsize, 0)
_EMERGENCY_GRANTS = select(grants.c.grant_id).where(grants.c.scope == "0x" + EMERGENCY_DIGEST.hex())


@dataclass(frozen=True, slots=True)
class Access:
    """An event that gave access, used it or ended it.

    Attributes
    ----------
    timestamp
        When, Unix time.
    event
        ``released`` (a secret, against the reader's signed receipt), ``granted``, ``revoked``,
        ``all revoked``, ``emergencies forbidden``, ``emergencies allowed``,
        ``emergency declared`` or ``emergency reviewed``.
    reader
        Who read or may read; None if all grants were revoked, or emergencies forbidden.
    patient
        Whose images; None for an image set that this chain does not know.
    images
        The image set that was read, or what the grant covers: ``all``, ``emergency``, or the id of
        an image set, visit or course.
    purposes
        The purposes, in Data Use Ontology terms.
    until
        Unix time at which a grant or an emergency ends.
    grant_id
        The grant.
    evidence
        Digest of the signed receipt, or hash of the transaction.
    emergency
        Whether it is emergency access, or what was read by it.
    custodian, shown_by, proven, proof, log_index, log_proof
        Of a reading, as :class:`~.collecting.Disclosed` has them.
    """

    timestamp: int
    event: str
    reader: str | None
    patient: str | None
    images: str | None
    purposes: tuple[str, ...]
    until: int | None
    grant_id: str | None
    evidence: str
    emergency: bool = False
    custodian: str | None = None
    shown_by: str | None = None
    proven: Proven | None = None
    proof: Proof | None = None
    log_index: int | None = None
    log_proof: str | None = None


def access_log(
    connection: Connection, disclosed: Iterable[Disclosed], term: str | None = None
) -> list[Access]:
    """All access, or that to an image set, by a reader or to a patient's images, oldest first.

    Parameters
    ----------
    connection
        To the index.
    disclosed
        Receipts on this chain.
    term
        Id of an image set, or address of a reader or patient, in lower case.
    """
    wanted = select(images).where(images.c.image == term)
    image = connection.execute(wanted).mappings().one_or_none()
    found = [
        *_released(connection, disclosed, term),
        *_granted(connection, term, image),
        *_emergencies(connection, term, image),
    ]
    return [access for _, access in sorted(found, key=itemgetter(0))]


def _released(
    connection: Connection, disclosed: Iterable[Disclosed], term: str | None
) -> Iterator[tuple[_Place, Access]]:
    columns = images.c
    emergency = set(connection.execute(_EMERGENCY_GRANTS).scalars())
    for each in disclosed:
        receipt = each.signed.receipt
        of_image = select(columns.patient).where(columns.image == receipt.image_id)
        patient = connection.execute(of_image).scalar_one_or_none()
        if term in (None, receipt.image_id, receipt.reader, patient):
            access = Access(
                timestamp=each.released_at,
                event="released",
                reader=receipt.reader,
                patient=patient,
                images=receipt.image_id,
                purposes=duo.purpose_names(receipt.purposes),
                until=None,
                grant_id=receipt.grant_id,
                evidence="0x" + receipt.digest.hex(),
                emergency=receipt.grant_id in emergency,
                custodian=each.custodian,
                shown_by=each.shown_by,
                proven=each.proven,
                proof=each.proof,
                log_index=each.log_index,
                log_proof=each.log_proof,
            )
            yield (each.released_at, *_AFTER_ITS_SECOND), access


def _granted(
    connection: Connection, term: str | None, image: RowMapping | None
) -> Iterator[tuple[_Place, Access]]:
    table = grants
    condition: ColumnElement[bool] = true()
    if image is not None:
        everything = ("0x" + digest.hex() for digest in (ALL_DIGEST, EMERGENCY_DIGEST))
        scopes = [*everything, image["image"], image["visit"], image["course"]]
        covers = or_(table.c.scope.in_(scopes), table.c.scope.is_(None))
        condition = and_(table.c.subject == image["patient"], covers)
    elif term is not None:
        condition = or_(table.c.subject == term, table.c.grantee == term)
    for row in _rows(connection, table, condition):
        scope = None if row["scope"] is None else scope_name(bytes.fromhex(row["scope"][2:]))
        if scope == "emergency" and row["change"] == "granted":
            continue  # its declaration says more
        access = Access(
            timestamp=row["timestamp"],
            event=row["change"],
            reader=row["grantee"],
            patient=row["subject"],
            images=scope,
            purposes=tuple((row["purposes"] or "").split()),
            until=row["until"],
            grant_id=row["grant_id"],
            evidence=row["transaction"],
            emergency=scope == "emergency",
        )
        yield _place(row), access


def _emergencies(
    connection: Connection, term: str | None, image: RowMapping | None
) -> Iterator[tuple[_Place, Access]]:
    table = emergencies
    condition: ColumnElement[bool] = true()
    if image is not None:
        condition = table.c.subject == image["patient"]
    elif term is not None:
        condition = or_(table.c.subject == term, table.c.clinician == term)
    for row in _rows(connection, table, condition):
        access = Access(
            timestamp=row["timestamp"],
            event=f"emergency {row['change']}",
            reader=row["clinician"],
            patient=row["subject"],
            images="emergency",
            purposes=("CC",),
            until=row["until"],
            grant_id=None,
            evidence=row["transaction"],
            emergency=True,
        )
        yield _place(row), access


def _place(row: RowMapping) -> _Place:
    return row["timestamp"], row["block"], row["log_index"]


def _rows(connection: Connection, table: Table, condition: ColumnElement[bool]) -> Any:
    event = events.c
    there = and_(table.c.block == event.block, table.c.log_index == event.log_index)
    return connection.execute(
        select(table, event.timestamp, event.transaction)
        .select_from(table.join(events, there))
        .where(condition)
        .order_by(table.c.block, table.c.log_index)
    ).mappings()

"""Seal image sets and bring them onto the chain, each exactly once.

An image set's id is the hash of what it holds, salts and all, and the contract takes an id once.
So a set that was sealed can be sent any number of times and is anchored once.  Nor is it paid for
twice: what an earlier run of the same account has sent is finished before this one looks at the
chain and sends anything.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from radledger.chain.rpc import request
from radledger.crypto.keys import Kem, PublicKey
from radledger.crypto.merkle import Leaf, MerkleTree
from radledger.errors import CryptoError, StorageError
from radledger.imaging import reading, records
from radledger.imaging.bindings import NewImageSet
from radledger.imaging.errors import ImageError, JournalAltered
from radledger.imaging.journal import pinning
from radledger.imaging.manifest import Group, Instance, Manifest
from radledger.imaging.model import NONE, ImageSet, Kind, State, group_digest
from radledger.storage import cid_digest
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger
    from radledger.imaging.journal.journal import Journal
    from radledger.imaging.journal.tables import FileRow, SetRow
    from radledger.storage import Storage

__all__ = [
    "ERASED",
    "anchor",
    "build_manifest",
    "encryption_keys",
    "image_set_of",
    "lost",
    "seal",
    "was_erased",
    "whole",
    "without_hybrid",
]

_BATCH = 100
ERASED = (
    "it is in {0}, which was erased, and the journal is of a time before that; destroy it again "
    "with `radledger image erase --resume {0}`, then add the file again"
)
"""Why a file is left out that a journal from a backup knows."""


def seal(
    journal: Journal, storage: Storage, row: SetRow, public_keys: Mapping[str, PublicKey]
) -> None:
    """Fix an open set: no file joins it any more, and its manifest is stored.

    Raises
    ------
    JournalAltered
        If its secret, visit or course was replaced.
    """
    _require_own_groups(journal, row)
    manifest = build_manifest(journal, row)
    sealed = io.BytesIO(manifest.seal(journal.secret_of(row), public_keys))
    manifest_cid = pinning.put(journal, storage, sealed, "adding")
    of_chain = manifest.image_set
    fixed = replace(row, image_id=of_chain.image_id, root=of_chain.root, manifest_cid=manifest_cid)
    journal.seal(fixed, len(manifest.instances))


def lost(journal: Journal, storage: Storage, row: SetRow) -> list[FileRow]:
    """The files of a set whose ciphertext the store does not keep."""
    files = journal.files(row.set_id)
    missing = storage.missing([file.cid for file in files])
    return [file for file in files if file.cid in missing]


def whole(
    ledger: Ledger, journal: Journal, storage: Storage, signer: LocalAccount, rows: Sequence[SetRow]
) -> list[SetRow]:
    """Those of some sealed sets that can be anchored.

    A set of which the store has lost something, or never had it, is opened again unless the chain
    has it, so that its files can be stored again.  So is one that this home has not sealed.
    """
    ledger.sender.finish(signer)
    kept = []
    for row in rows:
        if journal.authentic(row):
            stored = not storage.missing([row.manifest_cid or ""])
            there = stored and not lost(journal, storage, row)
            keep = there or records.is_anchored(ledger, row.image_id or "")
        elif keep := _is_that_of_chain(ledger, journal, storage, row):
            journal.authenticate(row)
        if keep:
            kept.append(row)
        else:
            _open_again(journal, row)
    return kept


def anchor(ledger: Ledger, journal: Journal, signer: LocalAccount, rows: Sequence[SetRow]) -> None:
    """Bring sealed sets onto the chain, in batches; those that are there already stay as they are.

    Parameters
    ----------
    ledger, journal
        Where to, and where it is noted.
    signer
        Who acts for the custodian of all of them.
    rows
        Sealed sets.

    Raises
    ------
    JournalAltered
        If one of them was not sealed by this home, or was changed since.
    """
    ledger.sender.finish(signer)
    missing = [row for row in rows if not _settled(ledger, journal, row)]
    for batch in _batches(missing):
        receipt = ledger.sender.send(signer, *_call(ledger, journal, batch))
        gas = int(receipt["gasUsed"], 16) // len(batch)
        for row in batch:
            journal.confirm(row.set_id, receipt["transactionHash"], gas)


def was_erased(ledger: Ledger, row: SetRow, anchored_now: bool) -> bool:
    """Whether a set of the journal was erased, as it was brought to the chain now or before."""
    if anchored_now:
        return row.state == "sealed"  # it was there already, or it would be confirmed
    return records.state_of(ledger, row.image_id or "") is State.ERASED


def image_set_of(row: SetRow) -> ImageSet:
    """What a sealed set's id is the hash of."""
    return ImageSet(row.custodian, row.patient, row.root or "", row.visit, row.course)


def encryption_keys(ledger: Ledger, custodian: str, patient: str) -> dict[str, PublicKey]:
    """The registered keys of those to whom a set's secret is wrapped, by role."""
    from radledger.identity import Identities
    from radledger.identity.errors import NoEncryptionKey

    found = {}
    for role, address in (("custodian", custodian), ("patient", patient)):
        try:
            found[role] = Identities(ledger).encryption_key(address)
        except NoEncryptionKey:
            continue  # it can still be released to them, once they have one
    return found


def without_hybrid(keys: Mapping[str, PublicKey], custodian: str, patient: str) -> set[str]:
    """Which of them are wrapped to by X25519 alone."""
    addresses = {"custodian": custodian, "patient": patient}
    return {addresses[role] for role, key in keys.items() if key.kem is Kem.X25519}


def build_manifest(journal: Journal, row: SetRow) -> Manifest:
    """The manifest of a set, from its files in the journal."""
    files = journal.files(row.set_id)
    tree = MerkleTree(Leaf(file.salt, file.file_digest, file.image_digest) for file in files)
    identified = not row.profile
    return Manifest(
        image_set=ImageSet(row.custodian, row.patient, _hex(tree.root), row.visit, row.course),
        kind=_kind(row),
        parent=row.parent if row.parent != NONE else None,
        profile=row.profile or None,
        study=row.study,
        series=row.series,
        modality=row.modality,
        visit=_group(journal.group_of(row, "visit")) if identified else None,
        course=_group(journal.group_of(row, "course")) if identified else None,
        instances=tuple(_instance(file) for file in files),
    )


def _settled(ledger: Ledger, journal: Journal, row: SetRow) -> bool:
    """Whether the chain has a set, which is noted then unless it was erased."""
    if not records.is_anchored(ledger, row.image_id or ""):
        return False
    record = records.image_record(ledger, row.image_id or "")
    if record.state is State.ERASED:
        return True
    transaction = record.transaction
    receipt = request(ledger.web3, "eth_getTransactionReceipt", [transaction])
    registry = ledger.address(records.CONTRACT).lower()
    sets = sum(log["address"].lower() == registry for log in receipt["logs"])
    journal.confirm(row.set_id, transaction, int(receipt["gasUsed"], 16) // sets)
    return True


def _is_that_of_chain(ledger: Ledger, journal: Journal, storage: Storage, row: SetRow) -> bool:
    """Whether a sealed set is on the chain as it is here, its secret included.

    An earlier release sealed and sent it, and was killed before it saw that it was mined.
    """
    try:
        record = records.image_record(ledger, row.image_id or "")
        reading.open_manifest(storage, record, journal.secret_of(row))
        manifest = "0x" + cid_digest(row.manifest_cid or "").hex()
    except StorageUnavailable:
        raise
    except (ImageError, CryptoError, StorageError):
        return False
    return (image_set_of(row), manifest) == (record.image_set, record.manifest)


def _open_again(journal: Journal, row: SetRow) -> None:
    """Let files join a sealed set again; one that is not even this home's is discarded."""
    try:
        journal.secret_of(row)
        _require_own_groups(journal, row)
    except JournalAltered:
        journal.discard(row.set_id)
    else:
        journal.reopen(row.set_id)


def _require_own_groups(journal: Journal, row: SetRow) -> None:
    """A set under another visit or course would fall under the grants for that."""
    for digest, found in (
        (row.visit, journal.group_of(row, "visit")),
        (row.course, journal.group_of(row, "course")),
    ):
        own = found and group_digest(row.custodian, found[1], found[0])
        if digest not in (own, NONE):
            raise JournalAltered(
                f"the journal has an image set under {digest}, which is not a visit or course of "
                "its custodian; add its files again",
                group=digest,
            )


def _batches(rows: Sequence[SetRow]) -> Iterator[list[SetRow]]:
    """Originals by the hundred; a version names its parent, one at a time."""
    originals = [row for row in rows if row.parent == NONE]
    for start in range(0, len(originals), _BATCH):
        yield originals[start : start + _BATCH]
    yield from ([row] for row in rows if row.parent != NONE)


def _call(ledger: Ledger, journal: Journal, batch: Sequence[SetRow]) -> tuple[str, str]:
    """The call that anchors some sets."""
    structs = [_new_image_set(journal, row) for row in batch]
    if batch[0].parent != NONE:
        parent = records.image_record(ledger, batch[0].parent).image_set
        return ledger.encode(records.CONTRACT, "supersede", structs[0], parent.struct)
    if len(batch) == 1:
        return ledger.encode(records.CONTRACT, "anchor", structs[0])
    return ledger.encode(records.CONTRACT, "anchorBatch", structs)


def _new_image_set(journal: Journal, row: SetRow) -> NewImageSet:
    """What is stated about a set, as the contract takes it."""
    instances = journal.require_authentic(row)
    _, patient, root, visit, course = image_set_of(row).struct
    manifest = cid_digest(row.manifest_cid or "")
    kind = _kind(row).number
    return NewImageSet(patient, root, manifest, visit, course, instances, kind)


def _kind(row: SetRow) -> Kind:
    return Kind.DEIDENTIFIED if row.profile else Kind.ORIGINAL


def _group(found: tuple[str, bytes] | None) -> Group | None:
    return Group(found[0], _hex(found[1])) if found else None


def _instance(file: FileRow) -> Instance:
    return Instance(
        sop_instance=file.sop_instance,
        sop_class=file.sop_class,
        transfer_syntax=file.transfer_syntax,
        number=file.number,
        salt=_hex(file.salt),
        file_digest=_hex(file.file_digest),
        image_digest=_hex(file.image_digest),
        cid=file.cid,
        size=file.size,
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()

"""Bundles, which prove an image set to a verifier without access to the chain.

A bundle holds the events that anchored an image set and the sets that it came from, the last that
re-keyed it and the one that erased it, each with the proof of its block, and the Merkle proofs of
the files that it is about.  :mod:`radledger.verify` checks it offline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.chain.errors import ProofUnavailable
from radledger.chain.proofs import EventProof, prove
from radledger.chain.refusals import ImageIsErased
from radledger.crypto.merkle import MerkleTree
from radledger.errors import UsageError
from radledger.files import write_atomically
from radledger.imaging import records
from radledger.imaging.errors import BundleTooLarge, FileNotInSet
from radledger.imaging.model import ImageRecord, State

if TYPE_CHECKING:
    from radledger.chain.ledger import Ledger
    from radledger.imaging.manifest import Manifest
    from radledger.imaging.service import Images

__all__ = ["BundleResult", "Bundles", "ProvenEvent"]


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """An event in a bundle: its name, and the block whose hash vouches for it.

    The block is the event's own, or on a proof-of-authority chain the last of those above it that
    the bundle holds.
    """

    event: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class BundleResult:
    """A written bundle: its path and size, how many files it proves, and which events."""

    image_id: str
    path: Path
    size: int
    files: int
    contract: str
    proven: tuple[ProvenEvent, ...]


class Bundles:
    """Export bundles for :mod:`radledger.verify`.

    Parameters
    ----------
    ledger
        The connected chain.
    images
        The image sets of the same chain.

    Examples
    --------
    >>> radledger.bundles.export(image_id, Path("ct.bundle")).files  # doctest: +SKIP
    2
    """

    def __init__(self, ledger: Ledger, images: Images) -> None:
        self._ledger = ledger
        self._images = images

    def export(
        self,
        image_id: str,
        path: Path | str,
        *,
        files: Iterable[Path | str] = (),
        secret: str | None = None,
    ) -> BundleResult:
        """Write the bundle of an image set, checked as its verifier checks it.

        Parameters
        ----------
        image_id
            The set.
        path
            The file to write.
        files
            Files to prove, byte for byte those of the set (default: all).  The bundle does not
            contain the salts of the others.
        secret
            The released secret; default: from this home.  An erased set has none, and a bundle of
            it proves no files.

        Raises
        ------
        UsageError
            If `path` is a folder.
        FileNotInSet
            If a file is not byte for byte one of the set's.
        ImageIsErased
            If files of an erased set are asked for.
        NotSealedYet, ProofUnavailable
            If the chain cannot give the proofs, see :func:`radledger.chain.proofs.prove`.
        BundleTooLarge
            If the verifier would not read it.
        """
        from radledger.verify.form import LIMIT

        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder; name the file to write", path=str(path))
        record = self._images.show(image_id)
        leaves = list(self._leaves(record, [Path(file) for file in files], secret))
        ledger = self._ledger
        proofs = cache(lambda transaction: prove(ledger.web3, transaction))
        events = [(name, proofs(each)) for name, each in self._events(record)]
        contract = ledger.address(records.CONTRACT)
        bundle = {
            "contract": contract.lower(),
            "events": [_event(name, proof) for name, proof in events],
            "format": "radledger-bundle/1",
            "image": record.image_id,
            "leaves": leaves,
        }
        data = _written(bundle)
        if len(data) > LIMIT:
            raise BundleTooLarge(
                f"the bundle would have {len(data)} bytes, {LIMIT} at most are read; name fewer "
                "files of the set with --file",
                size=len(data),
                limit=LIMIT,
            )
        _check(data, [proof for _, proof in events])
        write_atomically(Path(path), data.decode("ascii"))
        return BundleResult(
            image_id=record.image_id,
            path=Path(path),
            size=len(data),
            files=len(leaves),
            contract=contract,
            proven=tuple(ProvenEvent(name, each.number, each.hash) for name, each in events),
        )

    def _events(self, record: ImageRecord) -> Iterator[tuple[str, str]]:
        """Name and transaction of each event, in the order in which a bundle has them."""
        yield "ImageAnchored", record.transaction
        image = bytes.fromhex(record.image_id[2:])
        for name in ("ImageRekeyed", "ImageErased"):
            found = self._ledger.events(records.CONTRACT, name, image=image)
            if found:
                yield name, found[-1].transaction
        while record.parent:
            record = self._images.show(record.parent)
            yield "ImageAnchored", record.transaction

    def _leaves(
        self, record: ImageRecord, files: Sequence[Path], secret: str | None
    ) -> Iterator[dict[str, Any]]:
        if record.state is State.ERASED:
            if files:
                raise ImageIsErased.of({"image": record.image_id})
            return
        manifest = self._images.contents(record.image_id, secret=secret)
        tree = MerkleTree(instance.leaf for instance in manifest.instances)
        for index in _chosen(manifest, files):
            leaf = manifest.instances[index].leaf
            yield {
                "fileDigest": leaf.file_digest,
                "imageDigest": leaf.image_digest,
                "proof": tree.proof(index),
                "salt": leaf.salt,
            }


def _chosen(manifest: Manifest, files: Sequence[Path]) -> list[int]:
    """Positions of the files' instances; all if there are no files."""
    from radledger.dicom.digest import file_digest

    if not files:
        return list(range(len(manifest.instances)))
    positions = {each.file_digest: i for i, each in enumerate(manifest.instances)}
    chosen = set()
    for file in files:
        digest = "0x" + file_digest(file).hex()
        if digest not in positions:
            raise FileNotInSet(
                f"{file} is not byte for byte a file of {manifest.image_set.image_id}; what it is "
                "to the set tells `radledger image verify`, and `image fetch` gives the set's own",
                file=str(file),
                image=manifest.image_set.image_id,
            )
        chosen.add(positions[digest])
    return sorted(chosen)


def _event(name: str, proof: EventProof) -> dict[str, Any]:
    return {
        "event": name,
        "headers": proof.headers,
        "receipt": proof.receipt,
        "transaction": proof.transaction,
    }


def _written(bundle: dict[str, Any]) -> bytes:
    """The one form of a bundle: keys sorted, no spaces, bytes as ``0x…``, a newline."""
    line = json.dumps(
        bundle, sort_keys=True, separators=(",", ":"), default=lambda value: "0x" + value.hex()
    )
    return line.encode("ascii") + b"\n"


def _check(data: bytes, proofs: Sequence[EventProof]) -> None:
    """Require that the verifier accepts a bundle if its blocks are trusted."""
    from radledger.verify.form import Invalid
    from radledger.verify.proof import Trust, verify

    hashes = frozenset(bytes.fromhex(each.hash[2:]) for each in proofs)
    try:
        verify(data, Trust(block_hashes=hashes))
    except Invalid as error:
        where, why = error.args
        raise ProofUnavailable(
            f"the node's answer proves nothing: {where} {why}; ask again, or another node",
            where=where,
        ) from error

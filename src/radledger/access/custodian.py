"""A key service in this process: it releases secrets to permitted readers, against receipts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from radledger.access.acknowledgements import CONTRACT, Acknowledgement
from radledger.access.bindings import AccessLedger
from radledger.access.book import ReceiptBook, Release
from radledger.access.days import day_of
from radledger.access.errors import (
    ReaderReplaced,
    ReceiptForAnotherChain,
    ReceiptGrantDiffers,
    ReceiptInvalid,
    ReceiptStale,
)
from radledger.access.keyservice import WrappedSecret, release_context
from radledger.access.receipts import FRESH
from radledger.chain.latest import LatestBlock
from radledger.chain.refusals import AccessRecorderNotAppointed
from radledger.chain.rpc import request as request_node
from radledger.chain.signatures import signature_bytes
from radledger.chain.signers import is_signed_by
from radledger.consent import permission
from radledger.crypto import keys
from radledger.identity.identities import Identities, warn_of_x25519
from radledger.imaging.model import NONE

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.receipts import Receipt, SignedReceipt
    from radledger.chain.clock import Present
    from radledger.chain.ledger import Ledger
    from radledger.consent.permission import Permit
    from radledger.imaging.model import ImageRecord

__all__ = ["Admission", "CustodianKeyService"]

_PAUSE = 3600
_MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Admission:
    """That an image set may be shown to the reader of a receipt, which is kept.

    Attributes
    ----------
    permit
        By which grant, and until when.
    acknowledgement
        Of the receipt, by the institution; none if its key service has no recorder's key.
    """

    permit: Permit
    acknowledgement: Acknowledgement | None


class CustodianKeyService:
    """Releases the secrets of image sets, in this process; a :class:`~.keyservice.KeyService`.

    A hospital releases the secrets that it holds.  A patient can release the secret that was
    wrapped to their own key.  A reader who has received a secret and may no longer read is locked
    out of later versions: the next release re-encrypts the image set first, but not within an hour
    of the last time that was done.  The receipts record what was delivered before.

    Grants end by the later of the chain's clock and this machine's, and nothing is released while
    the latest block is older than the network allows.  What the contracts say is asked once for
    each block.

    Any number of threads may use it.  Those that want the same image set take turns.

    Parameters
    ----------
    ledger
        The connected chain, which is asked for permission at the latest block.
    receipts
        The book that keeps the receipts.
    show
        Returns the record of an image set, as ``Images.show`` does.
    secret
        Returns the current secret of an image set.
    rekey
        Encrypts an image set under a new secret: same root, new manifest.  Only its custodian
        can, so a patient leaves it out.
    recorder
        The key that acknowledges receipts for the custodian, which appointed it; without one, no
        receipt is acknowledged.

    Examples
    --------
    >>> service = CustodianKeyService(                             # doctest: +SKIP
    ...     ledger, ReceiptBook(home / "receipts.sqlite3"), show=images.show, secret=images.secret,
    ...     rekey=partial(images.rekey, custodian=hospital))
    >>> service.release(receipt.sign(radiologist)).grant_id         # doctest: +SKIP
    '0x…'
    """

    def __init__(
        self,
        ledger: Ledger,
        receipts: ReceiptBook,
        *,
        show: Callable[[str], ImageRecord],
        secret: Callable[[str], str],
        rekey: Callable[[str], object] | None = None,
        recorder: LocalAccount | None = None,
    ) -> None:
        self._ledger = ledger
        self._receipts = receipts
        self._show = show
        self._secret = secret
        self._rekey = rekey
        self._recorder = recorder
        self._latest = LatestBlock(ledger)
        # Its five parts never change, since the id is their hash.
        self._image_set = lru_cache(_MOST_KNOWN)(lambda image_id: show(image_id).image_set)
        self._turns = _Turns()
        self._rekeying = threading.Lock()

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Release an image set's secret to the reader whose owner signed for it.

        While an image set is encrypted again, others who want it wait.

        The owner is the reader's own address until that identity is handed over or recovered; from
        then on the new owner reads, and the old key does not.  If the owner's own identity was
        handed over, its owner reads.

        Raises
        ------
        ReceiptInvalid, ReaderReplaced
            If the reader's owner did not sign the receipt.
        ChainStale
            If the latest block is older than the network allows.
        ReceiptForAnotherChain, ReceiptStale, ReceiptGrantDiffers, ReceiptReplayed
            If the receipt is for another chain, time or grant, or was answered before.
        ImageUnknown
            If there is no such image set.
        Refusal
            If the use is not permitted, as the subclass of the contract's error's name.
        NoEncryptionKey
            If the reader registered no key to wrap the secret to.
        AccessRecorderNotAppointed
            If the custodian did not appoint the recorder that acknowledges receipts, or dismissed
            it.
        """
        receipt, arrived = request.receipt, self._latest.present()
        self._admitted(request, arrived, arrived)  # who is refused need not wait
        public_key = self._public_key(receipt.reader)
        context = release_context(receipt.image_id, receipt.grant_id)
        # The secret that is given has to be that of the manifest in the book.
        with self._turns.at(receipt.image_id):
            present = self._latest.present()  # waiting for others may have taken minutes
            ask = partial(self._show, receipt.image_id)
            record = self._latest.once(("record", receipt.image_id), ask)
            if self._must_rekey(record, present):
                record = self._rekeyed(record)
                present = self._latest.present()  # as may this
            owner, _ = self._admitted(request, present, arrived)
            acknowledgement = self._acknowledged(receipt, present)
            wrapped = keys.wrap(self._secret(receipt.image_id), public_key, context)
            # Kept before it is given: nothing leaves that no receipt shows.
            self._receipts.keep(Release(request, record.manifest, present.time, owner))
        return WrappedSecret(
            receipt.image_id, receipt.grant_id, wrapped, present.block_age, acknowledgement
        )

    def admit(self, requests: Sequence[SignedReceipt]) -> tuple[Admission, ...]:
        """Keep receipts of a reader to whom image sets are shown here, whose secrets stay here.

        All are kept, or if one is refused none; errors are those of `release`.
        """
        present = self._latest.present()
        admitted = [self._admitted(request, present, present) for request in requests]
        acknowledged = [self._acknowledged(request.receipt, present) for request in requests]
        self._receipts.keep(
            *(
                Release(request, NONE, present.time, owner)
                for request, (owner, _) in zip(requests, admitted, strict=True)
            )
        )
        return tuple(
            Admission(permit, acknowledgement)
            for (_, permit), acknowledgement in zip(admitted, acknowledged, strict=True)
        )

    def owner(self, identity: str) -> str:
        """The account that acts for an identity at the latest block, and signs its receipts."""
        self._latest.present()
        return self._owner(identity)

    def _owner(self, identity: str) -> str:
        return str(self._latest.call("IdentityRegistry", "controllerOf", identity))

    def _public_key(self, reader: str) -> keys.PublicKey:
        """The registered key to which secrets for a reader are wrapped."""
        ask = partial(Identities(self._ledger).encryption_key, reader)
        public_key = self._latest.once(("encryption key", reader), ask)
        if public_key.kem is keys.Kem.X25519:
            warn_of_x25519(self._ledger, [reader])
        return public_key

    def _admitted(
        self, request: SignedReceipt, present: Present, arrived: Present
    ) -> tuple[str, Permit]:
        """Who signed a receipt that arrived then and may be answered now, and by which grant."""
        receipt = request.receipt
        owner = self._required_owner(request)
        self._require_timely(receipt, arrived)
        self._receipts.require_new(request)
        image_set = self._image_set(receipt.image_id)
        permit = permission.require(self._latest, present, receipt.reader, image_set, receipt.use)
        if permit.grant_id != receipt.grant_id:
            raise ReceiptGrantDiffers(
                "the use is permitted, by another grant than the receipt names; sign it for that",
                signed=receipt.grant_id,
                permits=permit.grant_id,
            )
        return owner, permit

    def _require_timely(self, receipt: Receipt, present: Present) -> None:
        """Check that the receipt is for this chain and recent."""
        if not receipt.is_for(self._ledger):
            raise ReceiptForAnotherChain(
                "the receipt was signed for another chain or deployment; sign one for this",
                signed_for=(receipt.chain_id, receipt.contract),
                expected=(self._ledger.chain_id, self._ledger.address("ConsentRegistry")),
            )
        now = present.time
        if abs(now - receipt.time) > FRESH:
            raise ReceiptStale(
                f"the receipt is {abs(now - receipt.time)} s away from the present, at most "
                f"{FRESH} are taken; sign a new one",
                time=receipt.time,
                now=now,
            )

    def _required_owner(self, request: SignedReceipt) -> str:
        """Who signed, if that is the owner of the reader's identity at the latest block."""
        reader, signer = request.receipt.reader, request.signer
        owner = self._owner(reader)
        if signer == owner or self._is_signed_by_contract(owner, request):
            return owner
        if signer == reader:
            raise ReaderReplaced(
                f"the key of {reader} no longer controls that identity; read as its present owner",
                reader=reader,
            )
        raise ReceiptInvalid(
            f"the owner of {reader} did not sign this receipt; sign it with the owner's key",
            reader=reader,
            signer=signer,
        )

    def _is_signed_by_contract(self, owner: str, request: SignedReceipt) -> bool:
        try:
            signature = signature_bytes(request.signature)
        except ValueError:
            return False
        return is_signed_by(self._ledger.web3, owner, request.receipt.digest, signature)

    def _acknowledged(self, receipt: Receipt, present: Present) -> Acknowledgement | None:
        """What binds the custodian to show the receipt under the root of its day."""
        if self._recorder is None:
            return None
        key, custodian = self._recorder.address, self._image_set(receipt.image_id).custodian
        if self._latest.call(CONTRACT, "lastDayOf", custodian, key) != AccessLedger.NO_END:
            raise AccessRecorderNotAppointed.of({"institution": custodian, "recorder": key})
        day = day_of(present.time)
        return Acknowledgement.sign(self._ledger, self._recorder, receipt.digest, custodian, day)

    def _must_rekey(self, record: ImageRecord, present: Present) -> bool:
        """Whether a reader has the current secret and may no longer read."""
        if self._rekey is None or self._all_may_read(record, present):
            return False
        # A patient and a friend could have a hospital encrypt at will, by granting and revoking.
        return present.time - self._rekeyed_at(record) >= _PAUSE

    def _rekeyed(self, record: ImageRecord) -> ImageRecord:
        """Encrypt an image set under a new secret; its record then."""
        assert self._rekey is not None  # noqa: S101
        with self._rekeying:  # one at a time, also of several image sets
            self._rekey(record.image_id)
        return self._show(record.image_id)

    def _all_may_read(self, record: ImageRecord, present: Present) -> bool:
        """Whether all readers with the current secret may still read for their last stated use."""
        for release in self._receipts.holders(record.image_id, record.manifest):
            receipt = release.signed.receipt
            if receipt.reader == record.image_set.custodian:
                continue  # holds the secret itself
            if self._owner(receipt.reader) != release.signer:
                return False
            decision = permission.decide(
                self._latest, present, receipt.reader, record.image_set, receipt.use
            )
            if not decision.permitted:
                return False
        return True

    def _rekeyed_at(self, record: ImageRecord) -> int:
        """Unix time at which the image set was last encrypted under a new secret; 0 for never."""
        if record.keyed_in_block == record.block:
            return 0
        block = request_node(
            self._ledger.web3, "eth_getBlockByNumber", [hex(record.keyed_in_block), False]
        )
        return int(block["timestamp"], 16) if block else 0  # of a branch that was left meanwhile


class _Turns:
    """Threads that want the same image set take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def at(self, image_id: str) -> Iterator[None]:
        """Wait until no other thread has the image set."""
        with self._lock:
            turn, number = self._waiting.get(image_id, (threading.Lock(), 0))
            self._waiting[image_id] = turn, number + 1
        try:
            with turn:
                yield
        finally:
            with self._lock:
                turn, number = self._waiting.pop(image_id)
                if number > 1:
                    self._waiting[image_id] = turn, number - 1

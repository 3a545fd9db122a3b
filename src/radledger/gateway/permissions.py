"""What the chain permits to who holds a token: asked again in each block, and once in each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radledger.access.errors import ReaderReplaced
from radledger.chain.rpc import request
from radledger.consent import permission
from radledger.errors import Refusal
from radledger.gateway.errors import TokenForOtherImages, TokenGrantDiffers

if TYPE_CHECKING:
    from radledger.chain.clock import Present
    from radledger.chain.ledger import Ledger
    from radledger.consent.bindings import Use
    from radledger.consent.permission import Permit
    from radledger.gateway.tokens import Viewing
    from radledger.imaging.model import ImageRecord, ImageSet

__all__ = ["Permissions"]

# Seconds for which a look at the chain's head counts; no chain makes blocks as fast.
_FRESH = 0.25

_Question = tuple[str, str, str, "Use"]


@dataclass
class _Head:
    """The latest block, and what was answered by it."""

    asked_at: float
    hash: str
    number: int
    time: int
    answers: dict[_Question, Permit | ReaderReplaced | Refusal] = field(default_factory=dict)


class Permissions:
    """Whether a token's holder may see an image set, by the latest block.

    Answers are kept for one block, and the block is looked up at most four times a second: a
    revocation ends a viewing that long after its block at the latest.  A chain that cannot be
    reached, or whose latest block is too old, permits nothing.

    Parameters
    ----------
    ledger
        Where permission is asked.
    show
        Gives the record of an image set, as ``Images.show`` does.
    """

    def __init__(self, ledger: Ledger, show: Callable[[str], ImageRecord]) -> None:
        self._ledger = ledger
        self._show = show
        self._image_sets: dict[str, ImageSet] = {}
        self._head: _Head | None = None
        self._looking = threading.Lock()

    def present(self) -> Present:
        """What time it is.

        Raises
        ------
        ChainStale
            If the latest block is older than the network allows.
        ConnectionFailed
            If the chain cannot be reached.
        """
        return self._present(self._latest())

    def require(self, viewing: Viewing, image_id: str) -> None:
        """Refuse what a token does not permit now.

        Raises
        ------
        TokenForOtherImages
            If the token does not name the image set.
        Refusal
            If the use is not permitted any more, as the contract says it.
        ReaderReplaced
            If the account that signed the receipt no longer controls the reader's identity.
        TokenGrantDiffers
            If the use is permitted by another grant.
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        if image_id not in viewing.grants:
            raise TokenForOtherImages(
                "the token does not name that image set; sign a receipt for it", image=image_id
            )
        answer = self.permit(viewing.account, viewing.reader, image_id, viewing.use)
        if answer.grant_id != viewing.grants[image_id]:
            raise TokenGrantDiffers(
                "the use is permitted, by another grant than the token's; sign a receipt for that",
                bound=viewing.grants[image_id],
                permits=answer.grant_id,
            )

    def permit(self, account: str, reader: str, image_id: str, use: Use) -> Permit:
        """By which grant a reader may use an image set now, and until when.

        Parameters
        ----------
        account
            Who acts for the reader.
        reader, image_id, use
            Who reads what, and for what.

        Raises
        ------
        Refusal, ReaderReplaced, ChainStale, ConnectionFailed
            As `require` does.
        """
        head = self._latest()
        present = self._present(head)
        question = (account, reader, image_id, use)
        answer = head.answers.get(question)
        if answer is None or (isinstance(answer, permission.Permit) and answer.ended(present)):
            # Kept for the block that was looked up before it was asked, not for a later one.
            answer = head.answers[question] = self._ask(present, *question)
        if isinstance(answer, Exception):
            raise answer.with_traceback(None)
        return answer

    def permitted(self, viewing: Viewing) -> list[str]:
        """The image sets that a token permits now."""
        return [image_id for image_id in viewing.grants if self._permits(viewing, image_id)]

    def _permits(self, viewing: Viewing, image_id: str) -> bool:
        try:
            self.require(viewing, image_id)
        except (Refusal, ReaderReplaced, TokenGrantDiffers):
            return False
        return True

    def _ask(
        self, present: Present, account: str, reader: str, image_id: str, use: Use
    ) -> Permit | ReaderReplaced | Refusal:
        owner = self._ledger.call("IdentityRegistry", "controllerOf", reader)
        if owner != account:
            return ReaderReplaced(
                f"{account} no longer controls the identity {reader}; read as its present owner",
                reader=reader,
            )
        try:
            return permission.require(self._ledger, present, reader, self._image_set(image_id), use)
        except Refusal as refusal:
            return refusal

    def _image_set(self, image_id: str) -> ImageSet:
        # Its five parts never change, since the id is their hash.
        if image_id not in self._image_sets:
            self._image_sets[image_id] = self._show(image_id).image_set
        return self._image_sets[image_id]

    def _present(self, head: _Head) -> Present:
        present = self._ledger.clock.present(head.number, head.time)
        present.require_current()
        return present

    def _latest(self) -> _Head:
        with self._looking:
            head, now = self._head, time.monotonic()
            if head is not None and now - head.asked_at < _FRESH:
                return head
            block = request(self._ledger.web3, "eth_getBlockByNumber", ["latest", False])
            if head is not None and head.hash == block["hash"]:
                head.asked_at = now
            else:
                head = _Head(
                    now, block["hash"], int(block["number"], 16), int(block["timestamp"], 16)
                )
            self._head = head
            return head

"""What the chain permits to the holder of a token: asked again in each block, once in each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from radledger.access.errors import ReaderReplaced
from radledger.chain.latest import LatestBlock
from radledger.consent import permission
from radledger.errors import Refusal
from radledger.gateway.errors import TokenForOtherImages, TokenGrantDiffers

if TYPE_CHECKING:
    from radledger.chain.clock import Present
    from radledger.chain.ledger import Ledger
    from radledger.consent.bindings import Use
    from radledger.consent.permission import Permit
    from radledger.gateway.tokens import Viewing
    from radledger.imaging.model import ImageRecord

__all__ = ["Permissions"]

# Seconds for which a look at the chain's head counts; no chain makes blocks as fast.
_FRESH = 0.25
_MOST_KNOWN = 10_000


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
        self._latest = LatestBlock(ledger)
        # Its five parts never change, since the id is their hash.
        self.image_set = lru_cache(_MOST_KNOWN)(lambda image_id: show(image_id).image_set)

    def present(self) -> Present:
        """What time it is.

        Raises
        ------
        ChainStale
            If the latest block is older than the network allows.
        ConnectionFailed
            If the chain cannot be reached.
        """
        return self._latest.present(fresh=_FRESH)

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
        present = self.present()
        question = (account, reader, image_id, use)
        ask = partial(self._ask, present, *question)
        answer = self._latest.once(question, ask)
        if isinstance(answer, permission.Permit) and answer.ended(present):
            answer = ask()  # it ended since this block
        if isinstance(answer, Exception):
            raise answer.with_traceback(None)
        return answer

    def permitted(self, viewing: Viewing) -> list[str]:
        """The image sets that a token permits now."""
        return [image_id for image_id in viewing.grants if self.permits(viewing, image_id)]

    def permits(self, viewing: Viewing, image_id: str) -> bool:
        """Whether a token permits an image set now; see `require`."""
        try:
            self.require(viewing, image_id)
        except (Refusal, ReaderReplaced, TokenForOtherImages, TokenGrantDiffers):
            return False
        return True

    def _ask(
        self, present: Present, account: str, reader: str, image_id: str, use: Use
    ) -> Permit | ReaderReplaced | Refusal:
        owner = self._latest.call("IdentityRegistry", "controllerOf", reader)
        if owner != account:
            return ReaderReplaced(
                f"{account} no longer controls the identity {reader}; read as its present owner",
                reader=reader,
            )
        try:
            return permission.require(self._latest, present, reader, self.image_set(image_id), use)
        except Refusal as refusal:
            return refusal

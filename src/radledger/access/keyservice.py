"""The protocol between a reader and a key service: a signed receipt for a wrapped secret.

Readers do not depend on where a key service runs: in this process, as
:class:`~radledger.access.custodian.CustodianKeyService`, or behind a network, over which a receipt
goes as JSON (:meth:`.SignedReceipt.to_json`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from radledger.access.receipts import SignedReceipt
    from radledger.crypto.keys import Wrapped

__all__ = ["KeyService", "WrappedSecret", "release_context"]

_RELEASE_DOMAIN = b"release\0"


def release_context(image_id: str, grant_id: str) -> bytes:
    """HPKE context of a released secret: it opens as this image set's under this grant alone.

    Examples
    --------
    >>> len(release_context("0x" + "ab" * 32, "0x" + "cd" * 32))
    72
    """
    return _RELEASE_DOMAIN + bytes.fromhex(image_id[2:]) + bytes.fromhex(grant_id[2:])


@dataclass(frozen=True, slots=True)
class WrappedSecret:
    """A secret that only the reader of the receipt can open.

    Attributes
    ----------
    image_id, grant_id
        What it opens, and under which grant it was released.
    wrapped
        From :func:`radledger.crypto.keys.wrap` with :func:`release_context` as the context.
    block_age
        How many seconds ago the block was made by which the release was decided.
    """

    image_id: str
    grant_id: str
    wrapped: Wrapped
    block_age: int


class KeyService(Protocol):
    """Who releases secrets: a hospital, a patient, here or behind a network."""

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Release an image set's secret to the reader who signed for it.

        Raises
        ------
        Refusal
            With the reason, if `ConsentRegistry` does not permit the use at the latest block, or
            the grant has ended since.
        ChainStale
            If the latest block is older than the network allows.
        ReceiptInvalid
            If the receipt is not signed by the reader's owner, or not for this chain, time or
            grant.
        """
        ...

"""The protocol between a reader and a key service: a signed receipt for a wrapped secret.

Readers do not depend on where a key service runs: in this process, as
:class:`~radledger.access.custodian.CustodianKeyService`, or behind a network, over which a receipt
goes as JSON (:meth:`.SignedReceipt.to_json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from radledger.access.acknowledgements import Acknowledgement
    from radledger.access.receipts import SignedReceipt
    from radledger.crypto.keys import Wrapped

__all__ = ["KeyService", "ViewerLink", "Viewers", "WrappedSecret", "release_context"]

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
        The image set that it opens, and the grant under which it was released.
    wrapped
        From :func:`radledger.crypto.keys.wrap` with :func:`release_context` as the context.
    block_age
        Age in seconds of the block at which the release was decided.
    acknowledgement
        Of the receipt, by the institution; none if its key service has no recorder's key, or if a
        patient released.
    """

    image_id: str
    grant_id: str
    wrapped: Wrapped
    block_age: int
    acknowledgement: Acknowledgement | None = None


class KeyService(Protocol):
    """A service that releases secrets: of a hospital or a patient, in this process or remote."""

    def release(self, request: SignedReceipt) -> WrappedSecret:
        """Release an image set's secret to the reader who signed for it.

        Raises
        ------
        Refusal
            If `ConsentRegistry` does not permit the use at the latest block, or the grant has ended
            since; it has the reason.
        ChainStale
            If the latest block is older than the network allows.
        ReceiptInvalid
            If the receipt is not signed by the reader's owner, or not for this chain, time or
            grant.
        """
        ...


@dataclass(frozen=True, slots=True)
class ViewerLink:
    """A link that opens a viewer in a browser.

    Attributes
    ----------
    link
        Counts once, for anyone who opens it.
    expires_at
        Unix time until which it has to be opened.
    viewing_until
        Unix time until which images are shown, if their grants last.
    acknowledgements
        Of the receipts, in their order; none if the institution has no recorder's key there.
    """

    link: str = field(repr=False)
    expires_at: int
    viewing_until: int
    acknowledgements: Sequence[Acknowledgement] = ()


class Viewers(Protocol):
    """A service that shows image sets in a browser, such as a gateway."""

    def open(self, requests: Sequence[SignedReceipt]) -> ViewerLink:
        """Give a link to the image sets for which one reader signed, for one use.

        Raises
        ------
        RadLedgerError
            As :meth:`KeyService.release` refuses any of them; none is shown then.
        """
        ...

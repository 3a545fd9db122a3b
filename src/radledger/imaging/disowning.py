"""What only a patient does with image sets: disown those that name them by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radledger.chain.forwarding import Forwarding
from radledger.imaging import records
from radledger.imaging.home import ImagingHome

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Receipt

__all__ = ["Disowning"]

_WEEK = 7 * 24 * 3600


class Disowning(ImagingHome, Forwarding):
    """Image sets that name a patient; see :class:`.Images`.

    Each change exists twice: under its name, sent by the signer, who pays; and as ``sign_…``, which
    gives a document that anybody with Ether may ``submit``.
    """

    def disown(self, signer: LocalAccount, image_id: str) -> Receipt:
        """Disown an image set that names the patient by mistake, or that they do not recognise.

        From then on nobody is permitted to use it, not the patient themselves nor a clinician in an
        emergency, and no version of it is anchored.  Its custodian keeps what it has, and can erase
        it.  Versions of it that exist are sets of their own.

        Parameters
        ----------
        signer
            The patient, or who may act for them: see :data:`.CONSENT_DELEGATE`.
        image_id
            The set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        ImageIsErased, ImageIsDisowned, ImageNotAuthorized
            As the registry refuses it.
        """
        return self._ledger.send(signer, records.CONTRACT, "disown", self._named(image_id))

    def sign_disown(self, signer: LocalAccount, image_id: str) -> dict[str, Any]:
        """As :meth:`disown`, signed for another account to submit."""
        return self._signed(signer, "disown", image_id)

    def acknowledge(self, signer: LocalAccount, image_id: str) -> Receipt:
        """Take back that an image set is disowned; the patient's grants apply to it again.

        Parameters are those of `disown`.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        ImageIsErased, ImageNotDisowned, ImageNotAuthorized
            As the registry refuses it.
        """
        return self._ledger.send(signer, records.CONTRACT, "acknowledge", self._named(image_id))

    def sign_acknowledge(self, signer: LocalAccount, image_id: str) -> dict[str, Any]:
        """As :meth:`acknowledge`, signed for another account to submit."""
        return self._signed(signer, "acknowledge", image_id)

    # ------------------------------------------------------------------ internals

    def _signed(self, signer: LocalAccount, function: str, image_id: str) -> dict[str, Any]:
        named = self._named(image_id)
        return self._sign_forward(signer, records.CONTRACT, function, named, valid_for=_WEEK)

    def _named(self, image_id: str) -> tuple[str, str, bytes, bytes, bytes]:
        return records.image_record(self._ledger, image_id).image_set.struct

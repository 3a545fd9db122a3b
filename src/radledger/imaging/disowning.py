"""Disowning: how a patient rejects image sets that name them by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radledger.chain.action import Action, one_call
from radledger.chain.ledger import Call
from radledger.imaging import records
from radledger.imaging.home import ImagingHome

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt

__all__ = ["Disowning"]


class Disowning(ImagingHome):
    """Image sets that name a patient; see :class:`.Images`."""

    def disown(self, image_id: str) -> Action[Receipt]:
        """Disown an image set that names the patient by mistake, or that they do not recognise.

        From then on no account is permitted to use it, neither the patient nor a clinician in an
        emergency, and no version of it can be anchored.  Its custodian keeps the files, and can
        erase them.  Existing versions are separate sets and stay usable.

        The patient does, or who may act for them (:data:`.CONSENT_DELEGATE`).  It is refused with
        `ImageIsErased`, `ImageIsDisowned` or `ImageNotAuthorized`.

        Parameters
        ----------
        image_id
            The set.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return self._of(image_id, "disown")

    def acknowledge(self, image_id: str) -> Action[Receipt]:
        """Take back that an image set is disowned; the patient's grants apply to it again.

        Who may, and the parameters, are as for `disown`.  It is refused with `ImageIsErased`,
        `ImageNotDisowned` or `ImageNotAuthorized`.

        Raises
        ------
        ImageUnknown
            If there is none of that id.
        """
        return self._of(image_id, "acknowledge")

    def _of(self, image_id: str, function: str) -> Action[Receipt]:
        named = records.image_record(self._ledger, image_id).image_set.struct
        return one_call(self._ledger, lambda _: Call(records.CONTRACT, function, (named,)))

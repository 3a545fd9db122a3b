"""What services share whose users may sign a call for another account to submit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt

__all__ = ["Forwarding"]


class Forwarding:
    """A service with ``sign_…`` methods, and :meth:`submit` for what they give.

    See :mod:`radledger.chain.forward`.
    """

    _ledger: Ledger

    def submit(self, document: Mapping[str, Any], payer: LocalAccount) -> Receipt:
        """Send a signed call.

        Parameters
        ----------
        document
            From one of the ``sign_…`` methods, perhaps by way of JSON.
        payer
            Who sends and pays; need not be anybody in particular.

        Raises
        ------
        UsageError
            If it is not such a document, or is for another chain or deployment.
        ERC2771ForwarderInvalidSigner, ERC2771ForwarderExpiredRequest
            If it was changed or submitted before, or is too late.
        Refusal
            If the contract refuses, as the subclass of its error's name.
        """
        return self._ledger.submit_forward(document, payer)

    def _sign_forward(
        self,
        signer: LocalAccount,
        contract: str,
        function: str,
        *arguments: Any,
        valid_for: int,
    ) -> dict[str, Any]:
        deadline = self._ledger.present().time + valid_for
        return self._ledger.sign_forward(signer, contract, function, *arguments, deadline=deadline)

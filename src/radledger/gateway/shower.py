"""What a custodian's gateway shows a patient who signs in there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from radledger.access.shown import Page
from radledger.gateway.signed_in import SignedIn

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.shown import ShownReceipt

__all__ = ["GatewayAccessLog"]


class GatewayAccessLog:
    """The receipts that a gateway shows a patient; a ``Shower`` of `radledger.access`.

    Parameters
    ----------
    url
        The gateway's public address, with TLS unless it is on this machine.
    account
        Who signs in: the patient, or who acts for the patient.
    chain_id
        The chain that the patient asks.

    Attributes
    ----------
    where
        The gateway's address.

    Raises
    ------
    InvalidGatewayUrl
        If ``url`` is not such an address.
    """

    def __init__(self, url: str, account: LocalAccount, chain_id: int) -> None:
        self._gateway = SignedIn(url, account, chain_id)
        self.where = self._gateway.url

    def receipts(self, patient: str) -> Iterator[ShownReceipt]:
        """All receipts for a patient's image sets, oldest first.

        Raises
        ------
        PatientNotRepresented
            If the account does not act for the patient.
        GatewayUnreachable
            If no gateway answers at the address.
        """
        after: int | None = 0
        with self._gateway.session() as (ask, bearer):
            while after is not None:
                query = {"patient": patient, "after": after}
                fields = ("receipts", "next")
                answer = ask("GET", "/access-log", fields, params=query, headers=bearer)
                read = self._gateway.read(
                    {"page": partial(Page.from_json, after=after)}, {"page": answer}
                )
                page = read["page"]
                yield from page.receipts
                after = page.next

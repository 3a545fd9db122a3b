"""Gateways of others, as a custodian that has image sets erased and as a holder that certifies."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from radledger.gateway.signed_in import SignedIn
from radledger.imaging.certificates import ErasureCertificate

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["GatewayHolders"]

_CERTIFICATE = tuple(field.name for field in fields(ErasureCertificate))
# A store may take minutes to delete what it does not pin.
_WAIT = 600.0


class GatewayHolders:
    """Gateways of custodians and holders of erased image sets.

    Parameters
    ----------
    account
        Who signs in: the custodian that asks, or the holder that answers.
    chain_id
        The chain that the account asks.

    Examples
    --------
    >>> holders = GatewayHolders(hospital, 1337)                   # doctest: +SKIP
    >>> holders.ask("https://gateway.clinic.example", image_id).holder == clinic.address
    ... # doctest: +SKIP
    True
    """

    def __init__(self, account: LocalAccount, chain_id: int) -> None:
        self._account = account
        self._chain_id = chain_id

    def ask(self, url: str, image_id: str) -> ErasureCertificate:
        """Have a holder delete its copy of an erased image set; whose certificate is not checked.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        CertificateInvalid
            If the answer is not a certificate.
        RadLedgerError
            As the gateway refuses, of the type of its own error.
        """
        with self._gateway(url).session(wait=_WAIT) as (ask, bearer):
            request = {"image_id": image_id}
            answer = ask("POST", "/erasures", _CERTIFICATE, json=request, headers=bearer)
        return ErasureCertificate.from_json(answer)

    def deliver(self, url: str, certificate: ErasureCertificate) -> None:
        """Give a certificate to the custodian of the image set.

        Raises
        ------
        GatewayUnreachable
            If no gateway answers at the address.
        RadLedgerError
            As the gateway refuses, of the type of its own error.
        """
        with self._gateway(url).session() as (ask, bearer):
            ask("POST", "/certificates", (), json=certificate.to_json(), headers=bearer)

    def _gateway(self, url: str) -> SignedIn:
        return SignedIn(url, self._account, self._chain_id)

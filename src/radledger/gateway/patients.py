"""What a gateway does for the patients of its image sets, and for those who act for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from radledger.access.showing import Showing
from radledger.gateway.errors import GatewayBusy, PatientNotRepresented, PatientUnknown
from radledger.gateway.notices import Notices
from radledger.identity.address import parse_address
from radledger.identity.identities import Identities
from radledger.imaging.records import find_records

if TYPE_CHECKING:
    from radledger.access.shown import Page
    from radledger.facade import RadLedger
    from radledger.gateway.notices import Channel, Delivery
    from radledger.gateway.notices.store import Settings
    from radledger.gateway.permissions import Permissions

__all__ = ["Patients"]

_MOST_SHOWN = 4


class Patients:
    """Shows patients the receipts for their image sets of one custodian, and sends them notices.

    Parameters
    ----------
    radledger
        The custodian's home.
    permissions
        Says whether the chain is up to date.
    custodian
        Whose image sets.
    delivery
        What sends notices.

    Attributes
    ----------
    notices
        Notices at each reading; start and close them.
    """

    def __init__(
        self,
        radledger: RadLedger,
        permissions: Permissions,
        custodian: str,
        delivery: Delivery,
    ) -> None:
        ledger = self._ledger = radledger.ledger
        self._identities = Identities(ledger)
        self._permissions = permissions
        self._custodian = custodian
        self._showing = Showing(ledger, radledger.receipts, radledger.receipt_log)
        self._shown = threading.BoundedSemaphore(_MOST_SHOWN)
        self.notices = Notices(
            radledger.home / "gateway" / f"{ledger.deployment.chain_slug}.notices.sqlite3",
            radledger.receipts,
            radledger.images.show,
            custodian,
            delivery,
            ledger.clock.wall,
        )

    def shown(self, account: str, patient: str, after: int) -> Page:
        """Receipts for a patient's image sets, after a number of the book.

        Raises
        ------
        PatientNotRepresented
            If the account that signed in does not act for the patient.
        GatewayBusy
            If others are being shown theirs.
        ChainStale, ConnectionFailed
            If the chain cannot say who acts for the patient.
        """
        address = self.represented(account, patient)
        # A day's tree over many receipts takes a while, and threads of viewers.
        if not self._shown.acquire(blocking=False):
            raise GatewayBusy(
                f"{_MOST_SHOWN} access logs are being read; try again in a minute",
                most=_MOST_SHOWN,
            )
        try:
            return self._showing.page(self._custodian, address, after)
        finally:
            self._shown.release()

    def notify(self, account: str, patient: str, channel: Channel, target: str) -> Settings:
        """Send a patient's notices there from now on.

        Raises
        ------
        PatientNotRepresented
            If the account that signed in does not act for the patient.
        PatientUnknown
            If no image set here is the patient's: anyone can make an account, and would have
            mail sent to whom they like.
        DestinationInvalid, MailNotSent, NoticesExceeded
            As :meth:`.Notices.set` refuses.
        """
        address = self.represented(account, patient)
        if not find_records(self._ledger, custodian=self._custodian, patient=address):
            raise PatientUnknown(
                f"no image set here is one of {address}; ask the gateway of another custodian",
                patient=address,
            )
        return self.notices.set(address, channel, target)

    def represented(self, account: str, patient: str) -> str:
        """A patient's address, if an account is the owner of that identity or its delegate.

        Guardians, who may recover an identity together, do not act for it.

        Raises
        ------
        PatientNotRepresented
            If it is neither.
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        address = parse_address(patient)
        self._permissions.present()
        if not self._identities.may_act(address, account):
            raise PatientNotRepresented(
                f"{account} is neither the owner nor a delegate of {address}; sign in with an "
                "account that is",
                account=account,
                patient=address,
            )
        return address

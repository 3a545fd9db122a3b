"""The gateway without its interface: sign-in, key service and tokens in one."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from radledger.fhir.registry import ConsentRegistry
from radledger.gateway.dicomweb.image_sets import ImageSets
from radledger.gateway.dicomweb.instances import Instances
from radledger.gateway.errors import (
    ErasureNotRequestable,
    GatewayBusy,
    ReaderNotControlled,
    ReceiptsDiffer,
    TicketInvalid,
)
from radledger.gateway.expiring import Expiring
from radledger.gateway.idle import IdleCloser
from radledger.gateway.links import Links
from radledger.gateway.model import Health, Issued
from radledger.gateway.notices import Delivery
from radledger.gateway.patients import Patients
from radledger.gateway.permissions import Permissions
from radledger.gateway.publisher import LogAnchorer, LogPublisher
from radledger.gateway.rates import Rate
from radledger.gateway.sign_in import SignIn, hashed
from radledger.gateway.studies import Studies
from radledger.gateway.tokens import Tokens, Viewing
from radledger.gateway.watcher import ErasureWatcher
from radledger.imaging.errors import CiphertextRemains
from radledger.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.access.erasures import Erasure
    from radledger.access.keyservice import WrappedSecret
    from radledger.access.receipts import SignedReceipt
    from radledger.facade import RadLedger
    from radledger.gateway.storing import InstanceStore
    from radledger.imaging.certificates import ErasureCertificate
    from radledger.imaging.model import ImageSet

__all__ = ["FHIR", "Gateway"]

FHIR = "/fhir"
"""Path of the FHIR server below the gateway's address."""

_MOST_RELEASES = 16
# Requests a second, and at once: of an account, for each of its receipts too, and with a token,
# by which a viewer asks for each frame.
_OF_ACCOUNT, _WITH_TOKEN = (20, 200), (200, 1000)
_LONGEST = 12 * 3600  # seconds that a token may count: a shift
_TICKET = 60  # seconds in which a link has to be opened


class Gateway:
    """A custodian's gateway, which asks the chain for each answer.

    Parameters
    ----------
    radledger
        The custodian's home, with the secrets of its image sets.
    custodian
        Who encrypts an image set again after a reader was locked out.
    url
        The gateway's public address, for which readers sign in.
    recorder
        Acknowledges receipts for the custodian, which appointed it, and anchors their log; without
        one, neither is done.
    policies
        Policies of FHIR Consents that forbid nothing but what these say, beside those of IHE PCF.
    store
        Takes instances by DICOMweb, and is closed with the gateway; without one, none are taken.
    delivery
        What sends notices to patients; default: webhooks to public addresses, and no mail.

    Attributes
    ----------
    chain_id
        The chain.
    consents, links
        The registry of FHIR Consents, and the links by which patients show images.
    image_sets, instances
        What viewers look at, opened with the secrets of the home.
    studies
        What a token permits of whole studies, for Orthanc.
    patients
        What patients are shown of the readings of their image sets.
    receipt_log
        The transparency log of the home's receipts, which may not have been begun.

    Examples
    --------
    >>> gateway = Gateway(RadLedger.open("poa"), hospital, "https://gateway.hospital.example")
    ... # doctest: +SKIP
    >>> gateway.release(account, receipt.sign(radiologist)).grant_id    # doctest: +SKIP
    '0x…'
    """

    def __init__(
        self,
        radledger: RadLedger,
        custodian: LocalAccount,
        url: str,
        recorder: LocalAccount | None = None,
        policies: Collection[str] = (),
        store: InstanceStore | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        ledger = radledger.ledger
        self.url = url.rstrip("/")
        self.sign_in = SignIn(ledger, self.url)
        self.chain_id = ledger.chain_id
        self._custodian = custodian.address
        self._account = custodian
        self._keys = radledger.key_service(
            lambda image_id: radledger.images.rekey(image_id, custodian=custodian), recorder
        )
        self._permissions = Permissions(ledger, radledger.images.show)
        path = radledger.home / "gateway" / f"{ledger.deployment.chain_slug}.sqlite3"
        self._tokens = Tokens(path)
        self._tickets = Expiring[Viewing]("links to the viewer wait to be opened")
        self.studies = Studies(radledger.custody, self._permissions, self._tokens)
        self.image_sets = ImageSets(radledger.images, radledger.storage)
        self.instances = Instances(self.image_sets)
        self.store = store
        self._of_account, self._with_token = Rate(*_OF_ACCOUNT), Rate(*_WITH_TOKEN)
        self._releases = threading.BoundedSemaphore(_MOST_RELEASES)
        self.receipt_log = radledger.receipt_log
        anchored = (ledger, self.receipt_log, custodian.address, recorder)
        self._publisher = LogPublisher(self.receipt_log, LogAnchorer.of(*anchored))
        self._ledger, self._images, self._erasures = ledger, radledger.images, radledger.erasures
        self._watcher = ErasureWatcher(ledger, self.forget)
        self._closer = IdleCloser(self.image_sets.idle, self.forget)
        sending = delivery or Delivery(self.url)
        self.patients = Patients(radledger, self._permissions, custodian.address, sending)
        self.consents = ConsentRegistry.open(radledger, self.fhir_url, custodian.address, policies)
        self.links = Links.open_home(radledger, self)

    def start(self) -> None:
        """Begin what runs beside requests: it forgets what is erased, publishes, anchors, sends."""
        self._watcher.start()
        self._closer.start()
        self._publisher.start()
        self.patients.notices.start()
        if self.store is not None:
            self.store.start()

    def close(self) -> None:
        """Stop what runs, and close the databases and the files that viewers look at."""
        self._watcher.close()
        self._closer.close()
        self._publisher.close()
        self.patients.notices.close()
        if self.store is not None:
            self.store.close()
        self.instances.close()
        self._tokens.close()
        self.consents.close()
        self.links.close()

    @property
    def fhir_url(self) -> str:
        """Address of the FHIR server."""
        return self.url + FHIR

    def image_set(self, image_id: str) -> ImageSet:
        """An image set of the chain."""
        return self._permissions.image_set(image_id)

    def account(self, session: str | None) -> str:
        """The account of a session.

        Raises
        ------
        SignInRequired
            If there is no such session, or it has ended.
        RateExceeded
            If the account asks too often.
        """
        account = self.sign_in.account(session)
        self._of_account.require(account)
        return account

    def release(self, account: str, request: SignedReceipt) -> WrappedSecret:
        """Release an image set's secret, as :meth:`.CustodianKeyService.release` does.

        Raises
        ------
        ReaderNotControlled
            If the account that signed in does not control the reader's identity.
        GatewayBusy
            If others wait already until an image set has been encrypted again.
        """
        self._require_controls(account, request.receipt.reader)
        # Who waits occupies a thread, of which viewers need some.
        if not self._releases.acquire(blocking=False):
            raise GatewayBusy(
                f"{_MOST_RELEASES} releases are under way; try again in a minute",
                most=_MOST_RELEASES,
            )
        try:
            return self._keys.release(request)
        finally:
            self._releases.release()

    def admit(self, account: str, requests: Sequence[SignedReceipt]) -> Issued:
        """Issue a token for viewing image sets, against a receipt for each.

        It counts for twelve hours at most, and no longer than the first of its grants.

        Raises
        ------
        ReaderNotControlled
            If the account that signed in does not control the reader's identity.
        ReceiptsDiffer
            If there is no receipt, several for an image set, or not all are of one reader and use.
        RateExceeded
            If the account asks too often; each receipt counts.
        ReceiptInvalid, Refusal, ChainStale
            As :meth:`.CustodianKeyService.admit` refuses; no receipt is kept then.
        """
        receipts = [request.receipt for request in requests]
        if len({(each.reader, each.use) for each in receipts}) != 1 or len(receipts) != len(
            {each.image_id for each in receipts}
        ):
            raise ReceiptsDiffer(
                "a token takes one receipt for each image set, all of one reader and use; ask for "
                "several tokens",
                receipts=len(receipts),
            )
        self._of_account.require(account, len(receipts) - 1)
        for request in requests:
            self._require_controls(account, request.receipt.reader)
        present = self._permissions.present()
        admissions = self._keys.admit(requests)
        ends = [each.permit.until for each in admissions if each.permit.until is not None]
        viewing = Viewing(
            account=account,
            reader=receipts[0].reader,
            use=receipts[0].use,
            grants={each.image_id: each.grant_id for each in receipts},
            expires_at=min([present.time + _LONGEST, *ends]),
        )
        acknowledged = tuple(each.acknowledgement for each in admissions if each.acknowledgement)
        return Issued(self._tokens.issue(viewing, present), viewing, acknowledged)

    def viewing(self, token: str | None) -> Viewing:
        """What a token is for.

        Raises
        ------
        TokenInvalid
            If there is no such token, or it has ended.
        RateExceeded
            If its holder asks too often.
        ChainStale, ConnectionFailed
            If the chain cannot say what time it is.
        """
        viewing = self._tokens.find(token, self._permissions.present())
        self._with_token.require(hashed(token or ""))
        return viewing

    def issue_ticket(self, viewing: Viewing) -> tuple[str, int]:
        """Issue what opens a viewing in a browser, once; with the Unix time of its end.

        Raises
        ------
        RateExceeded
            If the account asks too often; each browser has a token of its own.
        GatewayBusy
            If too many wait to be used.
        ChainStale, ConnectionFailed
            If the chain cannot say what time it is.
        """
        self._of_account.require(viewing.account)
        now = self._permissions.present().time
        ticket, end = secrets.token_urlsafe(32), now + _TICKET
        self._tickets.add(hashed(ticket), viewing, now, end)
        return ticket, end

    def redeem(self, ticket: str) -> tuple[str, Viewing]:
        """A token of its own for the browser that brings a ticket, and what it is for.

        Raises
        ------
        TicketInvalid
            If there is no such ticket, or it was used or is too old.
        ChainStale, ConnectionFailed
            If the chain cannot say what time it is; the ticket is not used up then.
        """
        present = self._permissions.present()
        viewing = self._tickets.take(hashed(ticket), present.time)
        if viewing is None:
            raise TicketInvalid(
                "the link was opened before or is older than a minute; ask for another one with "
                "`radledger gateway view`"
            )
        return self._tokens.issue(viewing, present), viewing

    def now(self) -> int:
        """Unix time: the later of the chain's and this machine's.

        Raises
        ------
        ChainStale, ConnectionFailed
            If the chain cannot say.
        """
        return self._permissions.present().time

    def require(self, viewing: Viewing, image_id: str) -> None:
        """Refuse what a token does not permit at the latest block; see `Permissions.require`."""
        self._permissions.require(viewing, image_id)

    def permitted(self, viewing: Viewing) -> list[str]:
        """The image sets that a token permits at the latest block."""
        return self._permissions.permitted(viewing)

    def forget(self, image_id: str) -> None:
        """Forget an image set that was erased: its secret, and what is open of it."""
        self.image_sets.forget(image_id)
        self.instances.forget(image_id)

    def erase_copy(self, account: str, image_id: str) -> ErasureCertificate:
        """Delete this home's copy of an erased image set, and certify it as the custodian here.

        Raises
        ------
        ErasureNotRequestable
            If the account that signed in acts neither for the set's custodian nor for its patient.
        ImageUnknown, ImageNotErased
            If there is no such set, or the chain does not say that it was erased.
        SecretRemains
            If this is the home of the set's custodian, which has not destroyed its secret.
        StorageUnavailable
            If a node of the store is unavailable; nothing is certified then.
        """
        image_set = self._images.show(image_id).image_set
        if image_set.custodian not in (account, self._institution(account)) and account != (
            self._keys.owner(image_set.patient)
        ):
            raise ErasureNotRequestable(
                f"{account} has signed in, and is neither the custodian nor the patient of the "
                "image set; only they have copies deleted",
                account=account,
                image=image_id,
            )
        try:
            certificate = self._erasures.forget(image_id, holder=self._account)
        except CiphertextRemains as error:
            raise StorageUnavailable(error.message) from error  # its address is not for others
        self.forget(image_id)
        return certificate

    def take_certificate(self, account: str, certificate: ErasureCertificate) -> Erasure:
        """Keep the certificate of a holder that has signed in; see :meth:`.Erasures.accept`.

        Raises
        ------
        ReaderNotControlled
            If the account that signed in does not control the holder's identity.
        """
        self._require_controls(account, certificate.holder)
        return self._erasures.accept(certificate)

    def health(self) -> Health:
        """What the gateway sees of the chain.

        Raises
        ------
        ChainStale, ConnectionFailed
            If it would answer nothing.
        """
        present = self._permissions.present()
        return Health(self._custodian, self.chain_id, present.block, present.block_age)

    def _institution(self, account: str) -> str:
        return str(self._ledger.call("ParticipantRegistry", "institutionOf", account))

    def _require_controls(self, account: str, identity: str) -> None:
        """That what an identity has signed comes from the account that alone can have signed it.

        So a receipt that was stolen is of no use: no token is issued to another account, and the
        receipt is not used up.
        """
        owner = self._keys.owner(identity)
        if owner != account:
            raise ReaderNotControlled(
                f"{account} has signed in, and {identity} is controlled by {owner}; sign in with "
                "that account",
                account=account,
                reader=identity,
                owner=owner,
            )

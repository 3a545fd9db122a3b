"""One object for all services, opened by the name of a network or with a Web3 of your own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.errors import InvalidHome
from radledger.files import expanded

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.access import (
        AccessLedger,
        CustodianKeyService,
        Erasures,
        Reading,
        ReceiptBook,
        ReceiptLog,
    )
    from radledger.access.showing import Showing
    from radledger.algorithms import Algorithms
    from radledger.chain.events import Event
    from radledger.chain.ledger import Ledger, Receipt
    from radledger.consent import Consents
    from radledger.consent.diseases import Diseases
    from radledger.consent.priors import Priors
    from radledger.identity import Identities, Participants
    from radledger.imaging.bundles import Bundles
    from radledger.imaging.copies import Copies
    from radledger.imaging.custody import Custody
    from radledger.imaging.service import Images
    from radledger.index.service import Index
    from radledger.research import Datasets
    from radledger.storage import Storage

__all__ = ["RadLedger", "default_home", "home_folder"]

_HOME = "RADLEDGER_HOME"
_NETWORK = "RADLEDGER_NETWORK"
_STORE = "RADLEDGER_STORE"
_INDEX = "RADLEDGER_INDEX"
_JOURNAL = "RADLEDGER_JOURNAL"


def default_home() -> Path:
    """The folder with keys, journal and deployments: ``RADLEDGER_HOME``, or the default."""
    named = os.environ.get(_HOME)
    if named:
        return expanded(named)
    from platformdirs import user_data_path

    return user_data_path("radledger")


def home_folder(named: Path | None = None) -> Path:
    """The folder with keys, journal and deployments, which need not exist yet.

    Parameters
    ----------
    named
        The folder; by default `default_home`.

    Raises
    ------
    InvalidHome
        If it is a file.
    """
    folder = expanded(named) if named else default_home()
    if folder.exists() and not folder.is_dir():
        raise InvalidHome(
            f"the home {folder} is a file; name a folder with --home or {_HOME}, which is made if "
            "it does not exist",
            path=str(folder),
        )
    return folder


class RadLedger:
    """The deployed contracts, a store and a home, as services.

    Parameters
    ----------
    ledger
        The connected chain with its deployment.
    storage
        The store of ciphertext.
    home
        The folder with keys and journal.
    journal
        URL of a PostgreSQL database that has the journal instead.

    Attributes
    ----------
    images, bundles, copies, custody, erasures, consents, diseases, priors, reading, access_ledger,
    receipt_log, showing, algorithms, datasets, identities, participants, index
        The services.
    receipts
        The book of receipts.

    Examples
    --------
    >>> from radledger import RadLedger
    >>> radledger = RadLedger.open("devnet")                       # doctest: +SKIP
    >>> radledger.participants.show(hospital).roles                # doctest: +SKIP
    ('custodian', 'clinician', 'radiologist', 'researcher', 'annotator', 'developer')
    """

    def __init__(
        self, ledger: Ledger, storage: Storage, home: Path, journal: str | None = None
    ) -> None:
        self.ledger = ledger
        self.storage = storage
        self.home = home
        self._journal = journal

    @classmethod
    def open(
        cls,
        network: str | Web3 | None = None,
        *,
        home: Path | None = None,
        storage: Storage | None = None,
        journal: str | None = None,
    ) -> RadLedger:
        """Connect to a chain where the contracts are deployed.

        Parameters
        ----------
        network
            Name of a network, its JSON-RPC endpoint, or a connected Web3; by default
            ``RADLEDGER_NETWORK``, or what the home says.
        home
            The folder with keys, journal and deployments; by default `default_home`.
        storage
            The store of ciphertext; by default the IPFS nodes whose multiaddresses
            ``RADLEDGER_STORE`` gives, separated by commas, or what the home says
            (:mod:`radledger.storage.configuration`).
        journal
            URL of the PostgreSQL database that has the image sets' secrets; by default
            ``RADLEDGER_JOURNAL``, or an SQLite file in the home.

        Raises
        ------
        InvalidHome, InvalidJournalUrl
            If the home is a file, or the journal's URL is not that of a PostgreSQL database.
        UnknownNetwork, ConnectionFailed
            If the chain cannot be reached.
        NetworksInvalid, StorageConfigurationInvalid
            If the home's ``networks.yaml`` or ``storage.yaml`` cannot be understood.
        DeploymentMissing, DeploymentMismatch
            If the contracts are not there, or others are.
        """
        from radledger.chain import deployments
        from radledger.chain.ledger import Ledger
        from radledger.chain.nodes import networks
        from radledger.chain.nodes.connect import clock, connect
        from radledger.chain.rpc import request, wrap
        from radledger.chain.sending.journal import Intents
        from radledger.chain.sending.sender import Sender
        from radledger.index.location import index_file
        from radledger.storage.configuration import open_storage

        home = home_folder(home)
        journal = journal or os.environ.get(_JOURNAL) or None
        if journal is not None:
            from radledger.imaging.journal.database import require_url

            require_url(journal)
        if network is None or isinstance(network, str):
            named = networks.load(network or os.environ.get(_NETWORK) or None, home)
            web3 = connect(named)
        else:
            named, web3 = None, wrap(network)
        chain_id = int(request(web3, "eth_chainId", []), 16)
        deployment = deployments.load(home / "deployments", chain_id)
        storage = storage or open_storage(home, os.environ.get(_STORE))
        intents = Intents.at(home, deployment)
        sender = Sender.on(named, web3, intents) if named else Sender(web3, intents=intents)
        ledger = Ledger(web3, deployment, sender=sender, clock=clock(web3, named))
        opened = cls(ledger, storage, home, journal)
        if os.environ.get(_INDEX) or index_file(home, deployment.slug).exists():
            ledger.event_store = _IndexWhenAsked(opened)
        return opened

    @cached_property
    def participants(self) -> Participants:
        """Accreditation of institutions and their members."""
        from radledger.identity import Participants

        return Participants(self.ledger)

    @cached_property
    def identities(self) -> Identities:
        """Owners, delegates, encryption keys and guardians."""
        from radledger.identity import Identities

        return Identities(self.ledger)

    @cached_property
    def images(self) -> Images:
        """Image sets."""
        from radledger.imaging.service import Images

        return Images(self.ledger, self.storage, self.home, self._journal)

    @cached_property
    def copies(self) -> Copies:
        """Copies of the ciphertext of image sets."""
        from radledger.imaging.copies import Copies

        return Copies(self.ledger, self.storage, self.home, self._journal)

    @cached_property
    def custody(self) -> Custody:
        """Instances that this home keeps as they were given."""
        from radledger.imaging.custody import Custody

        return Custody(self.ledger, self.storage, self.home, self._journal)

    @cached_property
    def erasures(self) -> Erasures:
        """Erasure at the custodian and at every holder."""
        from radledger.access import Erasures
        from radledger.imaging.erasing import Erasing

        erasing = Erasing(self.ledger, self.storage, self.home, self._journal)
        return Erasures(self.ledger, self.images, erasing, self.receipts)

    @cached_property
    def bundles(self) -> Bundles:
        """Proofs of image sets for verifiers without access to the chain."""
        from radledger.imaging.bundles import Bundles

        return Bundles(self.ledger, self.images)

    @cached_property
    def consents(self) -> Consents:
        """Consent: grants, requests and emergency access."""
        from radledger.consent import Consents

        return Consents(self.ledger, self.diseases)

    @cached_property
    def priors(self) -> Priors:
        """What goes with an image set that is granted with its priors."""
        from radledger.consent.priors import Priors

        return Priors(self.images, self.storage)

    @cached_property
    def diseases(self) -> Diseases:
        """Diseases whose salts this home knows."""
        from radledger.consent.diseases import Diseases

        return Diseases(self.home / "diseases.sqlite3")

    @cached_property
    def receipts(self) -> ReceiptBook:
        """Receipts of what was released or read in this home."""
        from radledger.access import ReceiptBook

        return ReceiptBook(self.home / "receipts.sqlite3")

    @cached_property
    def reading(self) -> Reading:
        """Reading: secrets against signed receipts, and the files that they open."""
        from radledger.access import Reading

        return Reading(self.ledger, self.images, self.receipts)

    @cached_property
    def access_ledger(self) -> AccessLedger:
        """Receipts under the roots of their days, and demands for them."""
        from radledger.access import AccessLedger

        return AccessLedger(self.ledger, self.receipts)

    @cached_property
    def receipt_log(self) -> ReceiptLog:
        """The transparency log of the receipts of this home."""
        from radledger.access import ReceiptLog

        folder = self.home / "log" / self.ledger.deployment.chain_slug
        return ReceiptLog(self.ledger, self.receipts, folder)

    @cached_property
    def showing(self) -> Showing:
        """What this home shows patients of its receipts."""
        from radledger.access.showing import Showing

        return Showing(self.ledger, self.receipts, self.receipt_log)

    def key_service(
        self,
        rekey: Callable[[str], object] | None = None,
        recorder: LocalAccount | None = None,
    ) -> CustodianKeyService:
        """Release the secrets of this home's image sets to readers.

        Parameters
        ----------
        rekey
            Encrypts an image set under a new secret, as its custodian, which locks out readers who
            may no longer read. Omit it for a patient, who cannot do so.
        recorder
            Acknowledges receipts for the custodian, which appointed it.

        Examples
        --------
        >>> rekey = partial(radledger.images.rekey, custodian=hospital)    # doctest: +SKIP
        >>> service = radledger.key_service(rekey)                         # doctest: +SKIP
        >>> service.release(receipt.sign(radiologist)).grant_id            # doctest: +SKIP
        '0x…'
        """
        from radledger.access import CustodianKeyService

        return CustodianKeyService(
            self.ledger,
            self.receipts,
            show=self.images.show,
            secret=self.images.secret,
            rekey=rekey,
            recorder=recorder,
        )

    @cached_property
    def algorithms(self) -> Algorithms:
        """Algorithms, their versions and their executions."""
        from radledger.algorithms import Algorithms

        return Algorithms(self.ledger)

    @cached_property
    def datasets(self) -> Datasets:
        """Data sets, their contributors and rewards."""
        from radledger.research import Datasets

        return Datasets(self.ledger, self.diseases)

    def submit(self, document: Mapping[str, Any], payer: LocalAccount) -> Receipt:
        """Send a signed document, at the cost of ``payer``; see `radledger.signed.submit`."""
        from radledger import signed

        return signed.submit(self.ledger, document, payer, self.diseases)

    @cached_property
    def index(self) -> Index:
        """The chain's events in SQL: where ``RADLEDGER_INDEX`` says, or in the home."""
        from radledger.index.service import Index

        return Index(self.ledger, self.home, os.environ.get(_INDEX) or None)


class _IndexWhenAsked:
    """The index of an opened `RadLedger`, made on first use, since SQLAlchemy is slow to import."""

    def __init__(self, opened: RadLedger) -> None:
        self._opened = opened

    def find(
        self, contract: str, events: Sequence[str], filters: Mapping[str, Any], first: int
    ) -> list[Event] | None:
        """As :meth:`radledger.chain.ledger.EventStore.find`."""
        return self._opened.index.find(contract, events, filters, first)

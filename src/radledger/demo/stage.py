"""The stage of a story: chain, store, people, and what one step leaves to the next."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from radledger.chain.keystore.accounts import Keystore
from radledger.chain.ledger import ContractAt
from radledger.chain.rpc import request
from radledger.consent.permission import Use
from radledger.demo.checks import check
from radledger.demo.environment import move_clock
from radledger.devnet.gateway import viewer_folder
from radledger.devnet.people import PEOPLE
from radledger.gateway.errors import GATEWAY
from radledger.gateway.service import Gateway
from radledger.httpapi.server import serving as serve
from radledger.relay.client import RelayClient
from radledger.relay.server import serving
from radledger.relay.service import Relayer
from radledger.relay.tickets import Limits

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from fastapi import FastAPI

    from radledger.access import CustodianKeyService, ReceiptBook
    from radledger.chain.ledger import Ledger
    from radledger.consent import Consents
    from radledger.crypto.keys import PrivateKey
    from radledger.demo.environment import Environment
    from radledger.facade import RadLedger
    from radledger.imaging.model import AddResult, FetchResult, ImageRecord, ImageSet
    from radledger.imaging.service import Images
    from radledger.research import Datasets

__all__ = ["CARE", "COURSE", "DAY", "RESEARCH", "TOKEN", "Stage"]

DAY = 24 * 3600
TOKEN = 10**18
KUBO_CHUNK = 1 << 18
COURSE = "Lung nodule, follow-up"
CARE = Use.of(["CC"])
RESEARCH = Use.of(["HMB"], ["NCU"])


@dataclass
class Stage:
    """The scene of a story.

    Parameters
    ----------
    folder
        Everything that the story writes goes here.
    environment
        The chain.
    slices, size
        Of the CT series that is made on the spot: how many, and rows and columns of each.
    samples
        Files and folders that the hospital adds beside it.
    inspected
        Names of those among the samples whose pixels the hospital has looked at.
    """

    folder: Path
    environment: Environment
    slices: int
    size: int
    samples: tuple[Path, ...]
    inspected: tuple[str, ...]

    radledger: RadLedger = field(init=False)
    ct: AddResult = field(init=False)
    others: tuple[AddResult, ...] = field(init=False)
    request_id: str = field(init=False)
    approval: dict[str, Any] = field(init=False)
    fetched: FetchResult = field(init=False)
    old_secret: str = field(init=False)
    research: ImageRecord = field(init=False)
    dataset_id: str = field(init=False)
    claim: dict[str, Any] = field(init=False)
    emergency_since: int = field(init=False)
    new_key: LocalAccount = field(init=False)
    _running: ExitStack = field(init=False, default_factory=ExitStack)

    def open(self) -> None:
        """Start the chain and accredit all participants."""
        self.radledger = self.environment.up(self.home)

    def close(self) -> None:
        """Stop what was started."""
        self._running.close()
        self.environment.down(self.home)

    # --- places -------------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """RadLedger's folder: keys, journal, store, deployment."""
        return self.folder / "home"

    @property
    def ct_folder(self) -> Path:
        """The CT series as the scanner sent it."""
        return self.folder / "scanner"

    @property
    def stored_files(self) -> list[Path]:
        """What is on the disks of the store: files of a folder, or blocks of Kubo nodes."""
        places = [self.home / "store", *self.home.glob("devnet/kubo/*/repository/blocks")]
        return [path for place in places for path in place.rglob("*") if path.is_file()]

    def stored_ends(self, cid: str) -> list[Path]:
        """The files with the last byte of a content, one for each copy."""
        with self.radledger.storage.get(cid) as content:
            data = content.read()
        end = data[(len(data) - 1) // KUBO_CHUNK * KUBO_CHUNK :]
        # Kubo names a block by its multihash: SHA-256 (0x12) of 32 bytes (0x20).
        block = base64.b32encode(b"\x12\x20" + hashlib.sha256(end).digest()).decode()
        names = (cid, f"{block.rstrip('=')}.data")
        return [path for path in self.stored_files if path.name in names]

    # --- services -----------------------------------------------------------------------------

    @property
    def ledger(self) -> Ledger:
        """The connected chain."""
        return self.radledger.ledger

    @property
    def images(self) -> Images:
        """Image sets."""
        return self.radledger.images

    @property
    def consents(self) -> Consents:
        """Grants, requests, emergencies."""
        return self.radledger.consents

    @property
    def datasets(self) -> Datasets:
        """Data sets and their money."""
        return self.radledger.datasets

    @property
    def receipts(self) -> ReceiptBook:
        """The hospital's book of receipts."""
        return self.radledger.receipts

    @cached_property
    def key_service(self) -> CustodianKeyService:
        """The hospital's key service."""
        hospital = self.person("hospital")
        return self.radledger.key_service(partial(self.images.rekey, custodian=hospital))

    @cached_property
    def relay(self) -> RelayClient:
        """The hospital's relayer, to which patients hand over HTTP what they sign."""
        limits = Limits(per_address=5_000_000, per_day=100_000_000, queue=100)
        relayer = Relayer(self.ledger, self.person("hospital"), self.home, limits)
        return RelayClient(self._running.enter_context(serving(relayer)))

    @cached_property
    def gateway(self) -> str:
        """Address of the hospital's gateway, with OHIF if it is there, else an empty page."""
        viewer = viewer_folder()
        if viewer is None:
            viewer = self.folder / "viewer"
            viewer.mkdir()
            (viewer / "index.html").write_text("<!doctype html><title>No viewer</title>", "utf-8")

        def create(address: str) -> FastAPI:
            from radledger.gateway.application import create_application

            return create_application(
                Gateway(self.radledger, self.person("hospital"), address), viewer
            )

        return self._running.enter_context(serve(GATEWAY, create))

    @cached_property
    def browser(self) -> httpx.Client:
        """A browser of the radiologist's, without pages, which keeps cookies."""
        client = httpx.Client(base_url=self.gateway, trust_env=False)
        return self._running.enter_context(client)

    # --- people -------------------------------------------------------------------------------

    @cached_property
    def people(self) -> dict[str, LocalAccount]:
        """All accounts by name."""
        keystore = Keystore(self.home)
        return {name: keystore.open(name) for name in PEOPLE}

    def person(self, name: str) -> LocalAccount:
        """A person's account."""
        return self.people[name]

    def address(self, name: str) -> str:
        """A person's address."""
        return self.people[name].address

    def private_key(self, name: str) -> PrivateKey:
        """A person's private key, which opens what was wrapped to it."""
        return Keystore(self.home).encryption_key(name)

    def ether(self, name: str) -> int:
        """A person's balance in wei."""
        return int(self.ledger.web3.eth.get_balance(self.people[name].address))

    def sent(self, name: str) -> int:
        """How many transactions a person has sent."""
        count = request(self.ledger.web3, "eth_getTransactionCount", [self.address(name), "latest"])
        return int(count, 16)

    @cached_property
    def token(self) -> ContractAt:
        """The ERC-20 token in which data sets are funded here."""
        return ContractAt("LocalToken", self.ledger.address("LocalToken"))

    def tokens(self, name: str) -> int:
        """A person's balance in base units of the token."""
        return int(self.ledger.call(self.token, "balanceOf", self.address(name)))

    # --- what many steps do -------------------------------------------------------------------

    @property
    def ct_set(self) -> ImageSet:
        """The five values behind the CT's id."""
        return self.images.show(self.ct.image_id).image_set

    @property
    def earlier(self) -> AddResult:
        """Images of before: the largest series among the samples."""
        return max(self.others, key=lambda each: each.instances)

    @property
    def course(self) -> str:
        """The digest that stands for the course of treatment on the chain."""
        return self.ct_set.course

    def read(self, reader: str, image_id: str, use: Use, to: str) -> FetchResult:
        """Fetch an image set through the hospital's key service, into a folder of that name."""
        return self.radledger.reading.fetch(
            image_id,
            self.folder / "read" / to,
            reader=self.person(reader),
            private_key=self.private_key(reader),
            key_service=self.key_service,
            use=use,
        )

    def release(self, reader: str, image_id: str, use: Use) -> str:
        """Ask the hospital's key service for an image set's secret."""
        released = self.radledger.reading.secret(
            image_id,
            reader=self.person(reader),
            private_key=self.private_key(reader),
            key_service=self.key_service,
            use=use,
        )
        return released.secret

    def wait(self, seconds: int) -> int:
        """Let chain time pass; how much has really passed."""
        before = self.ledger.now()
        check(move_clock(self.ledger.web3, seconds), "the chain's clock cannot be moved")
        return self.ledger.now() - before

    @contextmanager
    def at_no_cost(self, name: str) -> Iterator[None]:
        """Check that nothing inside costs a person Ether."""
        before = self.ether(name)
        yield
        check(self.ether(name) == before, f"it cost {name} {before - self.ether(name)} wei")

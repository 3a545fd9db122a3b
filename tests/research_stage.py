"""A deployed RadLedger with the people around a data set, on a chain of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from radledger.consent import bindings as consent
from radledger.imaging.bindings import ImageSet, NewImageSet
from radledger.research import bindings as research
from tests.anvil import Call, Chain, Contract, account, digest, group, running_chain

CUSTODIAN, RESEARCHER, ANNOTATOR, DEVELOPER = 1 << 1, 1 << 4, 1 << 7, 1 << 8
"""Roles, as ``contracts/lib/Roles.sol`` numbers them."""
DATA, CUSTODY, ANNOTATION, DEVELOPMENT = CLASSES = tuple(range(4))
PER_SET, PER_INSTANCE, SCORED = range(3)
COUNTED, SUSPENDED, WITHDRAWN = 1, 2, 3
MOST_INSTANCES = 2**26
BIOMEDICAL_RESEARCH = 1 << 2
EVERYTHING = bytes(32)
SHARES = (5_000, 2_000, 2_000, 1_000)
SUPPLY = 2**200
RECOVERY_DELAY = 3 * 24 * 3600

GOVERNOR, UNIVERSITY, RESEARCHER_ALICE, FUNDER = map(
    account, ("governor", "university", "researcher", "funder")
)


@dataclass
class Stage:
    """What is deployed, and what the people around a data set do."""

    chain: Chain
    forwarder: Contract
    identities: Contract
    participants: Contract
    images: Contract
    consents: Contract
    algorithms: Contract
    datasets: Contract
    token: Contract
    _numbers: Iterator[int] = field(default_factory=count)

    def admit(self, institution: str, roles: int) -> None:
        self.chain.send(GOVERNOR, self.participants, "admitInstitution", institution, roles)

    def create(
        self,
        token: Contract | None = None,
        rule: int = PER_SET,
        shares: Sequence[int] = SHARES,
    ) -> bytes:
        """Create a data set of the university and return its id."""
        address = (token or self.token).address
        use = consent.Use(BIOMEDICAL_RESEARCH, 0, bytes(13))
        most = MOST_INSTANCES if rule == PER_INSTANCE else 0
        terms = research.Terms(address, shares, rule, most, use, digest("protocol"))
        salt = digest(f"salt {next(self._numbers)}")
        self.chain.send(RESEARCHER_ALICE, self.datasets, "create", terms, salt)
        return bytes(self.chain.call(self.datasets, "idOf", UNIVERSITY, terms, salt))

    def vault(self, dataset: bytes) -> str:
        kept = research.Dataset(*self.chain.call(self.datasets, "datasetOf", dataset))
        return str(kept.vault)

    def image_set(self, patient: str, custodian: str) -> ImageSet:
        """The five values of an image set that is not anchored yet."""
        number = next(self._numbers)
        root, visit = digest(f"root {number}"), group(f"visit {number}", custodian)
        return ImageSet(custodian, patient, root, visit, EVERYTHING)

    def anchor(self, image_set: ImageSet, instances: int = 1) -> bytes:
        """Anchor an image set and return its id."""
        self.chain.send(
            image_set.custodian, self.images, "anchor", new_image_set(image_set, instances)
        )
        return self.image_id(image_set)

    def image_id(self, image_set: ImageSet) -> bytes:
        return bytes(self.chain.call(self.images, "idOf", image_set))

    def grant(self, patient: str) -> None:
        self.chain.send(patient, self.consents, "grant", *grant_of_everything(patient))

    def contribute(self, dataset: bytes, image_set: ImageSet, weight: int = 1) -> None:
        self.chain.send(RESEARCHER_ALICE, self.datasets, "contribute", dataset, image_set, weight)

    def weights(self, dataset: bytes) -> list[int]:
        """The weight of each class, as a funder sees it."""
        views = [(self.datasets, "weightOf", (dataset, class_)) for class_ in CLASSES]
        return [int(weight) for weight in self.chain.call_all(views)]

    def due(self, dataset: bytes, class_: int, beneficiary: str) -> int:
        return int(self.chain.call(self.datasets, "contributorOf", dataset, class_, beneficiary)[1])

    def balance(self, holder: str, token: Contract | None = None) -> int:
        return int(self.chain.call(token or self.token, "balanceOf", holder))

    def call(self, sender: str, function: str, *arguments: Any) -> Call:
        """A transaction to the data set registry."""
        return Call(sender, self.datasets, function, arguments)


def new_image_set(image_set: ImageSet, instances: int = 1) -> NewImageSet:
    """What a custodian states to anchor an image set."""
    _, patient, root, visit, course = image_set
    return NewImageSet(patient, root, digest("manifest"), visit, course, instances, kind=0)


def grant_of_everything(patient: str, grantee: str = UNIVERSITY) -> tuple[Any, ...]:
    """The arguments of a grant for biomedical research that does not end soon."""
    terms = consent.Terms(0, 2**32 - 1, BIOMEDICAL_RESEARCH, 0, bytes(13))
    return (patient, grantee, EVERYTHING, terms)


@contextmanager
def research_stage() -> Iterator[Stage]:
    """Deploy everything on a new chain, with a university and its researcher."""
    with running_chain() as chain:
        forwarder = chain.deploy("Forwarder")
        identities = chain.deploy("IdentityRegistry", forwarder.address, RECOVERY_DELAY)
        participants = chain.deploy("ParticipantRegistry", forwarder.address, [GOVERNOR])
        peers = (identities.address, participants.address, forwarder.address)
        images = chain.deploy("ImageRegistry", *peers)
        asked = (identities.address, participants.address, images.address)
        consents = chain.deploy("ConsentRegistry", *asked, True, 5)
        algorithms = chain.deploy(
            "AlgorithmRegistry", participants.address, consents.address, forwarder.address
        )
        datasets = chain.deploy("DatasetRegistry", *asked, consents.address, forwarder.address)
        token = chain.deploy("LocalToken", FUNDER, SUPPLY)
        peers = (forwarder, identities, participants, images, consents, algorithms, datasets)
        stage = Stage(chain, *peers, token)
        stage.admit(UNIVERSITY, RESEARCHER)
        chain.send(UNIVERSITY, participants, "admit", RESEARCHER_ALICE, RESEARCHER)
        chain.send(FUNDER, token, "approve", datasets.address, 2**256 - 1)
        yield stage

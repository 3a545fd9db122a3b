"""Whatever the chain, the node and the system do, the index equals one that was rebuilt.

Each seed is a history of its own: blocks with events of many kinds, reorganisations of up to 64
blocks, a node that answers wrongly, and kills at any request and any statement.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from random import Random

import pytest

from radledger.chain.deployments import DeployedContract, Deployment
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.errors import ChainError
from radledger.index import following
from radledger.index.service import Index
from tests.anvil import Reverted, account, digest
from tests.index.conftest import read_all
from tests.index.faults import FaultyProvider, Killed, killed_at
from tests.research_stage import (
    CUSTODIAN,
    DATA,
    FUNDER,
    RESEARCHER_ALICE,
    ImageSet,
    grant_of_everything,
    new_image_set,
    research_stage,
)

DEEPEST = 64
HOSPITAL = account("hospital")
PATIENTS = [account(f"patient {number}") for number in range(5)]


@pytest.fixture(scope="module")
def stage():
    with research_stage() as stage:
        stage.admit(HOSPITAL, CUSTODIAN)
        stage.dataset = stage.create()
        yield stage


@pytest.fixture(scope="module")
def ledger(stage):
    chain = stage.chain
    web3 = connect(Network("anvil", f"http://127.0.0.1:{chain.port}"))
    places = {
        "Forwarder": stage.forwarder,
        "IdentityRegistry": stage.identities,
        "ParticipantRegistry": stage.participants,
        "ImageRegistry": stage.images,
        "ConsentRegistry": stage.consents,
        "AlgorithmRegistry": stage.algorithms,
        "DatasetRegistry": stage.datasets,
    }
    contracts = {
        name: DeployedContract(place.address, 1, "0x", "0x") for name, place in places.items()
    }
    genesis = chain.request("eth_getBlockByNumber", "0x0", False)["hash"]
    return Ledger(web3, Deployment(31337, genesis, contracts))


class History:
    """What one seed lets happen to the chain."""

    def __init__(self, stage, random):
        self.stage, self.chain, self.random = stage, stage.chain, random
        self.images = []
        self.snapshots = []
        self.count = Counter()

    def height(self):
        return int(self.chain.request("eth_blockNumber"), 16)

    def happen(self):
        self.random.choice([*[self.write] * 5, self.wait, self.reorganise])()

    def wait(self):
        self.chain.request("anvil_mine", hex(self.random.randint(1, 60)))

    def write(self):
        """A block with some transactions; those that a contract refuses are in it too."""
        self.snapshots.append((self.height(), self.chain.request("evm_snapshot")))
        calls = [self.call() for _ in range(self.random.randint(1, 8))]
        try:
            self.chain.send_all(calls)
        except (Reverted, AssertionError):
            self.count["refused"] += 1  # a contract refused, which is what it is for

    def call(self):
        stage, random, patient = self.stage, self.random, self.random.choice(PATIENTS)
        image = random.choice(self.images) if self.images else None
        kind = random.randrange(10) if image else 0
        if kind < 3:
            new = stage.image_set(patient, HOSPITAL)
            self.images.append(new)
            return self._to(HOSPITAL, stage.images, "anchor", new_image_set(new))
        if kind == 3:
            newer = ImageSet(HOSPITAL, image.patient, digest(f"{random.random()}"), *image[3:])
            self.images.append(newer)
            derived = (*new_image_set(newer)[:-1], 1)
            return self._to(HOSPITAL, stage.images, "supersede", derived, image)
        if kind == 4:
            return self._to(HOSPITAL, stage.images, "rekey", image, digest("manifest"))
        if kind == 5:
            return self._to(HOSPITAL, stage.images, "erase", image, digest("certificate"))
        if kind == 6:
            return self._to(patient, stage.consents, "grant", *grant_of_everything(patient))
        if kind == 7:
            return self._to(patient, stage.consents, "revokeAll", patient)
        if kind == 8:
            name = random.choice(["contribute", "contribute", "suspend", "resume"])
            weight = (1,) if name == "contribute" else ()
            return stage.call(RESEARCHER_ALICE, name, stage.dataset, image, *weight)
        return random.choice(
            [
                stage.call(
                    FUNDER,
                    "fund",
                    stage.dataset,
                    random.randint(1, 10**20),
                    stage.weights(stage.dataset),
                ),
                stage.call(image.patient, "withdraw", stage.dataset, image),
                stage.call(image.patient, "claim", stage.dataset, DATA),
                stage.call(RESEARCHER_ALICE, "freeze", stage.dataset, digest("root"), 1),
                stage.call(
                    image.patient,
                    "setFree",
                    stage.dataset,
                    DATA,
                    image.patient,
                    random.random() < 0.5,
                ),
            ]
        )

    def _to(self, sender, contract, function, *arguments):
        return type(self.stage.call(sender, function))(sender, contract, function, arguments)

    def reorganise(self):
        """Leave the last blocks, at most 64, and continue with as many others or more."""
        head = self.height()
        near = [each for each in self.snapshots if head - DEEPEST <= each[0] < head]
        if not near:
            return
        if self.random.random() < 0.8:
            near = near[-2:]  # most are shallow, else little would be left to index
        base, snapshot = self.random.choice(near)
        self.snapshots = [each for each in self.snapshots if each[0] < base]
        assert self.chain.request("evm_revert", snapshot)
        # Another time makes another hash, also of an empty block.
        self.chain.request("evm_increaseTime", self.random.randint(1, 1_000))
        depth = head - base
        self.chain.request("anvil_mine", hex(self.random.randint(1, depth)))
        self.count["reorganisations"] += 1
        self.deepest = max(depth, self.deepest)

    deepest = 0


def run(seed, stage, ledger, folder, monkeypatch):
    """One history, followed as it happens; returns what went on."""
    random = Random(seed)
    stage._numbers = count()
    base = stage.chain.request("evm_snapshot")
    history = History(stage, random)
    sound = ledger.web3.provider
    faulty = FaultyProvider(sound, random, history.reorganise)
    happened = Counter()
    url = f"sqlite:///{folder / f'{seed}.sqlite3'}"
    # Short ranges, so that much can happen between two of them.
    monkeypatch.setattr(following, "_MOST_BLOCKS", random.randint(4, 40))
    monkeypatch.setattr(following, "_FIRST_BLOCKS", random.randint(1, 4))
    try:
        for _ in range(random.randint(5, 15)):
            for _ in range(random.randint(1, 3)):
                history.happen()
            ledger.web3.provider = faulty
            faulty.probability = random.choice([0.05, 0.2, 0.4])
            follow(ledger, folder, url, random, happened)
            ledger.web3.provider = sound
        faulty.probability = 0.0
        index, anew = Index(ledger, folder, url), Index(ledger, folder, "sqlite://")
        index.sync()
        anew.sync()
        assert read_all(index) == read_all(anew), f"seed {seed}"
        kept, expected = index.database.kept(), anew.database.kept()
        assert {number: expected[number] for number in kept} == kept, f"seed {seed}"
        if seed % 10 == 0:
            assert index.audit().differences == (), f"seed {seed}"
        happened["events"] += index.status().event_count
        index.database.engine.dispose()
        anew.database.engine.dispose()
    finally:
        ledger.web3.provider = sound
        assert stage.chain.request("evm_revert", base)
    happened["deepest"] = history.deepest
    happened["reorganisations"] = history.count["reorganisations"]
    happened["faults"] = faulty.count.total()
    return happened


def follow(ledger, folder, url, random, happened):
    """Bring the index up to the chain, however often it is killed or misled on the way."""
    for _ in range(100):
        index = Index(ledger, folder, url)
        kill = random.randint(1, 60) if random.random() < 0.2 else 0
        try:
            with killed_at(index._unopened.engine, kill):
                happened["taken back"] += index.sync().taken_back
            return
        except ChainError:
            happened["given up"] += 1
        except Killed:
            happened["kills"] += 1
        finally:
            index._unopened.engine.dispose()
    raise AssertionError("the index never came up to the chain")


def campaign(seeds, stage, ledger, folder, monkeypatch, capsys):
    total, deepest = Counter(), 0
    for seed in seeds:
        happened = run(seed, stage, ledger, folder, monkeypatch)
        deepest = max(deepest, happened.pop("deepest"))
        total += happened
    with capsys.disabled():
        told = ", ".join(f"{number} {what}" for what, number in sorted(total.items()))
        print(f"\nindex: {len(seeds)} seeds, all equal to a rebuild: {told}; deepest {deepest}")
    assert total["reorganisations"] > len(seeds)
    assert total["kills"] > len(seeds) / 5
    assert total["faults"] > len(seeds)


def test_it_equals_a_rebuilt_one(stage, ledger, tmp_path, monkeypatch, capsys):
    campaign(range(10), stage, ledger, tmp_path, monkeypatch, capsys)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_it_equals_a_rebuilt_one_over_500_seeds(stage, ledger, tmp_path, monkeypatch, capsys):
    campaign(range(10, 510), stage, ledger, tmp_path, monkeypatch, capsys)

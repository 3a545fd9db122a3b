"""A hostile ERC-20 token harms only the contributors of data sets that name it.

Two data sets are funded in one token that misbehaves, a third in a good one.  No account is paid
twice, nor out of another data set's money, and whatever a token does, the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.anvil import Contract, account, refused
from tests.research_stage import (
    CUSTODIAN,
    DATA,
    FUNDER,
    ImageSet,
    Stage,
    grant_of_everything,
    research_stage,
)
from tools.compile_contracts import artifact, compile_sources

HOSPITAL, PATIENT = account("hospital"), account("patient")
SOURCE = "contracts/test/HostileToken.sol"
ONLY_DATA = (10_000, 0, 0, 0)
MOST = 2**96 - 1
"""Base units that one payment can be, and that an account can hold."""
TRUE, FALSE, NOTHING, GARBAGE, REVERT = range(5)
"""What the token answers to a transfer."""


@dataclass
class Scene:
    """Data sets `first` and `second` in the hostile token, `good` in a plain one.

    To each of the three, the patient and the token itself have contributed one image set.
    """

    stage: Stage
    token: Contract
    first: bytes
    second: bytes
    good: bytes
    image_sets: dict[tuple[bytes, str], ImageSet]

    def behave(self, function: str, *arguments: Any) -> None:
        self.stage.chain.send(FUNDER, self.token, function, *arguments)

    def encoded(self, function: str, *arguments: Any) -> bytes:
        data = self.stage.datasets.interface.encode(function, *arguments)
        return bytes.fromhex(data[2:])

    def call_back(self, function: str, *arguments: Any) -> None:
        """Have the token make this call to the registry during its next transfers."""
        call = self.encoded(function, *arguments)
        self.behave("callBack", self.stage.datasets.address, [call])

    def callbacks(self) -> int:
        return int(self.stage.chain.call(self.token, "callbacks"))

    def token_acts(self, function: str, *arguments: Any) -> None:
        """Have the token call the registry in its own name."""
        call = self.encoded(function, *arguments)
        self.behave("act", self.stage.datasets.address, call)

    def fund(self, dataset: bytes, amount: int) -> None:
        weights = self.stage.weights(dataset)
        self.stage.chain.send(FUNDER, self.stage.datasets, "fund", dataset, amount, weights)

    def claim(self, dataset: bytes, sender: str = PATIENT) -> None:
        self.stage.chain.send(sender, self.stage.datasets, "claim", dataset, DATA)

    def dues(self, dataset: bytes) -> tuple[int, int]:
        """What is due to the patient and to the token."""
        return (
            self.stage.due(dataset, DATA, PATIENT),
            self.stage.due(dataset, DATA, self.token.address),
        )

    def vault(self, dataset: bytes) -> int:
        """What the data set's vault really holds."""
        token = self.stage.token if dataset == self.good else self.token
        return self.stage.balance(self.stage.vault(dataset), token)

    def held(self, holder: str) -> int:
        return self.stage.balance(holder, self.token)

    def others_go_on(self) -> None:
        """The data set in the good token takes money and pays it, to the unit."""
        before, balance = self.vault(self.good), self.stage.balance(PATIENT)
        due = self.dues(self.good)[0]
        self.fund(self.good, 1_000)
        self.claim(self.good)
        assert self.stage.balance(PATIENT) == balance + due + 500
        assert self.vault(self.good) == before + 1_000 - due - 500 >= sum(self.dues(self.good))


@pytest.fixture(scope="module")
def prepared() -> Iterator[Scene]:
    name = "HostileToken"
    compiled = artifact(SOURCE, name, compile_sources([SOURCE])["contracts"][SOURCE][name])
    with research_stage() as stage:
        stage.admit(HOSPITAL, CUSTODIAN)
        token = stage.chain.deploy(name, FUNDER, 2**128, artifact=compiled)
        first, second = (stage.create(token, shares=ONLY_DATA) for _ in range(2))
        scene = Scene(stage, token, first, second, stage.create(shares=ONLY_DATA), {})
        stage.grant(PATIENT)
        grant = stage.consents.interface.encode("grant", *grant_of_everything(token.address))
        scene.behave("act", stage.consents.address, bytes.fromhex(grant[2:]))
        for dataset in (first, second, scene.good):
            for owner in (PATIENT, token.address):
                image_set = stage.image_set(owner, HOSPITAL)
                stage.anchor(image_set)
                stage.contribute(dataset, image_set)
                scene.image_sets[dataset, owner] = image_set
        scene.behave("approve", stage.datasets.address, 2**256 - 1)
        approve = token.interface.encode("approve", stage.datasets.address, 2**256 - 1)
        scene.behave("act", token.address, bytes.fromhex(approve[2:]))
        scene.behave("mint", token.address, 10_000)
        for dataset in (first, second, scene.good):
            scene.fund(dataset, 1_000)
        yield scene


@pytest.fixture
def scene(prepared: Scene) -> Iterator[Scene]:
    """1,000 in each vault, 500 of it due to the patient and 500 to the token."""
    with prepared.stage.chain.undone():
        for dataset in (prepared.first, prepared.second, prepared.good):
            assert prepared.dues(dataset) == (500, 500)
            assert prepared.vault(dataset) == 1_000
        yield prepared


# ------------------------------------------------------------------------ tokens that call back


@pytest.mark.parametrize("of", ["first", "second", "good"])
def test_payment_within_a_payment_is_not_counted_twice(scene: Scene, of: str) -> None:
    scene.call_back("fund", getattr(scene, of), 100, [2, 2, 0, 0])
    scene.fund(scene.first, 1_000)
    assert scene.callbacks() == 1
    assert scene.dues(scene.first) == (1_000, 1_000)
    assert scene.vault(scene.first) == 2_000
    assert scene.vault(scene.second) == scene.vault(scene.good) == 1_000
    scene.others_go_on()


def test_claim_within_a_claim_is_not_paid_twice(scene: Scene) -> None:
    before = scene.held(scene.token.address)
    scene.call_back("claim", scene.first, DATA)
    scene.token_acts("claim", scene.first, DATA)
    assert scene.callbacks() == 1
    assert scene.held(scene.token.address) == before + 500
    assert scene.dues(scene.first) == (500, 0)
    assert scene.vault(scene.first) == 500
    scene.claim(scene.first)
    assert scene.held(PATIENT) == 500


def test_claim_for_within_a_claim_is_not_paid_twice(scene: Scene) -> None:
    before = scene.held(scene.token.address)
    scene.call_back("claimFor", scene.first, DATA, scene.token.address, scene.token.address)
    scene.token_acts("claim", scene.first, DATA)
    assert scene.callbacks() == 1
    assert scene.held(scene.token.address) == before + 500
    assert scene.dues(scene.first) == (500, 0)


def test_claim_within_anothers_claim_takes_its_own_alone(scene: Scene) -> None:
    scene.call_back("claim", scene.first, DATA)
    scene.claim(scene.first)
    assert scene.held(PATIENT) == 500
    assert scene.dues(scene.first) == (0, 0)
    assert scene.vault(scene.first) == 0


def test_claim_within_another_data_sets_claim_is_paid_by_its_own_vault(scene: Scene) -> None:
    scene.call_back("claim", scene.second, DATA)
    scene.claim(scene.first)
    assert scene.vault(scene.first) == scene.vault(scene.second) == 500
    assert scene.dues(scene.first) == (0, 500)
    assert scene.dues(scene.second) == (500, 0)


def test_claim_within_a_payment_is_taken_off_what_arrived(scene: Scene) -> None:
    """The vault gains 1,000 less the 500 that the token had it pay meanwhile."""
    scene.call_back("claim", scene.first, DATA)
    scene.fund(scene.first, 1_000)
    assert scene.dues(scene.first) == (750, 250)
    assert scene.vault(scene.first) == 1_500


def test_claim_within_a_smaller_payment_undoes_both(scene: Scene) -> None:
    scene.call_back("claim", scene.first, DATA)
    with refused("DatasetAmountInvalid", 2**256 - 400):
        scene.fund(scene.first, 100)
    assert scene.dues(scene.first) == (500, 500)
    assert scene.vault(scene.first) == 1_000


@pytest.mark.parametrize("paying", [True, False])
def test_withdrawal_within_a_transfer_keeps_what_was_earned(scene: Scene, paying: bool) -> None:
    image_set = scene.image_sets[scene.first, scene.token.address]
    scene.call_back("withdraw", scene.first, image_set)
    if paying:
        with refused("DatasetWeightsChanged", scene.first, DATA, 2, 1):
            scene.fund(scene.first, 1_000)
        assert scene.dues(scene.first) == (500, 500)
        return
    scene.claim(scene.first)
    assert scene.dues(scene.first) == (0, 500)
    assert scene.vault(scene.first) == sum(scene.dues(scene.first))
    assert scene.stage.chain.call(scene.stage.datasets, "weightOf", scene.first, DATA) == 1


def test_contributor_who_leaves_within_a_payment_undoes_it(scene: Scene) -> None:
    """Those who share it are not those whom the funder saw."""
    scene.call_back("setFree", scene.first, DATA, scene.token.address, True)
    with refused("DatasetWeightsChanged", scene.first, DATA, 2, 1):
        scene.fund(scene.first, 1_000)
    assert scene.vault(scene.first) == 1_000
    scene.claim(scene.first)
    assert scene.vault(scene.first) == 500


# ------------------------------------------------------------------------ fees and answers


def test_fee_is_not_shared_out(scene: Scene) -> None:
    scene.behave("setFee", 1_000)
    scene.fund(scene.first, 1_000)
    assert scene.dues(scene.first) == (950, 950)
    assert scene.vault(scene.first) == 1_900
    scene.claim(scene.first)
    scene.token_acts("claim", scene.first, DATA)
    assert scene.held(PATIENT) == 855
    assert scene.vault(scene.first) == 0
    assert scene.vault(scene.second) == 1_000


def test_whole_payment_as_a_fee_is_refused(scene: Scene) -> None:
    scene.behave("setFee", 10_000)
    with refused("DatasetAmountInvalid", 0):
        scene.fund(scene.first, 1_000)


def test_token_that_returns_nothing_is_used(scene: Scene) -> None:
    scene.behave("setAnswer", NOTHING)
    scene.fund(scene.first, 1_000)
    scene.claim(scene.first)
    assert scene.held(PATIENT) == 1_000
    assert scene.vault(scene.first) == 1_000 == scene.dues(scene.first)[1]


@pytest.mark.parametrize("answer", [FALSE, GARBAGE, REVERT])
def test_failed_transfer_changes_nothing_and_blocks_its_data_sets_alone(
    scene: Scene, answer: int
) -> None:
    error = "TransferRefused" if answer == REVERT else "SafeERC20FailedOperation"
    scene.behave("setAnswer", answer)
    for dataset in (scene.first, scene.second):
        with refused(error):
            scene.fund(dataset, 1_000)
        with refused(error):
            scene.claim(dataset)
        assert scene.dues(dataset) == (500, 500)
    scene.others_go_on()
    image_set = scene.image_sets[scene.first, PATIENT]
    scene.stage.chain.send(PATIENT, scene.stage.datasets, "withdraw", scene.first, image_set)

    scene.behave("setAnswer", TRUE)
    scene.claim(scene.first)
    assert scene.held(PATIENT) == 500
    with refused("DatasetNothingDue"):
        scene.claim(scene.first)


# ------------------------------------------------------------------------ balances that move


def test_shrunken_vault_pays_while_it_can_and_no_other_vault_helps(scene: Scene) -> None:
    scene.behave("burn", scene.stage.vault(scene.first), 400)
    scene.claim(scene.first)
    with refused("ERC20InsufficientBalance"):
        scene.token_acts("claim", scene.first, DATA)
    assert scene.dues(scene.first) == (0, 500)
    assert scene.vault(scene.first) == 100
    scene.claim(scene.second)
    assert scene.held(PATIENT) == 1_000
    assert scene.vault(scene.second) == 500 == scene.dues(scene.second)[1]
    scene.others_go_on()


def test_grown_vault_pays_no_more_than_was_paid_in(scene: Scene) -> None:
    scene.behave("mint", scene.stage.vault(scene.first), 777)
    assert scene.dues(scene.first) == (500, 500)
    scene.fund(scene.first, 100)
    assert scene.dues(scene.first) == (550, 550)
    scene.claim(scene.first)
    scene.token_acts("claim", scene.first, DATA)
    assert scene.vault(scene.first) == 777
    with refused("DatasetNothingDue"):
        scene.claim(scene.first)


def test_payment_during_which_the_vault_shrinks_counts_what_is_left(scene: Scene) -> None:
    burn = scene.token.interface.encode("burn", scene.stage.vault(scene.first), 300)
    scene.behave("callBack", scene.token.address, [bytes.fromhex(burn[2:])])
    scene.fund(scene.first, 1_000)
    assert scene.dues(scene.first) == (850, 850)
    assert scene.vault(scene.first) == 1_700
    with refused("DatasetAmountInvalid", 2**256 - 200):
        scene.fund(scene.first, 100)


def test_balance_that_never_moves_counts_as_nothing(scene: Scene) -> None:
    scene.behave("lie", 5)
    with refused("DatasetAmountInvalid", 0):
        scene.fund(scene.first, 1_000)


def test_lie_about_what_arrived_takes_from_no_other_data_set(scene: Scene) -> None:
    """The token states a balance of 2^80 after the transfer; the vault can't pay that."""
    lie = scene.token.interface.encode("lie", 2**80)
    scene.behave("callBack", scene.token.address, [bytes.fromhex(lie[2:])])
    scene.fund(scene.first, 1)
    assert sum(scene.dues(scene.first)) > 2**79
    scene.behave("callBack", scene.token.address, [])
    for sender in (PATIENT, scene.token.address):
        with refused("ERC20InsufficientBalance"):
            scene.claim(scene.first, sender)
    assert scene.dues(scene.second) == (500, 500)
    scene.claim(scene.second)
    scene.claim(scene.second, scene.token.address)
    scene.others_go_on()


def test_supply_that_no_account_can_hold_is_refused(scene: Scene) -> None:
    with refused("DatasetAmountInvalid", 2**96):
        scene.fund(scene.first, 2**96)
    scene.fund(scene.first, 2**96 - 2_000)
    assert sum(scene.dues(scene.first)) <= scene.vault(scene.first)
    scene.claim(scene.first)
    scene.token_acts("claim", scene.first, DATA)
    assert scene.vault(scene.first) == 0


def test_token_of_36_decimals_cannot_be_funded_whole(scene: Scene) -> None:
    """A payment is at most 2^96 - 1 base units, 7.9e-8 of such a token; nothing is lost."""
    scene.behave("mint", FUNDER, 10**36)
    with refused("DatasetAmountInvalid", 10**36):
        scene.fund(scene.first, 10**36)
    assert scene.vault(scene.first) == 1_000


@pytest.mark.parametrize("answer", [FALSE, GARBAGE, REVERT])
@pytest.mark.parametrize("leaving", ["withdraw", "suspend", "setFree"])
def test_contributors_leave_with_more_than_an_account_holds(
    scene: Scene, answer: int, leaving: str
) -> None:
    """Three payments of all that can be paid at once, and a token that then pays nothing out."""
    stage, image_set = scene.stage, scene.image_sets[scene.first, PATIENT]
    for _ in range(2):
        other = stage.image_set(PATIENT, HOSPITAL)
        stage.anchor(other)
        stage.contribute(scene.first, other)
    scene.behave("mint", FUNDER, 3 * MOST)
    for _ in range(3):
        scene.fund(scene.first, MOST)
    scene.behave("setAnswer", answer)
    assert scene.dues(scene.first)[0] > MOST
    before = scene.dues(scene.first)[1]
    calls = {
        "withdraw": (PATIENT, "withdraw", scene.first, image_set),
        "suspend": (account("passer-by"), "suspend", scene.first, image_set),
        "setFree": (PATIENT, "setFree", scene.first, DATA, PATIENT, True),
    }
    if leaving == "suspend":
        stage.chain.send(PATIENT, stage.consents, "revokeAll", PATIENT)

    sender, *call = calls[leaving]
    stage.chain.send(sender, stage.datasets, *call)

    assert scene.dues(scene.first) == (MOST, before)

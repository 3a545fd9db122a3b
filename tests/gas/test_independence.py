"""What an operation costs does not depend on how much the ledger holds already.

The same transactions are sent when the ledger holds ten image sets, grants, contributions and
claims, and when it holds many; they must use the same gas, but for the bytes of the weights that a
funder names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.anvil import Call, account, digest, group
from tests.research_stage import (
    CUSTODIAN,
    DATA,
    EVERYTHING,
    FUNDER,
    RESEARCHER_ALICE,
    UNIVERSITY,
    ImageSet,
    Stage,
    grant_of_everything,
    new_image_set,
    research_stage,
)

HOSPITAL = account("hospital")
PAYMENT = 10**18
FEW = 10
AT_A_TIME = 20
"""Transactions in a block: more at a time take anvil longer for each."""


class Ledger:
    """A ledger with one data set, to which one patient after the other contributes and earns."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.admit(HOSPITAL, CUSTODIAN)
        self.dataset = stage.create()
        # A vault that is never quite empty: to fill an empty one costs a fresh slot.
        stage.chain.send(FUNDER, stage.token, "transfer", stage.vault(self.dataset), 1)
        self.patients = 0

    def grow(self, patients: int) -> None:
        """Let there be as many patients, each with a grant, a contribution and a claim."""
        for start in range(self.patients, patients, AT_A_TIME):
            names = [
                f"patient {number}" for number in range(start, min(start + AT_A_TIME, patients))
            ]
            operations = [self.operations(name, start + len(names)) for name in names]
            for step in ("anchor", "grant", "contribute"):
                self.stage.chain.send_all([each[step] for each in operations])
            self.stage.chain.send_all([operations[0]["fund"]])
            self.stage.chain.send_all([each["claim"] for each in operations])
        self.patients = patients

    def costs(self) -> dict[str, int]:
        """The gas of each operation of one more patient, who leaves no trace, without its bytes."""
        with self.stage.chain.undone():
            return {
                name: self.later(call)
                for name, call in self.operations("one more", self.patients + 1).items()
            }

    def later(self, call: Call) -> int:
        """Gas of a call in a second of its own: what follows in the same one costs 100 more."""
        self.stage.chain.request("evm_increaseTime", 60)
        return self.stage.chain.send_all([call])[0] - gas_of_bytes(call)

    def operations(self, name: str, weight: int) -> dict[str, Call]:
        """What a patient's image set goes through, in a data set in which so many count by then."""
        return operations_of(self.stage, self.dataset, name, (weight, weight, 0, 0))


def gas_of_bytes(call: Call) -> int:
    """What the bytes of a call cost (EIP-2028)."""
    return sum(16 if byte else 4 for byte in bytes.fromhex(call.transaction["data"][2:]))


def operations_of(
    stage: Stage, dataset: bytes, name: str, weights: Sequence[int]
) -> dict[str, Call]:
    """What happens to a patient's image set, from its anchoring to the end of all consent."""
    patient = account(name)
    root, visit = digest(f"root of {name}"), group(f"visit of {name}", HOSPITAL)
    image_set = ImageSet(HOSPITAL, patient, root, visit, EVERYTHING)
    return {
        "anchor": Call(HOSPITAL, stage.images, "anchor", (new_image_set(image_set),)),
        "grant": Call(patient, stage.consents, "grant", grant_of_everything(patient)),
        "contribute": stage.call(RESEARCHER_ALICE, "contribute", dataset, image_set, 1),
        "fund": stage.call(FUNDER, "fund", dataset, PAYMENT, weights),
        "claim": stage.call(patient, "claim", dataset, DATA),
        "revoke": Call(patient, stage.consents, "revoke", (patient, UNIVERSITY, EVERYTHING)),
        "revokeAll": Call(patient, stage.consents, "revokeAll", (patient,)),
        "suspend": stage.call(account("passer-by"), "suspend", dataset, image_set),
        "withdraw": stage.call(patient, "withdraw", dataset, image_set),
    }


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with research_stage() as stage:
        yield Ledger(stage)


@pytest.mark.parametrize(
    "many", [300, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])]
)
def test_costs_are_the_same_however_much_there_is(ledger: Ledger, many: int) -> None:
    ledger.grow(FEW)
    few = ledger.costs()
    assert all(gas > 21_000 for gas in few.values())

    ledger.grow(many)

    assert ledger.stage.chain.call(ledger.stage.datasets, "weightOf", ledger.dataset, DATA) == many
    assert ledger.costs() == few


def test_revoking_all_costs_one_patient_the_same_for_any_number_of_grants(ledger: Ledger) -> None:
    """One patient grants to ten institutions, then to three hundred."""
    stage, patient = ledger.stage, account("patient")

    def grant_to(institutions: range) -> int:
        grants = [grant_of_everything(patient, account(f"institution {n}")) for n in institutions]
        for start in range(0, len(grants), AT_A_TIME):
            some = grants[start : start + AT_A_TIME]
            stage.chain.send_all([Call(patient, stage.consents, "grant", each) for each in some])
        with stage.chain.undone():
            return stage.chain.send(patient, stage.consents, "revokeAll", patient)

    assert grant_to(range(FEW)) == grant_to(range(FEW, 300))

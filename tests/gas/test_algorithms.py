"""What versions of algorithms cost depends neither on their number nor on their ancestors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak

from tests.anvil import Call, account, digest
from tests.gas.test_independence import AT_A_TIME, FEW, gas_of_bytes
from tests.research_stage import (
    BIOMEDICAL_RESEARCH,
    CUSTODIAN,
    DEVELOPER,
    UNIVERSITY,
    Stage,
    research_stage,
)

HOSPITAL, VENDOR, PATIENT = map(account, ("hospital", "vendor", "patient"))
NAME = "model"


class Models:
    """Versions of one algorithm, each trained from the one before, and executions of each."""

    def __init__(self, stage: Stage) -> None:
        self.chain, self.registry = stage.chain, stage.algorithms
        stage.admit(HOSPITAL, CUSTODIAN)
        stage.admit(VENDOR, DEVELOPER)
        stage.grant(PATIENT)
        self.image_sets = [stage.image_set(PATIENT, HOSPITAL) for _ in range(2)]
        for image_set in self.image_sets:
            stage.anchor(image_set)
        self.versions = [bytes(32)]

    def grow(self, versions: int) -> None:
        """Let there be as many versions, each executed on image sets and by a root."""
        while len(self.versions) <= versions:
            steps = []
            for _ in range(min(AT_A_TIME, versions + 1 - len(self.versions))):
                operations = self.operations(f"version {len(self.versions)}")
                steps.append(operations)
                self.versions.append(version_id(operations["publish"]))
            for step in ("publish", "recordExecution", "recordExecutions"):
                self.chain.send_all([each[step] for each in steps])

    def costs(self) -> dict[str, int]:
        """The gas of what one more version goes through, undone after, without its bytes."""
        with self.chain.undone():
            return {
                name: self.chain.send_all([call])[0] - gas_of_bytes(call)
                for name, call in self.operations("one more").items()
            }

    def operations(self, label: str) -> dict[str, Call]:
        """What becomes of a version that comes from the latest one, up to its recall."""
        parent = self.versions[-1]
        stated = (digest("weights"), digest("data set"), 1, digest("conditions"), parent)
        publish = self.call(VENDOR, "publish", NAME, label, stated, [VENDOR])
        version, use = version_id(publish), (BIOMEDICAL_RESEARCH, 0, bytes(13))
        execution = ("recordExecution", version, self.image_sets, use, digest("output"))
        return {
            "register": self.call(VENDOR, "register", NAME, bytes(16)),
            "publish": publish,
            "recordExecution": self.call(UNIVERSITY, *execution),
            "recordExecutions": self.call(
                UNIVERSITY, "recordExecutions", version, digest("root"), 9
            ),
            "recall": self.call(VENDOR, "recall", version, digest("notice")),
        }

    def call(self, sender: str, function: str, *arguments: Any) -> Call:
        return Call(sender, self.registry, function, arguments)


def version_id(publish: Call) -> bytes:
    """The id of the version that a call publishes."""
    name, label, stated, developers = publish.arguments
    algorithm = keccak(bytes.fromhex(publish.sender[2:]) + name.encode())
    types = ["bytes32", "string", "(bytes32,bytes32,uint32,bytes32,bytes32)", "address[]"]
    return keccak(encode(types, [algorithm, label, stated, developers]))


@pytest.fixture
def models() -> Iterator[Models]:
    with research_stage() as stage:
        yield Models(stage)


@pytest.mark.parametrize(
    "many", [300, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])]
)
def test_costs_are_the_same_for_any_number_of_versions(models: Models, many: int) -> None:
    models.grow(FEW)
    few = models.costs()
    assert all(gas > 21_000 for gas in few.values())

    models.grow(many)

    newest = models.chain.call(models.registry, "versionOf", models.versions[many])
    assert newest[0] == VENDOR.lower()
    assert models.costs() == few

"""A model that learns from images, and is executed on them with consent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from radledger.algorithms import Release
from radledger.demo.checks import check
from radledger.demo.stage import RESEARCH
from radledger.demo.step import StepOutcome
from radledger.demo.words import short

if TYPE_CHECKING:
    from radledger.algorithms import Version
    from radledger.algorithms.model import Executed
    from radledger.demo.stage import Stage

__all__ = ["publish", "run", "run_again"]

_NAME = "Lung nodule detection"
_ARTIFICIAL_INTELLIGENCE = "DCM:123110"


def publish(stage: Stage) -> StepOutcome:
    """The researcher, who is a developer too, publishes a model trained on the frozen version."""
    developer = stage.person("researcher")
    stage.radledger.algorithms.register(_NAME, _ARTIFICIAL_INTELLIGENCE).send(developer)
    release = Release(
        "1.0.0",
        _digest(b"weights"),
        trained_on=f"{stage.dataset_id}/1",
        conditions=_digest(b"learning rate, epochs, seed"),
    )
    made = stage.radledger.algorithms.publish(_NAME, release).send(developer)
    shown = stage.radledger.algorithms.show(made.algorithm_id)
    check(shown.institution == stage.address("clinic"), "the algorithm is not the clinic's")
    return StepOutcome(
        f"publishes {shown.name} {release.label} of the clinic, trained on version 1 of the data "
        "set; its weights stay where they are, their digest is on the chain",
        details=(("algorithm", shown.algorithm_id), ("version", made.version_id)),
    )


def run(stage: Stage) -> StepOutcome:
    """The researcher executes it on the image, with the patient's consent."""
    made = _run(stage)
    version = _version(stage)
    (execution,) = version.executions
    check(execution.images == (stage.research.image_id,), "it was executed on other images")
    stage.radledger.index.sync()
    lineage = stage.radledger.index.lineage(stage.ct.image_id)
    kinds = {node.kind: node.id for node in lineage.nodes}
    check(kinds.get("execution") == made.execution_id, "the CT's lineage ends before it")
    return StepOutcome(
        f"runs it on the version of the CT, consent checked on the chain; the CT's lineage now "
        f"leads to the model {short(version.version_id)} and the execution "
        f"{short(made.execution_id)}",
        details=(("grant", execution.grant_ids[0]), ("digest of the output", execution.output)),
    )


def run_again(stage: Stage) -> StepOutcome:
    """The researcher executes it once more, when consent is withdrawn."""
    _run(stage)
    return StepOutcome("ran the model again")


def _run(stage: Stage) -> Executed:
    images, output = [stage.research.image_set], _digest(b"two nodules, and a salt")
    action = stage.radledger.algorithms.run(_version(stage).version_id, images, RESEARCH, output)
    return action.send(stage.person("researcher"))


def _version(stage: Stage) -> Version:
    """The version that was published, the only one there is."""
    ((version,),) = (each.versions for each in stage.radledger.algorithms.list())
    return version


def _digest(content: bytes) -> str:
    return "0x" + hashlib.sha256(content).hexdigest()

"""The area of algorithms: their versions, what these were trained on, and their executions."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "algorithms",
    contracts=(
        Contract(
            "AlgorithmRegistry",
            constructor=("ParticipantRegistry", "ConsentRegistry", "Forwarder"),
            actors={
                "AlgorithmExecutionRecorded": "operator",
                "AlgorithmExecutionsRecorded": "operator",
                "AlgorithmVersionRecalled": "actor",
            },
            state="radledger.algorithms.state:AlgorithmState",
            rows="radledger.algorithms.tables:ROWS",
        ),
    ),
    lineage="radledger.algorithms.lineage",
    commands={"algorithm": "radledger.algorithms.commands.algorithm:group"},
    hints={
        "AlgorithmVersionUnknown": "list them with `radledger algorithm list`",
    },
)

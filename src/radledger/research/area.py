"""The area of research: data sets, their contributors and rewards."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "research",
    contracts=(
        Contract(
            "DatasetRegistry",
            constructor=(
                "IdentityRegistry",
                "ParticipantRegistry",
                "ImageRegistry",
                "ConsentRegistry",
                "Forwarder",
            ),
            actors={
                "DatasetCustodyWithdrawn": "actor",
                "DatasetCreated": "curator",
                "DatasetFunded": "funder",
                "DatasetImageContributed": "curator",
                "DatasetImageResumed": "actor",
                "DatasetImageSuspended": "actor",
                "DatasetImageWithdrawn": "actor",
                "DatasetWorkWithdrawn": "contributor",
            },
            relayed=("claim", "claimFor", "setFree", "withdraw", "withdrawWork"),
            state="radledger.research.state:DatasetState",
            rows="radledger.research.tables:ROWS",
        ),
    ),
    lineage="radledger.research.lineage",
    commands={"dataset": "radledger.research.commands.dataset:group"},
    hints={
        "DatasetBadSignature": "have a researcher of its institution sign it again",
        "DatasetHasNoContributors": "contribute first",
        "DatasetInstancesInvalid": (
            "give --most-instances with per-instance, and with no other rule"
        ),
        "DatasetNotCurator": (
            "have a researcher of its institution contribute, or sign with "
            "`radledger dataset accept`"
        ),
        "DatasetSignatureExpired": "have a researcher of its institution sign it again",
        "DatasetUnknown": "list them with `radledger dataset list`",
        "DatasetWeightInvalid": "give --score where image sets are scored, and only there",
        "DatasetWeightsChanged": "look at it again with `radledger dataset show`",
    },
)

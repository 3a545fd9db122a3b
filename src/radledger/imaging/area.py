"""The area of image sets."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "imaging",
    contracts=(
        Contract(
            "ImageRegistry",
            constructor=("IdentityRegistry", "ParticipantRegistry", "Forwarder"),
            actors={"ImageAcknowledged": "actor", "ImageDisowned": "actor"},
            relayed=("acknowledge", "disown"),
            state="radledger.imaging.state:ImageState",
            rows="radledger.imaging.tables:ROWS",
        ),
    ),
    lineage="radledger.imaging.lineage",
    commands={
        "image": "radledger.imaging.commands.image:group",
        "bundle": "radledger.imaging.commands.bundle:group",
    },
    hints={
        "ImageIsDisowned": "the patient can undo that with `radledger image acknowledge`",
    },
)

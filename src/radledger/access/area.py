"""The area of access: receipts of reading, and the ledger from which none can be left out."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "access",
    contracts=(
        Contract(
            "AccessLedger",
            constructor=("ParticipantRegistry", "ConsentRegistry", "Forwarder"),
            relayed=("anchorDay", "anchorLog", "demand"),
            state="radledger.access.state:AccessState",
            rows="radledger.access.tables:ROWS",
        ),
    ),
    lineage="radledger.access.lineage",
    commands={
        "receipt": "radledger.access.commands.receipt:group",
        "access-log": "radledger.access.commands.access_log:group",
    },
    hints={
        "AccessAlreadyDemanded": "see whether it was answered with `radledger receipt list`",
        "AccessDayNotOpen": "anchor each day's root with `radledger receipt anchor`, once a day",
        "AccessLogNotGrown": "publish the log first with `radledger receipt publish`",
        "AccessNotDemanded": "list what was demanded with `radledger receipt demands`",
        "AccessRecorderNotAppointed": "appoint it with `radledger receipt appoint`",
    },
)

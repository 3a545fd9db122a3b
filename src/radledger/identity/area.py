"""The area of participants and identities."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "identity",
    contracts=(
        Contract(
            "Forwarder",
            actors={"ExecutedForwardRequest": "signer"},
            state="radledger.identity.state:ForwarderState",
        ),
        Contract(
            "IdentityRegistry",
            constructor=("Forwarder", "recovery_delay"),
            actors={"IdentityRecoveryApproved": "guardian"},
            relayed=(
                "addDelegate",
                "approveRecovery",
                "changeOwner",
                "revokeAttribute",
                "revokeDelegate",
                "setAttribute",
                "setGuardians",
                "vetoRecovery",
                "withdrawApproval",
            ),
            state="radledger.identity.state:IdentityState",
            rows="radledger.identity.tables:IDENTITY_ROWS",
        ),
        Contract(
            "ParticipantRegistry",
            constructor=("Forwarder", "governors"),
            actors={
                "ParticipantGovernorVoted": "governor",
                "ParticipantLeft": "account",
                "ParticipantReinstated": "actor",
                "ParticipantSuspended": "actor",
            },
            state="radledger.identity.participant_state:ParticipantState",
            rows="radledger.identity.tables:PARTICIPANT_ROWS",
        ),
    ),
    commands={
        "participant": "radledger.identity.commands.participant:group",
        "identity": "radledger.identity.commands.identity:group",
    },
    hints={
        "ERC2771ForwarderExpiredRequest": "have it signed again",
        "ERC2771ForwarderInvalidSigner": "have it signed again",
        "ParticipantLacksRole": "see what an account may do with `radledger participant show`",
        "ParticipantNotAccredited": "have it admitted by an institution or a governor",
    },
)

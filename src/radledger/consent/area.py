"""The area of consent and emergency access."""

from __future__ import annotations

from radledger.area.declaration import Area, Contract

__all__ = ["AREA"]

AREA = Area(
    "consent",
    contracts=(
        Contract(
            "ConsentRegistry",
            constructor=(
                "IdentityRegistry",
                "ParticipantRegistry",
                "ImageRegistry",
                "may_forbid_emergencies",
                "most_overdue_reviews",
            ),
            actors={
                "ConsentGranted": "actor",
                "ConsentRequested": "requester",
                "ConsentRevoked": "actor",
                "ConsentRevokedAll": "actor",
                "EmergenciesForbidden": "actor",
                "EmergencyDeclared": "clinician",
                "EmergencyReviewed": "reviewer",
            },
            state="radledger.consent.state:ConsentState",
            rows="radledger.consent.tables:ROWS",
        ),
    ),
    commands={
        "consent": "radledger.consent.commands.consent:group",
        "conduct": "radledger.consent.commands.conduct:conduct",
    },
    hints={
        "ConsentAlreadyRequested": "wait for the answer",
        "ConsentBadSignature": "have it signed again",
        "ConsentNotPermittedCondition": "name what the use fulfils with --fulfils, if it does",
        "ConsentNotPermittedDisease": "give --disease CODE@SALT as in the grant, if it is the same",
        "ConsentDiseaseInvalid": "give --disease with DS, and only without HMB and GRU",
        "ConsentNotPermittedExpired": "ask again with `radledger consent request`",
        "ConsentNotPermittedDisowned": "the patient can undo it with `radledger image acknowledge`",
        "ConsentNotPermittedNeverGranted": "ask with `radledger consent request`",
        "ConsentNotRequested": "list pending requests with `radledger consent list --requests`",
        "ConsentPeriodInvalid": "give an end that is later than the beginning and than now",
        "ConsentNotPermittedPurpose": "ask for it with `radledger consent request`",
        "ConsentNotPermittedRevoked": "ask again with `radledger consent request`",
        "ConsentSignatureExpired": "have it signed again",
    },
)

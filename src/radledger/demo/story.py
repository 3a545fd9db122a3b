"""The story of an image, as data: who acts, and what is expected."""

from __future__ import annotations

from radledger.demo.chapters import algorithms, consent, emergency, images, research, viewer
from radledger.demo.step import Chapter, Step

__all__ = ["STORY"]

_IMAGES = Chapter(
    "A hospital takes images in",
    "Files are hashed, encrypted and stored; the chain keeps one fingerprint of each series.",
    (
        Step("bring up", "governor", images.bring_up),
        Step("add CT", "hospital", images.add_ct),
        Step("add samples", "hospital", images.add_samples),
        Step("add inspected", "hospital", images.add_inspected),
        Step("add again", "hospital", images.add_samples_again),
        Step("read own images", "patient", images.read_own_images),
    ),
)

_CONSENT = Chapter(
    "The patient decides who reads",
    "A signature of the patient, who holds no Ether, is what opens an image: the hospital's "
    "relayer takes it over HTTP and pays. A receipt signed by the reader is the price of the key.",
    (
        Step(
            "stranger",
            "stranger",
            consent.ask_as_stranger,
            refusal="ConsentNotPermittedNeverGranted",
            attempt="asks the hospital for the CT's key",
        ),
        Step("request", "radiologist", consent.request),
        Step(
            "too early",
            "radiologist",
            consent.ask_as_radiologist,
            refusal="ConsentNotPermittedNeverGranted",
            attempt="asks for the key before the patient has answered",
        ),
        Step("approve", "patient", consent.approve),
        Step(
            "changed approval",
            "stranger",
            consent.change_approval,
            refusal="DocumentTampered",
            attempt="hands the approval to the relayer with ten years added to it",
        ),
        Step("submit approval", "patient", consent.submit_approval),
        Step(
            "replayed approval",
            "stranger",
            consent.replay_approval,
            refusal="ConsentSuperseded",
            attempt="submits the same signature a second time",
        ),
        Step("read", "radiologist", consent.read_as_radiologist),
        Step(
            "wrong purpose",
            "radiologist",
            consent.read_for_research,
            refusal="ConsentNotPermittedPurpose",
            attempt="asks for the key for research; the grant is for care",
        ),
        Step(
            "replayed receipt",
            "stranger",
            consent.replay_receipt,
            refusal="ReceiptReplayed",
            attempt="hands in the radiologist's receipt once more",
        ),
        Step("verify", "radiologist", consent.verify),
        Step("look", "radiologist", viewer.look),
        Step(
            "tampered ciphertext",
            "radiologist",
            consent.tamper,
            refusal="ContentMismatch",
            attempt="fetches while one bit of the stored ciphertext is flipped",
        ),
    ),
)

_REVOCATION = Chapter(
    "The patient changes their mind",
    "The receipts record what was read before; what is read later needs a new grant and opens "
    "with a new key.",
    (
        Step("revoke", "patient", consent.revoke),
        Step(
            "revoked",
            "radiologist",
            consent.ask_as_radiologist,
            refusal="ConsentNotPermittedRevoked",
            attempt="asks for the key again",
        ),
        Step(
            "viewer left open",
            "radiologist",
            viewer.reload,
            refusal="ConsentNotPermittedRevoked",
            attempt="reloads the viewer, which was left open in a browser",
        ),
        Step("second opinion", "patient", consent.let_clinic_read),
        Step("rekey", "clinic", consent.read_as_clinic),
        Step(
            "old key",
            "radiologist",
            consent.use_old_secret,
            refusal="CommitmentMismatch",
            attempt="tries the key from before the revocation",
        ),
        Step("day passes", "time", consent.let_day_pass, moves_time=True),
        Step(
            "expired",
            "clinic",
            consent.ask_as_clinic,
            refusal="ConsentNotPermittedExpired",
            attempt="asks for the key a day later",
            moves_time=True,
        ),
    ),
)

_RESEARCH = Chapter(
    "Research, and what it pays",
    "The patient's consent is checked on the chain for the use that the data set declares; those "
    "whom the image's record names earn.",
    (
        Step("derive", "hospital", research.derive),
        Step("create data set", "researcher", research.create),
        Step(
            "no consent",
            "hospital",
            research.contribute,
            refusal="ConsentNotPermittedNeverGranted",
            attempt="contributes the version before the patient has consented",
        ),
        Step("consent to research", "patient", research.consent),
        Step(
            "alone",
            "hospital",
            research.contribute_alone,
            refusal="DatasetNotCurator",
            attempt="contributes the version without a researcher's acceptance",
        ),
        Step("contribute", "hospital", research.contribute),
        Step(
            "double contribution",
            "researcher",
            research.contribute_again,
            refusal="DatasetAlreadyContributed",
            attempt="contributes the same version again",
        ),
        Step("read for research", "researcher", research.read),
        Step(
            "condition",
            "researcher",
            research.read_commercially,
            refusal="ConsentNotPermittedCondition",
            attempt="asks for the key without promising non-commercial use",
        ),
        Step("fund", "researcher", research.fund),
        Step("publish model", "researcher", algorithms.publish),
        Step("run model", "researcher", algorithms.run),
        Step("claim data", "patient", research.claim_data),
        Step(
            "replayed claim",
            "stranger",
            research.claim_again,
            refusal="ERC2771ForwarderInvalidSigner",
            attempt="forwards the same claim again",
        ),
        Step("claim custody", "hospital", research.claim_custody),
        Step("withdraw consent", "patient", research.withdraw_consent),
        Step(
            "model without consent",
            "researcher",
            algorithms.run_again,
            refusal="ConsentNotPermittedRevoked",
            attempt="runs the model on the same image again",
        ),
        Step("end contribution", "researcher", research.end_contribution),
        Step(
            "no contributors",
            "researcher",
            research.fund_again,
            refusal="DatasetHasNoContributors",
            attempt="pays into the data set, which has no contributors any more",
        ),
    ),
)

_EMERGENCY = Chapter(
    "An emergency",
    "A clinician may read without asking, for a day, on public record; a second person has to "
    "review it, and the outcome counts.",
    (
        Step("emergency access", "radiologist", emergency.break_glass),
        Step("read in emergency", "radiologist", emergency.read_in_emergency),
        Step(
            "own review",
            "radiologist",
            emergency.review_own_emergency,
            refusal="EmergencyReviewerInvalid",
            attempt="reviews the emergency that this same person declared",
        ),
        Step("review", "hospital", emergency.review),
        Step("conduct", "patient", emergency.look_at_conduct),
        Step("emergency passes", "time", emergency.let_emergency_pass, moves_time=True),
        Step(
            "emergency over",
            "radiologist",
            emergency.read_after_emergency,
            refusal="ConsentNotPermittedExpired",
            attempt="asks for one more key",
            moves_time=True,
        ),
        Step("forbid emergencies", "patient", emergency.forbid_emergencies),
        Step(
            "emergency forbidden",
            "radiologist",
            emergency.break_glass_again,
            refusal="EmergencyForbidden",
            attempt="declares emergency access again",
        ),
    ),
)

_RECOVERY = Chapter(
    "A lost key",
    "Guardians whom the patient chose put a new key in the place of the lost one; until then the "
    "owner can object.",
    (
        Step("name guardians", "patient", emergency.name_guardians),
        Step("approve recovery", "guardians", emergency.approve_recovery),
        Step(
            "recovery too early",
            "hospital",
            emergency.recover_early,
            refusal="IdentityRecoveryNotReady",
            attempt="puts the new key in place at once",
        ),
        Step("delay passes", "time", emergency.let_delay_pass, moves_time=True),
        Step("recover", "hospital", emergency.recover, moves_time=True),
        Step(
            "old key grants",
            "stranger",
            emergency.grant_with_old_key,
            refusal="ConsentNotAuthorized",
            attempt="grants itself everything with the lost key, which it found",
            moves_time=True,
        ),
        Step("revoke all", "patient", emergency.revoke_all_with_new_key, moves_time=True),
    ),
)

_END = Chapter(
    "The end",
    "Erasing destroys keys, salts and ciphertext; what stays says that there was something, and "
    "not what.",
    (
        Step("erase", "hospital", emergency.erase),
        Step(
            "erased",
            "hospital",
            emergency.fetch_erased,
            refusal="ImageIsErased",
            attempt="fetches what it has erased",
        ),
        Step("see again", "patient", viewer.let_see_again),
        Step("audit", "anybody", emergency.audit),
    ),
)

STORY = (_IMAGES, _CONSENT, _REVOCATION, _RESEARCH, _EMERGENCY, _RECOVERY, _END)
"""The whole journey."""

"""Images for research, and what those earn who gave them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.demo.chapters.texts import identifying_values
from radledger.demo.checks import check
from radledger.demo.stage import RESEARCH, TOKEN
from radledger.demo.step import Picture, StepOutcome
from radledger.demo.words import short, tokens
from radledger.imaging.model import Kind
from radledger.research import DatasetTerms

if TYPE_CHECKING:
    from radledger.demo.stage import Stage

__all__ = [
    "claim_again",
    "claim_custody",
    "claim_data",
    "consent",
    "contribute",
    "contribute_again",
    "contribute_alone",
    "create",
    "derive",
    "end_contribution",
    "fund",
    "fund_again",
    "read",
    "read_commercially",
    "withdraw_consent",
]

_PROFILE = "basic+retain-longitudinal-modified-dates+clean-descriptors"
_PROTOCOL = b"Lung nodules in follow-up CT: image sets with at least three slices.\n"
_FUNDS = 1_000 * TOKEN
_SHARES = {"data": 7_000, "custody": 3_000}


def derive(stage: Stage) -> StepOutcome:
    """The hospital makes a de-identified version of the CT."""
    made = stage.images.deidentify(stage.ct.image_id, _PROFILE, custodian=stage.person("hospital"))
    stage.research = stage.images.show(made.image_id)
    check(stage.research.kind is Kind.DEIDENTIFIED, f"its kind is {stage.research.kind}")
    check(stage.research.parent == stage.ct.image_id, "it does not name the original")
    check(made.instances == stage.slices, f"{made.instances} of {stage.slices} slices are in it")
    return StepOutcome(
        f"makes a de-identified version of the CT, {made.instances} slices, anchored as "
        f"{short(made.image_id)}, which names the original {short(stage.ct.image_id)}",
        details=(
            ("profile", _PROFILE),
            ("image set", made.image_id),
            ("versions", str(len(stage.images.versions(stage.ct.image_id)))),
        ),
    )


def create(stage: Stage) -> StepOutcome:
    """A researcher creates a data set with its terms."""
    terms = DatasetTerms(
        token=stage.token.address,
        shares=_SHARES,
        purposes=("HMB",),
        fulfilled=("NCU",),
        protocol="0x" + hashlib.sha256(_PROTOCOL).hexdigest(),
    )
    stage.dataset_id = stage.datasets.create(terms).send(stage.person("researcher")).dataset_id
    shown = stage.datasets.show(stage.dataset_id)
    check(shown.institution == stage.address("clinic"), "the data set is not the clinic's")
    shares = [f"{part / 100:g} % for {name}" for name, part in shown.terms.shares.items() if part]
    return StepOutcome(
        f"creates the data set {short(stage.dataset_id)} of the clinic: medical research, not "
        f"commercial; {', '.join(shares)}",
        details=(("data set", stage.dataset_id), ("vault", shown.vault)),
    )


def consent(stage: Stage) -> StepOutcome:
    """The patient permits the clinic research with the de-identified version."""
    with stage.at_no_cost("patient"):
        document = stage.consents.grant(
            stage.address("clinic"),
            Terms(("HMB",), conditions=("NCU",)),
            scope=stage.research.image_id,
        ).sign(stage.person("patient"))
        stage.relay.submit(document)
    return StepOutcome(
        "permits the clinic research with this version by a relayed signature",
        details=(("what was signed", str(document["summary"])),),
    )


def contribute(stage: Stage) -> StepOutcome:
    """The hospital contributes the de-identified version, which a researcher has accepted."""
    image_set = stage.research.image_set
    accepted = stage.datasets.sign_acceptance(
        stage.person("researcher"), stage.dataset_id, image_set
    )
    stage.datasets.contribute(stage.dataset_id, image_set, acceptance=accepted).send(
        stage.person("hospital")
    )
    shown = stage.datasets.show(stage.dataset_id)
    earners = {(each.contribution_class, each.contributor) for each in shown.shares}
    expected = {("data", stage.address("patient")), ("custody", stage.address("hospital"))}
    check(earners == expected, f"those who earn are {earners}")
    return StepOutcome(
        "contributes it, accepted by a researcher's signature, consent checked on the chain: the "
        "patient will earn for the data, the hospital for the custody",
        details=(("what the researcher signed", str(accepted["summary"])),),
    )


def contribute_alone(stage: Stage) -> StepOutcome:
    """The hospital contributes without a researcher's word."""
    stage.datasets.contribute(stage.dataset_id, stage.research.image_set).send(
        stage.person("hospital")
    )
    return StepOutcome("contributed it alone")


def contribute_again(stage: Stage) -> StepOutcome:
    """The researcher contributes the same image set once more."""
    stage.datasets.contribute(stage.dataset_id, stage.research.image_set).send(
        stage.person("researcher")
    )
    return StepOutcome("contributed it again")


def fund(stage: Stage) -> StepOutcome:
    """The researcher freezes a version and pays for it."""
    frozen = stage.datasets.freeze(stage.dataset_id).send(stage.person("researcher"))
    stage.datasets.fund(stage.dataset_id, _FUNDS).send(stage.person("researcher"))
    shown = stage.datasets.show(stage.dataset_id)
    check(shown.due == shown.funded == _FUNDS, f"{shown.due} of {shown.funded} are due")
    due = {each.contribution_class: each.due for each in shown.shares}
    return StepOutcome(
        f"freezes version {frozen.version} of {frozen.contributions} contributions and pays "
        f"{tokens(shown.funded)} tokens: {tokens(due['data'])} due to the patient, "
        f"{tokens(due['custody'])} to the hospital",
        details=(("Merkle root of the version", frozen.root),),
    )


def read(stage: Stage) -> StepOutcome:
    """The researcher reads the de-identified version."""
    from radledger.dicom.preview import preview

    fetched = stage.read("researcher", stage.research.image_id, RESEARCH, "researcher")
    values = identifying_values(stage.ct_folder)
    found = [value for each in fetched.files for value in values if value in each.path.read_bytes()]
    check(not found, f"the files still hold {found[:3]}")
    middle = fetched.files[len(fetched.files) // 2].path
    return StepOutcome(
        f"reads it as a member of the clinic: {len(fetched.files)} slices, and none of the "
        f"{len(values)} names, numbers and UIDs of the original is in them",
        pictures=(
            Picture(preview(middle, 200), "CT slice, de-identified", "as the researcher has it"),
        ),
    )


def read_commercially(stage: Stage) -> StepOutcome:
    """The researcher asks for a use that is not said to be non-commercial."""
    stage.release("researcher", stage.research.image_id, Use.of(["HMB"]))
    return StepOutcome("was given the key for commercial research")


def claim_data(stage: Stage) -> StepOutcome:
    """The patient claims by a signature that the relayer forwards."""
    with stage.at_no_cost("patient"):
        stage.claim = stage.datasets.claim(stage.dataset_id, "data").sign(stage.person("patient"))
        stage.relay.submit(stage.claim)
    check(stage.tokens("patient") == _FUNDS * 7 // 10, f"got {stage.tokens('patient')}")
    return StepOutcome(
        f"claims by a signature, relayed at the hospital's cost: "
        f"{tokens(stage.tokens('patient'))} tokens, {stage.ether('patient')} Ether"
    )


def claim_again(stage: Stage) -> StepOutcome:
    """The same claim is forwarded again."""
    stage.radledger.submit(stage.claim, stage.person("stranger"))
    return StepOutcome("forwarded the claim again")


def claim_custody(stage: Stage) -> StepOutcome:
    """The hospital claims its part."""
    stage.datasets.claim(stage.dataset_id).send(stage.person("hospital"))
    shown = stage.datasets.show(stage.dataset_id)
    check(shown.due == 0 and shown.paid == shown.funded, f"{shown.due} are still due")
    return StepOutcome(
        f"claims {tokens(stage.tokens('hospital'))} tokens; paid {tokens(shown.paid)} of "
        f"{tokens(shown.funded)}"
    )


def withdraw_consent(stage: Stage) -> StepOutcome:
    """The patient takes the consent to research back."""
    with stage.at_no_cost("patient"):
        document = stage.consents.revoke(
            stage.address("clinic"), scope=stage.research.image_id
        ).sign(stage.person("patient"))
        stage.relay.submit(document)
    return StepOutcome("takes the consent to research back by a relayed signature")


def end_contribution(stage: Stage) -> StepOutcome:
    """The researcher suspends what is contributed without consent."""
    stage.datasets.suspend(stage.dataset_id, stage.research.image_set).send(
        stage.person("researcher")
    )
    shown = stage.datasets.show(stage.dataset_id)
    check(
        all(each.state == "suspended" for each in shown.contributions),
        "a contribution still counts",
    )
    check(stage.tokens("patient") == _FUNDS * 7 // 10, "the patient lost what was earned")
    return StepOutcome(
        f"suspends it in the data set, which ends it in 30 days unless the patient consents again; "
        f"version {len(shown.versions)} stays on record, and the patient keeps the "
        f"{tokens(stage.tokens('patient'))} tokens"
    )


def fund_again(stage: Stage) -> StepOutcome:
    """The researcher pays into a data set without contributors."""
    stage.datasets.fund(stage.dataset_id, TOKEN).send(stage.person("researcher"))
    return StepOutcome("paid for nothing")

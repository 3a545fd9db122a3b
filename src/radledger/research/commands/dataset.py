"""``radledger dataset``: data sets, their contributors and their money."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.acting import act, sign
from radledger.cli.files import (
    digest,
    document,
    file_to_read,
    file_to_write,
    write_document,
)
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import (
    Disease,
    Fulfils,
    ImageId,
    SignOnly,
    ValidFor,
)
from radledger.cli.session import session
from radledger.cli.values import amount, percent, weights
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.chain.ledger import Receipt
    from radledger.research import Dataset

__all__ = ["group"]

_NO_PROTOCOL = "0x" + "00" * 32

group = typer.Typer(help="Data sets, their contributors and their money.")


class TokenNotNamed(UsageError):
    """No token was given, on a network that brings none."""


class Class(StrEnum):
    """Classes of contributions."""

    DATA = "data"
    CUSTODY = "custody"
    ANNOTATION = "annotation"
    DEVELOPMENT = "development"


class Work(StrEnum):
    """What a work is."""

    ANNOTATION = "annotation"
    DEVELOPMENT = "development"


class Rule(StrEnum):
    """How much an image set weighs."""

    PER_SET = "per-set"
    PER_INSTANCE = "per-instance"
    SCORED = "scored"


Id = Annotated[str, typer.Argument(metavar="DATASET", help="Id of the data set.")]
Identity = Annotated[
    str | None,
    typer.Option(metavar="ACCOUNT", help="Whose contributions, where one took over that identity."),
]
ClassOption = Annotated[Class, typer.Option("--class", help="What was contributed.")]
Score = Annotated[
    int,
    typer.Option(min=0, max=2**32 - 1, metavar="N", help="Weight, where the terms say scored."),
]


@group.command()
def create(
    purpose: Annotated[
        list[str],
        typer.Option(
            metavar="TERM", help="DUO purpose of the use, such as HMB or GRU; repeatable."
        ),
    ],
    data: Annotated[
        str, typer.Option(metavar="PERCENT", help="Per cent of the money for the patients.")
    ] = "70",
    custody: Annotated[
        str, typer.Option(metavar="PERCENT", help="Per cent for the custodian of the images.")
    ] = "30",
    annotation: Annotated[
        str, typer.Option(metavar="PERCENT", help="Per cent for annotators.")
    ] = "0",
    development: Annotated[
        str, typer.Option(metavar="PERCENT", help="Per cent for developers.")
    ] = "0",
    fulfils: Fulfils = None,
    disease: Disease = None,
    rule: Annotated[Rule, typer.Option(help="How much an image set weighs.")] = Rule.PER_SET,
    most_instances: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            metavar="N",
            help="Instances of one image set that count at most; required with per-instance.",
        ),
    ] = 0,
    token: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="ERC-20 token; by default that of a local network."),
    ] = None,
    protocol: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="Document that describes it, whose digest goes on chain.",
        ),
    ] = None,
) -> None:
    """Create a data set of your institution; its terms never change."""
    from radledger.research import DatasetTerms

    parts = {"data": data, "custody": custody, "annotation": annotation, "development": development}
    terms = DatasetTerms(
        token=_local_token() if token is None else token,
        shares={name: percent(part) for name, part in parts.items()},
        purposes=tuple(purpose),
        fulfilled=tuple(fulfils or ()),
        disease=disease,
        rule=rule.replace("-", " "),
        most_instances=most_instances,
        protocol=_NO_PROTOCOL if protocol is None else digest(protocol),
    )
    show(session.radledger.datasets.create(terms).send(session.signer))


@group.command(name="show")
def show_(dataset: Id) -> None:
    """Show its terms, what it consists of, and its money by class and contributor."""
    show(_summary(session.radledger.datasets.show(dataset), details=True))


@group.command(name="list")
def list_(
    institution: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only those of an institution.")
    ] = None,
) -> None:
    """List the data sets."""
    whose = session.whose(institution)
    found = session.radledger.datasets.list(institution=whose)
    show_all(
        [_summary(dataset, details=False) for dataset in found],
        empty="no data sets; create one with `radledger dataset create`",
    )


@group.command()
def accept(
    dataset: Id,
    image: ImageId,
    file: Annotated[
        Path,
        typer.Argument(parser=file_to_write, metavar="FILE", help="Where to write the document."),
    ],
    score: Score = 0,
) -> None:
    """Sign, as a researcher of its institution, that an image set may enter a data set."""
    radledger = session.radledger
    image_set = radledger.images.show(image).image_set
    signed = radledger.datasets.sign_acceptance(session.signer, dataset, image_set, score=score)
    write_document(file, signed)
    show({"signed": file, "summary": signed["summary"]})


@group.command()
def contribute(
    dataset: Id,
    image: ImageId,
    acceptance: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="What a researcher of its institution signed; not needed by one.",
        ),
    ] = None,
    score: Score = 0,
) -> None:
    """Add an image set; its patient and its custodian earn, whichever account calls."""
    radledger = session.radledger
    accepted = None if acceptance is None else document(acceptance)
    image_set = radledger.images.show(image).image_set
    action = radledger.datasets.contribute(dataset, image_set, score=score, acceptance=accepted)
    show(action.send(session.signer))


@group.command()
def withdraw(
    dataset: Id,
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="Id of the image set, or digest of the work.")
    ],
    contribution_class: Annotated[
        Work | None, typer.Option("--class", help="What kind of work it is, where it is one.")
    ] = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Take out your images or work for good; what was earned until then stays due."""
    datasets = session.radledger.datasets
    if contribution_class is None:
        action = datasets.withdraw(dataset, session.radledger.images.show(item).image_set)
    else:
        action = datasets.withdraw_work(dataset, contribution_class.value, item)
    act(action, sign_only, valid_for)


@group.command()
def suspend(dataset: Id, image: ImageId) -> None:
    """Have an image set whose consent is missing earn no longer; it ends after 30 days."""
    radledger = session.radledger
    image_set = radledger.images.show(image).image_set
    show(radledger.datasets.suspend(dataset, image_set).send(session.signer))


@group.command()
def resume(dataset: Id, image: ImageId) -> None:
    """Have a suspended image set count again, once its patient has consented again."""
    radledger = session.radledger
    image_set = radledger.images.show(image).image_set
    show(radledger.datasets.resume(dataset, image_set).send(session.signer))


@group.command()
def free(
    dataset: Id,
    reward: Annotated[bool, typer.Option("--reward", help="For reward again.")] = False,
    contribution_class: ClassOption = Class.DATA,
    identity: Identity = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Give for free from now on, or for reward again."""
    action = session.radledger.datasets.set_free(
        dataset, contribution_class.value, free=not reward, identity=session.whose(identity)
    )
    act(action, sign_only, valid_for)


@group.command()
def freeze(dataset: Id) -> None:
    """Freeze what it consists of now as its next version."""
    show(session.radledger.datasets.freeze(dataset).send(session.signer))


@group.command()
def fund(
    dataset: Id,
    value: Annotated[str, typer.Argument(metavar="AMOUNT", help="In whole tokens.")],
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=N",
            help="Weight of a class as you saw it, such as data=12; repeatable; the money is "
            "refused if it is another by then. By default all as they are now.",
        ),
    ] = None,
) -> None:
    """Pay money in, to be shared among all who have a weight at this moment."""
    from radledger.chain.ledger import ContractAt

    radledger = session.radledger
    seen = radledger.datasets.show(dataset)
    token = ContractAt("LocalToken", seen.terms.token)
    units = amount(value, radledger.ledger.call(token, "decimals"))
    named = {**seen.weights, **weights(weight or ())}
    show(radledger.datasets.fund(dataset, units, weights=named).send(session.signer))


@group.command()
def claim(
    dataset: Id,
    contribution_class: Annotated[
        Class | None, typer.Option("--class", help="Default: all where something is due.")
    ] = None,
    identity: Identity = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Collect what is due."""
    datasets, whose = session.radledger.datasets, session.whose(identity)
    if sign_only is not None:
        chosen = (contribution_class or Class.DATA).value
        sign(datasets.claim(dataset, chosen, identity=whose), sign_only, valid_for)
        return
    chosen_or_all = None if contribution_class is None else contribution_class.value
    receipts = datasets.claim(dataset, chosen_or_all, identity=whose).send(session.signer)
    show_all([{"amount": _paid(each), **plain(each)} for each in receipts], empty="nothing claimed")


def _local_token() -> str:
    """Address of the token that a local network brings."""
    from radledger.chain.errors import ContractNotDeployed

    try:
        return session.radledger.ledger.address("LocalToken")
    except ContractNotDeployed:
        raise TokenNotNamed(
            "this network has no token of its own; name the ERC-20 token that pays with "
            "--token ADDRESS"
        ) from None


def _paid(receipt: Receipt) -> int:
    """What a claim paid; nothing where it only closed an account to a lost key."""
    paid = (each.args["amount"] for each in receipt.events if each.name == "DatasetRewardClaimed")
    return next(paid, 0)


def _summary(dataset: Dataset, *, details: bool) -> dict[str, Any]:
    """A data set with weights and money by class, and by contributor where details are wanted."""
    terms = dataset.terms
    summary = {
        "dataset_id": dataset.dataset_id,
        "institution": dataset.institution,
        "purposes": terms.purposes,
        "rule": terms.rule,
        "versions": dataset.versions if details else len(dataset.versions),
    }
    if not details:
        return {**summary, "funded": dataset.funded, "paid": dataset.paid, "due": dataset.due}
    paid, due = _by_class(dataset, "paid"), _by_class(dataset, "due")
    credited = {name: paid[name]["total"] + due[name]["total"] for name in dataset.weights}
    return {
        **summary,
        "curator": dataset.curator,
        "most_instances": terms.most_instances,
        "fulfilled": terms.fulfilled,
        "disease": terms.disease,
        "protocol": terms.protocol,
        "token": terms.token,
        "vault": dataset.vault,
        "shares": {name: part / 100 for name, part in terms.shares.items()},
        "weights": _by_class(dataset, "weight"),
        "funded": {"total": dataset.funded, **credited},
        "paid": {"total": dataset.paid, **paid},
        "due": {"total": dataset.due, **due},
        "contributions": dataset.contributions,
    }


def _by_class(dataset: Dataset, field: str) -> dict[str, dict[str, int]]:
    """One figure of every contributor, by class, with the class's total."""
    result: dict[str, dict[str, int]] = {}
    for name, weight in dataset.weights.items():
        own = [share for share in dataset.shares if share.contribution_class == name]
        values = {share.contributor: int(getattr(share, field)) for share in own}
        total = weight if field == "weight" else sum(values.values())
        result[name] = {"total": total, **values}
    return result

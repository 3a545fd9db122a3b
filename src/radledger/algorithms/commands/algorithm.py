"""``radledger algorithm``: algorithms, their versions and their executions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.acting import act
from radledger.cli.files import digest, file_to_read, named_path
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import Disease, Fulfils, SignOnly, ValidFor
from radledger.cli.session import session
from radledger.errors import UsageError

if TYPE_CHECKING:
    from radledger.algorithms import Algorithm, MonaiBundle, Run, Version
    from radledger.consent.permission import Use
    from radledger.imaging.model import ImageSet

__all__ = ["group"]

# Artificial Intelligence, as DICOM codes it.
_LEARNED = "DCM:123110"

group = typer.Typer(help="Algorithms, their versions and their executions.")

VersionId = Annotated[str, typer.Argument(metavar="VERSION", help="Id of the version.")]
AnyId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the algorithm, or of one of its versions.")
]
Name = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Name of the algorithm (default: the bundle's)."),
]
Bundle = Annotated[
    Path | None,
    typer.Option(parser=named_path, metavar="DIR", help="MONAI bundle; its metadata are read."),
]


class AlgorithmNotNamed(UsageError):
    """Neither a name nor a bundle that has one was given."""


class VersionIncomplete(UsageError):
    """Neither a label and weights nor a bundle that has them was given."""


class ExecutionIncomplete(UsageError):
    """Neither image sets with an output nor a list of executions was given."""


@group.command()
def register(
    name: Name = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEME:CODE",
            help=f"Code of the algorithm's family (default: {_LEARNED} for a bundle).",
        ),
    ] = None,
    bundle: Bundle = None,
) -> None:
    """Register an algorithm of your institution, or change its family."""
    read = _read(bundle)
    named = _named(name, read)
    code = family or (_LEARNED if read else None)
    done = session.radledger.algorithms.register(named, code).send(session.signer)
    told = {"description": read.description, "authors": read.authors} if read else {}
    show({"name": named, "family": code, **told, **plain(done)})


@group.command()
def publish(
    name: Name = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--version", metavar="TEXT", help="Name of the version (default: the bundle's)."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="Weights or code, whose SHA-256 goes on chain (default: that of the bundle).",
        ),
    ] = None,
    bundle: Bundle = None,
    trained_on: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET/NUMBER", help="Frozen data set version that it was trained on."
        ),
    ] = None,
    conditions: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read,
            metavar="FILE",
            help="Document that describes the training, whose SHA-256 goes on chain.",
        ),
    ] = None,
    parent: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Version that it came from.")
    ] = None,
    developer: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCOUNT", help="Who developed it (default: you); repeatable."),
    ] = None,
) -> None:
    """Publish a version of an algorithm of your institution."""
    from radledger.algorithms import Release

    read = _read(bundle)
    named = _named(name, read)
    version = label or (read.version if read else None)
    content = digest(weights) if weights else read.digest if read else None
    if version is None or content is None:
        raise VersionIncomplete(
            "a version needs a name and weights; give --version and --weights, or --bundle"
        )
    release = Release(
        label=version,
        digest=content,
        trained_on=trained_on,
        conditions=None if conditions is None else digest(conditions),
        parent=parent,
        developers=tuple(map(session.address, developer or ())),
    )
    done = session.radledger.algorithms.publish(named, release).send(session.signer)
    show({"name": named, "label": version, "digest": content, **plain(done)})


@group.command()
def recall(
    version: VersionId,
    notice: Annotated[
        Path,
        typer.Argument(
            parser=file_to_read,
            metavar="FILE",
            help="Safety notice: what is wrong, and what to do; its SHA-256 goes on chain.",
        ),
    ],
) -> None:
    """Recall a faulty version for good, as its institution or a regulator."""
    show(session.radledger.algorithms.recall(version, digest(notice)).send(session.signer))


@group.command()
def run(
    version: VersionId,
    purpose: Annotated[
        list[str],
        typer.Option(metavar="TERM", help="DUO purpose of the use, such as CC or HMB; repeatable."),
    ],
    image: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IMAGE]...", help="Ids of image sets, in the order of the inputs."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            parser=file_to_read, metavar="FILE", help="The output, whose SHA-256 goes on chain."
        ),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            parser=file_to_read,
            metavar="FILE",
            help="CSV file of many executions, recorded by one root: in each line the output file, "
            "then the ids of its image sets.",
        ),
    ] = None,
    fulfils: Fulfils = None,
    disease: Disease = None,
    sign_only: SignOnly = None,
    valid_for: ValidFor = "7d",
) -> None:
    """Record that you executed a version on image sets that you may use for that.

    The chain checks the patients' consent, and refuses an execution without it. Of a list it
    records only the root and the number of executions, and checks no consent.
    """

    def use(images: Sequence[ImageSet]) -> Use:
        return session.radledger.consents.use(
            session.signer.address, images[0], purpose, fulfilled=fulfils or (), disease=disease
        )

    algorithms = session.radledger.algorithms
    if listed and not image and not output:
        runs = _runs(listed, use)
        ids = algorithms.execution_ids(version, session.signer.address, runs)
        batch = algorithms.run_batch(version, runs)
        act(batch, sign_only, valid_for, {"execution_ids": ids})
    elif image and output and not listed:
        sets = [session.radledger.images.show(each).image_set for each in image]
        act(algorithms.run(version, sets, use(sets), digest(output)), sign_only, valid_for)
    else:
        raise ExecutionIncomplete(
            "an execution needs image sets and an output; give IMAGE and --output, or --list alone"
        )


@group.command(name="show")
def show_(id_: AnyId) -> None:
    """Show an algorithm with its versions, or a version with its executions."""
    from radledger.algorithms import Algorithm

    found = _find(id_)
    if isinstance(found, Algorithm):
        show({**plain(found), "versions": [_of_version(each) for each in found.versions]})
    else:
        show(found)


@group.command(name="list")
def list_(
    institution: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only those of an institution.")
    ] = None,
) -> None:
    """List the algorithms."""
    found = session.radledger.algorithms.list(institution=session.whose(institution))
    show_all(
        [{**plain(algorithm), "versions": len(algorithm.versions)} for algorithm in found],
        empty="no algorithms; register one with `radledger algorithm register`",
    )


@group.command()
def history(id_: AnyId) -> None:
    """Show everything that happened to an algorithm or to one of its versions, oldest first."""
    from radledger.algorithms import Algorithm

    found = _find(id_)
    versions = found.versions if isinstance(found, Algorithm) else ()
    terms = [id_, *(version.version_id for version in versions)]
    index = session.radledger.index
    index.sync()
    entries = {(each.block, each.log_index): each for term in terms for each in index.history(term)}
    show_all([entry for _, entry in sorted(entries.items())], empty="nothing happened")


def _find(id_: str) -> Algorithm | Version:
    from radledger.algorithms.errors import UnknownAlgorithm

    algorithms = session.radledger.algorithms
    try:
        return algorithms.show(id_)
    except UnknownAlgorithm:
        return algorithms.version(id_)


def _runs(listed: Path, use: Callable[[Sequence[ImageSet]], Use]) -> list[Run]:
    """The executions of a list, each with its use."""
    from radledger.algorithms import Run
    from radledger.algorithms.run_list import read_run_list

    show_image = cache(session.radledger.images.show)
    return [
        Run(
            each.images,
            use([show_image(id_).image_set for id_ in each.images]),
            digest(each.output),
        )
        for each in read_run_list(listed)
    ]


def _of_version(version: Version) -> dict[str, Any]:
    """What tells a version from the others of its algorithm."""
    return {
        "version_id": version.version_id,
        "label": version.label,
        "trained_on": version.trained_on,
        "published_at": version.published_at,
        "recalled_at": version.recalled_at,
        "executions": len(version.executions) + sum(each.count for each in version.batches),
    }


def _read(bundle: Path | None) -> MonaiBundle | None:
    from radledger.algorithms import MonaiBundle

    return None if bundle is None else MonaiBundle.read(bundle)


def _named(name: str | None, bundle: MonaiBundle | None) -> str:
    if name:
        return name
    if bundle is None:
        raise AlgorithmNotNamed("an algorithm needs a name; give --name or --bundle")
    return bundle.name

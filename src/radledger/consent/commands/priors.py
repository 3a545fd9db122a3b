"""Grants and requests for an image set with its priors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radledger.cli.acting import act, act_all
from radledger.cli.output import plain
from radledger.cli.session import session
from radledger.consent.priors import PriorChoice, comparable_scope
from radledger.imaging.errors import SecretUnknown

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.consent.priors import Comparable

__all__ = [
    "WithPriors",
    "act_with_priors",
    "answer_with_priors",
    "comparable",
    "requested_scope",
    "revoke_with_priors",
]

WithPriors = Annotated[
    PriorChoice | None,
    typer.Option(
        help="With the image set that --scope names: its course of treatment, or earlier studies "
        "of the same modality and body region, as far as they can be opened here."
    ),
]


def act_with_priors(
    choice: PriorChoice,
    image: str,
    action: Callable[[str], Action[Any]],
    sign_only: Path | None,
    valid_for: str,
    answer: dict[str, Any],
) -> None:
    """Send or sign an action for each scope that is chosen, and say for which images it is."""
    if choice is PriorChoice.COURSE:
        act(action(session.radledger.priors.course(image)), sign_only, valid_for, answer)
        return
    found = comparable(image)
    actions = [
        (action(each.image_id), {**plain(each), **answer, "unopened": len(found.unopened)})
        for each in found.image_sets
    ]
    act_all(actions, sign_only, valid_for)


def revoke_with_priors(
    choice: PriorChoice,
    image: str,
    grantee: str,
    whose: str | None,
    sign_only: Path | None,
    valid_for: str,
) -> None:
    """Take back what was granted of an image set and its priors."""
    consents, subject = session.radledger.consents, whose or session.signer.address
    if choice is PriorChoice.COURSE:
        scopes = [session.radledger.priors.course(image)]
    else:
        scopes = [each.image_id for each in comparable(image).image_sets]
    actions = [
        (consents.revoke(grantee, scope=each, subject=whose), {"scope": each})
        for each in scopes
        if consents.has_granted(subject, grantee, scope=each)
    ]
    act_all(actions, sign_only, valid_for)


def answer_with_priors(
    request_id: str, subject: str, disease: str | None, whose: str | None
) -> Iterator[tuple[Action[Any], dict[str, Any]]]:
    """The grants that answer a request for comparable studies; none if it is for something else.

    Parameters
    ----------
    request_id, disease
        As for `Consents.approve`.
    subject
        Of whom it was asked.
    whose
        As for `Consents.grant`.
    """
    radledger = session.radledger
    consents, priors = radledger.consents, radledger.priors
    for asked in consents.requests(subject=subject):
        if asked.request_id != request_id.lower():
            continue
        image = priors.requested(asked.subject, asked.scope)
        if image is None:
            return
        terms = replace(asked.terms, disease=disease or asked.terms.disease)
        found = comparable(image)
        for each in found.image_sets:
            to = asked.grantee
            given = consents.grant(to, terms, scope=each.image_id, subject=whose, exact=True)
            yield given, {**plain(each), "unopened": len(found.unopened)}


def requested_scope(choice: PriorChoice, image: str) -> str:
    """The scope under which an image set with its priors is asked for."""
    if choice is PriorChoice.COURSE:
        return session.radledger.priors.course(image)
    return comparable_scope(session.radledger.images.show(image).image_id)


def comparable(image: str) -> Comparable:
    """An image set and its comparable priors, opened as the account that acts."""
    return session.radledger.priors.comparable(image, _secret)


def _secret(image_id: str) -> str:
    """The secret that this home has, or that was wrapped to the account that acts."""
    images = session.radledger.images
    try:
        return images.secret(image_id)
    except SecretUnknown:
        name = session.name
        private_key = session.keystore.encryption_key(name, session.passphrase(name))
        return images.own_secret(image_id, reader=session.signer.address, private_key=private_key)

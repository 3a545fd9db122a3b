"""What a signer sends at its own cost, or signs for another account to submit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.cli.output import plain, show
from radledger.cli.parameters import DocumentFile, RelayUrl
from radledger.cli.session import session
from radledger.cli.times import duration
from radledger.cli.values import document, write_document

if TYPE_CHECKING:
    from radledger.chain.action import Action

__all__ = ["act", "sign", "submit"]


def act(
    action: Action[Any],
    sign_only: Path | None,
    valid_for: str,
    answer: Mapping[str, Any] | None = None,
) -> None:
    """Send an action as the account that acts, or sign it into a file.

    What is printed has ``answer`` added.
    """
    if sign_only is not None:
        sign(action, sign_only, valid_for, answer)
        return
    done = action.send(session.signer)
    show({**plain(done), **answer} if answer else done)


def sign(
    action: Action[Any], file: Path, valid_for: str, answer: Mapping[str, Any] | None = None
) -> None:
    """Sign an action into a file, and print what was signed."""
    signed = action.sign(session.signer, valid_for=duration(valid_for))
    write_document(file, signed)
    summary = signed["summary"]
    told = {"signed": file, "summary": summary if session.json else session.named(summary)}
    show({**told, **(answer or {})})


def submit(file: DocumentFile, relay: RelayUrl = None) -> None:
    """Submit what another account signed, and pay for it; or hand it to a relayer that pays.

    A document whose words are not those of what was signed is refused.
    """
    signed = document(file)
    if relay is None:
        show(session.radledger.submit(signed, session.signer))
        return
    from radledger.relay.client import RelayClient

    show(RelayClient(relay).submit(signed))

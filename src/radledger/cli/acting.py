"""Send an action, or sign it for another account to submit."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.cli.files import document, write_document
from radledger.cli.output import plain, show
from radledger.cli.parameters import DocumentFile, RelayUrl
from radledger.cli.session import session
from radledger.cli.times import duration

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.chain.clock import Present

__all__ = ["act", "sign", "submit"]

_CLOCK_ERROR = 60  # seconds that need no explanation


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
    if not session.json:
        _explain_times(action.ledger.present(), signed["typedData"]["message"])
    summary = signed["summary"]
    told = {"signed": file, "summary": summary if session.json else session.named(summary)}
    show({**told, **(answer or {})})


def _explain_times(present: Present, message: Mapping[str, Any]) -> None:
    """Say why a document is dated before now: it goes by the latest block, if that is older."""
    from radledger.chain.documents import when

    if message.get("signed", present.time) < present.time - _CLOCK_ERROR:
        print(
            f"dated {when(message['signed'])}, not now: the contract compares the date with its "
            f"blocks, and the latest is of {when(present.block_time)}; the document can be "
            f"submitted until {when(message['deadline'])}",
            file=sys.stderr,
        )


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

"""Send an action, or sign it for another account to submit."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.cli.files import documents, write_document, write_documents
from radledger.cli.output import plain, show, show_all
from radledger.cli.parameters import DocumentFile, RelayUrl
from radledger.cli.session import session
from radledger.cli.times import duration

if TYPE_CHECKING:
    from radledger.chain.action import Action
    from radledger.chain.clock import Present

__all__ = ["act", "act_all", "sign", "submit"]

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


def act_all(
    actions: Iterable[tuple[Action[Any], Mapping[str, Any]]], sign_only: Path | None, valid_for: str
) -> None:
    """Send several actions, or sign all of them into one file; each is printed with its answer."""
    if sign_only is None:
        done = ({**plain(each.send(session.signer)), **answer} for each, answer in actions)
        show_all(done, empty="nothing to do")
        return
    signer, seconds = session.signer, duration(valid_for)
    signed = [(each.sign(signer, valid_for=seconds), answer) for each, answer in actions]
    if signed:
        write_documents(sign_only, [document for document, _ in signed])
    rows = [
        {"signed": sign_only, "summary": _in_words(document["summary"]), **answer}
        for document, answer in signed
    ]
    show_all(rows, empty="nothing to do")


def sign(
    action: Action[Any], file: Path, valid_for: str, answer: Mapping[str, Any] | None = None
) -> None:
    """Sign an action into a file, and print what was signed."""
    signed = action.sign(session.signer, valid_for=duration(valid_for))
    write_document(file, signed)
    if not session.json:
        _explain_times(action.ledger.present(), signed["typedData"]["message"])
    show({"signed": file, "summary": _in_words(signed["summary"]), **(answer or {})})


def _in_words(summary: str) -> str:
    """A summary; for people with the names of accounts."""
    return summary if session.json else session.named(summary)


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

    A document whose words are not those of what was signed is refused. A file may have several,
    which are submitted one after the other.
    """
    for signed in documents(file):
        if relay is None:
            show(session.radledger.submit(signed, session.signer))
        else:
            from radledger.relay.client import RelayClient

            show(RelayClient(relay).submit(signed))

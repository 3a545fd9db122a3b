"""What a signer sends at its own cost, or signs for another account to submit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radledger.cli.output import plain, show
from radledger.cli.session import session
from radledger.cli.values import document, write_document

__all__ = ["act", "submit_document"]


def act(
    service: Any,
    name: str,
    sign_only: Path | None,
    *arguments: Any,
    answer: Mapping[str, Any] | None = None,
    **named: Any,
) -> None:
    """Call a service's method as the account that acts, or its ``sign_…`` twin into a file.

    What is printed has ``answer`` added.
    """
    if sign_only is None:
        done = getattr(service, name)(session.signer, *arguments, **named)
        show({**plain(done), **answer} if answer else done)
        return
    signed = getattr(service, f"sign_{name}")(session.signer, *arguments, **named)
    write_document(sign_only, signed)
    told: dict[str, Any] = {"signed": sign_only}
    if "summary" in signed:
        summary = signed["summary"]
        told["summary"] = summary if session.json else session.named(summary)
    show({**told, **(answer or {})})


def submit_document(service: str, file: Path, relay: str | None) -> None:
    """Send a signed document as the account that acts, or let a relayer send it."""
    signed = document(file)
    if relay is None:
        show(getattr(session.radledger, service).submit(signed, session.signer))
        return
    from radledger.consent.messages import without_disease
    from radledger.relay.client import RelayClient

    show(RelayClient(relay).submit(without_disease(signed)))

"""What somebody does at their own cost, or signs for somebody else to submit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from radledger.cli.output import show
from radledger.cli.session import session
from radledger.cli.values import write_document

__all__ = ["act"]


def act(service: Any, name: str, sign_only: Path | None, *arguments: Any, **named: Any) -> None:
    """Call a service's method as the account that acts, or its ``sign_…`` twin into a file."""
    if sign_only is None:
        show(getattr(service, name)(session.signer, *arguments, **named))
        return
    signed = getattr(service, f"sign_{name}")(session.signer, *arguments, **named)
    write_document(sign_only, signed)
    summary = {"summary": signed["summary"]} if "summary" in signed else {}
    show({"signed": sign_only, **summary})

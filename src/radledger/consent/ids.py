"""Ids that ``ConsentRegistry`` computes from what they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["grant_id", "request_id", "requested_id"]


def grant_id(subject: str, grantee: str, scope: str) -> str:
    """The id of a grant, as ``ConsentRegistry.grantIdOf`` computes it."""
    return _hash(subject, grantee, scope)


def request_id(requester: str, subject: str, grantee: str, scope: str, asked: int) -> str:
    """The id of a request, as ``ConsentRegistry.requestIdOf`` computes it.

    Parameters
    ----------
    requester, subject, grantee, scope
        Who asks, whom, for whom, and for what.
    asked
        The packed terms (:func:`radledger.consent.model.unpack`).
    """
    return _hash(requester, subject, grantee, scope, f"0x{asked:064x}")


def requested_id(args: Mapping[str, Any]) -> str:
    """The id of the request that the arguments of ``ConsentRequested`` describe."""
    names = ("requester", "subject", "grantee", "scope", "asked")
    return request_id(**{name: args[name] for name in names})


def _hash(*words: str) -> str:
    """keccak256 of addresses and words of 32 bytes, ABI-encoded."""
    from eth_hash.auto import keccak

    return "0x" + keccak(bytes.fromhex("".join(word[2:].rjust(64, "0") for word in words))).hex()

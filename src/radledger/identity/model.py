"""Participants and identities."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attribute", "Delegate", "Guardians", "Identity", "Participant", "Recovery"]


@dataclass(frozen=True, slots=True)
class Participant:
    """The accreditation of an account at present.

    Attributes
    ----------
    account
        Its address.
    institution
        Its institution, which is the account itself for an institution; None without one.
    roles
        The roles in force: none while it or its institution is suspended, except ``governor``.
    since
        When its institution admitted it (Unix time); None without an institution.
    active
        Whether it belongs to an institution and neither is suspended.
    suspended
        Whether it or its institution is suspended.
    suspended_by
        Who suspended the account itself: ``institution``, ``governor``, both or neither.
    """

    account: str
    institution: str | None
    roles: tuple[str, ...]
    since: int | None
    active: bool
    suspended: bool
    suspended_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delegate:
    """An account that may act for an identity, in which capacity and until when (Unix time)."""

    delegate: str
    type: str
    valid_to: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that an identity publishes: its value in hexadecimal, and when it expires."""

    name: str
    value: str
    valid_to: int


@dataclass(frozen=True, slots=True)
class Guardians:
    """The guardians of an identity, and how many of them a recovery takes."""

    guardians: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery under way; ``ready_at`` (Unix time) is None until enough guardians approve."""

    new_owner: str
    approvals: int
    ready_at: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity at present.

    Attributes
    ----------
    owner
        The owner that was set last; None once the identity is deactivated.
    controller
        The account that acts as the owner: the owner, or the owner of the owner's identity if
        that one was handed over or recovered; None if there is no such account.
    encryption_key, kem
        The key to which secrets are wrapped, in hexadecimal, and its kind, see
        :class:`radledger.crypto.keys.Kem`; None if none is registered.
    unusable_key
        Why a key that is registered and would count before that one cannot be used; None if there
        is no such key.
    """

    identity: str
    did: str
    owner: str | None
    controller: str | None
    encryption_key: str | None
    kem: str | None
    unusable_key: str | None
    delegates: tuple[Delegate, ...]
    attributes: tuple[Attribute, ...]
    guardians: Guardians | None
    recoveries: tuple[Recovery, ...]

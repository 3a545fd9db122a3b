"""The declaration of an area: its contracts, and what the rest of the library needs to know.

An area is a folder of the library and of ``contracts/`` with the same name.  Its ``area.py`` holds
one :class:`Area` and imports nothing else, so that all of them can be read at no cost;
:mod:`radledger.areas` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

__all__ = ["Area", "Contract", "load"]


@dataclass(frozen=True)
class Contract:
    """A contract of an area.

    Attributes
    ----------
    name
        Its name in Solidity.
    constructor
        Arguments of its constructor: contracts deployed before it by name, and parameters of the
        deployment in lower case.
    actors
        Of the events that name who acted, which argument does; for other events it is the signer
        of the forwarded request, or else the sender of the transaction.
    relayed
        Its functions that a relayer pays for when they are signed for the forwarder.
    state
        ``module:class`` of the fold of its events (:class:`radledger.area.fold.Fold`).
    rows
        ``module:mapping`` from its events to the makers of their rows
        (:data:`radledger.area.tables.Maker`).
    """

    name: str
    constructor: tuple[str, ...] = ()
    actors: Mapping[str, str] = field(default_factory=dict)
    relayed: tuple[str, ...] = ()
    state: str | None = None
    rows: str | None = None


@dataclass(frozen=True)
class Area:
    """A part of the field that has its own contracts and services.

    Attributes
    ----------
    name
        Of its folders.
    contracts
        In the order of their deployment.
    lineage
        Module with its part of lineages (:mod:`radledger.index.lineage`).
    commands
        Command groups of the command line, each as ``module:attribute``.
    hints
        What a user can do about a refusal, by the error's name.
    """

    name: str
    contracts: tuple[Contract, ...]
    lineage: str | None = None
    commands: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)


def load(place: str) -> Any:
    """Import the object that ``module:attribute`` names.

    Examples
    --------
    >>> load("radledger.area.declaration:Area") is Area
    True
    """
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)

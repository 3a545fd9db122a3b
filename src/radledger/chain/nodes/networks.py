"""Named networks: their endpoints and settings.

The package's ``networks.yaml`` names the usual ones; ``<home>/networks.yaml``, in the same
format, adds to them and goes first::

    networks:
      consortium:
        endpoints: [http://10.0.0.1:8545, http://10.0.0.2:8545, http://10.0.0.3:8545]
        chain_id: 41337
        confirmations: 3
        max_block_age: 30
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from radledger.chain.errors import NetworksInvalid, UnknownNetwork
from radledger.endpoints import shown

__all__ = ["Network", "default", "load"]

_FROM_ENVIRONMENT = "env:"
_UNLIMITED = "unlimited"


@dataclass(frozen=True)
class Network:
    """A chain that can be connected to.

    Attributes
    ----------
    name
        What the user calls it, or what may be shown of its address.
    endpoint
        JSON-RPC address of a node, ``http://`` or ``https://``.
    chain_id
        The chain id that must be found there (EIP-155); None: any.
    local
        Whether it is a development chain, where Ether and the reward token are play money.
    others
        Addresses of further nodes of the same chain, which stand in for the first and are
        compared with it (:mod:`radledger.chain.nodes.failover`).
    confirmations
        How many blocks must be on top of a transaction's before it counts; 0 where a block is
        final at once.
    gas_price
        What a unit of gas costs, in wei, where that is agreed upon: 0 where gas is free; None:
        what the node suggests.
    timeout
        Seconds that a transaction may take.
    max_block_age
        Seconds that the latest block may be old when access is decided; infinite where blocks are
        made on demand; None: as for the kind of node (:func:`radledger.chain.nodes.connect.clock`).
    """

    name: str
    endpoint: str = field(repr=False)  # it may hold a provider's key
    chain_id: int | None = None
    local: bool = False
    others: tuple[str, ...] = field(default=(), repr=False)
    confirmations: int = 0
    gas_price: int | None = None
    timeout: float = 300.0
    max_block_age: float | None = None

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Addresses of all nodes."""
        return (self.endpoint, *self.others)


def load(name: str | None = None, home: Path | None = None) -> Network:
    """Return the network ``name``, or the default one.

    Parameters
    ----------
    name
        A network's name, or an ``http://`` or ``https://`` endpoint itself.
    home
        The folder whose ``networks.yaml`` goes first.

    Raises
    ------
    UnknownNetwork
        If there is none of that name, or its endpoint's environment variable holds no URL.
    NetworksInvalid
        If the home's ``networks.yaml`` cannot be understood.

    Examples
    --------
    >>> load("ganache").endpoint
    'http://127.0.0.1:8545'
    >>> load("http://10.0.0.7:8545").name
    'http://10.0.0.7:8545'
    """
    name = name or default(home)
    if _is_address(name):
        return Network(shown(name), name)
    networks = _read(home)["networks"]
    if name not in networks:
        raise UnknownNetwork(
            f"no network {shown(name)!r}; there are {', '.join(sorted(networks))}, and an address "
            "begins with http:// or https://",
            network=shown(name),
        )
    return _network(name, networks[name])


def default(home: Path | None = None) -> str:
    """Name of the default network.

    Raises
    ------
    NetworksInvalid
        If the home's ``networks.yaml`` cannot be understood.
    """
    return str(_read(home)["default"])


def _read(home: Path | None) -> dict[str, Any]:
    import yaml

    packaged: dict[str, Any] = yaml.safe_load(
        (resources.files("radledger.chain.nodes") / "networks.yaml").read_text("utf-8")
    )
    own = home / "networks.yaml" if home else None
    if own is None or not own.exists():
        return packaged
    try:
        added: dict[str, Any] = yaml.safe_load(own.read_text("utf-8")) or {}
        networks = {name: dict(entry) for name, entry in added.get("networks", {}).items()}
        missing = [name for name, entry in networks.items() if not _given(entry)]
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        # Its text would quote the line, and with it what stands in an address.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}: {getattr(error, 'problem', '')})" if mark else ""
        message = f"{own} names no networks; correct it as the documentation shows{where}"
        raise NetworksInvalid(message, path=str(own)) from None
    if missing:
        message = f"{own} gives no endpoint for {', '.join(missing)}; add it"
        raise NetworksInvalid(message, path=str(own))
    for name, entry in networks.items():
        _require_sensible(own, name, entry)
    return {
        "default": added.get("default", packaged["default"]),
        "networks": {**packaged["networks"], **networks},
    }


def _network(name: str, entry: Mapping[str, Any]) -> Network:
    first, *others = (_endpoint(name, each) for each in _given(entry))
    known = {field: entry[field] for field in _FIELDS if field in entry}
    if known.get("max_block_age") == _UNLIMITED:
        known["max_block_age"] = math.inf
    return Network(name, first, others=tuple(others), **known)


def _given(entry: Mapping[str, Any]) -> list[str]:
    """The endpoints of an entry: ``endpoint`` first, then those of the list ``endpoints``."""
    alone = [entry["endpoint"]] if "endpoint" in entry else []
    listed = entry.get("endpoints") or []
    return list(dict.fromkeys([*alone, *([listed] if isinstance(listed, str) else listed)]))


def _require_sensible(own: Path, name: str, entry: Mapping[str, Any]) -> None:
    unknown = entry.keys() - _FIELDS.keys() - {"endpoint", "endpoints"}
    wrong = [
        f"{field} cannot be {entry[field]!r}"
        for field, holds in _FIELDS.items()
        if field in entry and not holds(entry[field])
    ]
    wrong += [
        f"an endpoint cannot be {each if each is None or isinstance(each, int) else type(each)!r}"
        for each in _given(entry)
        if not _is_text(each)
    ]
    wrong += [
        f"{shown(each)} does not begin with http:// or https://, as the address of a node does"
        for each in _given(entry)
        if _is_text(each) and not each.startswith(_FROM_ENVIRONMENT) and not _is_address(each)
    ]
    problems = [f"there is no {field}" for field in sorted(unknown)] + wrong
    if problems:
        message = f"{own}, network {name}: {'; '.join(problems)}; correct it"
        raise NetworksInvalid(message, path=str(own), network=name)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_seconds(value: Any) -> bool:
    """Whether a value is a finite time; NaN is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


_FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "chain_id": lambda value: value is None or (_is_count(value) and value > 0),
    "local": lambda value: isinstance(value, bool),
    "confirmations": _is_count,
    "gas_price": lambda value: value is None or _is_count(value),
    "timeout": _is_seconds,
    "max_block_age": lambda value: value == _UNLIMITED or _is_seconds(value),
}


def _is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _endpoint(name: str, endpoint: str) -> str:
    if not endpoint.startswith(_FROM_ENVIRONMENT):
        return endpoint
    variable = endpoint.removeprefix(_FROM_ENVIRONMENT)
    found = os.environ.get(variable, "").strip()
    if not _is_address(found):
        given = f", which is {shown(found)}," if found else ""
        raise UnknownNetwork(
            f"the endpoint of {name} comes from the environment; set {variable}{given} to a URL "
            "that begins with http:// or https://",
            network=name,
            variable=variable,
        )
    return found

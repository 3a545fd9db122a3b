"""Named networks: where each is, and what is known of it.

The package's ``networks.yaml`` names the usual ones; ``<home>/networks.yaml``, in the same
format, adds to them and goes first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from radledger.chain.errors import NetworksInvalid, UnknownNetwork

__all__ = ["Network", "default", "load"]

_FROM_ENVIRONMENT = "env:"


@dataclass(frozen=True)
class Network:
    """A chain that can be connected to.

    Attributes
    ----------
    name
        What the user calls it.
    endpoint
        Its JSON-RPC address, ``http://`` or ``https://``.
    chain_id
        The chain id that must be found there (EIP-155); None: any.
    local
        Whether it is a development chain, where Ether and the reward token are play money.
    """

    name: str
    endpoint: str
    chain_id: int | None = None
    local: bool = False


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
        If there is none of that name, or its endpoint's environment variable is not set.
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
    if name.startswith(("http://", "https://")):
        return Network(name, name)
    networks = _read(home)["networks"]
    if name not in networks:
        raise UnknownNetwork(
            f"no network {name!r}; there are {', '.join(sorted(networks))}", network=name
        )
    entry = networks[name]
    return Network(
        name=name,
        endpoint=_endpoint(name, entry["endpoint"]),
        chain_id=entry.get("chain_id"),
        local=entry.get("local", False),
    )


def default(home: Path | None = None) -> str:
    """Name of the network that is meant when none is named."""
    return str(_read(home)["default"])


def _read(home: Path | None) -> dict[str, Any]:
    import yaml

    packaged: dict[str, Any] = yaml.safe_load(
        (resources.files("radledger.chain") / "networks.yaml").read_text("utf-8")
    )
    own = home / "networks.yaml" if home else None
    if own is None or not own.exists():
        return packaged
    try:
        added: dict[str, Any] = yaml.safe_load(own.read_text("utf-8")) or {}
        networks = {name: dict(entry) for name, entry in added.get("networks", {}).items()}
        missing = [name for name, entry in networks.items() if "endpoint" not in entry]
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        detail = " ".join(str(error).split())
        message = f"{own} names no networks; correct it as the documentation shows: {detail}"
        raise NetworksInvalid(message, path=str(own)) from error
    if missing:
        message = f"{own} gives no endpoint for {', '.join(missing)}; add it"
        raise NetworksInvalid(message, path=str(own))
    return {
        "default": added.get("default", packaged["default"]),
        "networks": {**packaged["networks"], **networks},
    }


def _endpoint(name: str, endpoint: str) -> str:
    if not endpoint.startswith(_FROM_ENVIRONMENT):
        return endpoint
    variable = endpoint.removeprefix(_FROM_ENVIRONMENT)
    found = os.environ.get(variable)
    if not found:
        raise UnknownNetwork(
            f"the endpoint of {name} comes from the environment; set {variable} to its URL",
            network=name,
            variable=variable,
        )
    return found

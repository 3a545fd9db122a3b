"""Records of deployments, in ``<folder>/<chainId>.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from radledger import forms
from radledger.chain import artifacts
from radledger.chain.errors import DeploymentMismatch, DeploymentMissing, DeploymentOutdated
from radledger.chain.rpc import genesis_hash, request
from radledger.chain.typed_data import canonical
from radledger.files import write_atomically

if TYPE_CHECKING:
    from web3 import Web3

__all__ = [
    "CORE",
    "FORMAT",
    "DeployedContract",
    "Deployment",
    "Pending",
    "find",
    "load",
    "parsed",
    "require",
    "save",
]

FORMAT = 1
"""Of records, to be raised when an earlier release must not read them; before 0.1.0 there was
none, and other contracts."""


CORE = (
    "Forwarder",
    "IdentityRegistry",
    "ParticipantRegistry",
    "ImageRegistry",
    "ConsentRegistry",
)
"""The contracts that every deployment needs; it may lack any of the others."""


@dataclass(frozen=True)
class DeployedContract:
    """One contract on the chain.

    Attributes
    ----------
    address
        In EIP-55 form.
    block
        The block that it was created in, from which its events are read.
    transaction
        Hash of the transaction that created it.
    code_hash
        keccak256 of the code at the address, as in EIP-1052.
    """

    address: str
    block: int
    transaction: str
    code_hash: str


@dataclass(frozen=True)
class Pending:
    """A creation that was signed and, as far as recorded, not mined yet."""

    contract: str
    sender: str
    nonce: int
    transactions: tuple[str, ...]


@dataclass(frozen=True)
class Deployment:
    """The contracts on one chain.

    Attributes
    ----------
    chain_id, genesis
        The chain: its EIP-155 id and the hash of its first block.
    contracts
        The deployed contracts, by name.
    parameters
        The constructors' parameters besides each other's addresses.
    pending
        A creation under way, if there is one.
    predecessor
        The deployment that this one replaces, and so on back to the first.
    format
        Of the record that it was read from; 0 before release 0.1.0.
    """

    chain_id: int
    genesis: str
    contracts: Mapping[str, DeployedContract] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pending: Pending | None = None
    predecessor: Deployment | None = None
    format: int = FORMAT

    @property
    def slug(self) -> str:
        """A name for a folder or file of this deployment, and of no other one on any chain."""
        place = f"{self.genesis} {self.contracts['ImageRegistry'].address}"
        return f"{self.chain_id}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"

    @property
    def chain_slug(self) -> str:
        """A name for what accounts do on this chain, with this deployment and its successors.

        A restarted development chain has the id of the one before, and another first block.
        """
        return f"{self.chain_id}-{self.genesis[2:14]}"

    @property
    def has_core(self) -> bool:
        """Whether the contracts that every deployment needs are there."""
        return all(name in self.contracts for name in CORE)

    def require_current(self) -> None:
        """Check that this release knows the contracts.

        Raises
        ------
        DeploymentOutdated
            If they were deployed before release 0.1.0.
        """
        if self.format < 1:
            raise DeploymentOutdated(
                f"the contracts on chain {self.chain_id} were deployed by a release older than "
                "0.1.0, with which this one cannot work; deploy those of this release beside them "
                "with `radledger deploy --successor`, import the record of a participant who has "
                "done so with `radledger deploy import`, or use the release that deployed them",
                chain_id=self.chain_id,
            )

    def require_chain(self, web3: Web3) -> None:
        """Check that ``web3`` is connected to the chain of this deployment.

        Raises
        ------
        DeploymentMismatch
            If the chain id or the first block is another, as after a development chain was
            restarted.
        """
        chain_id = int(request(web3, "eth_chainId", []), 16)
        genesis = genesis_hash(web3)
        if (chain_id, genesis) != (self.chain_id, self.genesis):
            raise DeploymentMismatch(
                f"the contracts were deployed on chain {self.chain_id} with first block "
                f"{self.genesis}, but this is chain {chain_id} with {genesis}; "
                "if the chain was restarted, run `radledger deploy` again",
                expected_chain_id=self.chain_id,
                chain_id=chain_id,
                expected_genesis=self.genesis,
                genesis=genesis,
            )


def find(folder: Path, chain_id: int) -> Deployment | None:
    """Return the recorded deployment on a chain, or None.

    Raises
    ------
    DeploymentMismatch
        If the record cannot be understood.
    """
    path = folder / f"{chain_id}.json"
    if not path.exists():
        return None
    try:
        return parsed(path.read_bytes(), str(path))
    except ValueError as error:
        raise DeploymentMismatch(
            f"{path} is not the record of a deployment; restore it from a backup, or import that "
            "of another participant with `radledger deploy import`",
            path=str(path),
        ) from error


def parsed(record: bytes, source: str) -> Deployment:
    """The deployment that a record describes.

    Parameters
    ----------
    record
        What a file ``<chainId>.json`` has in it.
    source
        Where it came from, for messages.

    Raises
    ------
    ValueError
        If it is not a record.
    DeploymentMismatch
        If it is of a later release.
    """
    try:
        content = json.loads(record.decode("utf-8"))
        written = _NUMBER(content.get("format", 0))
        if written <= FORMAT:
            return _deployment(content)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{source} is not the record of a deployment") from error
    raise DeploymentMismatch(
        f"the record {source} was written by a later release (format {written}, here {FORMAT}); "
        "use that release",
        path=source,
        format=written,
        supported=FORMAT,
    )


def require(folder: Path, chain_id: int) -> Deployment:
    """Return the recorded deployment on a chain, of whichever release, finished or not.

    Raises
    ------
    DeploymentMissing
        If none was recorded.
    DeploymentMismatch
        If the record cannot be understood.
    """
    deployment = find(folder, chain_id)
    if deployment is None:
        raise _missing(chain_id, "is not recorded")
    return deployment


def load(folder: Path, chain_id: int) -> Deployment:
    """Return the recorded deployment on a chain, with the contracts that this release knows.

    It may lack some of them, but none of `CORE`.  While a successor is not finished, it is the
    predecessor.

    Raises
    ------
    DeploymentMissing
        If none was recorded, or it was not finished.
    DeploymentOutdated
        If it is of a release older than 0.1.0.
    """
    deployment = require(folder, chain_id)
    if deployment.predecessor is not None and not deployment.has_core:
        deployment = deployment.predecessor
    deployment.require_current()
    if not deployment.has_core:
        raise _missing(chain_id, "is not finished")
    shipped = artifacts.names()
    known = {name: each for name, each in deployment.contracts.items() if name in shipped}
    return replace(deployment, contracts=MappingProxyType(known))


def save(folder: Path, deployment: Deployment) -> Path:
    """Record a deployment, atomically, and return the file."""
    path = folder / f"{deployment.chain_id}.json"
    write_atomically(path, json.dumps(_content(deployment), indent=2) + "\n")
    return path


def _missing(chain_id: int, state: str) -> DeploymentMissing:
    return DeploymentMissing(
        f"the deployment on chain {chain_id} {state}; run `radledger deploy`, or import the "
        "record of a participant who has it with `radledger deploy import`",
        chain_id=chain_id,
    )


def _content(deployment: Deployment) -> dict[str, Any]:
    content: dict[str, Any] = {
        "format": deployment.format,
        "chainId": deployment.chain_id,
        "genesis": deployment.genesis,
        "parameters": dict(deployment.parameters),
        "contracts": {
            name: {
                "address": contract.address,
                "block": contract.block,
                "transaction": contract.transaction,
                "codeHash": contract.code_hash,
            }
            for name, contract in deployment.contracts.items()
        },
    }
    if deployment.pending is not None:
        pending = deployment.pending
        content["pending"] = {
            "contract": pending.contract,
            "sender": pending.sender,
            "nonce": pending.nonce,
            "transactions": list(pending.transactions),
        }
    if deployment.predecessor is not None:
        content["predecessor"] = _content(deployment.predecessor)
    return content


def _deployment(content: Any) -> Deployment:
    """What a record says; its author is not trusted with its form."""
    read = forms.fields(_RECORD, content)
    pending, predecessor = content.get("pending"), content.get("predecessor")
    return Deployment(
        chain_id=read["chainId"],
        genesis=read["genesis"],
        contracts=MappingProxyType(
            {
                _NAME(name): DeployedContract(*forms.fields(_CONTRACT, entry).values())
                for name, entry in read["contracts"].items()
            }
        ),
        parameters=read["parameters"],
        pending=None if pending is None else Pending(*forms.fields(_PENDING, pending).values()),
        predecessor=None if predecessor is None else _deployment(predecessor),
        format=_NUMBER(content.get("format", 0)),
    )


def _address(value: Any) -> str:
    return str(canonical("address", value))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("not an object")
    return value


def _hashes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return tuple(map(_HASH, value))


_NUMBER, _HASH = forms.integer(0, (1 << 63) - 1), forms.digits(32)
_NAME = forms.text("[A-Za-z0-9_]{1,100}")
_RECORD: Mapping[str, forms.Form] = {
    "chainId": forms.integer(0, (1 << 256) - 1),
    "genesis": _HASH,
    "contracts": _object,
    "parameters": _object,
}
# In the order of the fields of `DeployedContract` and `Pending`.
_CONTRACT: Mapping[str, forms.Form] = {
    "address": _address,
    "block": _NUMBER,
    "transaction": _HASH,
    "codeHash": _HASH,
}
_PENDING: Mapping[str, forms.Form] = {
    "contract": _NAME,
    "sender": _address,
    "nonce": _NUMBER,
    "transactions": _hashes,
}

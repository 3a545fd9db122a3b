"""Import the record of another participant's deployment, once the chain confirms it.

What is checked shows that the contracts are those of this release, where and when the record says.
Whose they are it does not show: anyone can deploy the same code with governors of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from radledger.chain import deployments
from radledger.chain.errors import (
    DeploymentConflict,
    DeploymentMismatch,
    DeploymentMissing,
    DeploymentUnreadable,
    InvalidRecord,
)
from radledger.chain.rpc import request
from radledger.deployment.deploy import require_code, verify
from radledger.endpoints import is_loopback, proxy_for, shown
from radledger.files import expanded
from radledger.transport import Deadline, within

if TYPE_CHECKING:
    from web3 import Web3

    from radledger.chain.deployments import DeployedContract, Deployment

__all__ = ["import_record", "read"]

_MOST_BYTES = 1 << 20
_SECONDS = 30.0
_WANTED = (
    "give another participant's deployments/CHAIN.json, as a file or its http:// or https:// URL"
)


def import_record(web3: Web3, folder: Path, source: str) -> Deployment:
    """Check a record against the chain, and put it beside, or in the place of, the one here.

    Parameters
    ----------
    web3
        The connected chain.
    folder
        Where ``<chainId>.json`` is kept.
    source
        Path or ``http(s)://`` URL of the record.

    Returns
    -------
    Deployment
        What is recorded from now on: the contracts of both records.

    Raises
    ------
    InvalidRecord
        If it is not one, or there is no such file.
    DeploymentUnreadable
        If it cannot be fetched.
    DeploymentMismatch
        If it is another chain's, or if other code, or none, stands at an address.
    DeploymentMissing
        If the deployment is not finished.
    DeploymentConflict
        If it contradicts the record here, which stays as it is.

    Examples
    --------
    >>> import_record(web3, home / "deployments", "41337.json")    # doctest: +SKIP
    """
    content, where = read(source), shown(source) if _is_url(source) else source
    try:
        given = deployments.parsed(content, where)
    except ValueError as error:
        raise InvalidRecord(f"{error}; {_WANTED}", source=where) from error
    given.require_current()
    if not given.has_core:
        raise DeploymentMissing(
            f"the deployment in {source} is not finished; ask for the record again when it is",
            chain_id=given.chain_id,
        )
    given = replace(given, pending=None)  # is for who began it to finish
    _check(web3, given)
    recorded = deployments.find(folder, given.chain_id)
    merged = given if recorded is None else _merged(recorded, given)
    deployments.save(folder, merged)
    return merged


def read(source: str) -> bytes:
    """The content of a file or URL, which may have 1 MiB and take 30 seconds.

    Raises
    ------
    InvalidRecord
        If there is no such file, or it has more.
    DeploymentUnreadable
        If it cannot be fetched.
    """
    if _is_url(source):
        return _fetched(source)
    try:
        with expanded(source).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        where = shown(source) if "://" in source else source  # a URL of another scheme
        raise InvalidRecord(
            f"the file {where} cannot be read: {error.strerror}; {_WANTED}",
            source=where,
        ) from error
    return _limited(content, source)


def _is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _fetched(url: str) -> bytes:
    import httpx

    from radledger.transport import over_httpx

    deadline = Deadline(_SECONDS)
    try:
        with httpx.Client(
            timeout=_SECONDS, follow_redirects=True, trust_env=not is_loopback(url)
        ) as client:
            over_httpx.hold_to_deadlines(client)
            with within(deadline), client.stream("GET", url) as response:
                response.raise_for_status()
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    _limited(content, shown(url))
    except httpx.HTTPStatusError as error:
        reason = f"the server answers with {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        late = f"no whole answer within {_SECONDS:.0f} s"
        reason = late if deadline.passed else type(error).__name__
    else:
        return bytes(content)
    proxy = proxy_for(url)
    by = "" if proxy is None else f" by way of the proxy {proxy}, from the environment"
    raise DeploymentUnreadable(
        f"the record cannot be fetched from {shown(url)}{by}: {reason}; check the URL, or give a "
        "file",
        source=shown(url),
    )


def _limited(content: bytes | bytearray, source: str) -> bytes:
    if len(content) > _MOST_BYTES:
        raise InvalidRecord(
            f"{source} has more than {_MOST_BYTES:,} bytes, as no record of a deployment has; "
            f"{_WANTED}",
            source=source,
        )
    return bytes(content)


def _check(web3: Web3, given: Deployment) -> None:
    """Check that the contracts, and those of all predecessors, are on the chain as recorded."""
    verify(web3, given)
    for deployment in _line(given):
        if deployment.chain_id != given.chain_id or deployment.genesis != given.genesis:
            raise DeploymentMismatch(
                "the record names a predecessor on another chain; ask for a whole one",
                chain_id=deployment.chain_id,
            )
        for name, contract in deployment.contracts.items():
            require_code(web3, name, contract)
            _require_creation(web3, name, contract)


def _require_creation(web3: Web3, name: str, contract: DeployedContract) -> None:
    """Check that a contract was created in the block from which its events will be read."""
    receipt = request(web3, "eth_getTransactionReceipt", [contract.transaction]) or {}
    address = receipt.get("contractAddress") or ""
    block = int(receipt.get("blockNumber") or "0x0", 16)
    if (address.lower(), block) != (contract.address.lower(), contract.block):
        raise DeploymentMismatch(
            f"the record says that {name} was created at {contract.address} in block "
            f"{contract.block} by transaction {contract.transaction}, which the node does not "
            "confirm; ask for another record, or use a node that has old transactions",
            contract=name,
            address=contract.address,
            block=contract.block,
            transaction=contract.transaction,
        )


def _merged(recorded: Deployment, given: Deployment) -> Deployment:
    """The contracts of both records, or the successor of the one here."""
    if any(_same(recorded, each) for each in _line(given) if each is not given):
        return given
    wrong = [
        name
        for name, contract in recorded.contracts.items()
        if given.contracts.get(name, contract) != contract
    ]
    if wrong or recorded.genesis != given.genesis:
        where = f"of {', '.join(wrong)}" if wrong else "of the chain's first block"
        raise DeploymentConflict(
            f"the record here and the one to be imported differ in the place {where}; nothing was "
            f"imported: find out which is right, then move {given.chain_id}.json out of the home's "
            "deployments if it is the other",
            chain_id=given.chain_id,
            contracts=wrong,
        )
    pending = recorded.pending
    return replace(
        recorded,
        contracts=MappingProxyType({**recorded.contracts, **given.contracts}),
        parameters={**given.parameters, **recorded.parameters},
        pending=None if pending is None or pending.contract in given.contracts else pending,
        predecessor=recorded.predecessor or given.predecessor,
    )


def _line(deployment: Deployment) -> Iterator[Deployment]:
    """A deployment and its predecessors, the newest first."""
    each: Deployment | None = deployment
    while each is not None:
        yield each
        each = each.predecessor


def _same(one: Deployment, other: Deployment) -> bool:
    return bool(one.contracts) and one.contracts == other.contracts

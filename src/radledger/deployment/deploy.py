"""Deploy the contracts, one after the other, and verify a deployment.

Each step is recorded: a creation before it is sent, an address as soon as it is mined.  The next
run resumes an interrupted one, and no contract is created twice: a creation that was signed but
not mined is looked up first, and sent again with the same nonce only if no node has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from radledger import areas
from radledger.chain import artifacts, deployments
from radledger.chain.deployments import FORMAT, DeployedContract, Deployment, Pending
from radledger.chain.errors import DeploymentMismatch, DeploymentMissing
from radledger.chain.rpc import genesis_hash, request
from radledger.chain.sending.sender import Sender

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

__all__ = [
    "CONTRACTS",
    "MOST_OVERDUE_REVIEWS",
    "RECOVERY_DELAY",
    "TOKEN_SUPPLY",
    "deploy",
    "is_begun",
    "missing",
    "require_code",
    "verify",
]

CONTRACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{name: contract.constructor for name, contract in areas.CONTRACTS.items()},
        "LocalToken": ("token_holder", "token_supply"),
    }
)
"""Every contract in the order of its deployment, with what its constructor takes: contracts
before it by name, and parameters in lower case."""

RECOVERY_DELAY = 3 * 24 * 3600
"""Default seconds in which the owner of an identity can veto its recovery."""

MOST_OVERDUE_REVIEWS = 5
"""With how many overdue reviews of emergency access an institution may still request consent."""

TOKEN_SUPPLY = 10**6 * 10**18
"""Base units of the token on a local network: a million tokens of 18 decimals."""


def deploy(
    web3: Web3,
    signer: LocalAccount,
    folder: Path,
    *,
    governors: tuple[str, ...] = (),
    recovery_delay: int = RECOVERY_DELAY,
    may_forbid_emergencies: bool = True,
    most_overdue_reviews: int = MOST_OVERDUE_REVIEWS,
    token_holder: str | None = None,
    resume: bool = False,
    successor: bool = False,
    sender: Sender | None = None,
) -> Deployment:
    """Deploy what is not deployed yet, and return all of it.

    To a finished deployment of an earlier release the contracts are added that this one brings.

    Parameters
    ----------
    web3
        The connected chain.
    signer
        Who pays; the contracts give it no power.
    folder
        Where ``<chainId>.json`` is kept.
    governors
        The first governors of the participant registry; by default the signer alone.
    recovery_delay
        Seconds from the approval of a recovery to its execution.
    may_forbid_emergencies
        Whether patients may forbid emergency access to their images.
    most_overdue_reviews
        With how many overdue reviews of emergency access an institution, or its members, may still
        request consent.
    token_holder
        Who gets the supply of a play-money reward token, for local networks; by default no such
        token is deployed.
    resume
        Only finish what was begun: refuse where nothing was, or on another chain.
    successor
        Deploy all contracts again, in a deployment that names the finished one here as its
        predecessor; a successor that was begun is finished instead.
    sender
        What sends the transactions; by default one that waits for no confirmations.

    Raises
    ------
    DeploymentMissing
        If ``resume`` is set and nothing was begun here, or ``successor`` and nothing is finished.
    DeploymentMismatch
        If ``resume`` or ``successor`` is set and what was begun is another chain's, or if other
        code stands at a recorded address; `DeploymentOutdated` if it is older than 0.1.0.
    OutOfFunds
        If the signer cannot pay; run it again when it can.

    Examples
    --------
    >>> deployment = deploy(web3, governor, home / "deployments")  # doctest: +SKIP
    """
    chosen: dict[str, Any] = {
        "recovery_delay": recovery_delay,
        "may_forbid_emergencies": may_forbid_emergencies,
        "most_overdue_reviews": most_overdue_reviews,
        "governors": list(governors or (signer.address,)),
    }
    if token_holder is not None:
        chosen |= {"token_holder": token_holder, "token_supply": TOKEN_SUPPLY}
    if successor:
        deployment = _successor(web3, folder, chosen)
    else:
        deployment = _begin(web3, folder, chosen, resume=resume)
    sender = sender or Sender(web3)
    for name in missing(deployment):
        deployment = _create(web3, sender, signer, folder, deployment, name)
    verify(web3, deployment)
    return deployment


def missing(deployment: Deployment) -> tuple[str, ...]:
    """The contracts of this release that are not deployed, in order."""
    wanted = (name for name in CONTRACTS if name != "LocalToken" or _has_token(deployment))
    return tuple(name for name in wanted if name not in deployment.contracts)


def _has_token(deployment: Deployment) -> bool:
    return "token_holder" in deployment.parameters


def verify(web3: Web3, deployment: Deployment) -> None:
    """Compare the code at each address with the shipped artifact, immutables aside.

    Of a contract that only a later release knows, the code is compared with its recorded hash.

    Raises
    ------
    DeploymentMismatch
        If this is another chain, or an address has other code or none.
    """
    deployment.require_chain(web3)
    for name, contract in deployment.contracts.items():
        if name in CONTRACTS:
            code, artifact = _code(web3, contract.address), artifacts.load(name)
            if artifact.mask_immutables(code) != artifact.deployed_bytecode:
                raise DeploymentMismatch(
                    f"the code at {contract.address} is not that of {name} in this release"
                    f"{'' if code else ': there is none'}; deploy again, or use the release that "
                    "deployed it",
                    contract=name,
                    address=contract.address,
                    source_hash=artifact.source_hash,
                )
        require_code(web3, name, contract)


def require_code(web3: Web3, name: str, contract: DeployedContract) -> None:
    """Compare the code at an address with its recorded hash, of any release.

    Raises
    ------
    DeploymentMismatch
        If it is other code, or has other immutables.
    """
    found = _keccak(_code(web3, contract.address))
    if found != contract.code_hash:
        raise DeploymentMismatch(
            f"{name} at {contract.address} has other code or other immutables than were recorded; "
            "restore the deployment's file, or deploy again",
            contract=name,
            address=contract.address,
            expected=contract.code_hash,
            found=found,
        )


def is_begun(web3: Web3, folder: Path) -> bool:
    """Whether `deploy` would begin nothing: all is deployed, or a run has left something open."""
    recorded = deployments.find(folder, int(request(web3, "eth_chainId", []), 16))
    if recorded is None or recorded.genesis != genesis_hash(web3):
        return False
    return not missing(recorded) or not recorded.has_core or recorded.pending is not None


def _begin(web3: Web3, folder: Path, parameters: dict[str, Any], *, resume: bool) -> Deployment:
    """The deployment to resume: the recorded one, or a new one where there is none."""
    chain_id = int(request(web3, "eth_chainId", []), 16)
    recorded = deployments.find(folder, chain_id)
    if recorded is None:
        if resume:
            raise DeploymentMissing(
                f"no deployment on chain {chain_id} was begun; run `radledger deploy`",
                chain_id=chain_id,
            )
    else:
        try:
            recorded.require_chain(web3)
        except DeploymentMismatch:
            if resume:
                raise
        else:
            recorded.require_current()
            # A resumed deployment keeps its parameters; a token can still be added.
            return replace(recorded, parameters={**parameters, **recorded.parameters})
    return Deployment(chain_id, genesis_hash(web3), {}, parameters)


def _successor(web3: Web3, folder: Path, parameters: dict[str, Any]) -> Deployment:
    """The successor to resume, or a new one of a finished deployment."""
    chain_id = int(request(web3, "eth_chainId", []), 16)
    recorded = deployments.find(folder, chain_id)
    if recorded is None or not (recorded.has_core or recorded.predecessor):
        raise DeploymentMissing(
            f"no deployment on chain {chain_id} is finished that could be succeeded; run "
            "`radledger deploy`",
            chain_id=chain_id,
        )
    recorded.require_chain(web3)
    if missing(recorded) and recorded.predecessor and recorded.format == FORMAT:
        if recorded.contracts:
            return recorded
        # Nothing of it was created, as where the account could not pay: it begins again.
        recorded = recorded.predecessor
    return Deployment(chain_id, recorded.genesis, {}, parameters, predecessor=recorded)


def _create(
    web3: Web3,
    sender: Sender,
    signer: LocalAccount,
    folder: Path,
    deployment: Deployment,
    name: str,
) -> Deployment:
    """Create one contract, or find the creation that an earlier run began."""
    begun = (
        deployment.pending if deployment.pending and deployment.pending.contract == name else None
    )
    receipt = sender.wait(begun.transactions) if begun and begun.transactions else None
    if receipt is None:
        nonce = begun.nonce if begun and _is_free(web3, signer, begun) else None
        known = list(begun.transactions) if begun and nonce is not None else []

        def record(used: int, transaction: str) -> None:
            known.append(transaction)
            pending = Pending(name, signer.address, used, tuple(known))
            deployments.save(folder, replace(deployment, pending=pending))

        data = _creation(web3, deployment, name)
        receipt = sender.send(signer, None, data, nonce=nonce, on_signed=record)
    created = {**deployment.contracts, name: _deployed(web3, receipt)}
    deployment = replace(deployment, contracts=MappingProxyType(created), pending=None)
    deployments.save(folder, deployment)
    return deployment


def _is_free(web3: Web3, signer: LocalAccount, begun: Pending) -> bool:
    """Whether the nonce of a creation that no node knows can be used for it again."""
    if begun.sender != signer.address:
        return False
    used = int(request(web3, "eth_getTransactionCount", [signer.address, "latest"]), 16)
    return used == begun.nonce


def _creation(web3: Web3, deployment: Deployment, name: str) -> str:
    """Creation bytecode with the constructor's arguments."""
    artifact = artifacts.load(name)
    arguments = [
        deployment.contracts[argument].address
        if argument in deployment.contracts
        else deployment.parameters[argument]
        for argument in CONTRACTS[name]
    ]
    abi: Any = artifact.abi
    factory = web3.eth.contract(abi=abi, bytecode=artifact.bytecode)
    return str(factory.constructor(*arguments).data_in_transaction)


def _deployed(web3: Web3, receipt: dict[str, Any]) -> DeployedContract:
    from eth_utils.address import to_checksum_address

    address = to_checksum_address(receipt["contractAddress"])
    return DeployedContract(
        address=address,
        block=int(receipt["blockNumber"], 16),
        transaction=receipt["transactionHash"],
        code_hash=_keccak(_code(web3, address)),
    )


def _code(web3: Web3, address: str) -> bytes:
    return bytes.fromhex(request(web3, "eth_getCode", [address, "latest"])[2:])


def _keccak(data: bytes) -> str:
    from eth_utils.crypto import keccak

    return "0x" + keccak(data).hex()

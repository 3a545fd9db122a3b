"""The deployed contracts, by name: call them, send to them, read their events."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from radledger.chain import artifacts, reverts
from radledger.chain.clock import Clock, Present
from radledger.chain.errors import ContractNotDeployed, RequestFailed
from radledger.chain.events import Event, EventDecoder, Receipt
from radledger.chain.logs import listed, logs_of, topics_of
from radledger.chain.nodes.connect import clock as clock_of
from radledger.chain.rpc import connection_errors, request, request_batch
from radledger.chain.sending.sender import Sender
from radledger.errors import UsageError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

    from radledger.chain.deployments import Deployment

__all__ = ["Call", "ContractAt", "Event", "EventStore", "Ledger", "Receipt"]

# Hosted nodes answer for a limited range of blocks; what is refused is asked again in halves.
_BLOCKS = 10_000


@dataclass(frozen=True)
class ContractAt:
    """A contract that is not part of the deployment, such as the ERC-20 token of a data set.

    Attributes
    ----------
    name
        The artifact whose interface it has: ``LocalToken`` for any ERC-20 token.
    address
        Where it stands.
    """

    name: str
    address: str


@dataclass(frozen=True)
class Call:
    """One call of a batch: contract, function and its arguments."""

    contract: str | ContractAt
    function: str
    arguments: tuple[Any, ...] = ()


class EventStore(Protocol):
    """What has the events of the contracts at hand, such as an index."""

    def find(
        self, contract: str, events: Sequence[str], filters: Mapping[str, Any], first: int
    ) -> list[Event] | None:
        """Events as :meth:`Ledger.events` has them; None if the chain is to be asked instead."""


class Ledger:
    """A connected chain with a deployment of the contracts.

    Whatever asks a node raises `ConnectionFailed` if none answers and `RequestFailed` if it
    refuses; whatever calls a contract raises `UsageError` for arguments that it does not take.

    Parameters
    ----------
    web3
        The connected chain, from :func:`radledger.chain.nodes.connect.connect` or your own.
    deployment
        What is deployed there.
    sender
        What sends its transactions; by default one whose journal ends with this object.
    clock
        This machine's clock, and how old the latest block may be; by default as
        :func:`radledger.chain.nodes.connect.clock` says of the node.

    Attributes
    ----------
    event_store
        Where :meth:`events` looks first; none unless one is set.

    Raises
    ------
    DeploymentMismatch
        If the deployment is another chain's.

    Examples
    --------
    >>> ledger = Ledger(connect(network), deployments.load(folder, chain_id))  # doctest: +SKIP
    >>> ledger.call("ParticipantRegistry", "isActive", hospital)  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        web3: Web3,
        deployment: Deployment,
        *,
        sender: Sender | None = None,
        clock: Clock | None = None,
    ) -> None:
        deployment.require_chain(web3)
        self.event_store: EventStore | None = None
        self.web3 = web3
        self.deployment = deployment
        if sender is not None:
            self.sender = sender
        if clock is not None:
            self.clock = clock
        self._contracts: dict[str | ContractAt, Any] = {}
        self._timestamps: dict[str, int] = {}
        self._lock = threading.Lock()

    @cached_property
    def sender(self) -> Sender:
        """What signs, sends and follows this ledger's transactions."""
        return Sender(self.web3)

    @cached_property
    def clock(self) -> Clock:
        """This machine's clock, and how old the latest block may be."""
        return clock_of(self.web3)

    @property
    def chain_id(self) -> int:
        """The chain's id (EIP-155)."""
        return self.deployment.chain_id

    def address(self, contract: str) -> str:
        """EIP-55 address of a deployed contract.

        Raises
        ------
        ContractNotDeployed
            If the deployment does not have it.
        """
        try:
            return self.deployment.contracts[contract].address
        except KeyError:
            raise ContractNotDeployed(
                f"{contract} is not deployed on this network (chain {self.chain_id}); run "
                "`radledger deploy`, or import the record of a participant who has it with "
                "`radledger deploy import`",
                contract=contract,
                chain_id=self.chain_id,
            ) from None

    def now(self) -> int:
        """Unix time of the latest block, which is the contracts' clock."""
        return self.present().block_time

    def present(self) -> Present:
        """What time it is, by the latest block and by this machine."""
        block = request(self.web3, "eth_getBlockByNumber", ["latest", False])
        return self.clock.present(int(block["number"], 16), int(block["timestamp"], 16))

    def block_number(self) -> int:
        """Number of the latest block."""
        return int(request(self.web3, "eth_blockNumber", []), 16)

    # ---------------------------------------------------------------------------------- call

    def call(self, contract: str | ContractAt, function: str, *args: Any) -> Any:
        """Ask a view at the latest block.

        Returns
        -------
        Any
            As web3 decodes it: bytes as bytes, addresses in EIP-55 form, structs and several
            results as named tuples.

        Raises
        ------
        Refusal
            If the contract refuses, by the type of its custom error.
        """
        from web3.exceptions import BadFunctionCallOutput, ContractLogicError, Web3RPCError

        with _arguments_of(contract, function):
            bound = self.contract(contract).functions[function](*args)
        with connection_errors(self.web3):
            try:
                return bound.call()
            except ContractLogicError as error:
                raise reverts.decode(reverts.revert_data(error.data) or b"") from error
            except Web3RPCError as error:
                raise RequestFailed(
                    f"the node refused the call of {function}: {error.message}", method="eth_call"
                ) from error
            except (BadFunctionCallOutput, UnicodeDecodeError, OverflowError) as error:
                raise RequestFailed(
                    f"the node answered the call of {function} with what no such contract "
                    "answers; see that it has caught up with the chain, or ask another node",
                    method="eth_call",
                ) from error

    # ---------------------------------------------------------------------------------- send

    def send(
        self, signer: LocalAccount, contract: str | ContractAt, function: str, *args: Any
    ) -> Receipt:
        """Send a transaction and wait until it is mined.

        It is simulated first, so that a refusal costs nothing.

        Raises
        ------
        Refusal
            If the contract refuses, by the type of its custom error.
        OutOfFunds, TransactionPending, TransactionSuperseded
            See :meth:`radledger.chain.sending.sender.Sender.send`.
        """
        receipt = self.sender.send(signer, *self.encode(contract, function, *args))
        return self._receipts([receipt])[0]

    def send_batch(self, signer: LocalAccount, calls: Sequence[Call]) -> list[Receipt]:
        """Send many independent transactions of one account, pre-signed in JSON-RPC batches.

        Raises
        ------
        Refusal
            If one would be refused; nothing of its batch of 100 has been sent then.
        """
        encoded = [self.encode(call.contract, call.function, *call.arguments) for call in calls]
        return self._receipts(self.sender.send_batch(signer, encoded))

    def encode(self, contract: str | ContractAt, function: str, *args: Any) -> tuple[str, str]:
        """Address and call data of a call."""
        bound = self.contract(contract)
        with _arguments_of(contract, function):
            return bound.address, bound.encode_abi(function, list(args))

    # -------------------------------------------------------------------------------- events

    def events(
        self,
        contract: str | ContractAt,
        *events: str,
        from_block: int | None = None,
        **indexed_filters: Any,
    ) -> list[Event]:
        """Past events of one kind or several, oldest first.

        Parameters
        ----------
        contract, *events
            Whose, and which.
        from_block
            Where to begin; default: where the contract was deployed.
        **indexed_filters
            Value, or list of values, that an indexed argument must have, in the same place of all
            kinds; nothing is found for an empty list.
        """
        topics_of(_name(contract), events, indexed_filters)  # an index takes what a node takes
        if any(not listed(values) for values in indexed_filters.values()):
            return []  # nodes take it for any value
        if self.event_store is not None and isinstance(contract, str):
            found = self.event_store.find(contract, events, indexed_filters, from_block or 0)
            if found is not None:
                return found
        if from_block is None:
            named = isinstance(contract, str)
            deployed = self.deployment.contracts.get(_name(contract)) if named else None
            from_block = deployed.block if deployed else 0
        parts = self.logs(contract, events, from_block, self.block_number(), **indexed_filters)
        return self._as_events(contract, [log for _, logs in parts for log in logs])

    def logs(
        self,
        contract: str | ContractAt,
        events: Sequence[str],
        first: int,
        last: int,
        **indexed_filters: Any,
    ) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """As :meth:`events`, of the blocks ``first`` to ``last``: range by range, with its last.

        They are as the node gives them; :meth:`decoder` decodes them.  The times of their blocks
        are not asked for.
        """
        topics = topics_of(_name(contract), events, indexed_filters)
        address = self.contract(contract).address
        for start in range(first, last + 1, _BLOCKS):
            end = min(start + _BLOCKS - 1, last)
            logs = logs_of(self.web3, [address], start, end, topics)
            yield end, sorted(logs, key=_position)

    def decoder(self, contract: str | ContractAt | None = None) -> EventDecoder:
        """A decoder of a contract's logs; default: of all that are deployed."""
        if contract is None:
            deployed = self.deployment.contracts.items()
            return EventDecoder({name: each.address for name, each in deployed})
        return EventDecoder({_name(contract): self.contract(contract).address})

    # ----------------------------------------------------------------------------- internals

    def contract(self, contract: str | ContractAt) -> Any:
        """The web3 contract; made once, for its making costs milliseconds."""
        with self._lock:
            if contract not in self._contracts:
                at = contract if isinstance(contract, ContractAt) else None
                name = at.name if at else str(contract)
                abi: Any = artifacts.load(name).abi
                address: Any = at.address if at else self.address(name)
                self._contracts[contract] = self.web3.eth.contract(
                    address=address, abi=abi, decode_tuples=True
                )
            return self._contracts[contract]

    def _receipts(self, receipts: Sequence[dict[str, Any]]) -> list[Receipt]:
        self._learn_timestamps([receipt["blockHash"] for receipt in receipts])
        return [
            Receipt(
                transaction=receipt["transactionHash"],
                block=int(receipt["blockNumber"], 16),
                timestamp=self._timestamps[receipt["blockHash"]],
                gas_used=int(receipt["gasUsed"], 16),
                events=tuple(self._as_events(None, receipt["logs"])),
            )
            for receipt in receipts
        ]

    def _as_events(
        self, contract: str | ContractAt | None, logs: Sequence[dict[str, Any]]
    ) -> list[Event]:
        """The logs of a contract, or of this deployment's; those of others are left out."""
        decoder = self.decoder(contract)
        logs = [log for log in logs if contract is not None or decoder.knows(log)]
        self._learn_timestamps([log["blockHash"] for log in logs])
        events = []
        for log in logs:
            name_of_contract, name, args = decoder.decode(log)
            block, index = _position(log)
            transaction, timestamp = log["transactionHash"], self._timestamps[log["blockHash"]]
            events.append(Event(block, index, name_of_contract, name, args, transaction, timestamp))
        return events

    def _learn_timestamps(self, blocks: Sequence[str]) -> None:
        unknown = sorted(set(blocks) - self._timestamps.keys())
        questions = [("eth_getBlockByHash", [block, False]) for block in unknown]
        for block, answer in zip(unknown, request_batch(self.web3, questions), strict=True):
            if not isinstance(answer, dict):
                raise RequestFailed(
                    f"the node does not know block {block} any more; ask again", block=block
                )
            self._timestamps[block] = int(answer["timestamp"], 16)


@contextmanager
def _arguments_of(contract: str | ContractAt, function: str) -> Iterator[None]:
    """Raise `UsageError` for arguments that the function does not take."""
    from web3.exceptions import Web3Exception

    try:
        yield
    except (Web3Exception, TypeError, ValueError) as error:
        name = _name(contract)
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"{name}.{function} does not take these arguments: {reason}",
            contract=name,
            function=function,
        ) from error


def _name(contract: str | ContractAt) -> str:
    return contract if isinstance(contract, str) else contract.name


def _position(log: Mapping[str, Any]) -> tuple[int, int]:
    """Block and place in it of a log."""
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)

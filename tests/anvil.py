"""A separate chain for tests that send thousands of transactions.

anvil lets every address send without a key and without Ether, so a test names who acts and speaks
JSON-RPC in batches.  The contracts are those that the package ships.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address
from eth_utils.abi import (
    abi_to_signature,
    get_abi_input_types,
    get_abi_output_types,
)
from eth_utils.abi import function_abi_to_4byte_selector as selector_of

ROOT = Path(__file__).parents[1]
ARTIFACTS = ROOT / "src" / "radledger" / "chain" / "artifacts"
GAS = 8_000_000
BLOCK_GAS = 1_000_000_000_000


class Reverted(Exception):
    """A refusal: the custom error's name, or ``Panic`` and the like, and its values."""

    def __init__(self, name: str, *values: Any) -> None:
        super().__init__(name, *values)
        self.name, self.values = name, values


@contextmanager
def refused(name: str, *values: Any) -> Iterator[None]:
    """Expect this custom error, with these values if any are given."""
    with pytest.raises(Reverted) as refusal:
        yield
    assert refusal.value.name == name
    assert not values or refusal.value.values == values


def account(name: str) -> str:
    """The address of whom the tests call by this name."""
    return to_checksum_address(keccak(text=f"account {name}")[-20:])


def digest(name: str) -> bytes:
    """A digest for the tests, by the name of what it is of."""
    return keccak(text=name)


def group(name: str, custodian: str) -> bytes:
    """What stands for a visit or course: 12 bytes of a digest, and whose it is."""
    return digest(name)[:12] + bytes.fromhex(custodian[2:])


class Function(NamedTuple):
    """How a function is called, and what it answers, in ABI types."""

    selector: bytes
    inputs: list[str]
    outputs: list[str]


class Interface:
    """What an ABI says of functions, errors and events."""

    def __init__(self, abi: list[dict[str, Any]]) -> None:
        self.constructor = next((item for item in abi if item["type"] == "constructor"), None)
        self.functions = {
            item["name"]: Function(
                selector_of(item), get_abi_input_types(item), get_abi_output_types(item)
            )
            for item in abi
            if item["type"] == "function"
        }
        errors = [item for item in abi if item["type"] == "error"]
        self.errors = {keccak(text=abi_to_signature(item))[:4]: item for item in errors}

    def encode(self, function: str, *arguments: Any) -> str:
        called = self.functions[function]
        return "0x" + (called.selector + encode(called.inputs, arguments)).hex()

    def decode(self, function: str, data: str) -> Any:
        values = decode(self.functions[function].outputs, bytes.fromhex(data[2:]))
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True)
class Contract:
    """A deployed contract."""

    address: str
    interface: Interface


@dataclass(frozen=True)
class Call:
    """A transaction to send: who, which contract, what."""

    sender: str
    contract: Contract
    function: str
    arguments: tuple[Any, ...]

    @cached_property
    def transaction(self) -> dict[str, str]:
        return {
            "from": self.sender,
            "to": self.contract.address,
            "data": self.contract.interface.encode(self.function, *self.arguments),
            "gas": hex(GAS),
            "gasPrice": "0x0",
        }


@dataclass
class Chain:
    """A running anvil that mines only on request."""

    port: int

    def __post_init__(self) -> None:
        self._connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        self._errors: dict[bytes, dict[str, Any]] = {}

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of several requests, in order."""
        body = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": parameters}
            for index, (method, parameters) in enumerate(requests)
        ]
        self._connection.request(
            "POST", "/", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        answers = json.loads(self._connection.getresponse().read())
        for answer in answers:
            if "error" in answer:
                raise self._refusal(answer["error"])
        return [answer["result"] for answer in sorted(answers, key=lambda answer: answer["id"])]

    def request(self, method: str, *parameters: Any) -> Any:
        return self.batch([(method, list(parameters))])[0]

    def deploy(
        self, name: str, *arguments: Any, artifact: dict[str, Any] | None = None
    ) -> Contract:
        """Deploy a contract that the package ships, or one that a test compiled."""
        artifact = artifact or json.loads((ARTIFACTS / f"{name}.json").read_text())
        interface = Interface(artifact["abi"])
        self._errors |= interface.errors
        inputs = get_abi_input_types(interface.constructor) if interface.constructor else []
        code = artifact["bytecode"] + encode(inputs, arguments).hex()
        transaction = {"from": account("deployer"), "data": code, "gas": hex(4 * GAS)}
        (receipt,) = self._mined([{**transaction, "gasPrice": "0x0"}])
        assert receipt["status"] == "0x1", name
        return Contract(to_checksum_address(receipt["contractAddress"]), interface)

    def send(self, sender: str, contract: Contract, function: str, *arguments: Any) -> int:
        """Send one transaction and return the gas that it used, or raise its refusal."""
        return self.send_all([Call(sender, contract, function, arguments)])[0]

    def send_all(self, calls: Sequence[Call]) -> list[int]:
        """Send transactions in one block and return the gas that each used."""
        receipts = self._mined([call.transaction for call in calls])
        for call, receipt in zip(calls, receipts, strict=True):
            if receipt["status"] != "0x1":
                self.request("eth_call", call.transaction, "latest")
                raise AssertionError(f"{call.function} was refused in its block alone")
        return [int(receipt["gasUsed"], 16) for receipt in receipts]

    def call(self, contract: Contract, function: str, *arguments: Any) -> Any:
        return self.call_all([(contract, function, arguments)])[0]

    def call_all(self, views: Sequence[tuple[Contract, str, tuple[Any, ...]]]) -> list[Any]:
        """What several views answer at this moment."""
        answers = self.batch(
            [
                (
                    "eth_call",
                    [
                        {"to": contract.address, "data": contract.interface.encode(name, *given)},
                        "latest",
                    ],
                )
                for contract, name, given in views
            ]
        )
        return [
            contract.interface.decode(name, answer)
            for (contract, name, _), answer in zip(views, answers, strict=True)
        ]

    def travel(self, seconds: int) -> None:
        self.batch([("evm_increaseTime", [seconds]), ("evm_mine", [])])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back whatever happens inside."""
        snapshot = self.request("evm_snapshot")
        try:
            yield
        finally:
            assert self.request("evm_revert", snapshot)

    def _mined(self, transactions: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """Mine a block; a batch is worked on in any order, so each transaction bears its nonce."""
        senders = sorted({each["from"] for each in transactions})
        counts = self.batch([("eth_getTransactionCount", [each, "latest"]) for each in senders])
        nonces = {sender: int(n, 16) for sender, n in zip(senders, counts, strict=True)}
        numbered = []
        for each in transactions:
            numbered.append({**each, "nonce": hex(nonces[each["from"]])})
            nonces[each["from"]] += 1
        hashes = self.batch([("eth_sendTransaction", [each]) for each in numbered])
        self.request("evm_mine")
        return self.batch([("eth_getTransactionReceipt", [each]) for each in hashes])

    def _refusal(self, error: dict[str, Any]) -> Exception:
        data = error.get("data")
        if not isinstance(data, str) or len(data) < 10:
            return Reverted(error["message"])
        raw = bytes.fromhex(data[2:])
        item = self._errors.get(raw[:4])
        if item is None:
            return Reverted("Panic" if raw[:4] == bytes.fromhex("4e487b71") else data)
        return Reverted(item["name"], *decode(get_abi_input_types(item), raw[4:]))


@contextmanager
def running_chain(hardfork: str = "paris") -> Iterator[Chain]:
    """An anvil on a port that it finds free, ended at the end."""
    path = os.pathsep.join([str(ROOT / "node_modules" / ".bin"), os.environ.get("PATH", "")])
    program = shutil.which("anvil", path=path)
    if program is None:
        pytest.skip("needs anvil: run `make setup`")
    command = [
        program, "--port", "0", "--accounts", "0", "--auto-impersonate", "--no-mining",
        "--order", "fifo", "--base-fee", "0", "--gas-price", "0", "--hardfork", hardfork,
        "--gas-limit", str(BLOCK_GAS), "--prune-history",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("Listening on"))
            chain = Chain(int(line.rsplit(":", 1)[1]))
            chain.request("anvil_setLoggingEnabled", False)
            yield chain
        finally:
            process.terminate()

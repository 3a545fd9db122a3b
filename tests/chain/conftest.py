"""Fixtures of the chain tests: each kind of node, and a fresh account with Ether."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from radledger.chain.ledger import Ledger
from radledger.chain.nodes import http as node_module
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.rpc import request
from radledger.deployment.deploy import deploy
from tests.chain.answering import SECRETS, AnsweringNode


@pytest.fixture(params=["anvil", "ganache", "geth"])
def web3(request: pytest.FixtureRequest) -> Web3:
    """A connection to each kind of node in turn."""
    return connect(Network(request.param, request.getfixturevalue(f"{request.param}_endpoint")))


@pytest.fixture
def anvil(anvil_endpoint: str) -> Web3:
    """A connection to anvil, whose mining can be steered."""
    return connect(Network("anvil", anvil_endpoint))


@pytest.fixture
def new_account(people: dict[str, LocalAccount]) -> Callable[[Web3], LocalAccount]:
    """Make an account of its own nonces, with one Ether on the chain given."""

    def make(web3: Web3) -> LocalAccount:
        account: LocalAccount = Account.create()
        client = web3.client_version.lower()
        if client.startswith("geth"):
            _pay(web3, people["stranger"], account.address)
        else:
            method = "anvil_setBalance" if client.startswith("anvil") else "evm_setAccountBalance"
            request(web3, method, [account.address, hex(10**18)])
        return account

    return make


@pytest.fixture(scope="session")
def geth_ledger(
    geth_endpoint: str, people: dict[str, LocalAccount], tmp_path_factory: pytest.TempPathFactory
) -> Ledger:
    """All contracts on geth, where nothing can be taken back."""
    web3 = connect(Network("geth", geth_endpoint))
    return Ledger(web3, deploy(web3, people["governor"], tmp_path_factory.mktemp("deployments")))


def _pay(web3: Web3, payer: LocalAccount, to: str) -> None:
    """Send one Ether, on a chain that cannot set balances."""
    transaction = {
        "to": to,
        "value": 10**18,
        "gas": 21_000,
        "gasPrice": 3 * web3.eth.gas_price,
        "nonce": web3.eth.get_transaction_count(payer.address),
        "chainId": web3.eth.chain_id,
    }
    raw = payer.sign_transaction(transaction).raw_transaction
    web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw), poll_latency=0.01)


@pytest.fixture
def fresh_ledger(
    web3: Web3, new_account: Callable[[Web3], LocalAccount], tmp_path
) -> tuple[Ledger, LocalAccount]:
    """A deployment of this test's own on each kind of node, and its governor."""
    governor = new_account(web3)
    return Ledger(web3, deploy(web3, governor, tmp_path, token_holder=governor.address)), governor


class Killed(BaseException):
    """What no code may catch, as a kill is."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "transactions"


@pytest.fixture
def account(anvil, new_account):
    return new_account(anvil)


@pytest.fixture
def paused(anvil):
    """Anvil with mining by request alone, for the time of a test."""
    request(anvil, "evm_setAutomine", [False])
    yield anvil
    request(anvil, "anvil_dropAllTransactions", [])
    request(anvil, "evm_setAutomine", [True])
    request(anvil, "evm_mine", [])


@pytest.fixture
def killed_at(monkeypatch):
    """Run something in which a function of a module is a kill."""

    def run(module, name, what):
        def kill(*_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(module, name, kill)
            with pytest.raises(Killed):
                what()

    return run


@pytest.fixture
def answering(monkeypatch):
    """Let a node answer a method otherwise, for the first so many times."""

    def answer(web3, method, answers):
        forward = web3.provider.make_request
        left = iter(answers)

        def changed(asked, parameters):
            if asked != method:
                return forward(asked, parameters)
            found = next(left, None)
            if isinstance(found, Exception):
                raise found
            return forward(asked, parameters) if found is None else found

        monkeypatch.setattr(web3.provider, "make_request", changed)

    return answer


@pytest.fixture
def node(anvil_endpoint):
    """A server in the place of anvil, which answers as a test wants."""
    node = AnsweringNode(anvil_endpoint)
    yield node
    node.shutdown()
    node.server_close()


@pytest.fixture
def network(node):
    """That server, at an address with secrets in it."""
    secret = node.endpoint.replace("http://", "http://user:SECRETWORD@") + SECRETS
    return Network("provider", secret)


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were made, in no time."""
    pauses = []
    monkeypatch.setattr(node_module, "_sleep", pauses.append)
    return pauses

"""What all tests share: which of them run where.

Contract tests need Brownie's plugin and run by ``make test-contracts``; without the plugin they
are left out.  A test that needs a program or server which this machine lacks skips with a reason
that starts with ``needs NAME``; where ``RADLEDGER_REQUIRE`` lists that name (comma-separated, as
in continuous integration), the skip is a failure.

Tests of what speaks to a chain ask for ``ledger`` and ``people``; the nodes they run on are
started when first asked for and ended with the run.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from radledger.chain.ledger import Ledger, Receipt
    from radledger.crypto.keys import PrivateKey

CONTRACT_TESTS = Path(__file__).parent / "contracts"
MNEMONIC = "test test test test test test test test test test test junk"
REQUIRED = {name for name in os.environ.get("RADLEDGER_REQUIRE", "").split(",") if name}


# An example may take any time, and so may finding one: the machine may be busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let Brownie fingerprint test files where ``.venv`` is below the project.

    For its ``--update`` option it reads every module that a test imports from below the project
    as Python source, and fails on compiled ones.  A test's own bytes are fingerprint enough.
    """
    if config.pluginmanager.hasplugin("pytest-brownie"):
        from brownie.test.managers import base

        base._get_ast_hash = lambda path: hashlib.sha256(Path(path).read_bytes()).hexdigest()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the contract tests to runs with Brownie's plugin."""
    if collection_path == CONTRACT_TESTS and not config.pluginmanager.hasplugin("pytest-brownie"):
        return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips because a required program is missing; list what others lack."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        need = re.match(r"(?:Skipped: )?needs (\S+)", reason)
        if need and need[1].rstrip(",.:;") in REQUIRED:
            report.outcome = "failed"
            report.longrepr = f"{reason}\n(RADLEDGER_REQUIRE says that it is here)"
        elif need:
            # Skips of the same place and reason are one line of the summary.
            report.longrepr = ("tests", None, reason)
    return report


# ------------------------------------------------------------------------------- local chains


@pytest.fixture(scope="session")
def anvil_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An anvil of this test run."""
    yield from _endpoint("anvil", tmp_path_factory.mktemp("anvil"))


@pytest.fixture(scope="session")
def ganache_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Ganache of this test run."""
    yield from _endpoint("ganache", tmp_path_factory.mktemp("ganache"))


@pytest.fixture(scope="session")
def geth_endpoint(
    people: dict[str, LocalAccount], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A geth of this test run: a proof-of-authority chain of one validator."""
    yield from _validator_endpoint(people, tmp_path_factory.mktemp("geth"), free_gas=False)


@pytest.fixture(scope="session")
def free_gas_endpoint(
    people: dict[str, LocalAccount], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A geth of this test run where gas is free and blocks have no base fee."""
    yield from _validator_endpoint(people, tmp_path_factory.mktemp("geth"), free_gas=True)


def _validator_endpoint(
    people: dict[str, LocalAccount], data: Path, *, free_gas: bool
) -> Iterator[str]:
    from radledger.devnet import poa
    from radledger.devnet.errors import NodeFailed

    chain = poa.Chain(data / "poa", free_gas=free_gas, period=0)
    chain.create(1, [account.address for name, account in people.items() if name != "patient"])
    try:
        node = chain.start(0)
    except NodeFailed as error:
        pytest.skip(f"needs geth: {error}")
    try:
        chain.join([node])
        yield node.endpoint
    finally:
        node.stop()


def _endpoint(chain: str, data: Path) -> Iterator[str]:
    from radledger.devnet import process
    from radledger.devnet.errors import NodeFailed

    try:
        node = process.start(chain, data, MNEMONIC, accounts=10)
    except NodeFailed as error:
        pytest.skip(f"needs {chain}: {error}")
    try:
        yield node.endpoint
    finally:
        node.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a database of a PostgreSQL of this test run; use ``postgresql``, which empties it."""
    from tests.postgresql import running_postgresql

    with running_postgresql() as url:
        yield url


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """URL of an empty PostgreSQL database."""
    from tests.postgresql import empty_database

    empty_database(postgresql_server)
    return postgresql_server


@pytest.fixture(scope="session")
def people() -> dict[str, LocalAccount]:
    """Account of each person of :mod:`radledger.devnet.people`; the patient has no Ether."""
    from eth_account import Account

    from radledger.devnet.people import FUNDED

    Account.enable_unaudited_hdwallet_features()
    indices = {name: index for index, name in enumerate(FUNDED)} | {"patient": 100}
    return {
        name: Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        for name, index in indices.items()
    }


@pytest.fixture(scope="session")
def encryption_keys(people: dict[str, LocalAccount]) -> dict[str, PrivateKey]:
    """Private key of each person whose public key is registered: all but the stranger."""
    from radledger.crypto.keys import new_private_key

    return {name: new_private_key() for name in people if name != "stranger"}


@pytest.fixture(scope="session")
def deployed_ledger(
    anvil_endpoint: str,
    people: dict[str, LocalAccount],
    encryption_keys: dict[str, PrivateKey],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ledger:
    """All contracts on anvil, all people accredited; use ``ledger``, which reverts changes."""
    from radledger.chain.ledger import Ledger
    from radledger.chain.nodes.connect import connect
    from radledger.chain.nodes.networks import Network
    from radledger.crypto.keys import public_key
    from radledger.deployment.deploy import deploy
    from radledger.devnet.people import accredit, register_key

    web3 = connect(Network("anvil", anvil_endpoint))
    folder = tmp_path_factory.mktemp("deployments")
    holder = people["researcher"].address
    deployment = deploy(web3, people["governor"], folder, token_holder=holder)
    ledger = Ledger(web3, deployment)
    accredit(ledger, people)
    for name, key in encryption_keys.items():
        payer = people["hospital"] if name == "patient" else people[name]
        register_key(ledger, people[name], public_key(key), payer)
    return ledger


@pytest.fixture
def ledger(deployed_ledger: Ledger) -> Iterator[Ledger]:
    """The contracts as deployed, with all people accredited; a test's changes are reverted."""
    from radledger.chain.rpc import request

    snapshot = request(deployed_ledger.web3, "evm_snapshot", [])
    yield deployed_ledger
    request(deployed_ledger.web3, "evm_revert", [snapshot])
    # The next test must not resume what this one interrupted.
    vars(deployed_ledger).pop("sender", None)


@pytest.fixture
def submit(ledger: Ledger) -> Callable[..., Receipt]:
    """Submit a signed document, at the cost of the account given."""
    from radledger import signed

    return partial(signed.submit, ledger)

"""What the areas declare is what their contracts have."""

from __future__ import annotations

import sys
from subprocess import run

import pytest

from radledger.area.declaration import Contract, load
from radledger.areas import AREAS, CONTRACTS
from radledger.chain import artifacts, refusals
from radledger.chain.ledger import Ledger
from radledger.identity.tables import participants
from radledger.index import rows, source, tables
from radledger.index.service import Index


def entries(contract, kind):
    """What a contract's ABI has of a kind, by name."""
    abi = artifacts.load(contract).abi
    return {entry["name"]: entry for entry in abi if entry["type"] == kind}


def names(entry):
    return [each["name"] for each in entry["inputs"]]


@pytest.fixture(params=CONTRACTS.values(), ids=lambda contract: contract.name)
def contract(request):
    return request.param


def test_each_constructor_takes_what_is_declared(contract):
    (constructor,) = (
        [each for each in artifacts.load(contract.name).abi if each["type"] == "constructor"]
        or [{"inputs": []}]
    )  # fmt: skip
    assert len(constructor["inputs"]) == len(contract.constructor)


def test_constructors_take_contracts_that_were_deployed_before():
    before: set[str] = set()
    for contract in CONTRACTS.values():
        assert {each for each in contract.constructor if each[0].isupper()} <= before
        before.add(contract.name)


def test_actors_are_arguments_of_their_events(contract):
    events = entries(contract.name, "event")
    for event, argument in contract.actors.items():
        assert argument in names(events[event])


def test_relayed_functions_exist_and_trust_the_forwarder(contract):
    functions = entries(contract.name, "function")
    assert set(contract.relayed) <= functions.keys()
    assert not contract.relayed or "Forwarder" in contract.constructor


def test_rows_are_made_of_events_that_exist(contract):
    if contract.rows:
        assert load(contract.rows).keys() <= entries(contract.name, "event").keys()


def test_hints_are_of_errors_that_exist():
    for area in AREAS:
        for error in area.hints:
            assert hasattr(refusals, error), f"{area.name} has a hint for {error}"


def test_declarations_import_nothing_heavy():
    heavy = "{'web3', 'sqlalchemy', 'typer', 'pydicom', 'cryptography', 'eth_abi'}"
    program = f"import sys, radledger.areas; print({heavy} & sys.modules.keys())"
    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- two contracts with an event of one name -----------------------------------------------------


def _admitted(args):
    row = {"change": "elsewhere", "account": args["account"]}
    return [(participants, row)]


ROWS = {"ParticipantAdmitted": _admitted}
SECOND = Contract(
    "SecondRegistry",
    actors={"ParticipantAdmitted": "account"},
    rows=f"{__name__}:ROWS",
)


@pytest.fixture
def with_second_registry(ledger, people, monkeypatch):
    """A ledger with a second contract that has the events of ``ParticipantRegistry``."""
    from dataclasses import replace

    first = artifacts.load("ParticipantRegistry")
    monkeypatch.setattr(
        artifacts,
        "load",
        lambda name, load=artifacts.load: first if name == SECOND.name else load(name),
    )
    for module in (rows, source):
        monkeypatch.setattr(module, "CONTRACTS", {**CONTRACTS, SECOND.name: SECOND})
    rows._makers.cache_clear()
    governor = people["governor"]
    factory = ledger.web3.eth.contract(abi=first.abi, bytecode=first.bytecode)
    arguments = (ledger.address("Forwarder"), [governor.address])
    data = factory.constructor(*arguments).data_in_transaction
    receipt = ledger.sender.send(governor, None, data)
    deployed = replace(
        ledger.deployment.contracts["ParticipantRegistry"],
        address=ledger.web3.to_checksum_address(receipt["contractAddress"]),
        block=int(receipt["blockNumber"], 16),
    )
    contracts = {**ledger.deployment.contracts, SECOND.name: deployed}
    yield Ledger(ledger.web3, replace(ledger.deployment, contracts=contracts))
    rows._makers.cache_clear()


def test_two_contracts_may_have_an_event_of_one_name(with_second_registry, people, tmp_path):
    ledger, account = with_second_registry, people["stranger"].address
    for contract in ("ParticipantRegistry", SECOND.name):
        ledger.send(people["governor"], contract, "admitInstitution", account, 2)
    index = Index(ledger, tmp_path)
    index.sync()
    with index.database.reading() as connection:
        found = connection.execute(
            tables.events.select().where(tables.events.c.name == "ParticipantAdmitted")
        ).mappings().all()  # fmt: skip
        changes = connection.execute(participants.select()).mappings().all()
    by_contract = {row["contract"]: row for row in found if row["args"]["account"] == account}
    assert by_contract["ParticipantRegistry"]["who"] == people["governor"].address
    assert by_contract[SECOND.name]["who"] == account
    assert [row["change"] for row in changes if row["account"] == account] == [
        "admitted",
        "elsewhere",
    ]
    index.database.engine.dispose()

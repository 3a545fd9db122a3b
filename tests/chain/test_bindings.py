"""What Python needs of the contracts' declarations is what the contracts declare."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from eth_utils import keccak

from radledger.areas import AREAS, CONTRACTS
from radledger.chain import artifacts
from radledger.chain.enumeration import Enumeration
from radledger.chain.enumerations import ENUMERATIONS

ROOT = Path(__file__).resolve().parents[2]
BINDINGS = [importlib.import_module(f"radledger.{area.name}.bindings") for area in AREAS]
needs_compiler = pytest.mark.skipif(
    find_spec("solcx") is None or find_spec("ruff") is None,
    reason="needs py-solc-x and ruff, which compile and format",
)


def parameters(entries):
    for entry in entries:
        for name in ("inputs", "outputs", "components"):
            yield from entry.get(name, [])
            yield from parameters(entry.get(name, []))


def declared(kind):
    """The parameters of that kind in the ABIs of all areas, by internal type."""
    found = {}
    for name in CONTRACTS:
        for parameter in parameters(artifacts.load(name).abi):
            internal = parameter.get("internalType", "").split("[")[0]
            if internal.startswith(kind):
                found[internal] = parameter
    return found


@needs_compiler
def test_the_modules_are_those_of_the_present_contracts():
    command = [sys.executable, "-m", "tools.generate_bindings", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_enumeration_of_an_abi_has_a_class():
    assert ENUMERATIONS.keys() == declared("enum ").keys()
    assert {"enum IImageRegistry.Kind", "enum IConsentOracle.Reason"} < ENUMERATIONS.keys()
    for internal, members in ENUMERATIONS.items():
        name = internal.split(".")[-1]
        assert members in [
            tuple(getattr(module, name)) for module in BINDINGS if name in module.__all__
        ]


def test_each_struct_of_an_abi_has_a_class_with_its_fields():
    structs = declared("struct ")
    del structs["struct ERC2771Forwarder.ForwardRequestData"]  # OpenZeppelin's
    assert {"struct ImageSet", "struct IConsentGrants.Terms"} < structs.keys()
    for internal, parameter in structs.items():
        name = internal.removeprefix("struct ").split(".")[-1]
        fields = [field["name"].lower() for field in parameter["components"]]
        assert fields in [
            [field.replace("_", "") for field in getattr(module, name)._fields]
            for module in BINDINGS
            if name in module.__all__
        ]


def test_what_is_signed_is_what_the_contract_hashes():
    for contract, area in (("ConsentRegistry", "consent"), ("DatasetRegistry", "research")):
        signed = importlib.import_module(f"radledger.{area}.bindings").TYPED_DATA
        code = artifacts.load(contract).deployed_bytecode
        for struct, fields in signed.items():
            listed = ",".join(f"{type_} {name}" for type_, name in fields)
            assert keccak(text=f"{struct}({listed})") in code


def test_a_member_is_its_words_and_has_a_number():
    class Reason(Enumeration):
        PERMITTED = "permitted"
        NEVER_GRANTED = "never granted"

    assert f"{Reason.of(1)}" == "never granted" == Reason.NEVER_GRANTED
    assert [each.number for each in Reason] == [0, 1]
    with pytest.raises(IndexError):
        Reason.of(2)


SOURCE = """
type Scope is bytes4;
type Mask is uint32;
library Shared {
    uint256 internal constant HOURS = 2 * 1 hours + 30 minutes;
    uint256 internal constant SPAN = HOURS / 60;
    uint16 internal constant LAST = type(uint16).max;
    uint96 private constant MOST = uint96((1 << 96) - 1);
    Mask internal constant ROLES = Mask.wrap(1 << 3 | 0x10);
    uint32 internal constant OF_ROLES = Mask.unwrap(ROLES);
    Scope internal constant ALL = Scope.wrap(0);
    Scope internal constant ONE = Scope.wrap(bytes4(hex"01020304"));
    bytes32 internal constant TEXT = "radledger";
    bytes32 internal constant HASH = keccak256("Accept(bytes32 dataset)");
    uint256 internal constant SUM = 1_000 ** 2;
}
contract User {
    uint256 public constant AGAIN = Shared.SPAN;
}
"""


@needs_compiler
def test_constants_have_the_values_that_solidity_gives_them():
    import solcx

    from tools.compile_contracts import SOLC_VERSION
    from tools.solidity import Sources

    name = "contracts/test/Shared.sol"
    request = {
        "language": "Solidity",
        "sources": {name: {"content": SOURCE}},
        "settings": {"outputSelection": {"*": {"*": ["abi"], "": ["ast"]}}},
    }
    compiled = solcx.compile_standard(request, solc_version=SOLC_VERSION)
    constants = {each.name: each for each in Sources(compiled).constants(name)}
    assert {each.name: each.value for each in constants.values()} == {
        "HOURS": 9_000,
        "SPAN": 150,
        "LAST": 65_535,
        "MOST": 2**96 - 1,
        "ROLES": 24,
        "OF_ROLES": 24,
        "ALL": bytes(4),
        "ONE": bytes.fromhex("01020304"),
        "TEXT": b"radledger".ljust(32, b"\0"),
        "HASH": keccak(text="Accept(bytes32 dataset)"),
        "SUM": 1_000_000,
        "AGAIN": 150,
    }
    assert [each.name for each in constants.values() if each.private] == ["MOST"]
    assert constants["HASH"].hashed == "Accept(bytes32 dataset)"
    assert constants["AGAIN"].contract == "User"

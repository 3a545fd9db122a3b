"""Every way of a contract to say no becomes one typed error, on every node."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector as selector_of

from radledger.chain import artifacts, refusals, reverts
from radledger.chain.errors import RevertedUnexplained, RevertedWithPanic, RevertedWithReason

ROOT = Path(__file__).resolve().parents[2]
SOMEBODY = "0x5a5A5a5a5A5a5a5a5a5A5a5A5A5a5a5A5A5A5A5A"


def declared_errors():
    entries = (entry for name in artifacts.names() for entry in artifacts.load(name).abi)
    return {entry["name"]: entry for entry in entries if entry["type"] == "error"}


def test_each_custom_error_has_a_class_with_its_arguments():
    errors = declared_errors()
    assert {
        "ConsentNotPermittedExpired",
        "ImageNotCustodian",
        "ERC20InsufficientBalance",
    } < errors.keys()
    for name, entry in errors.items():
        kind = getattr(refusals, name)
        parameters = tuple((each["name"], each["type"]) for each in entry["inputs"])
        assert tuple(each[:2] for each in kind.parameters) == parameters
        signature = f"{name}({','.join(type_ for _, type_ in parameters)})"
        assert kind.selector == selector_of(signature).hex()


@pytest.mark.skipif(find_spec("ruff") is None, reason="needs ruff, which formats what is written")
def test_the_classes_are_those_of_the_present_contracts():
    done = subprocess.run(
        [sys.executable, "tools/generate_refusals.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_error_decodes_to_its_class_and_values():
    zeros = {"string": "", "bool": False, "address": "0x" + "00" * 20}
    for name, entry in declared_errors().items():
        types = [each["type"] for each in entry["inputs"]]
        values = [
            zeros.get(type_, b"\0" * 32 if type_ == "bytes32" else 0)
            if not type_.startswith("bytes")
            else bytes(int(type_[5:]))
            for type_ in types
        ]
        data = bytes.fromhex(getattr(refusals, name).selector) + encode(types, values)
        error = reverts.decode(data)
        assert type(error) is getattr(refusals, name)
        assert list(error.values) == [each["name"] for each in entry["inputs"]]


def test_values_are_printable_and_in_the_message():
    data = bytes.fromhex(refusals.ConsentNotPermittedExpired.selector) + encode(
        ["address", "address", "uint40"], [SOMEBODY, SOMEBODY, 1_800_000_000]
    )
    error = reverts.decode(data)
    assert error.values == {
        "subject": SOMEBODY,
        "reader": SOMEBODY,
        "until": 1_800_000_000,
    }
    assert "1800000000" in error.message
    image = reverts.decode(bytes.fromhex(refusals.ImageNotAnchored.selector) + b"\x12" * 32)
    assert image.values == {"image": "0x" + "12" * 32}


def test_reasons_panics_and_the_unknown():
    reason = reverts.decode(bytes.fromhex("08c379a0") + encode(["string"], ["not today"]))
    assert (type(reason), reason.values) == (RevertedWithReason, {"reason": "not today"})
    panic = reverts.decode(bytes.fromhex("4e487b71") + encode(["uint256"], [0x12]))
    assert (type(panic), panic.values) == (RevertedWithPanic, {"code": 0x12})
    assert "division by zero" in panic.message
    for data in (b"", b"\x01", b"\xde\xad\xbe\xef" + b"\1" * 32):
        unknown = reverts.decode(data)
        assert (type(unknown), unknown.values) == (RevertedUnexplained, {"data": "0x" + data.hex()})


def test_a_familiar_selector_with_cut_arguments_is_not_trusted():
    cut = bytes.fromhex(refusals.ConsentNotPermittedExpired.selector) + b"\0" * 31
    assert type(reverts.decode(cut)) is RevertedUnexplained


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0x1234", b"\x12\x34"),
        ("Reverted 0x1234", b"\x12\x34"),
        ({"hash": None, "result": "0x1234", "reason": None}, b"\x12\x34"),
        ({"0xabc": {"error": "revert", "return": "0x1234"}, "stack": ""}, b"\x12\x34"),
        ({"message": "revert"}, None),
        ("out of gas", None),
        ("0xnonsense", None),
        (None, None),
    ],
)
def test_revert_data_of_each_node(data, expected):
    assert reverts.revert_data(data) == expected


def test_both_nodes_refuse_calls_and_transactions_alike(fresh_ledger):
    ledger, governor = fresh_ledger
    ledger.send(governor, "ParticipantRegistry", "admitInstitution", governor.address, 1 << 1)
    assert ledger.call("ParticipantRegistry", "requireRole", governor.address, 1 << 1)
    with pytest.raises(refusals.ParticipantLacksRole) as view:
        ledger.call("ParticipantRegistry", "requireRole", governor.address, 1 << 3)
    assert view.value.values == {"account": governor.address, "role": 8, "held": 3}
    stranger = Account.create()
    with pytest.raises(refusals.ParticipantNotGovernor) as sent:
        ledger.send(stranger, "ParticipantRegistry", "admitInstitution", SOMEBODY, 2)
    assert sent.value.values == {"account": stranger.address}


def test_an_error_from_a_contract_further_down_keeps_its_name(fresh_ledger):
    ledger, governor = fresh_ledger
    custodian = bytes.fromhex(governor.address[2:])
    groups = (b"\3" * 12 + custodian, b"\4" * 12 + custodian)
    image_set = (SOMEBODY, b"\1" * 32, b"\2" * 32, *groups, 1, 0)
    # ImageRegistry asks ParticipantRegistry, which is who refuses.
    with pytest.raises(refusals.ParticipantNotAccredited) as refusal:
        ledger.send(governor, "ImageRegistry", "anchor", image_set)
    assert refusal.value.values == {"account": governor.address}
    ledger.send(governor, "ParticipantRegistry", "admitInstitution", governor.address, 1 << 1)
    assert ledger.send(governor, "ImageRegistry", "anchor", image_set).events

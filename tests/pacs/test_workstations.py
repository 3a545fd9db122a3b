"""The list of workstations is read whole, or refused with its line."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.consent.permission import Use
from radledger.errors import UsageError
from radledger.pacs.errors import InvalidWorkstationList
from radledger.pacs.workstations import read_workstations

HEADER = "title,host,port,account,purpose\n"
READERS = {"reading-room": Account.from_key("0x" + "01" * 32)}


def account(name):
    if name not in READERS:
        raise UsageError(f"there is no account {name}")
    return READERS[name]


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "workstations.csv"

    def read(text):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_workstations(file, account)

    return read


def test_workstations_read_as_accounts(listed):
    stations = listed(
        "\ufeff"
        + HEADER
        + "READ 1,10.0.0.21,104, reading-room ,CC\nREAD2,localhost,11112,reading-room,GRU CC\n\n"
    )
    first, second = stations["READ 1"], stations["READ2"]
    assert (str(first.peer), first.use) == ("READ 1@10.0.0.21:104", Use.of(["CC"]))
    assert (str(second.peer), second.use) == ("READ2@localhost:11112", Use.of(["CC", "GRU"]))
    assert first.reader == second.reader == READERS["reading-room"].address


def test_where_a_workstation_is(listed):
    station = listed(HEADER + "A,127.0.0.1,104,reading-room,CC\n")["A"]
    assert station.is_at("127.0.0.1")
    assert not station.is_at("127.0.0.2")
    named = listed(HEADER + "A,localhost,104,reading-room,CC\n")["A"]
    assert named.is_at("127.0.0.1")
    unknown = listed(HEADER + "A,pacs.invalid,104,reading-room,CC\n")["A"]
    assert not unknown.is_at("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        (HEADER, 1),
        ("title,host,port,account\n", 1),
        (HEADER + "A,h,104,reading-room\n", 2),
        (HEADER + "A,h,104,reading-room,CC,x\n", 2),
        (HEADER + "A,h,,reading-room,CC\n", 2),
        (HEADER + "A,h,0,reading-room,CC\n", 2),
        (HEADER + "A,h,65536,reading-room,CC\n", 2),
        (HEADER + "A,h,١٠٤,reading-room,CC\n", 2),
        (HEADER + "A,h,port,reading-room,CC\n", 2),
        (HEADER + "A\\B,h,104,reading-room,CC\n", 2),
        (HEADER + "A,h,104,stranger,CC\n", 2),
        (HEADER + "A,h,104,reading-room,XX\n", 2),
        (HEADER + "A,h,104,reading-room,CC\nA,h,105,reading-room,CC\n", 3),
        (HEADER + 'A,h,104,"reading-room,CC\n', 2),
        (HEADER.encode() + b"\xff,h,104,reading-room,CC\n", 1),
    ],
)
def test_lists_that_are_none(listed, tmp_path, text, line):
    with pytest.raises(InvalidWorkstationList) as refused:
        listed(text)
    assert refused.value.values == {"file": str(tmp_path / "workstations.csv"), "line": line}
    assert "\n" not in refused.value.message


def test_list_that_is_not_there(tmp_path):
    with pytest.raises(InvalidWorkstationList, match="cannot be read: No such file"):
        read_workstations(tmp_path / "none.csv", account)

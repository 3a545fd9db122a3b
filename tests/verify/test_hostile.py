"""Bundles that were made to break the verifier are refused in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rlp
from eth_hash.auto import keccak

from radledger.verify.form import LIMIT, read
from tests.verify.clique import bundle_of, write
from tests.verify.conftest import Told

DEEP = 100_000


def changed(good: bytes, **values: object) -> bytes:
    """The bundle with other values, in the same form as far as they allow."""
    bundle = {**json.loads(good), **values}
    return json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def cases(good: bytes) -> dict[str, bytes]:
    text, bundle = good.decode(), json.loads(good)
    event, leaf = bundle["events"][0], bundle["leaves"][0]
    without = {key: value for key, value in bundle.items() if key != "image"}
    return {
        "nothing": b"",
        "no JSON": b"PK\x03\x04",
        "not ASCII": "ü".encode(),
        "UTF-16": text.encode("utf-16"),
        "truncated": good[: len(good) // 2],
        "deep list": b"[" * DEEP,
        "deep object": b'{"a":' * DEEP,
        "deep inside": changed(good, image=0).replace(b":0", b":" + b"[" * DEEP + b"]" * DEEP),
        "huge number": b"9" * 1_000_000,
        "huge exponent": changed(good, image=0).replace(b":0", b":1e999999999"),
        "not a number": changed(good, image=float("nan")),
        "infinite": changed(good, image=float("inf")),
        "a list": b"[]\n",
        "a text": b'"radledger-bundle/1"\n',
        "null": b"null\n",
        "missing key": json.dumps(without).encode(),
        "key too many": changed(good, more=1),
        "key twice": text.replace('{"contract":', '{"contract":"0x00","contract":', 1).encode(),
        "another version": changed(good, format="radledger-bundle/2"),
        "events an object": changed(good, events={"0": event}),
        "events null": changed(good, events=None),
        "event a text": changed(good, events=["0x"]),
        "transaction a number": changed(good, events=[{**event, "transaction": 0}]),
        "transaction long": changed(good, events=[{**event, "transaction": "0x" + "00" * 10**6}]),
        "headers a text": changed(good, events=[{**event, "headers": "0x"}]),
        "header empty": changed(good, events=[{**event, "headers": ["0x"]}]),
        "header large": changed(good, events=[{**event, "headers": ["0x" + "00" * 4097]}]),
        "much RLP": changed(good, events=[{**event, "receipt": ["0x" + "c0" * (1 << 20)]}]),
        "header no list": changed(good, events=[{**event, "headers": ["0x80"]}]),
        "header of nothing": changed(good, events=[{**event, "headers": ["0xc0"]}]),
        "receipt of nothing": changed(good, events=[{**event, "receipt": []}]),
        "leaf a number": changed(good, leaves=[1]),
        "leaf true": changed(good, leaves=[True]),
        "salt short": changed(good, leaves=[{**leaf, "salt": "0x00"}]),
        "salt upper case": changed(good, leaves=[{**leaf, "salt": "0x" + "AA" * 32}]),
        "salt with a line": changed(good, leaves=[{**leaf, "salt": leaf["salt"] + "\n"}]),
        "sibling long": changed(good, leaves=[{**leaf, "proof": ["0x" + "00" * 33]}]),
        "escaped": text.replace('"image":', '"imag\\u0065":', 1).encode(),
        "spaced": text.replace(":", ": ", 1).encode(),
        "unsorted": json.dumps(dict(reversed(bundle.items()))).encode(),
        "RLP longer than it is": changed(
            good, events=[{**event, "headers": ["0xff" + "ff" * 8, *event["headers"][1:]]}]
        ),
        "RLP deep": changed(good, events=[{**event, "headers": ["0x" + deep_rlp().hex()]}]),
        "too large": b" " * (LIMIT + 1),
    }


def deep_rlp() -> bytes:
    """Lists in lists, by the thousand."""
    encoded = b"\xc0"
    for _ in range(5_000):
        length = len(encoded)
        size = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([0xC0 + length]) if length < 56 else bytes([0xF7 + len(size)]) + size
        encoded = head + encoded
    return encoded


NAMES = sorted(cases(write(bundle_of())))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_bundles(
    name: str, good: bytes, tmp_path: Path, validators: Path, run: Callable[..., Told]
) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(cases(good)[name])
    told = run(path, "--validators", validators)
    assert (told.code, told.err) == (1, "")
    assert told.out.startswith("no: bundle")
    assert told.out.count("\n") == 1
    assert len(told.out) < 600
    answer = run(path, "--validators", validators, "--json")
    assert (answer.code, set(answer.object)) == (1, {"answer", "where", "why"})
    assert answer.object["answer"] == "no"


def test_a_gibibyte(tmp_path: Path, validators: Path, run: Callable[..., Told]) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)
    told = run(path, "--validators", validators)
    assert (told.code, told.out) == (1, f"no: bundle has more than {LIMIT} bytes\n")


@pytest.mark.parametrize(
    "root_node",
    [
        [],
        [b""],
        [b"", b""],
        [b"\x20", [b"\x01"]],
        [b"\xff" * 40, b"\x01"],
        [b""] * 17,
        [[]] * 17,
        [b"\x20" + b"\xff" * 500_000, b"\x01"],
        [[b"\x01"] * 1_000, b""],
    ],
    ids=lambda node: repr(node)[:40],
)
def test_a_hostile_block_whose_hash_was_given(
    root_node: list[object], good: bytes, tmp_path: Path, run: Callable[..., Told]
) -> None:
    """A verifier who was talked into trusting a hash still gets one line."""
    bundle = read(good)
    node = rlp.encode(root_node)
    fields = rlp.decode(bundle["events"][0]["headers"][0])
    header = rlp.encode([*fields[:5], keccak(node), *fields[6:]])
    bundle["events"] = [{**bundle["events"][0], "headers": [header], "receipt": [node]}]
    path = tmp_path / "hostile"
    path.write_bytes(write(bundle))
    told = run(path, "--block-hash", "0x" + keccak(header).hex())
    assert (told.code, told.err, told.out.count("\n")) == (1, "", 1)
    assert told.out.startswith("no: bundle")
    assert len(told.out) < 600


def test_a_block_of_a_time_that_has_no_date(
    good: bytes, tmp_path: Path, run: Callable[..., Told]
) -> None:
    """The time of a block is a number of seconds in 32 bits, to the year 2106."""
    bundle = read(good)
    answers = {}
    for time in (b"\xff" * 4, b"\x01" + bytes(4), b"\xff" * 8, b"\xff" * 32):
        headers = []
        for event in bundle["events"]:
            fields = rlp.decode(event["headers"][0])
            headers.append(rlp.encode([*fields[:11], time, *fields[12:]]))
        events = [
            {**event, "headers": [header]}
            for event, header in zip(bundle["events"], headers, strict=True)
        ]
        path = tmp_path / "hostile"
        path.write_bytes(write({**bundle, "events": events}))
        trusted = (f"--block-hash=0x{keccak(header).hex()}" for header in headers)
        told = run(path, *trusted)
        assert told.err == ""
        answers[len(time)] = (told.code, told.out.splitlines()[0])
    assert answers[4][0] == 3
    assert answers[5] == answers[8] == answers[32]
    assert answers[8] == (1, "no: bundle.events[0].headers[0] is not a block header")

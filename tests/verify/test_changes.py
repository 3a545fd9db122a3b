"""One byte changed anywhere in a bundle: no, and where."""

from __future__ import annotations

import json
import random

import pytest
from eth_hash.auto import keccak

from radledger.verify.form import Invalid, read
from radledger.verify.proof import Trust, verify
from tests.verify.conftest import MAJORITY

CHANGES = 1000


def trusts(good: bytes) -> list[Trust]:
    last = frozenset(keccak(event["headers"][-1]) for event in read(good)["events"])
    return [MAJORITY, Trust(block_hashes=last)]


@pytest.mark.parametrize("trusted", [0, 1], ids=["validators", "block-hashes"])
def test_one_byte_changed_anywhere(good: bytes, trusted: int) -> None:
    trust, draw, refused = trusts(good)[trusted], random.Random(1), 0
    assert verify(good, trust)
    for _ in range(CHANGES):
        changed = bytearray(good)
        position = draw.randrange(len(good))
        changed[position] ^= draw.randrange(1, 256)
        with pytest.raises(Invalid, match=r"^\('bundle") as refusal:
            verify(bytes(changed), trust)
        refused += all(refusal.value.args)
    print(f"{refused} of {CHANGES} changed bundles refused")
    assert refused == CHANGES


def test_one_hexadecimal_digit_changed_in_each_text(good: bytes) -> None:
    """Changes that leave the form whole, in each text of the bundle: the proofs notice."""
    draw, text = random.Random(2), good.decode()
    for start in [i for i in range(len(text)) if text.startswith('"0x', i)]:
        end = text.index('"', start + 1)
        position = draw.randrange(start + 3, end)
        digit = draw.choice([each for each in "0123456789abcdef" if each != text[position]])
        changed = text[:position] + digit + text[position + 1 :]
        json.loads(changed)
        with pytest.raises(Invalid):
            verify(changed.encode(), MAJORITY)


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ('"contract":"0x', "bundle.events[0]"),
        ('"event":"', "bundle.events[0].event"),
        ('"headers":["0x', "bundle.events[0].headers"),
        ('"receipt":["0x', "bundle.events[0].receipt[0]"),
        ('"transaction":"0x', "bundle.events[0].receipt"),
        ('"format":"radledger-bundle/', "bundle.format"),
        ('"image":"0x', "bundle.events[0]"),
        ('"fileDigest":"0x', "bundle.leaves[0]"),
        ('"imageDigest":"0x', "bundle.leaves[0]"),
        ('"proof":["0x', "bundle.leaves[0]"),
        ('"salt":"0x', "bundle.leaves[0]"),
    ],
)
def test_the_part_that_was_changed_is_named(good: bytes, part: str, where: str) -> None:
    position = good.index(part.encode()) + len(part) + (part.endswith("0x"))
    changed = bytearray(good)
    changed[position] = ord("7") if changed[position] != ord("7") else ord("8")
    with pytest.raises(Invalid) as refusal:
        verify(bytes(changed), MAJORITY)
    assert refusal.value.args[0].startswith(where)


def test_a_byte_too_many_or_too_few(good: bytes) -> None:
    for changed in (good + b"\n", good + b" ", good[:-1], b" " + good, good[1:]):
        with pytest.raises(Invalid):
            verify(changed, MAJORITY)

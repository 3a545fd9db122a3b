"""A verifier in JavaScript, which follows the documentation, finds what ours finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from radledger.verify.form import Invalid, read
from radledger.verify.proof import Trust, verify
from tests.verify.clique import ADDRESSES, bundle_of, write

SCRIPT = Path(__file__).with_name("verify_bundle.mjs")
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "verification"
TRUST = {"validators": ["0x" + each.hex() for each in ADDRESSES], "needed": 3, "hashes": []}
OURS = Trust(frozenset(ADDRESSES), 3)


def theirs(bundles: list[bytes], trust: dict[str, Any] = TRUST) -> list[dict[str, Any]]:
    """What the verifier in JavaScript says of each bundle."""
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")
    if node is None or not (ROOT / "node_modules" / "viem").is_dir():
        pytest.skip("needs node and viem: run `make setup`")
    done = subprocess.run(
        [node, SCRIPT, json.dumps(trust)],
        input=json.dumps([each.decode() for each in bundles]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return list(json.loads(done.stdout))


def short(facts: dict[str, Any]) -> dict[str, Any]:
    """The values that both give in the same form."""
    names = (
        "event",
        "image",
        "root",
        "manifest",
        "certificate",
        "visit",
        "parent",
        "block",
        "hash",
    )
    events = [{name: each[name] for name in names if name in each} for each in facts["events"]]
    return {**facts, "events": events}


def test_both_find_the_same() -> None:
    bundles = [
        write(bundle_of(transactions=number, typed=typed, position=min(5, number - 1)))
        for number in (1, 20, 300)
        for typed in (True, False)
    ]
    ours = [verify(bundle, OURS) for bundle in bundles]
    assert [short(each) for each in theirs(bundles)] == [short(each) for each in ours]


def test_both_accept_a_bundle_of_real_validators() -> None:
    data = (EXAMPLE / "example.bundle").read_bytes()
    validators = (EXAMPLE / "validators.txt").read_text().split()
    ours = verify(data, Trust(frozenset(bytes.fromhex(each[2:]) for each in validators), 4))
    (facts,) = theirs([data], {"validators": validators, "needed": 4, "hashes": []})
    assert short(facts) == short(ours)
    (refused,) = theirs([data], {"validators": validators[:3], "needed": 2, "hashes": []})
    assert refused == {"where": "bundle.events[0].headers"}
    last = "0x" + keccak(read(data)["events"][0]["headers"][-1]).hex()
    by_hash = {"validators": [], "needed": 1, "hashes": [last]}
    assert theirs([data], by_hash) == [facts]


PARTS: dict[str, tuple[Any, ...]] = {
    "bundle.events[0].headers": ("events", 0, "headers", 2),
    "bundle.events[1].headers": ("events", 1, "headers", 3),
    "bundle.events[0].receipt[0]": ("events", 0, "receipt", 0),
    "bundle.events[2].receipt[1]": ("events", 2, "receipt", 1),
    "bundle.events[3].receipt": ("events", 3, "transaction"),
    "bundle.events[0]": ("image",),
    "bundle.leaves[0]": ("leaves", 0, "salt"),
    "bundle.leaves[1]": ("leaves", 1, "fileDigest"),
    "bundle.leaves[2]": ("leaves", 2, "proof", 0),
}


def test_both_refuse_the_same_changes() -> None:
    good = write(bundle_of())
    changed = [with_another_byte(good, part) for part in PARTS.values()]
    for where, bundle, told in zip(PARTS, changed, theirs(changed), strict=True):
        with pytest.raises(Invalid) as refusal:
            verify(bundle, OURS)
        assert refusal.value.args[0].startswith(where)
        assert told["where"].startswith(where)


def with_another_byte(good: bytes, part: tuple[Any, ...]) -> bytes:
    """A bundle in its form, but for the last byte of one part."""
    bundle = read(good)
    *way, last = part
    inner: Any = bundle
    for step in way:
        inner = inner[step]
    inner[last] = inner[last][:-1] + bytes([inner[last][-1] ^ 1])
    return write(bundle)

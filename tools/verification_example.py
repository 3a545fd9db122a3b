"""The worked example of ``docs/verification.md``, value by value from the bundle beside it.

``python -m tools.verification_example`` writes it into the page.  The bundle is a real one, of a
chain of four geth validators; each value below is worked out here with hash function, RLP and
signature recovery alone, as the page tells it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "verification.md"
FOLDER = ROOT / "docs" / "verification"
BEGIN, END = "<!-- begin: python -m tools.verification_example -->\n", "<!-- end -->\n"
SIGNATURE = (
    "ImageAnchored(bytes32,address,address,bytes32,bytes32,bytes32,bytes32,uint32,uint8,bytes32)"
)
WORDS = (
    "image",
    "custodian",
    "patient",
    "root",
    "manifest",
    "visit",
    "course",
    "instances",
    "kind",
    "parent",
)


def section() -> str:
    """The example as Markdown."""
    bundle = json.loads((FOLDER / "example.bundle").read_text())
    (event,), (leaf,) = bundle["events"], bundle["leaves"]
    logs, receipt = _logs(event)
    return "\n".join(
        [
            *_block("Headers", _headers(event)),
            *_block("Receipt", receipt),
            *_block("Log", _log(bundle, logs)),
            *_block("Leaf", _leaf(leaf)),
            "",
        ]
    )


def page() -> str:
    """The whole page with the example in its place."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + section() + END + rest.partition(END)[2]


def _block(title: str, lines: Iterator[tuple[str, object]] | list[tuple[str, object]]) -> list[str]:
    told = [f"{name:<24} {value}" for name, value in lines]
    return [f"{title}:", "", "```text", *told, "```", ""]


def _headers(event: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for position, encoded in enumerate(event["headers"]):
        fields = rlp.decode(_bytes(encoded))
        unsealed = [*fields[:12], fields[12][:-65], *fields[13:]]
        seal, signed = fields[12][-65:], keccak(rlp.encode(unsealed))
        key = Signature(seal).recover_public_key_from_msg_hash(signed)
        yield f"headers[{position}]", f"{len(_bytes(encoded))} bytes, {len(fields)} fields"
        yield "  0 parent's hash", _text(fields[0])
        if position == 0:
            yield "  5 receipts' root", _text(fields[5])
        yield "  8 number", int.from_bytes(fields[8], "big")
        yield "  11 time", int.from_bytes(fields[11], "big")
        yield "  its hash", _text(keccak(_bytes(encoded)))
        yield "  what was signed", _text(signed)
        yield "  r", _text(seal[:32])
        yield "  s", _text(seal[32:64])
        yield "  v", seal[64]
        yield "  sealed by", _text(key.to_canonical_address())


def _logs(event: dict[str, Any]) -> tuple[Any, list[tuple[str, object]]]:
    """The logs of the receipt, and the way there."""
    lines: list[tuple[str, object]] = [("transaction", event["transaction"])]
    nibbles, node = event["transaction"][2:], b""
    for position, encoded in enumerate(event["receipt"]):
        node = _bytes(encoded)
        fields = rlp.decode(node)
        lines += [
            (f"receipt[{position}]", f"{len(node)} bytes, a list of {len(fields)}"),
            ("  keccak", _text(keccak(node))),
        ]
        if len(fields) == 17:
            nibble, nibbles = nibbles[:1], nibbles[1:]
            lines.append((f"  item {int(nibble, 16)}", _text(fields[int(nibble, 16)])))
        else:
            lines.append(("  path", _text(fields[0])))
    value = rlp.decode(node)[1]
    status, gas, _, logs = rlp.decode(value[1:] if value[0] < 0x80 else value)
    lines += [
        ("  value begins with", _text(value[:4])),
        ("type", value[0] if value[0] < 0x80 else "none"),
        ("status", _text(status)),
        ("gas", int.from_bytes(gas, "big")),
        ("logs", len(logs)),
    ]
    return logs, lines


def _log(bundle: dict[str, Any], logs: Any) -> Iterator[tuple[str, object]]:
    (log,) = (each for each in logs if _text(each[0]) == bundle["contract"])
    address, topics, data = log
    yield "contract", _text(address)
    yield "topic 0", _text(topics[0])
    yield "keccak of the signature", _text(keccak(SIGNATURE.encode("ascii")))
    joined = b"".join(topics[1:]) + data
    words = {name: joined[32 * i : 32 * i + 32] for i, name in enumerate(WORDS)}
    for name, word in words.items():
        yield name, _text(word)
    parts = ("custodian", "patient", "root", "visit", "course")
    yield "keccak of the five", _text(keccak(b"".join(words[each] for each in parts)))


def _leaf(leaf: dict[str, Any]) -> Iterator[tuple[str, object]]:
    file = (FOLDER / "slice.dcm").read_bytes()
    yield "SHA-256 of slice.dcm", _text(hashlib.sha256(file).digest())
    for name in ("salt", "fileDigest", "imageDigest"):
        yield name, leaf[name]
    joined = b"".join(_bytes(leaf[name]) for name in ("salt", "fileDigest", "imageDigest"))
    yield "keccak", _text(keccak(joined))
    node = keccak(keccak(joined))
    yield "keccak of that", _text(node)
    for position, sibling in enumerate(leaf["proof"]):
        other = _bytes(sibling)
        node = keccak(min(node, other) + max(node, other))
        yield f"sibling {position}", sibling
        yield "joined", _text(node)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _text(value: bytes) -> str:
    return "0x" + value.hex()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""The worked example of ``docs/verification.md``, value by value from the bundle beside it.

``python -m tools.verification_example`` writes it into the page.  The bundle is a real one, of a
chain of four geth validators; each value below is worked out here with hash function, RLP and
signature recovery alone, as the page describes.  With ``--new`` a new bundle is made, which takes
a minute.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
_COMMAND = (
    "python -m radledger.verify docs/verification/example.bundle docs/verification/slice.dcm \\",
    "    --validators docs/verification/validators.txt --all-validators \\",
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
            *(
                "This says yes:",
                "",
                "```",
                *_COMMAND,
                f"    --contract {bundle['contract']}",
                "```",
                "",
            ),
            *("The values on the way, for comparison with those of another implementation:", ""),
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


# ------------------------------------------------------------------------------- a new one


def renew(folder: Path) -> None:
    """Anchor five slices on a chain of four validators, and keep the bundle of one."""
    from eth_account import Account

    from radledger.chain.ledger import Ledger
    from radledger.chain.nodes.connect import connect
    from radledger.chain.nodes.networks import Network
    from radledger.deployment.deploy import deploy
    from radledger.devnet import geth, poa
    from radledger.devnet.people import PEOPLE, accredit
    from radledger.dicom.synthetic import make_ct_series
    from radledger.imaging.bundles import Bundles
    from radledger.imaging.reading import write_files
    from radledger.imaging.service import Images
    from radledger.storage import LocalStore

    people = {name: Account.create() for name in PEOPLE}
    chain, nodes = poa.Chain(folder / "chain"), []
    chain.create(4, [account.address for account in people.values()])
    try:
        for index in range(chain.size):
            nodes.append(chain.start(index))
        chain.join(nodes)
        web3 = connect(Network("poa", nodes[0].endpoint))
        ledger = Ledger(web3, deploy(web3, people["governor"], folder / "deployments"))
        accredit(ledger, people)
        store = LocalStore(folder / "store")
        images = Images(ledger, store, folder / "home")
        make_ct_series(folder / "series", 5, size=16)
        with _traffic(web3, people["stranger"]):
            (added,) = images.add(
                [folder / "series"], people["patient"].address, custodian=people["hospital"]
            )
        secret = images.secret(added.image_id)
        manifest = images.contents(added.image_id)
        slice_ = write_files(store, manifest, secret, folder / "files")[0].path
        bundles = Bundles(ledger, images)
        validators = [geth.address_of(chain.folder(index)) for index in range(chain.size)]
        _export_sealed_by_all(bundles, added.image_id, slice_, len(validators))
        shutil.copyfile(slice_, FOLDER / "slice.dcm")
        (FOLDER / "validators.txt").write_text("".join(f"{each}\n" for each in validators))
    finally:
        for node in nodes:
            node.stop()


def _export_sealed_by_all(bundles: Any, image_id: str, path: Path, validators: int) -> None:
    from radledger.chain.errors import NotSealedYet

    while True:
        try:
            bundles.export(image_id, FOLDER / "example.bundle", files=[path])
        except NotSealedYet:
            pass
        else:
            bundle = json.loads((FOLDER / "example.bundle").read_text())
            if len(bundle["events"][0]["headers"]) == validators:
                return
        threading.Event().wait(0.5)


@contextmanager
def _traffic(web3: Any, sender: Any) -> Iterator[None]:
    """Other transactions, so that a block's trie has branches."""
    from radledger.chain.rpc import request

    stop = threading.Event()

    def send() -> None:
        nonce = 0
        while not stop.wait(0.1):
            transfer = {"to": sender.address, "value": 1, "gas": 21_000, "nonce": nonce}
            fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9, "chainId": 41337}
            signed = sender.sign_transaction({**transfer, **fees})
            request(web3, "eth_sendRawTransaction", [signed.raw_transaction.to_0x_hex()])
            nonce += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    if "--new" in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as temporary:
            renew(Path(temporary))
    PAGE.write_text(page(), "utf-8")

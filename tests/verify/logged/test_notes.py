"""Notes, keys and proofs of transparency logs: the vectors of others, and what is hostile."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from radledger.verify.form import Invalid
from radledger.verify.logged.notes import (
    Checkpoint,
    Key,
    base64_of,
    proof_text,
    read_checkpoint,
    read_key,
    read_proof,
    signed_at,
)
from radledger.verify.logged.tree import consistent, included
from tests.tlog.cast import LOG, MLDSA, ROOT, WITNESS, checkpoint

VECTORS = Path(__file__).parents[2] / "tlog/vectors"
MERKLE = json.loads((VECTORS / "merkle.json").read_text("utf-8"))
NOTES = json.loads((VECTORS / "notes.json").read_text("utf-8"))


def hashes(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(each) for each in vector["proof"] or []]


@pytest.mark.parametrize("vector", MERKLE["inclusion"], ids=lambda vector: vector["name"])
def test_inclusion_as_in_the_vectors(vector: dict[str, Any]) -> None:
    leaf, root = (base64.b64decode(vector[name] or "") for name in ("leafHash", "root"))
    arguments = vector["leafIdx"], vector["treeSize"], leaf, root, hashes(vector)
    if vector["wantErr"]:
        with pytest.raises(Invalid):
            included(*arguments)
    else:
        included(*arguments)


@pytest.mark.parametrize("vector", MERKLE["consistency"], ids=lambda vector: vector["name"])
def test_consistency_as_in_the_vectors(vector: dict[str, Any]) -> None:
    old, new = (base64.b64decode(vector[name] or "") for name in ("root1", "root2"))
    arguments = vector["size1"], vector["size2"], old, new, hashes(vector)
    if vector["wantErr"]:
        with pytest.raises(Invalid):
            consistent(*arguments)
    else:
        consistent(*arguments)


@pytest.mark.parametrize("vector", NOTES["notes"], ids=lambda vector: vector["vkey"][:12])
def test_signed_notes_as_in_the_vectors(vector: dict[str, Any]) -> None:
    key, note = read_key(vector["vkey"]), vector["note"]
    text = note.partition("\n\n")[0] + "\n"
    signed = Checkpoint("", 0, b"", text, note)
    assert key.vkey == vector["vkey"]
    assert signed_at(signed, key) == 0
    with pytest.raises(Invalid, match="is not valid"):
        signed_at(signed._replace(text=text.upper()), key)


@pytest.mark.parametrize("vkey", NOTES["keys"], ids=lambda vkey: vkey[:12])
def test_keys_of_witnesses_are_read(vkey: str) -> None:
    assert read_key(vkey).vkey == vkey


@pytest.mark.parametrize("vkey", NOTES["refused_keys"], ids=lambda vkey: vkey[:20])
def test_other_keys_are_refused(vkey: str) -> None:
    with pytest.raises(Invalid):
        read_key(vkey)


def test_a_key_with_one_change_is_refused() -> None:
    vkey = LOG.vkey
    changed = [
        *(vkey[:n] for n in range(len(vkey))),
        *(vkey[n:] for n in range(1, len(vkey))),
        *(vkey[:n] + chr(ord(vkey[n]) + 1) + vkey[n + 1 :] for n in range(len(vkey))),
        "two words" + vkey[vkey.index("+") :],
    ]
    for each in changed:
        with pytest.raises(Invalid):
            read_key(each)


@pytest.mark.parametrize("witness", [WITNESS, MLDSA], ids=["Ed25519", "ML-DSA-44"])
def test_log_and_witness_sign_a_checkpoint(witness: Any) -> None:
    signed = checkpoint(7, signers=((LOG, 0), (witness, 1_800_000_000)))
    assert (signed.origin, signed.size, signed.root) == (LOG.key.name, 7, ROOT)
    assert signed_at(signed, LOG.key) == 0
    assert signed_at(signed, witness.key) == 1_800_000_000
    other = Key(witness.key.name + "-2", witness.key.kind, witness.key.public)
    assert signed_at(signed, other) is None


@pytest.mark.parametrize("witness", [WITNESS, MLDSA], ids=["Ed25519", "ML-DSA-44"])
def test_a_cosignature_of_another_checkpoint_time_or_key_is_refused(witness: Any) -> None:
    line = checkpoint(7, signers=((witness, 1_800_000_000),)).note.splitlines(keepends=True)[-1]
    name, data = line.split(" ")[1], base64.b64decode(line.split(" ")[2])
    timed = data[:4] + (1_800_000_001).to_bytes(8, "big") + data[12:]
    untimed = data[:4] + bytes(8) + data[12:]
    text = checkpoint(8).text
    for wrong in (
        checkpoint(8).note + line,
        *(
            f"{checkpoint(7).text}\n\u2014 {name} {base64_of(each)}\n"
            for each in (timed, untimed, data[:-1], data[:6])
        ),
    ):
        with pytest.raises(Invalid):
            signed_at(read_checkpoint(wrong.encode()), witness.key)
    assert text != checkpoint(7).text


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n7\n", "\n07\n"),
        lambda note: note.replace("\n7\n", "\n-7\n"),
        lambda note: note.replace("\n7\n", "\n\u0667\n"),
        lambda note: note.replace("\n7\n", "\n" + "9" * 30 + "\n"),
        lambda note: note.replace("\n7\n", "\n\n7\n"),
        lambda note: note.replace("\n7\n", "\n"),
        lambda note: note.replace("\n7\n", "\n7\r\n"),
        lambda note: note.replace("=\n\n", "\n\n"),
        lambda note: note.replace("=\n\n", "==\n\n"),
        lambda note: note.replace(base64_of(ROOT), base64_of(ROOT[:31])),
        lambda note: note.replace("\u2014", "-"),
        lambda note: note.removesuffix("\n"),
        lambda note: note + "\n",
        lambda note: note + "more\n",
        lambda note: note + "\u2014 name AAAA\n",
        lambda note: note + note[note.index("\u2014") :] * 100,
        lambda note: note.partition("\n\n")[0] + "\n\n",
        lambda note: note.partition("\n\n")[0] + "\n",
        lambda note: note + "x" * (1 << 20),
        lambda note: "",
    ],
)
def test_a_checkpoint_of_another_form_is_refused(change: Any) -> None:
    note = checkpoint(7).note
    read_checkpoint(note.encode())
    with pytest.raises(Invalid):
        read_checkpoint(change(note).encode())


def test_a_checkpoint_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Invalid, match="UTF-8"):
        read_checkpoint(b"\xff" + checkpoint(7).note.encode())


def test_extension_lines_are_signed_with_the_rest() -> None:
    signed = checkpoint(7, extension="more\n", signers=((LOG, 0), (WITNESS, 5)))
    assert signed_at(signed, LOG.key) == 0
    assert signed_at(signed, WITNESS.key) == 5
    changed = read_checkpoint(signed.note.replace("more", "less").encode())
    for key in (LOG.key, WITNESS.key):
        with pytest.raises(Invalid, match="is not valid"):
            signed_at(changed, key)


def test_names_that_no_ml_dsa_cosignature_can_be_over_are_refused() -> None:
    signed = checkpoint(7, signers=((MLDSA, 5),))
    long = signed._replace(origin="x" * 256)
    with pytest.raises(Invalid, match="255"):
        signed_at(long, MLDSA.key)


def test_a_proof_is_read_as_it_was_written() -> None:
    signed = checkpoint(7)
    for extra in (b"", b"digest and nonce"):
        text = proof_text_of(extra)
        proof = read_proof(text.encode())
        assert (proof.index, proof.hashes, proof.extra) == (3, (ROOT, ROOT), extra)
        assert proof.checkpoint == signed
        assert proof_text(proof) == text


def proof_text_of(extra: bytes = b"") -> str:
    line = f"extra {base64_of(extra)}\n" if extra else ""
    hashes = (base64_of(ROOT) + "\n") * 2
    return f"c2sp.org/tlog-proof@v1\n{line}index 3\n{hashes}\n{checkpoint(7).note}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("proof@v1", "proof@v2"),
        ("index 3", "index 03"),
        ("index 3", "index -3"),
        ("index 3\n", ""),
        ("extra ZXh0cmE=", "extra !"),
        ("extra ZXh0cmE=", "extra "),
        ("extra ZXh0cmE=\nindex 3", "index 3\nextra ZXh0cmE="),
        (base64_of(ROOT), "?"),
        ("\n\n", "\n"),
    ],
)
def test_a_proof_of_another_form_is_refused(old: str, new: str) -> None:
    text = proof_text_of(b"extra")
    assert old in text
    with pytest.raises(Invalid):
        read_proof(text.replace(old, new, 1).encode())


def test_a_proof_that_is_too_large_is_refused() -> None:
    with pytest.raises(Invalid, match="more than"):
        read_proof(proof_text_of().encode() + b"x" * (1 << 20))


def test_another_number_of_hashes_or_ones_of_another_length_are_refused() -> None:
    for proof in ([], [ROOT] * 2, [ROOT[:31]], [ROOT + b"\0"]):
        with pytest.raises(Invalid, match="hashes of 32 bytes"):
            included(0, 2, ROOT, ROOT, proof)
        with pytest.raises(Invalid, match="hashes of 32 bytes"):
            consistent(1, 2, ROOT, ROOT, proof)


def test_an_entry_outside_of_the_tree_is_refused() -> None:
    for index, size in ((-1, 1), (1, 1), (0, 0)):
        with pytest.raises(Invalid, match="in a tree of"):
            included(index, size, ROOT, ROOT, [])


def test_trees_of_one_size_are_consistent_if_they_are_one_tree() -> None:
    consistent(5, 5, ROOT, ROOT, [])
    for arguments in (
        (0, 5, ROOT, ROOT, []),
        (5, 4, ROOT, ROOT, []),
        (5, 5, ROOT, bytes(32), []),
        (5, 5, ROOT, ROOT, [ROOT]),
        (3, 5, ROOT, ROOT, []),
    ):
        with pytest.raises(Invalid):
            consistent(*arguments)

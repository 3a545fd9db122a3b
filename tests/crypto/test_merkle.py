"""Merkle trees: every leaf proves itself and nothing else, and OpenZeppelin agrees."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radledger.crypto.errors import EmptyTree, InvalidLeaf, NoSuchLeaf
from radledger.crypto.merkle import Leaf, MerkleTree, leaf_hash, verify

_ROOT = Path(__file__).parents[2]
_OPENZEPPELIN = _ROOT / "node_modules" / "@openzeppelin" / "merkle-tree"
_SIZES = [1, 2, 3, 5, 8, 300]

untimed = settings(deadline=None, max_examples=50)
words = st.binary(min_size=32, max_size=32)
leaf_lists = st.lists(st.builds(Leaf, words, words, words), min_size=1, max_size=20, unique=True)


def _leaves(count: int) -> list[Leaf]:
    """Different leaves whose hashes come in no order."""
    return [
        Leaf(salt=n.to_bytes(32, "big"), file_digest=b"\x11" * 32, image_digest=b"\x22" * 32)
        for n in range(count)
    ]


@untimed
@given(leaf_lists)
def test_every_leaf_proves_itself_and_no_other(leaves: list[Leaf]) -> None:
    tree = MerkleTree(leaves)
    for index in range(len(leaves)):
        proof = tree.proof(index)
        assert [verify(tree.root, leaf, proof) for leaf in leaves] == [
            position == index for position in range(len(leaves))
        ]


@untimed
@given(leaf_lists, st.randoms(use_true_random=False))
def test_the_root_does_not_depend_on_the_order(leaves: list[Leaf], random: object) -> None:
    shuffled = list(leaves)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert MerkleTree(shuffled).root == MerkleTree(leaves).root


@untimed
@given(leaf_lists, st.data())
def test_one_changed_bit_changes_the_root(leaves: list[Leaf], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    bit = data.draw(st.integers(0, 96 * 8 - 1))
    encodings = [bytes(leaf) for leaf in leaves]
    changed = bytearray(encodings[index])
    changed[bit // 8] ^= 1 << (bit % 8)
    encodings[index] = bytes(changed)
    assert MerkleTree(encodings).root != MerkleTree(leaves).root


@untimed
@given(leaf_lists)
def test_leaves_and_their_encodings_give_the_same_tree(leaves: list[Leaf]) -> None:
    assert MerkleTree(leaves).root == MerkleTree([bytes(leaf) for leaf in leaves]).root


def test_a_single_leaf_is_its_own_root_with_an_empty_proof() -> None:
    (leaf,) = _leaves(1)
    tree = MerkleTree([leaf])
    assert (tree.root, tree.proof(0)) == (leaf_hash(leaf), [])
    assert verify(tree.root, leaf, [])


def test_the_same_leaf_twice_has_two_valid_proofs() -> None:
    leaf, other = _leaves(2)
    tree = MerkleTree([leaf, other, leaf])
    assert verify(tree.root, leaf, tree.proof(0))
    assert verify(tree.root, leaf, tree.proof(2))


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    leaves = _leaves(4)
    tree = MerkleTree(leaves)
    proof = tree.proof(0)
    children = sorted([leaf_hash(leaves[0]), proof[0]])
    assert verify(tree.root, leaves[0], proof)
    assert not verify(tree.root, b"".join(children), proof[1:])


def test_a_proof_with_siblings_of_another_length_is_false() -> None:
    leaves = _leaves(8)
    tree = MerkleTree(leaves)
    proof = tree.proof(3)
    assert verify(tree.root, leaves[3], proof)
    for bad in ([*proof, b""], [proof[0] + proof[1], *proof[2:]], [proof[0][:-1], *proof[1:]]):
        assert not verify(tree.root, leaves[3], bad)


def test_a_tree_of_nothing_is_refused() -> None:
    with pytest.raises(EmptyTree):
        MerkleTree([])


@pytest.mark.parametrize("index", [-1, 3])
def test_a_proof_outside_the_tree_is_refused(index: int) -> None:
    with pytest.raises(NoSuchLeaf) as refusal:
        MerkleTree(_leaves(3)).proof(index)
    assert refusal.value.values == {"index": index, "leaves": 3}


@pytest.mark.parametrize("field", ["salt", "file_digest", "image_digest"])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_field_of_another_length_is_refused(field: str, length: int) -> None:
    fields = {"salt": bytes(32), "file_digest": bytes(32), "image_digest": bytes(32)}
    with pytest.raises(InvalidLeaf) as refusal:
        Leaf(**{**fields, field: bytes(length)})
    assert refusal.value.values == {"field": field, "length": length}


_SCRIPT = """
const { StandardMerkleTree } = require(process.argv[1]);
const types = ['bytes32', 'bytes32', 'bytes32'];
const cases = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(cases.map(({ leaves, root, proofs }) => {
  const tree = StandardMerkleTree.of(leaves, types);
  return {
    root: tree.root,
    proofs: leaves.map((_, i) => tree.getProof(i)),
    accepts: leaves.map((leaf, i) => StandardMerkleTree.verify(root, types, leaf, proofs[i])),
    acceptsOthers: leaves.map((leaf, i) =>
      StandardMerkleTree.verify(root, types, leaf, proofs[(i + 1) % leaves.length])),
  };
})));
"""


def test_openzeppelins_library_gives_the_same_roots_and_proofs() -> None:
    node = shutil.which("node")
    if node is None or not _OPENZEPPELIN.is_dir():
        pytest.skip("needs node: with @openzeppelin/merkle-tree, by `make setup`")
    leaves = {size: _leaves(size) for size in _SIZES}
    trees = {size: MerkleTree(leaves[size]) for size in _SIZES}
    cases = [
        {
            "leaves": [
                [_hex(leaf.salt), _hex(leaf.file_digest), _hex(leaf.image_digest)]
                for leaf in leaves[size]
            ],
            "root": _hex(trees[size].root),
            "proofs": [[_hex(node) for node in trees[size].proof(i)] for i in range(size)],
        }
        for size in _SIZES
    ]
    run = subprocess.run(
        [node, "-e", _SCRIPT, str(_OPENZEPPELIN)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(run.stdout)
    assert len(answers) == len(_SIZES)
    for size, case, answer in zip(_SIZES, cases, answers, strict=True):
        assert answer["root"] == case["root"]
        assert answer["proofs"] == case["proofs"]
        assert answer["accepts"] == [True] * size
        assert answer["acceptsOthers"] == [size == 1] * size
        for leaf, proof in zip(leaves[size], answer["proofs"], strict=True):
            siblings = [bytes.fromhex(sibling[2:]) for sibling in proof]
            assert verify(trees[size].root, leaf, siblings)


@untimed
@given(st.integers(2, 40))
def test_a_proof_is_as_long_as_the_tree_is_deep(count: int) -> None:
    tree = MerkleTree(_leaves(count))
    depth = (count - 1).bit_length()
    assert {len(tree.proof(index)) for index in range(count)} <= {depth - 1, depth}


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"

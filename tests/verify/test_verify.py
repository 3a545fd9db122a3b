"""What a bundle proves: each refusal beside its success."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak

from radledger.verify.form import Invalid, read
from radledger.verify.proof import Trust, verify
from tests.verify.clique import (
    ADDRESSES,
    DERIVED,
    FILES,
    NONE,
    ORIGINAL,
    REGISTRY,
    REKEYED,
    Block,
    address,
    bundle_of,
    word,
    write,
)
from tests.verify.conftest import MAJORITY


def refused(bundle: dict[str, Any], trust: Trust = MAJORITY) -> tuple[str, str]:
    """Where and why a bundle is refused."""
    with pytest.raises(Invalid) as refusal:
        verify(write(bundle), trust)
    return refusal.value.args  # type: ignore[return-value]


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


def test_a_good_bundle_proves_what_was_recorded(good: bytes) -> None:
    facts = verify(good, MAJORITY)
    anchored, rekeyed, erased, parent = facts["events"]
    assert facts["contract"] == hexed(REGISTRY)
    assert anchored["event"] == parent["event"] == "ImageAnchored"
    assert anchored["image"] == rekeyed["image"] == erased["image"] == hexed(DERIVED.image)
    assert anchored["custodian"] == hexed(address("hospital"))
    assert anchored["patient"] == hexed(address("patient"))
    assert (anchored["root"], anchored["kind"]) == (hexed(DERIVED.tree.root), "deidentified")
    assert (anchored["instances"], anchored["parent"]) == (len(FILES), hexed(ORIGINAL.image))
    assert (anchored["manifest"], rekeyed["manifest"]) == (
        hexed(word("manifest")),
        hexed(word("new manifest")),
    )
    assert erased["certificate"] == hexed(word("certificate"))
    assert (parent["image"], parent["parent"]) == (hexed(ORIGINAL.image), hexed(NONE))
    assert (anchored["block"], anchored["timestamp"]) == (77, 1_795_000_000)
    assert anchored["hash"] == hexed(keccak(read(good)["events"][0]["headers"][0]))
    assert {each["vouched"] for each in facts["events"]} == {"seals of 4 of 4 validators"}
    assert facts["leaves"] == [hexed(leaf.file_digest) for leaf in DERIVED.leaves]


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("transactions", [1, 2, 17, 200])
def test_any_receipt_of_any_block(typed: bool, transactions: int) -> None:
    for position in {0, transactions // 2, transactions - 1}:
        shape = {"typed": typed, "transactions": transactions, "position": position}
        assert verify(write(bundle_of(**shape)), MAJORITY)["events"]


@pytest.mark.parametrize("fields", [(), (b"\x07",), (b"", bytes(32), b"", b"", bytes(32))])
def test_headers_of_any_fork(fields: tuple[bytes, ...]) -> None:
    assert verify(write(bundle_of(extra_fields=fields)), MAJORITY)["events"]


# ------------------------------------------------------------------------------- trust


@pytest.mark.parametrize(
    ("sealers", "needed", "seals"),
    [((0, 1, 2), 3, 3), ((0, 1, 0, 2), 3, 3), ((3, 0, 1, 2), 4, 4), ((0, 1, 2, 0, 3), 4, 4)],
)
def test_enough_seals(sealers: tuple[int, ...], needed: int, seals: int) -> None:
    trust = Trust(frozenset(ADDRESSES), needed)
    facts = verify(write(bundle_of(sealers=sealers)), trust)
    assert facts["events"][0]["vouched"] == f"seals of {seals} of 4 validators"


@pytest.mark.parametrize(
    ("sealers", "needed"), [((0,), 3), ((0, 1), 3), ((0, 1, 0, 1), 3), ((0, 1, 2), 4)]
)
def test_too_few_seals(sealers: tuple[int, ...], needed: int) -> None:
    where, why = refused(bundle_of(sealers=sealers), Trust(frozenset(ADDRESSES), needed))
    assert where == "bundle.events[0].headers"
    assert why == f"has seals of {len(set(sealers))} of 4 validators; {needed} are needed"


def test_a_seal_of_no_validator_is_refused() -> None:
    trust = Trust(frozenset(ADDRESSES[:3]), 2)
    where, why = refused(bundle_of(), trust)
    assert where == "bundle.events[0].headers[3]"
    assert why == f"was sealed by {hexed(ADDRESSES[3])}, no validator"
    assert verify(write(bundle_of(sealers=(0, 1))), trust)


def test_a_known_block_hash_is_enough_and_another_is_not() -> None:
    bundle = bundle_of(sealers=(0,))
    hashes = frozenset(keccak(event["headers"][-1]) for event in bundle["events"])
    facts = verify(write(bundle), Trust(block_hashes=hashes))
    assert facts["events"][1]["vouched"] == "the given hash of block 87"
    where, why = refused(bundle, Trust(block_hashes=frozenset([word("another")])))
    assert where == "bundle.events[0].headers"
    assert why.startswith("lead to block 77, whose hash 0x")
    missing = Trust(block_hashes=hashes - {keccak(bundle["events"][2]["headers"][-1])})
    assert refused(bundle, missing)[0] == "bundle.events[2].headers"


def test_a_hash_vouches_for_what_is_below_it_and_for_nothing_above() -> None:
    bundle = bundle_of()
    last = frozenset(keccak(event["headers"][-1]) for event in bundle["events"])
    assert verify(write(bundle), Trust(block_hashes=last))
    first = frozenset(keccak(event["headers"][0]) for event in bundle["events"])
    assert refused(bundle, Trust(block_hashes=first))[0] == "bundle.events[0].headers"


def test_headers_that_do_not_build_on_one_another() -> None:
    bundle = bundle_of()
    run = bundle["events"][1]["headers"]
    bundle["events"][1]["headers"] = [run[0], run[2], run[3]]
    assert refused(bundle) == (
        "bundle.events[1].headers[1]",
        "does not build on bundle.events[1].headers[0]",
    )
    bundle["events"][1]["headers"] = []
    assert refused(bundle)[0] == "bundle.events[1].headers[0]"


def test_another_registry_than_the_one_that_was_given(good: bytes) -> None:
    assert verify(good, MAJORITY._replace(contracts=frozenset([REGISTRY, address("old")])))
    another = MAJORITY._replace(contracts=frozenset([address("old")]))
    assert refused(bundle_of(), another) == (
        "bundle.contract",
        "is not the image registry that was given",
    )


# ------------------------------------------------------------------------------- events


def with_log(log: list[Any], position: int = 0, name: str = "ImageAnchored") -> dict[str, Any]:
    bundle = bundle_of()
    bundle["events"][position] = Block([log]).event(name)
    return bundle


def test_a_log_among_others_of_the_same_transaction() -> None:
    other = replace(ORIGINAL, files=(b"another",))
    bundle = bundle_of()
    logs = [[address("token"), [word("Transfer")], b""], other.anchored, DERIVED.anchored]
    bundle["events"][0] = Block(logs).event("ImageAnchored")
    assert verify(write(bundle), MAJORITY)["events"][0]["image"] == hexed(DERIVED.image)


def test_a_log_of_another_contract_image_or_kind() -> None:
    contract, topics, data = DERIVED.anchored
    assert verify(write(with_log([contract, topics, data])), MAJORITY)
    for log in (
        [address("impostor"), topics, data],
        [contract, [topics[0], word("another"), *topics[2:]], data],
        [contract, [word("ImageAnchoured"), *topics[1:]], data],
        [contract, topics, data[:-32]],
        [contract, topics[:3], data],
    ):
        where, why = refused(with_log(log))
        assert where == "bundle.events[0]"
        assert why == f"is not an ImageAnchored of {hexed(DERIVED.image)} by {hexed(REGISTRY)}"


def test_an_id_that_is_not_the_hash_of_its_set() -> None:
    contract, topics, data = DERIVED.anchored
    forged = [contract, topics, word("another root") + data[32:]]
    assert refused(with_log(forged)) == (
        "bundle.events[0]",
        "is of no image registry: the id is not the set's hash",
    )


def test_the_last_of_two_in_one_transaction_counts() -> None:
    bundle = bundle_of()
    logs = [DERIVED.later(REKEYED, word(name)) for name in ("older", "newer")]
    bundle["events"][1] = Block(logs).event("ImageRekeyed")
    assert verify(write(bundle), MAJORITY)["events"][1]["manifest"] == hexed(word("newer"))


def test_the_sets_that_a_set_came_from_have_to_be_there() -> None:
    bundle = bundle_of()
    del bundle["events"][3]
    told = ("bundle.events", f"has no ImageAnchored of {hexed(ORIGINAL.image)}")
    assert refused(bundle) == told
    del bundle["events"][0]
    assert refused(bundle) == ("bundle.events", f"has no ImageAnchored of {hexed(DERIVED.image)}")
    bundle["events"] = []
    assert refused(bundle) == ("bundle.events", f"has no ImageAnchored of {hexed(DERIVED.image)}")


def test_the_receipt_of_another_transaction() -> None:
    bundle = bundle_of()
    bundle["events"][0]["transaction"] = b"\x06"
    assert refused(bundle) == (
        "bundle.events[0].receipt",
        "does not lead to a receipt at 0x06",
    )


def test_nodes_that_are_missing_or_idle() -> None:
    nodes = bundle_of()["events"][0]["receipt"]
    assert len(nodes) > 2
    for changed in ([], nodes[:-1], nodes[1:], [*nodes, nodes[-1]], [nodes[0], *nodes]):
        bundle = bundle_of()
        bundle["events"][0]["receipt"] = changed
        assert refused(bundle)[0].startswith("bundle.events[0].receipt")


# ------------------------------------------------------------------------------- leaves


def test_leaves_of_another_set() -> None:
    bundle = bundle_of()
    other = replace(DERIVED, files=(*FILES, b"one more"))
    bundle["leaves"][1] = other.bundled_leaves()[1]
    assert refused(bundle) == ("bundle.leaves[1]", "does not lead to the set's root")
    bundle["leaves"] = [DERIVED.bundled_leaves()[2]]
    assert verify(write(bundle), MAJORITY)["leaves"] == [hexed(DERIVED.leaves[2].file_digest)]
    bundle["leaves"] = []
    assert verify(write(bundle), MAJORITY)["leaves"] == []


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    bundle = bundle_of()
    leaf = bundle["leaves"][0]
    leaf["proof"] = leaf["proof"][1:]
    assert refused(bundle)[0] == "bundle.leaves[0]"

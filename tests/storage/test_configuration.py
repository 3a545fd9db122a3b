"""Which store a home uses."""

from __future__ import annotations

import pytest

from radledger.errors import UsageError
from radledger.storage import LocalStore
from radledger.storage.configuration import StorageConfiguration, load, open_storage, save
from radledger.storage.errors import StorageConfigurationInvalid
from radledger.storage.kubo import KuboStore
from radledger.storage.replicated import ReplicatedStore

HERE, THERE = "/ip4/127.0.0.1/tcp/5001", "/dns/ipfs.example/tcp/5001/https"


def addresses(store):
    return {name: node.address for name, node in store.nodes.items()}


def test_a_folder_unless_the_home_says_otherwise(tmp_path):
    assert load(tmp_path) is None
    assert isinstance(open_storage(tmp_path), LocalStore)
    assert (tmp_path / "store").is_dir()


def test_the_home_names_nodes_and_copies(tmp_path):
    (tmp_path / "storage.yaml").write_text(
        f"copies: 2\nnodes:\n  here: {HERE}\n  there: {THERE}\n  third: /ip4/10.0.0.3/tcp/5001\n"
    )
    store = open_storage(tmp_path)
    assert isinstance(store, ReplicatedStore)
    assert store.copies == 2
    assert list(addresses(store).items())[:2] == [("here", HERE), ("there", THERE)]


def test_what_was_saved_is_loaded_in_its_order(tmp_path):
    saved = StorageConfiguration({"b": HERE, "a": THERE}, 1)
    save(tmp_path, saved)
    assert load(tmp_path) == saved
    assert list(load(tmp_path).nodes) == ["b", "a"]


def test_one_node_is_that_node(tmp_path):
    save(tmp_path, StorageConfiguration({"here": HERE}, 1))
    store = open_storage(tmp_path)
    assert isinstance(store, KuboStore)
    assert store.address == HERE


def test_addresses_go_before_the_home_and_each_has_a_copy(tmp_path):
    save(tmp_path, StorageConfiguration({"here": HERE}, 1))
    assert open_storage(tmp_path, THERE).address == THERE
    store = open_storage(tmp_path, f"{HERE}, {THERE}")
    assert addresses(store) == {HERE: HERE, THERE: THERE}
    assert store.copies == 2


@pytest.mark.parametrize("given", ["nonsense", f"{HERE},nonsense", f"{HERE},,{THERE}", ","])
def test_what_is_not_an_address_is_refused(tmp_path, given):
    with pytest.raises(UsageError) as error:
        open_storage(tmp_path, given)
    assert error.value.values["address"] in ("nonsense", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nodes: {}",
        "copies: 1",
        "copies: two\nnodes: {here: /ip4/127.0.0.1/tcp/5001}",
        "copies: 1\nnodes: [/ip4/127.0.0.1/tcp/5001]",
        "just words",
        "{",
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text):
    (tmp_path / "storage.yaml").write_text(text)
    with pytest.raises(StorageConfigurationInvalid) as error:
        open_storage(tmp_path)
    assert error.value.values == {"path": str(tmp_path / "storage.yaml")}
    assert "\n" not in error.value.message


@pytest.mark.parametrize("copies", [0, -1, 3])
def test_copies_for_which_there_are_no_nodes_are_refused(copies):
    with pytest.raises(StorageConfigurationInvalid) as error:
        StorageConfiguration({"here": HERE, "there": THERE}, copies)
    assert error.value.values == {"copies": copies, "nodes": ["here", "there"]}

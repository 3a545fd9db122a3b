"""Keys and genesis of a proof-of-authority chain, and what it refuses; its nodes run elsewhere."""

from __future__ import annotations

import json
import secrets
import stat

import pytest
from eth_account import Account

from radledger.devnet import chain as chains
from radledger.devnet import geth, poa
from radledger.devnet.errors import NodeFailed
from radledger.errors import UsageError

RICH = "0x" + "11" * 20


def test_the_genesis_block_names_the_validators_in_their_order(tmp_path):
    chain = poa.Chain(tmp_path / "poa")
    assert chain.size == 0
    chain.create(4, [RICH])
    assert chain.size == 4
    addresses = [geth.address_of(chain.folder(index)) for index in range(4)]
    assert addresses == sorted(set(addresses))
    genesis = json.loads((tmp_path / "poa/genesis.json").read_text())
    extra = bytes.fromhex(genesis["extraData"][2:])
    assert len(extra) == 32 + 4 * 20 + 65
    assert extra[32:-65].hex() == "".join(address[2:] for address in addresses)
    assert list(genesis["alloc"]) == [RICH]
    assert genesis["config"]["londonBlock"] == 0
    # Again: nothing changes.
    chain.create(4, [RICH])
    assert [geth.address_of(chain.folder(index)) for index in range(4)] == addresses


def test_keys_are_the_owner_s_alone_and_open_with_their_passwords(tmp_path):
    chain = poa.Chain(tmp_path / "poa")
    chain.create(1, [])
    folder = chain.folder(0)
    for secret in (folder / "password", folder / "keystore/validator"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    password = (folder / "password").read_text().strip()
    key = Account.decrypt((folder / "keystore/validator").read_text(), password)
    assert Account.from_key(key).address.lower() == geth.address_of(folder)


def test_no_key_is_written_as_geth_cannot_read_it(tmp_path, monkeypatch):
    """One in 256 initialisation vectors begins with a zero, which eth-keyfile 0.8 leaves out."""
    drawn = []

    def unlucky(size):
        drawn.append(size)
        value = secrets.token_bytes(size)
        return b"\0" + value[1:] if len(drawn) <= 4 else value

    monkeypatch.setattr("eth_keyfile.keyfile.Random.get_random_bytes", unlucky)
    geth.write_key(tmp_path, Account.create())
    assert drawn
    keyfile = json.loads((tmp_path / "keystore/validator").read_text())
    assert len(keyfile["crypto"]["cipherparams"]["iv"]) == 32


def test_a_chain_of_free_gas_has_no_base_fee(tmp_path):
    poa.Chain(tmp_path / "poa", free_gas=True).create(1, [])
    config = json.loads((tmp_path / "poa/genesis.json").read_text())["config"]
    assert "londonBlock" not in config
    assert config["berlinBlock"] == 0


def test_the_number_of_validators_is_fixed_and_sensible(tmp_path):
    chain = poa.Chain(tmp_path / "poa")
    for wanted in (0, -1, 17):
        with pytest.raises(UsageError) as error:
            chain.create(wanted, [])
        assert error.value.values == {"wanted": wanted}
    assert not (tmp_path / "poa").exists()
    chain.create(2, [])
    with pytest.raises(UsageError) as error:
        chain.create(3, [])
    assert error.value.values == {"validators": 2, "wanted": 3}


def test_only_a_chain_of_validators_has_a_number_of_them(tmp_path):
    chains.check(tmp_path, "poa", 3)
    chains.check(tmp_path, "anvil", None)
    with pytest.raises(UsageError, match="anvil has no validators"):
        chains.check(tmp_path, "anvil", 3)


def test_a_geth_without_clique_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(geth, "__file__", str(tmp_path / "geth.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "geth"
    for version, fits in (("1.13.15-stable", True), ("1.14.0-stable", False)):
        program.write_text(f"#!/bin/sh\necho Geth\necho Version: {version}\n")
        program.chmod(0o755)
        if fits:
            assert geth.program() == str(program)
        else:
            with pytest.raises(NodeFailed) as error:
                geth.program()
            assert error.value.values == {"program": "geth"}
            assert "make poa" in error.value.message

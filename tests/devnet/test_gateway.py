"""The hospital's gateway on the local chain: started with it, found by readers, stopped with it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from radledger import RadLedger
from radledger.devnet import down, status, up
from radledger.devnet import gateway as gateways
from radledger.devnet.errors import NodeFailed


@pytest.fixture
def viewer(tmp_path, monkeypatch):
    """A viewer of one page, below the current folder."""
    folder = tmp_path / "here" / "build" / "ohif"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>OHIF</title>")
    monkeypatch.chdir(tmp_path / "here")


def custodian_of(url):
    return httpx.get(f"{url}/health", trust_env=False).json()["custodian"]


@pytest.mark.usefixtures("viewer")
def test_it_is_started_and_stopped_with_the_chain(home):
    devnet = up(home, "anvil", gateway=True)
    hospital = devnet.accounts["hospital"]
    assert custodian_of(devnet.gateway) == hospital
    assert "OHIF" in httpx.get(f"{devnet.gateway}/ohif/viewer", trust_env=False).text
    opened = RadLedger.open(home=home)
    assert opened.identities.gateway(hospital) == devnet.gateway
    block = opened.ledger.block_number()
    assert up(home) == up(home, gateway=True) == status(home) == devnet
    assert opened.ledger.block_number() == block

    # It is started again after a crash, and readers find it where it is now.
    gateways.recorded(home / "devnet").stop()
    assert status(home).gateway is None
    again = up(home)
    assert custodian_of(again.gateway) == hospital
    assert opened.identities.gateway(hospital) == again.gateway

    assert down(home).gateway is None
    with pytest.raises(httpx.ConnectError):
        custodian_of(again.gateway)


def test_it_is_not_started_unless_asked_for_and_says_why_it_cannot(home, monkeypatch, tmp_path):
    assert up(home, "anvil").gateway is None
    monkeypatch.setattr(gateways, "viewer_folder", lambda: tmp_path)
    with pytest.raises(NodeFailed, match="gateway ended at once") as refusal:
        up(home, gateway=True)
    assert refusal.value.values["chain"] == "gateway"
    assert Path(refusal.value.values["log"]).read_text()
    assert status(home).running

"""A bundle from a chain of four validators, one of which goes away."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from radledger.chain.errors import NotSealedYet
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.deployment.deploy import deploy
from radledger.devnet import geth, poa
from radledger.devnet.errors import NodeFailed
from radledger.devnet.people import accredit
from radledger.devnet.process import Node
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.bundles import BundleResult, Bundles
from radledger.imaging.service import Images
from radledger.storage import LocalStore

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

pytestmark = pytest.mark.soak

VALIDATORS = 4


@pytest.fixture
def chain(
    people: dict[str, LocalAccount], tmp_path: Path
) -> Iterator[tuple[poa.Chain, list[Node]]]:
    """Four validators that make a block a second."""
    chain = poa.Chain(tmp_path / "poa")
    chain.create(VALIDATORS, [people[name].address for name in ("governor", "hospital", "clinic")])
    nodes: list[Node] = []
    try:
        for index in range(VALIDATORS):
            nodes.append(chain.start(index))
        chain.join(nodes)
        yield chain, nodes
    except NodeFailed as error:
        if "not installed" not in str(error):
            raise
        pytest.skip(f"needs geth: {error}")
    finally:
        for node in nodes:
            node.stop()


def export(bundles: Bundles, image_id: str, path: Path) -> BundleResult:
    """Export as soon as enough blocks stand on top."""
    deadline = time.monotonic() + 240
    while True:
        try:
            return bundles.export(image_id, path)
        except NotSealedYet:
            assert time.monotonic() < deadline
            threading.Event().wait(0.2)


def verified(bundle: Path, *arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "radledger.verify", str(bundle), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()[0]


def test_with_all_validators_and_with_one_away(
    chain: tuple[poa.Chain, list[Node]], people: dict[str, LocalAccount], tmp_path: Path
) -> None:
    validators, nodes = chain
    web3 = connect(Network("poa", nodes[0].endpoint))
    ledger = Ledger(web3, deploy(web3, people["governor"], tmp_path / "deployments"))
    accredit(ledger, people)
    images = Images(ledger, LocalStore(tmp_path / "store"), tmp_path / "home")
    make_ct_series(tmp_path / "series", 2, size=32)
    patient, hospital = people["patient"].address, people["hospital"]
    (added,) = images.add([tmp_path / "series"], patient, custodian=hospital)
    listed = [geth.address_of(validators.folder(index)) for index in range(VALIDATORS)]
    trusted, few = tmp_path / "validators", tmp_path / "few"
    trusted.write_text("\n".join(listed))
    few.write_text("\n".join(listed[1:]))
    bundle = tmp_path / "bundle"

    result = export(bundles := Bundles(ledger, images), added.image_id, bundle)
    registry = ("--contract", result.contract)
    assert verified(bundle, "--validators", trusted, *registry) == (0, "yes")
    deadline = time.monotonic() + 600
    while verified(bundle, "--validators", trusted, "--all-validators", *registry)[0] != 0:
        assert time.monotonic() < deadline
        export(bundles, added.image_id, bundle)  # the last validator's turn has to come
    code, why = verified(bundle, "--validators", few)
    assert (code, why.endswith(f"was sealed by {listed[0]}, no validator")) == (1, True)

    nodes[3].stop()
    images.rekey(added.image_id, custodian=hospital)
    result = export(bundles, added.image_id, bundle)
    assert [each.event for each in result.proven] == ["ImageAnchored", "ImageRekeyed"]
    assert verified(bundle, "--validators", trusted, *registry) == (0, "yes")
    assert verified(bundle, "--validators", trusted, "--all-validators") == (
        1,
        "no: bundle.events[1].headers has seals of 3 of 4 validators; 4 are needed",
    )

"""Files stored by the workers of a Dask cluster, some of which are lost."""

from __future__ import annotations

import pytest

from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.cluster import Cluster
from radledger.storage import LocalStore
from tests.imaging.test_hostile import Order, blame, obey

distributed = pytest.importorskip("distributed", reason="needs distributed")


@pytest.fixture
def journal(postgresql):
    return postgresql


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers under nannies, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_the_cluster_stores_and_this_process_anchors(images, who, cluster, tmp_path, ledger):
    for name, seed in (("one", 1), ("two", 2)):
        make_ct_series(tmp_path / "archive" / name, 70, size=16, seed=seed)
    results = images.add(
        [tmp_path / "archive"],
        who.patient.address,
        custodian=who.hospital,
        scheduler=cluster.scheduler_address,
    )
    assert [(each.instances, each.added, each.skipped) for each in results] == [(70, True, ())] * 2
    assert len({each.transaction for each in results}) == 1
    for each in results:
        images.contents(each.image_id)  # its leaves add up to the root on the chain


def test_hostile(journal, cluster, tmp_path):
    crew = Cluster(cluster.scheduler_address, journal, LocalStore(tmp_path / "store"))
    orders = [Order(number, deadly=number in (4, 17)) for number in range(1, 25)]
    done = sorted(crew.run(obey, orders, blame))
    assert done == sorted(-n if n in (4, 17) else n for n in range(1, 25))

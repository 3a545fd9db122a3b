"""A gateway sees erasures in their block, and forgets the secrets of what was erased."""

from __future__ import annotations

from radledger.gateway import Gateway
from radledger.gateway.watcher import ErasureWatcher
from tests.gateway.conftest import URL
from tests.gateway.test_erasures import add, home, image_id, series

__all__ = ["add", "home", "image_id", "series"]


def test_a_gateway_forgets_an_erased_set_in_its_block_without_being_asked(home, image_id, who):
    gateway = Gateway(home, who.hospital, URL)
    opened = gateway.image_sets.find(image_id)
    with gateway.instances.opened(opened, next(iter(opened.instances))):
        pass
    watcher = gateway._watcher
    watcher.look()
    assert list(gateway.image_sets._opened) == [image_id]
    home.images.erase(image_id, custodian=who.hospital)
    watcher.look()
    assert not gateway.image_sets._opened
    assert not gateway.instances._opened
    gateway.close()


def test_an_erasure_that_was_missed_is_seen_by_the_next_look(home, image_id, who, ledger, caplog):
    forgotten, calls = [], []

    class Away:
        def __getattr__(self, name):
            return getattr(ledger, name)

        def block_number(self):
            calls.append(1)
            if len(calls) in (2, 3):
                raise OSError("away")
            return ledger.block_number()

    watcher = ErasureWatcher(Away(), forgotten.append)
    watcher.look()
    home.images.erase(image_id, custodian=who.hospital)
    watcher.look()
    watcher.look()
    assert image_id not in forgotten
    assert caplog.text.count("erasures cannot be looked for: away") == 1
    watcher.look()
    assert image_id in forgotten

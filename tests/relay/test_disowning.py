"""A relayer pays for a patient who disowns an image set, or acknowledges it again."""

from __future__ import annotations

import pytest
from eth_account import Account

from radledger.imaging.service import Images
from radledger.storage import MemoryStore
from tests.consent.conftest import anchor

__all__ = ["anchor"]


@pytest.fixture
def who(people):
    """The cast of `anchor`: an image set of a new patient, who has no Ether."""
    return type("Cast", (), {**people, "patient": Account.create()})


def test_both_are_paid_for(relay, ledger, anchor, who, tmp_path):
    images, image_id = Images(ledger, MemoryStore(), tmp_path), anchor().image_id
    for change, state in ((images.disown, "disowned"), (images.acknowledge, "anchored")):
        answer = relay.end(relay.take(change(image_id).sign(who.patient)))
        assert (answer["state"], answer["kind"]) == ("confirmed", "radledger.call")
        assert images.show(image_id).state == state
    assert ledger.web3.eth.get_balance(who.patient.address) == 0

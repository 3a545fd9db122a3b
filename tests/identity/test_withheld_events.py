"""A node that withholds events is named; one that was asked during a change is asked again."""

from __future__ import annotations

import pytest

from radledger.chain.errors import RequestFailed
from radledger.crypto.keys import new_private_key, public_key
from radledger.identity.records import guardians

KEY, OTHER_KEY = (public_key(new_private_key()) for _ in range(2))


def test_a_node_that_withholds_the_guardians_is_named(identities, ledger, guarded, monkeypatch):
    monkeypatch.setattr(ledger, "events", lambda *_, **__: [])
    with pytest.raises(RequestFailed, match="gives no event that names them") as withheld:
        guardians(ledger, guarded)
    assert withheld.value.values == {"method": "eth_getLogs", "identity": guarded}


@pytest.fixture
def once_read(ledger, monkeypatch):
    """Return a function that has a change made right after events were read for the first time."""

    def arrange(change):
        events, changes = ledger.events, [change]

        def read(*given, **where):
            found = events(*given, **where)
            if changes:
                changes.pop()()
            return found

        monkeypatch.setattr(ledger, "events", read)

    return arrange


def test_a_change_between_the_two_questions_is_not_withheld(identities, who, once_read):
    identities.set_key(KEY).send(who.hospital)
    once_read(lambda: identities.set_key(OTHER_KEY).send(who.hospital))
    assert identities.encryption_key(who.hospital.address) == OTHER_KEY


def test_guardians_set_between_the_two_questions_are_not_withheld(
    identities, ledger, who, guarded, submit, once_read
):
    signed = identities.set_guardians([who.clinic.address], 1).sign(who.patient)
    once_read(lambda: submit(signed, who.stranger))
    assert guardians(ledger, guarded).guardians == (who.clinic.address,)


def test_a_node_that_withholds_a_change_of_key_is_named(identities, ledger, who, monkeypatch):
    identity = who.hospital.address
    identities.set_key(KEY).send(who.hospital)
    identities.set_key(OTHER_KEY).send(who.hospital)
    assert identities.encryption_key(identity) == OTHER_KEY
    changed, events = ledger.call("IdentityRegistry", "changed", identity), ledger.events
    monkeypatch.setattr(ledger, "events", lambda *given, **where: events(*given, **where)[:-1])
    with pytest.raises(RequestFailed, match="gives no event of that; ask another node") as withheld:
        identities.encryption_key(identity)
    where = {"identity": identity, "block": changed}
    assert withheld.value.values == {"method": "eth_getLogs", **where}

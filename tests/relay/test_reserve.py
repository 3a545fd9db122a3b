"""Whatever else a relayer is asked to pay for, patients can revoke and veto."""

from __future__ import annotations

import time

import pytest
from eth_account import Account

from radledger.chain.rpc import request
from radledger.consent import Terms
from radledger.crypto.keys import Kem, PublicKey
from radledger.identity.records import X25519_ATTRIBUTE
from radledger.imaging.service import Images
from radledger.relay.tickets import Limits, Tickets
from radledger.storage import MemoryStore
from tests.consent.conftest import anchor
from tests.identity.cast import travel

__all__ = ["anchor", "travel"]


@pytest.fixture
def who(people):
    """The cast of `anchor`: an image set of a new patient, who has no Ether."""
    return type("Cast", (), {**people, "patient": Account.create()})


def used_up(relay, sign):
    """Have what is signed submitted until the relayer pays for no more."""
    for _ in range(100):
        answer = relay.post(sign())
        if answer.status_code != 202:
            return answer
        relay.end(answer.json()["ticket"])
    raise AssertionError("a hundred documents did not use the day up")


def test_revocations_are_paid_for_when_the_day_is_used_up(
    relaying, sign, consents, people, who, anchor
):
    patient, reader = who.patient, people["radiologist"].address
    anchor()
    newcomer = Account.create()
    with relaying(Limits(per_address=10**9, per_day=1_000_000, queue=100)) as relay:
        relay.end(relay.take(sign(patient)))
        relay.end(relay.take(sign(newcomer)))
        relay.refused(used_up(relay, sign), 429, "BudgetExhausted")

        # Anyone can sign a revocation, so it has to be of a subject that an image set names.
        unnamed = used_up(relay, lambda: consents.sign_revoke(newcomer, reader))
        values = relay.refused(unnamed, 429, "BudgetExhausted")
        assert values["limit"] == 750_000
        more = consents.sign_grant(patient, people["clinic"].address, Terms(("GRU",)))
        relay.refused(relay.post(more), 429, "BudgetExhausted")

        assert relay.end(relay.take(consents.sign_revoke(patient, reader)))["state"] == "confirmed"
        (grant,) = consents.list(subject=patient.address)
        assert grant.status == "revoked"
        assert relay.end(relay.take(consents.sign_revoke_all(patient)))["state"] == "confirmed"


def test_revocations_are_taken_when_the_queue_is_full(relaying, sign, consents, who, anchor):
    anchor()
    with relaying(Limits(per_address=10**9, per_day=10**9, queue=4), working=False) as relay:
        for _ in range(3):
            relay.take(sign())
        assert relay.refused(relay.post(sign()), 503, "QueueFull") == {"waiting": 3}
        relay.take(consents.sign_revoke_all(who.patient))
        newcomer = consents.sign_revoke_all(Account.create())
        assert relay.refused(relay.post(newcomer), 503, "QueueFull") == {"waiting": 4}


def test_revocations_of_patients_are_executed_before_what_is_older(
    relaying, sign, consents, people, who, anchor, tmp_path
):
    anchor()
    newcomer = Account.create()
    with relaying(working=False) as relay:
        older = [relay.take(sign()), relay.take(consents.sign_revoke_all(newcomer))]
        granted = relay.take(sign(who.patient))
        first = relay.take(consents.sign_revoke(who.patient, people["clinic"].address))
        second = relay.take(consents.sign_revoke_all(who.patient))
    (path,) = (tmp_path / "relay").glob("*.sqlite3")
    tickets = Tickets(path)
    order = [each.ticket for each in tickets.next(9, int(time.time()))]
    tickets.close()
    assert order == [first, second, *older, granted]
    with relaying() as relay:
        for ticket in (first, second, *older):
            assert relay.end(ticket)["state"] == "confirmed"
        # The revocation was signed later than the grant, and prevails though it went first.
        assert relay.end(granted)["error"] == "ConsentAllRevokedSince"


def test_vetoes_are_paid_for_when_the_day_is_used_up(
    relaying, sign, identities, ledger, people, who, anchor
):
    patient, guardian, heir = who.patient, people["stranger"], people["clinic"].address
    anchor()
    # One guardian is enough here, so that the recovery is under way at once.
    request(ledger.web3, "anvil_setBalance", [patient.address, hex(10**18)])
    identities.set_guardians(patient, [guardian.address], threshold=1)
    identities.approve_recovery(guardian, patient.address, heir)
    with relaying(Limits(per_address=10**9, per_day=800_000, queue=100)) as relay:
        relay.refused(used_up(relay, sign), 429, "BudgetExhausted")
        veto = identities.sign_veto(patient)
        assert relay.end(relay.take(veto))["state"] == "confirmed"
        assert identities.show(patient.address).recoveries == ()


def test_what_takes_back_is_paid_for_when_the_day_is_used_up(
    relaying, sign, identities, ledger, people, who, anchor, tmp_path
):
    patient, parent = who.patient, people["clinic"].address
    images, mistaken = Images(ledger, MemoryStore(), tmp_path), anchor().image_id
    request(ledger.web3, "anvil_setBalance", [patient.address, hex(10**18)])
    identities.add_delegate(patient, parent, valid_for=3600)
    identities.set_key(patient, PublicKey(Kem.X25519, b"\7" * 32))
    named = (X25519_ATTRIBUTE.encode().ljust(32, b"\0"), b"\7" * 32)
    until = ledger.now() + 3600

    def stands():
        shown = identities.show(patient.address)
        return images.show(mistaken).state, len(shown.delegates), len(shown.attributes)

    with relaying(Limits(per_address=10**9, per_day=1_000_000, queue=100)) as relay:
        relay.refused(used_up(relay, sign), 429, "BudgetExhausted")
        assert stands() == ("anchored", 1, 1)
        for document in (
            lambda: images.sign_disown(patient, mistaken),
            lambda: identities.sign_revoke_delegate(patient, parent),
            lambda: ledger.sign_forward(
                patient,
                *("IdentityRegistry", "revokeAttribute", patient.address, *named),
                deadline=until,
            ),
        ):
            assert relay.end(relay.take(document()))["state"] == "confirmed"
        assert stands() == ("disowned", 0, 0)
        # What gives is not kept room for, nor what a newcomer takes back.
        gives = identities.sign_add_delegate(patient, parent, valid_for=3600)
        relay.refused(relay.post(gives), 429, "BudgetExhausted")
        newcomer = identities.sign_revoke_delegate(Account.create(), parent)
        relay.refused(relay.post(newcomer), 429, "BudgetExhausted")

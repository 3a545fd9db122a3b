"""Whatever else a relayer is asked to pay for, patients can revoke and veto."""

from __future__ import annotations

import time

import pytest
from eth_account import Account

from radledger.chain.forward import Forwarded
from radledger.chain.ledger import Call
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
        unnamed = used_up(relay, lambda: consents.revoke(reader).sign(newcomer))
        values = relay.refused(unnamed, 429, "BudgetExhausted")
        assert values["limit"] == 750_000
        more = consents.grant(people["clinic"].address, Terms(("GRU",))).sign(patient)
        relay.refused(relay.post(more), 429, "BudgetExhausted")

        assert relay.end(relay.take(consents.revoke(reader).sign(patient)))["state"] == "confirmed"
        (grant,) = consents.list(subject=patient.address)
        assert grant.status == "revoked"
        assert relay.end(relay.take(consents.revoke_all().sign(patient)))["state"] == "confirmed"


def test_revocations_are_taken_when_the_queue_is_full(relaying, sign, consents, who, anchor):
    anchor()
    with relaying(Limits(per_address=10**9, per_day=10**9, queue=4), working=False) as relay:
        for _ in range(3):
            relay.take(sign())
        assert relay.refused(relay.post(sign()), 503, "QueueFull") == {"waiting": 3}
        relay.take(consents.revoke_all().sign(who.patient))
        newcomer = consents.revoke_all().sign(Account.create())
        assert relay.refused(relay.post(newcomer), 503, "QueueFull") == {"waiting": 4}


def test_revocations_of_patients_are_executed_before_what_is_older(
    relaying, sign, consents, people, who, anchor, tmp_path
):
    anchor()
    newcomer = Account.create()
    with relaying(working=False) as relay:
        older = [relay.take(sign()), relay.take(consents.revoke_all().sign(newcomer))]
        granted = relay.take(sign(who.patient))
        first = relay.take(consents.revoke(people["clinic"].address).sign(who.patient))
        second = relay.take(consents.revoke_all().sign(who.patient))
    queue, patients = sorted(
        (tmp_path / "relay").glob("*.sqlite3"), key=lambda each: len(each.name)
    )
    assert patients.name.endswith(".patients.sqlite3")
    tickets = Tickets(queue)
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
    identities.set_guardians([guardian.address], threshold=1).send(patient)
    identities.approve_recovery(patient.address, heir).send(guardian)
    with relaying(Limits(per_address=10**9, per_day=800_000, queue=100)) as relay:
        relay.refused(used_up(relay, sign), 429, "BudgetExhausted")
        veto = identities.veto().sign(patient)
        assert relay.end(relay.take(veto))["state"] == "confirmed"
        assert identities.show(patient.address).recoveries == ()


def test_what_takes_back_is_paid_for_when_the_day_is_used_up(
    relaying, sign, identities, ledger, people, who, anchor, tmp_path
):
    patient, parent = who.patient, people["clinic"].address
    images, mistaken = Images(ledger, MemoryStore(), tmp_path), anchor().image_id
    request(ledger.web3, "anvil_setBalance", [patient.address, hex(10**18)])
    identities.add_delegate(parent, validity=3600).send(patient)
    identities.set_key(PublicKey(Kem.X25519, b"\7" * 32)).send(patient)
    named = (X25519_ATTRIBUTE.encode().ljust(32, b"\0"), b"\7" * 32)
    revoking = Call("IdentityRegistry", "revokeAttribute", (patient.address, *named))

    def stands():
        shown = identities.show(patient.address)
        return images.show(mistaken).state, len(shown.delegates), len(shown.attributes)

    with relaying(Limits(per_address=10**9, per_day=1_000_000, queue=100)) as relay:
        relay.refused(used_up(relay, sign), 429, "BudgetExhausted")
        assert stands() == ("anchored", 1, 1)
        for document in (
            lambda: images.disown(mistaken).sign(patient),
            lambda: identities.revoke_delegate(parent).sign(patient),
            lambda: Forwarded(ledger, patient.address, revoking).sign(patient, 3600),
        ):
            assert relay.end(relay.take(document()))["state"] == "confirmed"
        assert stands() == ("disowned", 0, 0)
        # What gives is not kept room for, nor what a newcomer takes back.
        gives = identities.add_delegate(parent, validity=3600).sign(patient)
        relay.refused(relay.post(gives), 429, "BudgetExhausted")
        newcomer = identities.revoke_delegate(parent).sign(Account.create())
        relay.refused(relay.post(newcomer), 429, "BudgetExhausted")

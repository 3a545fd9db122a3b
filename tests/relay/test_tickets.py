"""The queue by itself: budgets by day, order, and one holder at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radledger.errors import Refusal
from radledger.relay.checks import SignedCall
from radledger.relay.errors import BudgetExhausted, RelayBusy, TicketUnknown
from radledger.relay.tickets import Limits, State, Tickets

DAY = 24 * 3600
LIMITS = Limits(per_address=100, per_day=150, queue=100)
ALICE, BOB = "0x" + "aa" * 20, "0x" + "bb" * 20


@pytest.fixture
def tickets(tmp_path):
    tickets = Tickets(tmp_path / "relay" / "tickets.sqlite3")
    yield tickets
    tickets.close()


def call(number, signer=ALICE):
    """A call of a signer; the nonce does not fit into 64 bits."""
    return SignedCall(hex(number), "forward", signer, signer, 2**200 + number, BOB, "0x00", gas=0)


def test_each_day_has_budgets_of_its_own(tickets):
    tickets.accept(call(1), 80, 0, now=DAY - 1, limits=LIMITS)
    with pytest.raises(BudgetExhausted) as refusal:
        tickets.accept(call(2), 21, 0, now=DAY - 1, limits=LIMITS)
    assert refusal.value.values == {"limit": 100, "spent": 80, "needed": 21}
    with pytest.raises(BudgetExhausted) as refusal:
        tickets.accept(call(3, BOB), 71, 0, now=DAY - 1, limits=LIMITS)
    assert refusal.value.values == {"limit": 150, "spent": 80, "needed": 71}
    tickets.accept(call(2), 21, 0, now=DAY, limits=LIMITS)
    tickets.accept(call(3, BOB), 70, 0, now=DAY - 1, limits=LIMITS)


def test_a_quarter_is_kept_for_what_protects_patients():
    assert Limits(100, 150, 100).unreserved == Limits(100, 113, 75)
    assert Limits(0, 1, 1).unreserved == Limits(0, 1, 1)


def test_what_was_used_counts_and_not_what_was_expected(tickets):
    def spent():
        with pytest.raises(BudgetExhausted) as refusal:
            tickets.accept(call(9), 101, 0, now=0, limits=LIMITS)
        return refusal.value.values["spent"]

    ours = tickets.accept(call(1), 40, 0, now=0, limits=LIMITS)
    others = tickets.accept(call(2), 30, 0, now=0, limits=LIMITS)
    refused = tickets.accept(call(3), 20, 0, now=0, limits=LIMITS)
    assert spent() == 90
    tickets.confirm(ours, "0x01", 7, 1_000, gas=35, spent=35)
    assert spent() == 85
    tickets.confirm(others, "0x02", 7, 1_000, gas=25, spent=0)
    assert spent() == 55
    tickets.refuse(refused, Refusal("no", nonce=2**200), gas=5)
    assert spent() == 40

    done = {"transaction_hash": "0x01", "block": 7, "timestamp": 1_000, "gas": 35}
    assert tickets.get(ours.ticket) == replace(ours, state=State.CONFIRMED, **done)
    found = tickets.get(refused.ticket)
    assert (found.state, found.error, found.message) == (State.REFUSED, "Refusal", "no")
    assert found.error_values == {"nonce": 2**200}
    assert tickets.waiting() == (0, 0)


def test_what_may_have_been_sent_comes_first_and_what_was_put_off_when_it_is_due(tickets):
    limits = Limits(10**6, 10**6, 100)
    first, second, third = (
        tickets.accept(call(number), 1, 0, now=number, limits=limits) for number in range(3)
    )
    assert tickets.next(2, now=10) == [first, second]
    tickets.sending([third])
    assert [each.ticket for each in tickets.next(2, now=10)] == [third.ticket, first.ticket]
    tickets.requeue([third])
    tickets.postpone(first, not_before=11)
    assert [each.ticket for each in tickets.next(9, now=10)] == [second.ticket, third.ticket]
    due = tickets.next(9, now=11)[0]
    assert (due.ticket, due.tries) == (first.ticket, 1)
    assert tickets.waiting() == (3, 3)


def test_one_relayer_holds_it_at_a_time(tickets, tmp_path):
    path = tmp_path / "relay" / "tickets.sqlite3"
    kept = tickets.accept(call(1), 80, 5, now=0, limits=LIMITS)
    with pytest.raises(RelayBusy) as refusal:
        Tickets(path)
    assert refusal.value.values == {"path": str(path)}
    tickets.close()
    again = Tickets(path)
    assert again.get(kept.ticket) == kept
    with pytest.raises(TicketUnknown):
        again.get("0x77")
    again.close()

"""The queue by itself: budgets by day, order, and one holder at a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from radledger.errors import DatabaseOfLaterRelease, Refusal
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


def test_what_protects_a_patient_goes_before_what_is_older(tickets):
    limits = Limits(10**6, 10**6, 100)
    older, sent = (tickets.accept(call(number), 1, 0, 0, limits) for number in (1, 2))
    first, second = (
        tickets.accept(call(number), 1, 0, now=number, limits=limits, urgent=True)
        for number in (3, 4)
    )
    newer = tickets.accept(call(5), 1, 0, now=5, limits=limits)
    assert tickets.next(3, now=9) == [first, second, older]
    tickets.sending([sent])
    order = [each.ticket for each in tickets.next(9, now=9)]
    assert order == [each.ticket for each in (sent, first, second, older, newer)]
    tickets.postpone(first, not_before=10)
    assert tickets.next(2, now=9)[1] == second


# As releases before this one made it.
EARLIER = """
CREATE TABLE tickets (
    ticket TEXT PRIMARY KEY, kind TEXT NOT NULL, signer TEXT NOT NULL, account TEXT NOT NULL,
    nonce TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL, since INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL, gas INTEGER NOT NULL, state TEXT NOT NULL,
    transaction_hash TEXT, block INTEGER, timestamp INTEGER,
    error TEXT, error_values TEXT, message TEXT,
    tries INTEGER NOT NULL, not_before INTEGER NOT NULL
) STRICT;
CREATE INDEX live ON tickets (accepted_at) WHERE state IN ('queued', 'sent');
CREATE UNIQUE INDEX once ON tickets (kind, account, nonce) WHERE state IN ('queued', 'sent');
CREATE TABLE spending (
    day INTEGER NOT NULL, signer TEXT NOT NULL, gas INTEGER NOT NULL, PRIMARY KEY (day, signer)
) STRICT, WITHOUT ROWID;
INSERT INTO tickets (
    ticket, kind, signer, account, nonce, target, data, since, accepted_at, gas, state, tries,
    not_before
) VALUES
    ('0x1', 'consent', 'alice', 'alice', '1', 'there', '0x', 0, 0, 80, 'queued', 0, 0),
    ('0x2', 'consent', 'alice', 'alice', '2', 'there', '0x', 0, 0, 80, 'sent', 0, 0),
    ('0x3', 'consent', 'alice', 'alice', '3', 'there', '0x', 0, 0, 80, 'confirmed', 0, 0);
INSERT INTO spending VALUES (0, '', 140);
"""


def test_a_file_of_an_earlier_layout_is_opened_and_its_waiting_tickets_are_dropped(
    tmp_path, caplog
):
    path = tmp_path / "tickets.sqlite3"
    database = sqlite3.connect(path)
    database.executescript(EARLIER)
    database.close()
    opened = Tickets(path)
    (line,) = caplog.records
    assert line.getMessage() == (
        f"{path} has the layout of another release: the 2 tickets that waited are dropped; hand "
        "their documents in again"
    )
    assert opened.waiting() == (0, 0)
    with pytest.raises(TicketUnknown, match="submit the document again"):
        opened.get("0x1")
    # What was paid for today counts on.
    with pytest.raises(BudgetExhausted) as refusal:
        opened.accept(call(1), 11, 0, now=0, limits=LIMITS)
    assert refusal.value.values == {"limit": 150, "spent": 140, "needed": 11}
    consent = replace(call(1), kind="consent", nonce=None)
    kept = opened.accept(consent, 10, 0, now=0, limits=LIMITS, urgent=True)
    opened.close()

    caplog.clear()
    again = Tickets(path)
    assert (again.get(kept.ticket), caplog.records) == (kept, [])
    again.close()


def test_a_file_of_a_later_release_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "tickets.sqlite3"
    opened = Tickets(path)
    kept = opened.accept(call(1), 10, 0, now=0, limits=LIMITS)
    opened.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(DatabaseOfLaterRelease, match="use that release") as error:
        Tickets(path)
    assert error.value.values == {"path": str(path), "layout": 3, "supported": 2}
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 2")
    again = Tickets(path)
    assert again.get(kept.ticket) == kept
    again.close()


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

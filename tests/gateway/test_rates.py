"""How often an account, or the holder of a token, may ask."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from radledger.consent import Terms
from radledger.gateway import create_application
from radledger.gateway.errors import RateExceeded
from radledger.gateway.rates import Rate
from tests.gateway.conftest import URL, Http, refused


@pytest.fixture
def now():
    return SimpleNamespace(time=100.0)


def test_a_burst_is_taken_and_then_a_steady_rate(now):
    rate = Rate(2, burst=4, clock=lambda: now.time)
    for _ in range(4):
        rate.require("a")
    for _ in range(2):
        with pytest.raises(RateExceeded) as refusal:
            rate.require("a")
        assert refusal.value.values == {"per_second": 2}
    rate.require("b")  # of another
    now.time += 0.5
    rate.require("a")
    with pytest.raises(RateExceeded):
        rate.require("a")
    now.time += 60
    rate.require("a", 4)
    with pytest.raises(RateExceeded):
        rate.require("b", 5)  # more than ever fits


def test_who_has_not_asked_for_a_while_takes_no_memory(now):
    rate = Rate(1, burst=10, clock=lambda: now.time)
    for number in range(1000):
        rate.require(str(number))
    assert len(rate._due) == 1000
    now.time += 1
    rate.require("a")
    assert list(rate._due) == ["a"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=60))
def test_no_second_has_more_than_the_burst_and_the_rate(asked):
    """In tenths of a second."""
    now, rate_per_second, burst = SimpleNamespace(time=0.0), 2, 3
    rate = Rate(rate_per_second, burst, clock=lambda: now.time)
    taken = {"a": [], "b": []}
    for who, pause in asked:
        now.time += pause / 10
        try:
            rate.require(who)
        except RateExceeded:
            continue
        taken[who].append(now.time)
    for times in taken.values():
        for at, time in enumerate(times):
            since = [each for each in times[: at + 1] if time - each < 1]
            assert len(since) <= burst + rate_per_second


def test_an_account_that_asks_too_often_is_refused(http, gateway, reader, ask, monkeypatch, who):
    session, other = http.sign_in(reader), http.sign_in(who.stranger)
    monkeypatch.setattr(gateway, "_of_account", Rate(0.001, burst=3))
    for _ in range(3):
        assert http.release(ask(reader), session).status_code == 403
    response = http.release(ask(reader), session)
    refused(response, 429, "RateExceeded")
    assert response.headers["retry-after"] == "1"
    refused(http.tokens([ask(reader)], session), 429, "RateExceeded")
    assert http.release(ask(reader), other).status_code == 403


@pytest.mark.usefixtures("patient_with_ether")
def test_each_receipt_of_a_token_counts(
    http, gateway, consents, image_set, other_image_set, reader, ask, monkeypatch, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    session = http.sign_in(reader)
    monkeypatch.setattr(gateway, "_of_account", Rate(0.001, burst=3))
    requests = [ask(reader, image_set=each) for each in (image_set, other_image_set)]
    assert http.tokens(requests, session).status_code == 201
    requests = [ask(reader, image_set=each) for each in (image_set, other_image_set)]
    refused(http.tokens(requests, session), 429, "RateExceeded")


@pytest.mark.usefixtures("patient_with_ether")
def test_a_token_that_is_used_too_often_is_refused(
    http, gateway, consents, image_set, reader, ask, monkeypatch, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    viewer, other = (http.token([ask(reader)], reader) for _ in range(2))
    monkeypatch.setattr(gateway, "_with_token", Rate(0.001, burst=2))
    for _ in range(2):
        assert http.check(image_set.image_id, viewer).status_code == 200
    refused(http.check(image_set.image_id, viewer), 429, "RateExceeded")
    assert http.check(image_set.image_id, other).status_code == 200
    # Tokens that there are not take no memory.
    refused(http.check(image_set.image_id, {"Authorization": "Bearer x"}), 401, "TokenInvalid")
    assert len(gateway._with_token._due) == 2


@pytest.mark.usefixtures("patient_with_ether")
def test_links_of_an_account_count(
    gateway, consents, image_set, reader, ask, monkeypatch, tmp_path, who
):
    """Since each browser has a token of its own, with a rate of its own."""
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    (tmp_path / "index.html").write_text("<!doctype html>")
    http = Http(TestClient(create_application(gateway, tmp_path), URL))
    viewers = [http.token([ask(reader)], reader) for _ in range(2)]
    monkeypatch.setattr(gateway, "_of_account", Rate(0.001, burst=2))
    for viewer in viewers:
        assert http.client.post("/tickets", headers=viewer).status_code == 201
    for viewer in viewers:
        refused(http.client.post("/tickets", headers=viewer), 429, "RateExceeded")


def test_who_asks_for_nothing_more_is_answered():
    """A token for one image set counts as its request, which may be of a while ago."""
    rate = Rate(1, burst=2, clock=lambda: 0.0)
    for _ in range(3):
        rate.require("reader", 0)

"""A log asks witnesses, keeps what they cosigned, and is published with enough of them alone."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from radledger.tlog import Log, publish
from radledger.tlog.errors import WitnessesMissing
from radledger.tlog.witnesses import REFRESHED
from radledger.verify.form import Invalid
from radledger.verify.logged.notes import ED25519_COSIGNATURE, Key
from radledger.verify.logged.policy import read_policy
from tests.tlog.cast import LOG, MLDSA, WITNESS, Cosigner, entry, fill, reference
from tests.tlog.witness import DoubleWitness, serving

NOW = 1_800_000_000
SECOND = Cosigner("witness.validators.example", ED25519_COSIGNATURE)


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def witnesses(clock):
    """Three witnesses that are served, one with ML-DSA."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(DoubleWitness(cosigner, LOG.key, clock)))
            for cosigner in (WITNESS, SECOND, MLDSA)
        ]


@pytest.fixture
def policy(witnesses):
    """Two of three witnesses have to cosign."""
    return policy_of(witnesses, "group all-three 2 w0 w1 w2\nquorum all-three\n")


def policy_of(witnesses, quorum):
    lines = [
        f"witness w{number} {each.cosigner.vkey} {each.url}\n"
        for number, each in enumerate(witnesses)
    ]
    return read_policy(f"log {LOG.vkey}\n{''.join(lines)}{quorum}".encode())


def test_cosignatures_of_all_witnesses_are_kept(log, policy, witnesses, clock):
    for size in (3, 4, 256, 700):
        fill(log, size)
        done = publish(log, policy, clock)
        assert (done.checkpoint.size, done.checkpoint.root) == (size, reference(size))
        assert done.witnesses == {f"w{number}": NOW for number in range(3)}
        assert (done.refused, log.published()) == ({}, done.checkpoint)
        assert policy.require(log.published()) == done.witnesses
        assert {each.size for each in witnesses} == {size}
    # What they saw last is known, so each is asked once.
    assert [len(each.requests) for each in witnesses] == [4, 4, 4]
    assert policy.require(log.prove(entry(5)).checkpoint) == done.witnesses


def test_a_witness_that_is_behind_or_new_is_asked_for_what_it_saw(log, policy, witnesses, clock):
    fill(log, 3)
    publish(log, policy, clock)
    fill(log, 9)
    witnesses[1].answer = (500, "not now\n")
    done = publish(log, policy, clock)
    assert done.witnesses.keys() == {"w0", "w2"}
    assert "w1" in done.refused["w1"]
    assert "500: not now" in done.refused["w1"]
    witnesses[1].answer = None
    fill(log, 12)
    assert publish(log, policy, clock).witnesses.keys() == {"w0", "w1", "w2"}
    assert [each.partition(b"\n")[0] for each in witnesses[1].requests] == [
        *(b"old 0", b"old 3", b"old 0", b"old 3")
    ]


def test_a_log_that_has_not_grown_asks_again_after_a_while(log, policy, witnesses, clock):
    fill(log, 3)
    first = publish(log, policy, clock)
    clock.time += REFRESHED - 1
    assert publish(log, policy, clock).checkpoint == first.checkpoint
    assert len(witnesses[0].requests) == 1
    clock.time += 1
    done = publish(log, policy, clock)
    assert done.witnesses == {f"w{number}": clock.time for number in range(3)}
    assert done.checkpoint.root == first.checkpoint.root
    assert witnesses[0].requests[-1].startswith(b"old 3\n\n")


def test_a_published_cosignature_that_was_changed_is_asked_for_again(
    log, folder, policy, witnesses, clock
):
    fill(log, 3)
    expected = publish(log, policy, clock).checkpoint
    path = folder / "public/checkpoint"
    line = expected.note.splitlines()[-1]
    path.write_text(expected.note.replace(line, line[:-8] + "AAAAAAA="))
    with pytest.raises(Invalid, match="signature"):
        policy.require(log.published())
    assert publish(log, policy, clock).checkpoint.text == expected.text
    assert policy.require(log.published()).keys() == {"w0", "w1", "w2"}


def test_without_a_quorum_nothing_is_published(log, policy, witnesses, clock):
    fill(log, 3)
    before = publish(log, policy, clock).checkpoint
    fill(log, 5)
    for witness in witnesses[:2]:
        witness.answer = (503, "later\n")
    with pytest.raises(WitnessesMissing) as refusal:
        publish(log, policy, clock)
    assert refusal.value.values["cosigned"] == ["w2"]
    assert refusal.value.values["refused"].keys() == {"w0", "w1"}
    assert "503: later" in str(refusal.value)
    assert log.published() == before
    witnesses[0].answer = None
    done = publish(log, policy, clock)
    assert (done.checkpoint.size, set(done.witnesses)) == (5, {"w0", "w2"})


def test_a_log_without_witnesses_is_published_as_it_is(log, clock):
    fill(log, 3)
    alone = read_policy(f"log {LOG.vkey}\nquorum none\n".encode())
    assert publish(log, alone, clock).witnesses == {}
    assert log.published().size == 3


def test_witnesses_without_an_address_are_not_asked(log, clock):
    fill(log, 3)
    policy = read_policy(f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n".encode())
    with pytest.raises(WitnessesMissing, match="no witness has an address"):
        publish(log, policy, clock)
    assert log.published() is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, ""), "is not valid"),
        ((200, "\u2014 witness.example AAAA\n"), "is not valid"),
        ((200, b"\xff"), "is not valid"),
        ((200, "\u2014 witness.example AAAAAAAAAAAA\n"), "no signature of"),
        ((200, "x" * 70_000), "more than 65,536 bytes"),
        ((404, "unknown log\n"), "404: unknown log"),
        ((403, "\x1b[31m"), "403: "),
        ((422, ""), "422: without a reason"),
        ((409, "many\n"), "does not say which size"),
        ((409, "03\n"), "does not say which size"),
        ((409, "4\n"), "has seen 4 entries of the log, which has 3"),
        ((409, "2\n"), "409: 2"),
        ((307, ""), "307"),
    ],
)
def test_other_answers_than_a_cosignature_are_refused(log, witnesses, clock, answer, why):
    fill(log, 3)
    witnesses[0].answer = answer
    policy = policy_of(witnesses[:1], "quorum w0\n")
    with pytest.raises(WitnessesMissing) as refusal:
        publish(log, policy, clock)
    assert why in refusal.value.values["refused"]["w0"]
    assert "\x1b" not in str(refusal.value)
    assert log.published() is None


def test_a_cosignature_of_another_checkpoint_time_or_key_is_refused(log, witnesses, clock):
    fill(log, 3)
    witness, policy = witnesses[0], policy_of(witnesses[:1], "quorum w0\n")
    with log.publishing() as draft:
        checkpoint = draft.checkpoint
    other = checkpoint._replace(text=checkpoint.text.replace("\n3\n", "\n4\n"))
    impostor = Cosigner("impostor.example", ED25519_COSIGNATURE)
    impostor.key = Key(WITNESS.key.name, ED25519_COSIGNATURE, WITNESS.key.public)
    for line, why in (
        (WITNESS.line(other, NOW), "is not valid"),
        (impostor.line(checkpoint, NOW), "is not valid"),
        (SECOND.line(checkpoint, NOW), "no signature of"),
        (WITNESS.line(checkpoint, NOW - 301), "is of the time"),
        (WITNESS.line(checkpoint, NOW + 301), "is of the time"),
    ):
        witness.answer = (200, line)
        with pytest.raises(WitnessesMissing) as refusal:
            publish(log, policy, clock)
        assert why in refusal.value.values["refused"]["w0"]
    # A line of another key beside the right one is of no harm, and is not kept.
    witness.answer = (200, SECOND.line(checkpoint, NOW) + WITNESS.line(checkpoint, NOW))
    assert publish(log, policy, clock).witnesses == {"w0": NOW}
    assert SECOND.key.name not in log.published().note


def test_a_witness_that_cannot_be_reached_is_named_without_its_secrets(log, clock):
    fill(log, 3)
    url = "http://user:password@127.0.0.1:1/key"
    policy = read_policy(f"witness w {WITNESS.vkey} {url}\nquorum w\n".encode())
    with pytest.raises(WitnessesMissing, match="cannot be reached") as refusal:
        publish(log, policy, clock)
    assert "password" not in str(refusal.value)
    policy = read_policy(f"witness w {WITNESS.vkey} http://[\nquorum w\n".encode())
    with pytest.raises(WitnessesMissing, match="cannot be reached"):
        publish(log, policy, clock)


# --- what witnesses are for ---------------------------------------------------------------------


def test_a_rewritten_history_is_cosigned_by_no_witness(log, policy, tmp_path, signer, clock):
    fill(log, 300)
    publish(log, policy, clock)
    fork = Log(tmp_path / "fork", signer)
    fork.append((number, entry(number) if number != 7 else b"other") for number in range(400))
    with pytest.raises(WitnessesMissing) as refusal:
        publish(fork, policy, clock)
    assert all("422: not consistent" in why for why in refusal.value.values["refused"].values())
    fork.close()


def test_a_dropped_entry_is_cosigned_by_no_witness(log, policy, tmp_path, signer, clock):
    fill(log, 300)
    publish(log, policy, clock)
    shorter = Log(tmp_path / "shorter", signer)
    fill(shorter, 299)
    with pytest.raises(WitnessesMissing) as refusal:
        publish(shorter, policy, clock)
    refused = refusal.value.values["refused"].values()
    assert all("has seen 300 entries of the log, which has 299" in why for why in refused)
    shorter.close()

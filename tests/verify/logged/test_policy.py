"""Policies of C2SP: which checkpoints they take, and which files are not a policy."""

from __future__ import annotations

import pytest

from radledger.verify.form import Invalid
from radledger.verify.logged.notes import ED25519_COSIGNATURE, Key
from radledger.verify.logged.policy import Policy, Witness, read_policy
from tests.tlog.cast import LOG, MLDSA, WITNESS, Cosigner, checkpoint

SECOND = Cosigner("witness.validators.example", ED25519_COSIGNATURE)
WITNESSES = f"witness w1 {WITNESS.vkey}\nwitness w2 {SECOND.vkey}\nwitness w3 {MLDSA.vkey}\n"
NESTED = (
    f"log {LOG.vkey}\n{WITNESSES}group inner any w2 w3\ngroup outer all w1 inner\nquorum outer\n"
)
WITNESS_AS_LOG = Key(WITNESS.key.name, 1, WITNESS.key.public).vkey
IMPOSTOR = Key("impostor.example", ED25519_COSIGNATURE, WITNESS.key.public).vkey


def policy(text: str) -> Policy:
    return read_policy(text.encode())


def test_policy_is_read() -> None:
    read = policy(
        f"# a comment\n\n\tlog {LOG.vkey}  https://gateway.hospital.example/log/ \n"
        f"witness \t w\u00e9 {WITNESS.vkey} https://w.example/\n  quorum\tw\u00e9"
    )
    name = "w\u00e9".encode().decode("latin-1")
    assert read.logs == (LOG.key,)
    assert read.witnesses == (Witness(name, WITNESS.key, "https://w.example/"),)
    assert (read.groups, read.quorum) == ({}, name)
    assert policy("quorum none").is_quorum({})


@pytest.mark.parametrize(
    ("cosigners", "enough"),
    [
        ((WITNESS, SECOND, MLDSA), True),
        ((WITNESS, MLDSA), True),
        ((WITNESS, SECOND), True),
        ((WITNESS,), False),
        ((SECOND, MLDSA), False),
        ((), False),
    ],
)
def test_quorum_of_groups(cosigners: tuple[Cosigner, ...], enough: bool) -> None:
    signed = checkpoint(7, signers=((LOG, 0), *((each, 5) for each in cosigners)))
    if enough:
        assert len(policy(NESTED).require(signed)) == len(cosigners)
    else:
        with pytest.raises(Invalid, match="the policy asks for outer"):
            policy(NESTED).require(signed)


def test_threshold_of_a_group() -> None:
    two = policy(f"{WITNESSES}group g 2 w1 w2 w3\nquorum g\n")
    assert two.is_quorum({"w1": 1, "w3": 1})
    assert not two.is_quorum({"w2": 1})


def test_a_checkpoint_that_its_log_did_not_sign_is_refused() -> None:
    read = policy(f"log {LOG.vkey}\n{WITNESSES}quorum w1\n")
    assert read.require(checkpoint(7, signers=((LOG, 0), (WITNESS, 5)))) == {"w1": 5}
    with pytest.raises(Invalid, match="is of no log of the policy"):
        read.require(checkpoint(7, signers=((WITNESS, 5),)))
    other = policy(f"log {WITNESS_AS_LOG}\n{WITNESSES}quorum w1\n")
    with pytest.raises(Invalid, match="is of no log of the policy"):
        other.require(checkpoint(7, signers=((LOG, 0), (WITNESS, 5))))


def test_a_wrong_cosignature_is_refused_though_others_are_enough() -> None:
    good = checkpoint(7, signers=((LOG, 0), (WITNESS, 5)))
    line = SECOND.line(checkpoint(8), 5)
    wrong = good._replace(note=good.note + line)
    with pytest.raises(Invalid) as refusal:
        policy(f"log {LOG.vkey}\n{WITNESSES}quorum w1\n").require(wrong)
    assert refusal.value.args == ("signature", f"of {SECOND.key.name} is not valid")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("quorum none\n\x01", "control characters"),
        ("quorum none\r\n", "control characters"),
        ("quibble w1\nquorum none\n", "begins with 'quibble'"),
        (f"witness w1 {WITNESS.vkey} https://w.example/ # comment\nquorum w1\n", "further words"),
        ("log\nquorum none\n", "missing or further words"),
        ("log garbage\nquorum none\n", "for Base64"),
        (f"log {WITNESS.vkey}\nquorum none\n", "does not sign checkpoints of logs"),
        (f"log {LOG.vkey}\nlog {LOG.vkey} https://x.example/\nquorum none\n", "named before"),
        ("witness w1\nquorum w1\n", "missing or further words"),
        (f"witness w1 {LOG.vkey}\nquorum w1\n", "a log's key for a witness"),
        (f"witness none {WITNESS.vkey}\nquorum none\n", "has a meaning already"),
        (f"{WITNESSES}witness w1 {IMPOSTOR}\nquorum w1\n", "has a meaning already"),
        (f"{WITNESSES}witness w4 {IMPOSTOR}\nquorum w1\n", "named before"),
        (f"{WITNESSES}group w1 any w2\nquorum w1\n", "has a meaning already"),
        (f"{WITNESSES}group g 1\nquorum w1\n", "missing or further words"),
        (f"{WITNESSES}group none any w1\nquorum none\n", "has a meaning already"),
        (f"{WITNESSES}group g 0 w1\nquorum g\n", "asks for '0' of 1"),
        (f"{WITNESSES}group g -1 w1\nquorum g\n", "asks for '-1' of 1"),
        (f"{WITNESSES}group g 2 w1\nquorum g\n", "asks for '2' of 1"),
        (f"{WITNESSES}group g any w9\nquorum g\n", "'w9', which is not defined before"),
        (f"group g any w1\n{WITNESSES}quorum g\n", "'w1', which is not defined before"),
        (f"{WITNESSES}group g any none w1\nquorum g\n", "'none', which is not defined before"),
        (f"{WITNESSES}group g all w1 w1\nquorum g\n", "a member already"),
        (f"{WITNESSES}group g any w1\ngroup h any w1\nquorum g\n", "a member already"),
        (f"{WITNESSES}group g any g\nquorum g\n", "'g', which is not defined before"),
        (WITNESSES, "no line with the quorum"),
        (f"{WITNESSES}quorum w1\nquorum w1\n", "second quorum"),
        ("quorum unknown\n", "not defined before"),
        (f"quorum w1\n{WITNESSES}", "not defined before"),
        ("quorum\n", "missing or further words"),
        ("#" * (1 << 20) + "\nquorum none\n", "more than"),
    ],
)
def test_what_is_not_a_policy_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        policy(text)
    assert why in " ".join(refusal.value.args)


def test_a_key_whose_name_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        read_policy(b"log \xff" + LOG.vkey.encode() + b"\nquorum none\n")
    assert "it was not copied whole" in " ".join(refusal.value.args)

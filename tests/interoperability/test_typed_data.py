"""What a wallet built on viem signs is what the consent registry accepts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_keys import keys
from eth_utils import keccak

from tests.anvil import Chain, Contract, Reverted, account, digest, running_chain

SCRIPT = Path(__file__).with_name("typed_data.mjs")
ROOT = Path(__file__).parents[2]
RADIOLOGIST, STRANGER = account("radiologist"), account("stranger")
HOSPITAL, GOVERNOR = account("hospital"), account("governor")
KEY = keys.PrivateKey(keccak(text="patient"))
PATIENT = KEY.public_key.to_checksum_address()
CLINICIAN = 1 << 2
DAY = 24 * 3600
GRANTED, REVOKED = 1, 2

WHOSE = {"subject": PATIENT, "grantee": RADIOLOGIST, "scope": "0x" + digest("visit").hex()}
TERMS = {
    "from": 0,
    "until": 2**32 - 1,
    "purposes": 1 << 3 | 1 << 5,
    "conditions": 1 << 0 | 1 << 15,
    "disease": "0x" + b"MONDO:0004992".hex(),
}
WORDS = {
    "purposes": ["disease-specific research", "clinical care"],
    "conditions": [
        "by a not-for-profit organisation only",
        "no research on population origins or ancestry",
    ],
}
BASIS = {"seen": 0, "epoch": 0}
MESSAGES = {
    "Grant": {**WHOSE, **TERMS, **WORDS, **BASIS},
    "Revoke": WHOSE,
    "RevokeAll": {"subject": PATIENT, "epoch": 0},
    "ForbidEmergencies": {"subject": PATIENT, "forbidden": True, "seen": 0},
    "Approve": {"requester": RADIOLOGIST, **WHOSE, **TERMS, **WORDS, **BASIS},
}
ARGUMENTS = (PATIENT, RADIOLOGIST, digest("visit"))
ASKED = (*ARGUMENTS, (*list(TERMS.values())[:4], b"MONDO:0004992"))
CALLS: dict[str, tuple[Any, ...]] = {
    "Grant": ("grantBySig", *ASKED, (0, 0)),
    "Revoke": ("revokeBySig", *ARGUMENTS),
    "RevokeAll": ("revokeAllBySig", PATIENT, 0),
    "ForbidEmergencies": ("forbidEmergenciesBySig", PATIENT, True, 0),
    "Approve": ("approveBySig", RADIOLOGIST, *ASKED, (0, 0)),
}


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, with viem beside it."""
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")
    if node is None or not (ROOT / "node_modules" / "viem").is_dir():
        pytest.skip("needs node and viem: run `make setup`")
    return node


def sign(node: str, domain: dict[str, Any], kind: str, message: dict[str, Any]) -> bytes:
    """The signature that viem makes with the patient's key."""
    answer = subprocess.run(
        [node, SCRIPT, KEY.to_hex(), json.dumps(domain), kind, json.dumps(message)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return bytes.fromhex(answer.stdout.removeprefix("0x"))


@pytest.fixture(scope="module")
def stage(node: str) -> Iterator[tuple[Chain, Contract]]:
    """A chain and its consent registry, with something to revoke and something to approve."""
    with running_chain() as chain:
        forwarder = chain.deploy("Forwarder").address
        identities = chain.deploy("IdentityRegistry", forwarder, DAY).address
        participants = chain.deploy("ParticipantRegistry", forwarder, [GOVERNOR])
        peers = (identities, participants.address, forwarder)
        images = chain.deploy("ImageRegistry", *peers).address
        peers = (identities, participants.address, images)
        consents = chain.deploy("ConsentRegistry", *peers, True, 5)
        chain.send(GOVERNOR, participants, "admitInstitution", HOSPITAL, CLINICIAN)
        chain.send(HOSPITAL, participants, "admit", RADIOLOGIST, CLINICIAN)
        chain.send(RADIOLOGIST, consents, "request", *ASKED)
        yield chain, consents


@pytest.mark.parametrize("kind", MESSAGES)
def test_viem_signs_and_the_contract_accepts(
    node: str, stage: tuple[Chain, Contract], kind: str
) -> None:
    chain, consents = stage
    # The registry itself says what to sign for (EIP-5267).
    _, name, version, chain_id, contract, *_ = chain.call(consents, "eip712Domain")
    domain = {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract}
    with chain.undone():
        if kind == "Revoke":
            chain.send(PATIENT, consents, "grant", *ASKED)
        latest = chain.request("eth_getBlockByNumber", "latest", False)
        when = {"signed": int(latest["timestamp"], 16), "deadline": 2**40 - 1}
        signature = sign(node, domain, kind, {**MESSAGES[kind], **when})
        authorization = (PATIENT, *when.values(), signature)

        void = (PATIENT, when["signed"], when["deadline"] - 1, signature)
        with pytest.raises(Reverted) as refusal:
            chain.send(STRANGER, consents, *CALLS[kind], void)
        assert (refusal.value.name, refusal.value.values) == (
            "ConsentBadSignature",
            (PATIENT.lower(),),
        )
        chain.send(STRANGER, consents, *CALLS[kind], authorization)
        if kind == "RevokeAll":
            assert chain.call(consents, "epochOf", PATIENT) == 1
        elif kind == "ForbidEmergencies":
            assert chain.call(consents, "emergencyChoiceOf", PATIENT) == (True, when["signed"])
        else:
            status = chain.call(consents, "grantOf", *ARGUMENTS)[7]
            assert status == (REVOKED if kind == "Revoke" else GRANTED)

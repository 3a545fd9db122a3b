"""What a page built on viem signs opens a session, and what is signed here viem reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account

from radledger.chain.clock import Clock
from radledger.gateway.sign_in import SignIn
from radledger.gateway.siwe import SignInMessage

SCRIPT = Path(__file__).with_name("siwe.mjs")
ROOT = Path(__file__).parents[2]
URL = "https://gateway.hospital.example:8443/images"


def viem(*arguments: str) -> Any:
    node = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")
    if node is None or not (ROOT / "node_modules" / "viem" / "siwe").is_dir():
        pytest.skip("needs node and viem: run `make setup`")
    answer = subprocess.run(
        [node, SCRIPT, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture
def sign_in() -> SignIn:
    ledger: Any = SimpleNamespace(chain_id=1337, clock=Clock(lambda: 1_800_000_000), web3=None)
    return SignIn(ledger, URL)


def test_what_viem_signs_opens_a_session(sign_in: SignIn) -> None:
    account, challenge = Account.create(), sign_in.challenge()
    fields = {name: getattr(challenge, name) for name in challenge.__slots__}
    answer = viem("0x" + bytes(account.key).hex(), json.dumps(fields))
    session = sign_in.open(answer["message"], answer["signature"])
    assert session.account == sign_in.account(session.token) == account.address


def test_viem_reads_what_is_signed_here(sign_in: SignIn) -> None:
    challenge, address = sign_in.challenge(), Account.create().address
    message = SignInMessage(
        domain=challenge.domain,
        address=address,
        uri=challenge.uri,
        chain_id=challenge.chain_id,
        nonce=challenge.nonce,
        issued_at=challenge.issued_at,
        expiration_time=challenge.expiration_time,
    )
    assert viem("read", message.text) == {
        "address": address,
        "domain": "gateway.hospital.example:8443",
        "uri": URL,
        "version": "1",
        "chainId": 1337,
        "nonce": challenge.nonce,
        "issuedAt": "2027-01-15T08:00:00.000Z",
        "expirationTime": "2027-01-15T08:05:00.000Z",
    }

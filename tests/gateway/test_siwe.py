"""Messages of EIP-4361, by the vectors of the reference implementation (spruceid/siwe, test/)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radledger.chain.signatures import recover_digest, signature_bytes
from radledger.gateway.errors import SignInMalformed
from radledger.gateway.siwe import SignInMessage, digest, timestamp

VECTORS = Path(__file__).parent / "vectors"
NAMES = {"domain": "domain", "address": "address", "statement": "statement", "uri": "uri"} | {
    "chainId": "chain_id",
    "nonce": "nonce",
    "issuedAt": "issued_at",
    "expirationTime": "expiration_time",
    "notBefore": "not_before",
    "requestId": "request_id",
    "resources": "resources",
    "scheme": "scheme",
}
TEXT = (
    "gateway.example wants you to sign in with your Ethereum account:\n"
    "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n\nURI: https://gateway.example\nVersion: 1\n"
    "Chain ID: 1\nNonce: 32891756\nIssued At: 2021-09-30T16:25:24Z"
)


def vectors(name):
    cases = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return [pytest.param(case, id=label) for label, case in cases.items()]


def message_of(fields):
    named = {NAMES[name]: value for name, value in fields.items() if name in NAMES}
    if named.get("resources") is not None:
        named["resources"] = tuple(named["resources"])
    return SignInMessage(**named)


@pytest.mark.parametrize("vector", vectors("parsing_positive"))
def test_a_message_is_read_and_written(vector):
    message = SignInMessage.parse(vector["message"])
    assert message == message_of(vector["fields"])
    assert message.text == vector["message"]


@pytest.mark.parametrize("text", vectors("parsing_negative"))
def test_what_is_not_a_message_is_refused(text):
    with pytest.raises(SignInMalformed):
        SignInMessage.parse(text)


@pytest.mark.parametrize("vector", vectors("verification_positive"))
def test_a_signed_message_has_its_signer(vector):
    message = message_of(vector)
    assert SignInMessage.parse(message.text) == message
    signature = signature_bytes(vector["signature"])
    assert recover_digest(digest(message.text), signature) == message.address
    assert message.holds_at(timestamp(vector.get("time", message.issued_at)))


@pytest.mark.parametrize("vector", vectors("verification_negative"))
def test_what_must_not_be_accepted_is_not(vector):
    message = message_of(vector)
    try:
        parsed = SignInMessage.parse(message.text)
        signature = signature_bytes(vector["signature"])
    except (SignInMalformed, ValueError):
        return
    by = recover_digest(digest(message.text), signature)
    accepted = (
        by == parsed.address
        and parsed.holds_at(timestamp(vector.get("time", parsed.issued_at)))
        and parsed.domain == vector.get("domainBinding", parsed.domain)
        and parsed.nonce == vector.get("matchNonce", parsed.nonce)
    )
    assert not accepted


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: " " + text,
        lambda text: text.replace("Version: 1", "Version: 2"),
        lambda text: text.replace("\n\n\n", "\n\nURI: https://evil\nx\n\n"),
        lambda text: text.replace("Nonce: 3", "Nonce: ٣"),
        lambda text: text.replace("gateway.example wants", "gateway\uff0eexample wants"),
        lambda text: text.replace("Z", ""),
        lambda text: text.replace("09-30", "02-30"),
        lambda text: text.lower(),
        lambda text: text + "\nResources:\n- " + "https://a.example/" + "a" * 4000,
    ],
)
def test_a_message_that_was_changed_is_refused(change):
    SignInMessage.parse(TEXT)
    with pytest.raises(SignInMalformed):
        SignInMessage.parse(change(TEXT))


@given(st.text(alphabet=st.sampled_from(sorted(set(TEXT))), max_size=40), st.integers(0, len(TEXT)))
def test_whatever_is_read_is_written_as_it_was(inserted, place):
    text = TEXT[:place] + inserted + TEXT[place:]
    try:
        message = SignInMessage.parse(text)
    except SignInMalformed:
        return
    assert message.text == text
    assert re.fullmatch(r"[\x20-\x7e\n]+", text)

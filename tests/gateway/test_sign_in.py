"""Who signs in: an account that signed a new challenge, for this gateway and chain, once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from radledger.access import Receipt
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.crypto.keys import public_key
from radledger.gateway import expiring, sign_in
from tests.access.holding import PRIVATE_KEY, opened
from tests.gateway.conftest import URL, refused, signed, wrapped

pytestmark = pytest.mark.usefixtures("patient_with_ether")

HERE = ["gateway.example", URL]


def test_a_challenge_says_for_what_it_is(http, ledger, wall):
    wall(0)
    challenge, other = http.challenge(), http.challenge()
    assert challenge["nonce"] != other["nonce"]
    assert re.fullmatch("[0-9a-f]{74}", challenge["nonce"])
    assert [challenge["domain"], challenge["uri"]] == HERE
    assert challenge["chain_id"] == ledger.chain_id
    issued, ends = challenge["issued_at"], challenge["expiration_time"]
    assert sign_in.moment(ledger.now()) == issued < ends == sign_in.moment(ledger.now() + 300)


def test_an_account_that_signed_has_a_session(http, reader, gateway):
    headers = http.sign_in(reader)
    assert gateway.sign_in.account(headers["Authorization"].removeprefix("Bearer ")) == (
        reader.address
    )


def test_a_message_for_elsewhere_is_refused(http, ledger, reader):
    for changes in (
        {"domain": "evil.example"},
        {"domain": "gateway.example:8443"},
        {"domain": "user@gateway.example"},
        {"uri": "https://evil.example"},
        {"uri": "https://gateway.example/other"},
        {"chain_id": 1},
        {"scheme": "http"},
    ):
        text = http.message(reader, **changes)
        values = refused(http.post_session(text, signed(reader, text)), 403, "SignInForAnother")
        assert values["expected"] == [*HERE, ledger.chain_id]
    http.sign_in(reader, http.message(reader, scheme="https"))


def test_a_message_is_accepted_once(http, reader):
    text = http.message(reader)
    http.sign_in(reader, text)
    for form in (signed(reader, text), signed(reader, text).upper().replace("0X", "0x")):
        values = refused(http.post_session(text, form), 403, "SignInExpired")
        assert values["nonce"] in text


def test_of_the_same_message_at_the_same_time_one_is_accepted(http, reader):
    text = http.message(reader)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: http.post_session(text, signed(reader, text)).status_code, range(8))
        )
    assert sorted(answers) == [201] + [403] * 7


def test_a_nonce_of_another_is_refused(http, reader):
    given = http.challenge()["nonce"]
    later = f"{given[:32]}{int(given[32:42]) + 1:010d}{given[42:]}"
    for nonce in ("0123456789", "0" * 74, "a" * 64, given[::-1], later, given[:-1], given + "0"):
        text = http.message(reader, nonce=nonce)
        values = refused(http.post_session(text, signed(reader, text)), 403, "SignInExpired")
        assert values == {"nonce": nonce}
    http.sign_in(reader, http.message(reader, nonce=given))


def test_a_challenge_of_before_a_restart_is_refused(http, home, reader, who):
    from radledger.gateway import Gateway

    text = http.message(reader)
    restarted = Gateway(home, who.hospital, URL)
    with pytest.raises(sign_in.SignInExpired):
        restarted.sign_in.open(text, signed(reader, text))
    restarted.close()


def test_a_challenge_counts_for_five_minutes(http, reader, wall):
    wall(0)
    late, in_time = http.message(reader), http.message(reader)
    # What a wallet writes of its own cannot make it longer.
    longer = http.message(reader, expiration_time="2100-01-01T00:00:00Z")
    wall(299)
    http.sign_in(reader, in_time)
    wall(300)
    for text in (late, longer):
        refused(http.post_session(text, signed(reader, text)), 403, "SignInExpired")


def test_a_message_counts_between_its_own_times(http, reader, wall):
    wall(60)
    early = http.message(reader, not_before="2100-01-01T00:00:00Z")
    late = http.message(reader, expiration_time="2020-01-01T00:00:00Z")
    for text in (early, late):
        refused(http.post_session(text, signed(reader, text)), 403, "SignInExpired")


def test_a_signature_of_another_is_refused(http, reader, who):
    text = http.message(reader)
    other = signed(reader, text + " ")
    for signature in (signed(who.stranger, text), other, "0x", "", "nonsense", "0x" + "00" * 65):
        values = refused(http.post_session(text, signature), 403, "SignInNotSigned")
        assert values == {"account": reader.address}
    # What was refused does not use the challenge up.
    http.sign_in(reader, text)


def test_a_message_without_a_form_is_refused(http, reader):
    text = http.message(reader) + "\n"
    refused(http.post_session(text, signed(reader, text)), 403, "SignInMalformed")
    lower = http.message(reader).replace(reader.address, reader.address.lower())
    values = refused(http.post_session(lower, signed(reader, lower)), 403, "SignInMalformed")
    assert values == {"address": reader.address.lower()}


def test_a_session_ends_after_a_quarter_of_an_hour(http, ledger, reader, ask, wall, consents, who):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    wall(0)
    headers = http.sign_in(reader)
    wall(899)
    assert http.release(ask(reader, time=ledger.now() + 899), headers).status_code == 201
    wall(900)
    refused(http.release(ask(reader), headers), 401, "SignInRequired")


def test_there_is_room_for_so_many(http, reader, monkeypatch, wall):
    wall(0)
    monkeypatch.setattr(expiring, "_MOST", 2)
    for _ in range(2):
        http.sign_in(reader)
    text = http.message(reader)
    busy = http.post_session(text, signed(reader, text))
    assert refused(busy, 503, "GatewayBusy") == {"most": 2}
    assert busy.headers["retry-after"]
    # There is room again when sessions end.
    wall(900)
    http.sign_in(reader)


# ------------------------------------------------------------------ accounts that are contracts


@pytest.fixture
def wallet(ledger, who):
    """A contract that signs with the key of the clinician (ERC-1271), and its address."""
    owner = who.clinician.address[2:].lower()
    address = ledger.web3.to_checksum_address("0x" + "c0de" * 10)
    code = (
        "600435600052"  # mem[0] = digest
        "60a43560f81c602052"  # mem[32] = v
        "606435604052608435606052"  # mem[64] = r, mem[96] = s
        "6020608060806000600" + "15afa50"  # mem[128] = ecrecover(…)
        f"60805173{owner}14"
        "631626ba7e0260e01b60005260206000f3"
    )
    request = ledger.web3.provider.make_request
    request("anvil_setCode", [address, "0x" + code])
    request("anvil_setBalance", [address, hex(10**18)])
    request("anvil_impersonateAccount", [address])
    return address


@pytest.fixture
def set_key(ledger, wallet, identities):
    """Register the reader's encryption key for the wallet, which calls the registry itself."""
    to, data = ledger.encode(
        *("IdentityRegistry", "setAttribute", wallet),
        *(b"did/pub/Multikey/enc".ljust(32, b"\0"), _value(), 10**9),
    )
    sent = ledger.web3.provider.make_request(
        "eth_sendTransaction", [{"from": wallet, "to": to, "data": data, "gas": hex(1_000_000)}]
    )
    assert "error" not in sent, sent
    ledger.web3.eth.wait_for_transaction_receipt(sent["result"])
    assert identities.encryption_key(wallet) == public_key(PRIVATE_KEY)


def _value():
    from radledger.identity.records import key_attribute

    return key_attribute(public_key(PRIVATE_KEY))[1]


@pytest.mark.usefixtures("set_key")
def test_a_contract_signs_in_and_reads(
    http, ledger, consents, holding, image_set, receipts, who, wallet
):
    consents.grant(wallet, Terms(("CC",))).send(who.patient)
    text = http.message(who.clinician, address=wallet)
    session = http.post_session(text, signed(who.clinician, text))
    assert session.json()["account"] == wallet
    headers = {"Authorization": f"Bearer {session.json()['session']}"}

    def request():
        use = Use.of(["CC"])
        (grant,) = consents.list(subject=who.patient.address)
        return Receipt.of(ledger, wallet, image_set.image_id, use, grant.grant_id)

    answer = http.release(request().sign(who.clinician), headers)
    assert answer.status_code == 201, answer.text
    assert opened(wrapped(answer.json())) == holding.secret(image_set.image_id)
    assert [kept.signer for kept in receipts.releases()] == [wallet]
    forged = http.release(request().sign(who.stranger), headers)
    refused(forged, 422, "ReceiptInvalid")

    # Nothing is encrypted again because no key of an account's own signed.
    before = holding.secret(image_set.image_id)
    http.release(request().sign(who.clinician), headers)
    assert holding.secret(image_set.image_id) == before
    consents.revoke(wallet).send(who.patient)
    refused(http.release(request().sign(who.clinician), headers), 403, "ConsentNotPermittedRevoked")


def test_a_contract_that_did_not_sign_is_refused(http, ledger, who, wallet):
    text = http.message(who.stranger, address=wallet)
    for signature in (signed(who.stranger, text), "0x", "0x1234"):
        assert refused(http.post_session(text, signature), 403, "SignInNotSigned") == {
            "account": wallet
        }
    # One that reverts, or answers with something else, says no.
    for code in ("0x60006000fd", "0x", "0x6001600052602060006000f3", "0x60016000f3"):
        ledger.web3.provider.make_request("anvil_setCode", [wallet, code])
        response = http.post_session(text, signed(who.clinician, text))
        refused(response, 403, "SignInNotSigned")

"""What a relayer takes on and pays for, once, and what it refuses, each by its name."""

from __future__ import annotations

import copy

import pytest
from eth_account import Account

from radledger.chain import documents
from radledger.chain.forward import Forwarded, forward_typed_data
from radledger.chain.ledger import Call
from radledger.chain.rpc import request
from radledger.consent import Terms
from radledger.crypto.keys import Kem, PublicKey
from radledger.relay.tickets import Limits
from tests.consent.tampering import altered
from tests.identity.cast import travel

__all__ = ["travel"]

DAY = 24 * 3600


def sent_by(ledger, account):
    return ledger.web3.eth.get_transaction_count(account.address)


def test_a_consent_is_paid_for_and_confirmed(relay, sign, consents, ledger, people):
    patient = Account.create()
    response = relay.post(sign(patient))
    assert response.status_code == 202
    ticket = response.json()
    assert response.headers["location"] == f"/tickets/{ticket['ticket']}"
    assert (ticket["kind"], ticket["signer"]) == ("radledger.consent", patient.address)

    answer = relay.end(ticket["ticket"])
    (grant,) = consents.list(subject=patient.address)
    assert grant.grantee == people["radiologist"].address
    receipt = ledger.web3.eth.get_transaction_receipt(answer["transaction"])
    assert receipt["from"] == people["hospital"].address
    assert (receipt["blockNumber"], receipt["gasUsed"]) == (answer["block"], answer["gas"])
    block = ledger.web3.eth.get_block(answer["block"])
    assert (answer["state"], answer["timestamp"]) == ("confirmed", block["timestamp"])
    assert ledger.web3.eth.get_balance(patient.address) == 0


def test_a_forward_request_is_paid_for_and_confirmed(relay, identities, people):
    patient, parent = Account.create(), Account.create().address
    signed = identities.add_delegate(parent, validity=DAY).sign(patient)
    answer = relay.end(relay.take(signed))
    assert (answer["state"], answer["kind"]) == ("confirmed", "radledger.call")
    (delegate,) = identities.show(patient.address).delegates
    assert delegate.delegate == parent


def test_the_same_document_has_the_same_ticket_and_is_paid_for_once(relay, sign, ledger, people):
    document = sign()
    before = sent_by(ledger, people["hospital"])
    ticket = relay.take(document)
    assert relay.take(dict(reversed(document.items()))) == ticket
    confirmed = relay.end(ticket)
    again = relay.post(document)
    assert (again.status_code, again.json()) == (202, confirmed)
    assert sent_by(ledger, people["hospital"]) == before + 1


def forms(document):
    """A document as several wallets would write it, or an attacker who wants it paid for again."""

    def changed(*path, to):
        copied = copy.deepcopy(document)
        *into, last = path
        place = copied
        for name in into:
            place = place[name]
        place[last] = to(place[last])
        return copied

    def parity(signature):
        return signature[:-2] + f"{int(signature[-2:], 16) - 27:02x}"

    def with_chain(signature):
        return signature[:-2] + f"{int(signature[-2:], 16) + 8 + 2 * 31337:04x}"

    yield changed("signer", to=str.lower)
    yield changed("signature", to=lambda text: "0x" + text[2:].upper())
    yield changed("signature", to=parity)
    yield changed("signature", to=with_chain)
    for form in (str, hex, lambda number: f"0x{number:064x}"):
        yield changed("typedData", "message", "deadline", to=form)
        yield changed("typedData", "domain", "chainId", to=form)
    yield changed("typedData", "domain", "verifyingContract", to=str.lower)


def test_a_document_in_another_form_has_the_same_ticket(relaying, sign, ledger, people):
    """Otherwise anyone who sees it could spend the budget of its signer."""
    document, before = sign(), sent_by(ledger, people["hospital"])
    with relaying(working=False) as relay:
        ticket = relay.take(document)
        assert {relay.take(form) for form in forms(document)} == {ticket}
        assert relay.take(sign()) != ticket
        assert relay.client.get("/health").json()["waiting"] == 2
    with relaying() as relay:
        assert relay.end(ticket)["state"] == "confirmed"
        assert {relay.take(form) for form in forms(document)} == {ticket}
    assert sent_by(ledger, people["hospital"]) <= before + 2


@pytest.mark.parametrize("form", range(11))
def test_each_form_is_taken_first(relay, sign, form):
    ticket = relay.take(list(forms(sign()))[form])
    assert relay.end(ticket)["state"] == "confirmed"


def test_a_patient_changes_their_mind(relay, sign, consents, people, ledger):
    patient, reader = Account.create(), people["radiologist"].address
    relay.end(relay.take(sign(patient)))
    relay.end(relay.take(consents.revoke(reader).sign(patient)))
    assert [grant.status for grant in consents.list(subject=patient.address)] == ["revoked"]
    relay.end(relay.take(consents.revoke_all().sign(patient)))
    relay.end(relay.take(sign(patient)))
    assert [grant.status for grant in consents.list(subject=patient.address)] == ["active"]


@pytest.mark.parametrize("write", [str, hex])
@pytest.mark.parametrize("kind", ["consent", "forward"])
def test_a_document_is_taken_as_a_wallet_writes_it(relay, sign, identities, people, kind, write):
    patient = Account.create()
    document = (
        sign(patient)
        if kind == "consent"
        else identities.add_delegate(people["clinic"].address, validity=DAY).sign(patient)
    )
    typed = document["typedData"]
    del typed["types"]["EIP712Domain"]
    for fields in (typed["domain"], typed["message"]):
        for name, value in fields.items():
            if isinstance(value, int):
                fields[name] = write(value)
            elif isinstance(value, str) and value.startswith("0x"):
                fields[name] = value.lower()
    signature = bytes.fromhex(document["signature"][2:])
    document["signature"] = "0x" + signature[:64].hex() + f"{signature[64] - 27:02x}"
    answer = relay.end(relay.take(document))
    assert (answer["state"], answer["signer"]) == ("confirmed", patient.address)


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("path_and_value", "error"),
    [
        (("typedData", "message", "purposes", ["teaching"]), "DocumentTampered"),
        (("summary", "The patient permits everything."), "DocumentTampered"),
        (("signature", "0x" + "33" * 65), "DocumentTampered"),
        (("signature", "0x"), "DocumentTampered"),
        (("typedData", "domain", "chainId", 1), "DocumentForAnotherChain"),
        (("typedData", "domain", "chainId", 2**255), "DocumentForAnotherChain"),
        (("typedData", "primaryType", "Permit"), "DocumentMalformed"),
        (("typedData", "message", "disease", "\ud800"), "DocumentMalformed"),
        (("typedData", "message", "signed", 2**32), "DocumentMalformed"),
    ],
    ids=lambda case: ".".join(map(str, case[:-1])) if isinstance(case, tuple) else case,
)
def test_a_consent_that_cannot_hold(relay, sign, ledger, people, path_and_value, error):
    before = sent_by(ledger, people["hospital"])
    relay.refused(relay.post(altered(sign(), *path_and_value)), 422, error)
    assert sent_by(ledger, people["hospital"]) == before


def test_a_consent_that_is_too_late(relay, consents, ledger, people, travel):
    late = consents.grant(people["radiologist"].address, Terms(("CC",))).sign(
        Account.create(), valid_for=60
    )
    travel(late["typedData"]["message"]["deadline"] - ledger.now() + 1)
    values = relay.refused(relay.post(late), 422, "DocumentExpired")
    assert values == {"deadline": late["typedData"]["message"]["deadline"]}


def test_a_consent_that_the_contract_would_refuse(relay, consents, people, travel):
    """It says why, in the contract's words and with what stands."""
    patient, reader = Account.create(), people["radiologist"].address
    held_back = consents.grant(reader, Terms(("CC",))).sign(patient)
    travel(3_600)  # the chain's clock may be minutes behind the machine's
    revocation = consents.revoke(reader).sign(patient)
    relay.end(relay.take(revocation))
    answer = relay.post(held_back)
    values = relay.refused(answer, 422, "ConsentRevokedSince")
    assert values == {
        "subject": patient.address,
        "grantee": reader,
        "scope": "0x" + "00" * 32,
        "signed": revocation["typedData"]["message"]["signed"],
    }
    assert "to grant again, sign a new grant" in answer.json()["detail"]
    granted = relay.end(relay.take(consents.grant(reader, Terms(("CC",))).sign(patient)))
    assert granted["state"] == "confirmed"


def test_a_consent_after_a_later_one(relay, sign):
    patient = Account.create()
    first, second = sign(patient), sign(patient, Terms(("GRU",)))
    relay.end(relay.take(second))
    values = relay.refused(relay.post(first), 422, "ConsentSuperseded")
    assert values["signed"] == second["typedData"]["message"]["signed"]


@pytest.mark.parametrize("first", ["grant", "revocation"])
def test_two_consents_of_one_sitting(relaying, sign, consents, ledger, people, travel, first):
    """A grant and its later revocation wait together, and end as revoked in either order."""
    patient, reader = Account.create(), people["radiologist"].address
    documents = {"grant": sign(patient)}
    travel(3_600)  # the chain's clock may be minutes behind the machine's
    documents["revocation"] = consents.revoke(reader).sign(patient)
    with relaying(working=False) as relay:
        tickets = {first: relay.take(documents[first])}
        (second,) = documents.keys() - tickets
        tickets[second] = relay.take(documents[second])
    with relaying() as relay:
        ends = {name: relay.end(ticket) for name, ticket in tickets.items()}
    assert ends["revocation"]["state"] == "confirmed"
    granted = ("confirmed", None), ("refused", "ConsentRevokedSince")
    expected = granted[first == "revocation"]
    assert (ends["grant"]["state"], ends["grant"]["error"]) == expected
    kept = ledger.call("ConsentRegistry", "grantOf", patient.address, reader, bytes(32))
    assert kept.status == 2  # revoked


def test_a_changed_forward_request(relay, identities, people):
    signed = identities.add_delegate(people["clinic"].address, validity=60).sign(people["patient"])
    for changed in (
        altered(signed, "typedData", "message", "gas", 5_000_000),
        altered(signed, "typedData", "message", "nonce", 7),
        altered(signed, "signature", "0x" + "33" * 65),
        altered(signed, "summary", "The patient permits everything."),
    ):
        values = relay.refused(relay.post(changed), 422, "DocumentTampered")
        assert values["signer"] == people["patient"].address
    elsewhere = altered(signed, "typedData", "domain", "chainId", 1)
    relay.refused(relay.post(elsewhere), 422, "DocumentForAnotherChain")


def test_a_forward_request_that_is_too_late_or_was_used(
    relay, identities, ledger, people, travel, submit
):
    patient, parent = Account.create(), people["clinic"].address
    signed = identities.add_delegate(parent, validity=60).sign(patient)
    submit(signed, people["stranger"])
    relay.refused(relay.post(signed), 422, "ERC2771ForwarderInvalidSigner")
    late = identities.add_delegate(parent, validity=60).sign(patient)
    travel(8 * DAY)
    values = relay.refused(relay.post(late), 422, "DocumentExpired")
    assert values == {"deadline": late["typedData"]["message"]["deadline"]}


def test_a_forward_request_that_its_target_refuses_has_the_targets_error(
    relay, identities, ledger, people
):
    patient, heir = Account.create(), people["clinic"].address
    signed = identities.add_delegate(heir, validity=60).sign(patient)
    request(ledger.web3, "anvil_setBalance", [patient.address, hex(10**18)])
    ledger.send(patient, "IdentityRegistry", "changeOwner", patient.address, heir)
    values = relay.refused(relay.post(signed), 422, "IdentityNotOwner")
    assert values == {"identity": patient.address, "actor": patient.address}


def test_forward_requests_of_one_nonce_do_not_wait_together(relaying, identities):
    patient = Account.create()
    keys = (PublicKey(Kem.X25519, bytes([number]) * 32) for number in (1, 2))
    first, second = (identities.set_key(key).sign(patient) for key in keys)
    with relaying(working=False) as relay:
        ticket = relay.take(first)
        values = relay.refused(relay.post(second), 409, "NonceTaken")
        assert values == {"account": patient.address, "nonce": 0, "ticket": ticket}
        assert relay.take(first) == ticket
    with relaying() as relay:
        assert relay.end(ticket)["state"] == "confirmed"
        relay.refused(relay.post(second), 422, "ERC2771ForwarderInvalidSigner")


def test_what_is_not_paid_for(relay, identities, ledger, people):
    radiologist, patient = people["radiologist"], people["patient"]
    for signer, call in (
        (radiologist, Call("ParticipantRegistry", "leaveInstitution")),
        (patient, Call("IdentityRegistry", "identityOwner", (patient.address,))),
    ):
        signed = Forwarded(ledger, signer.address, call).sign(signer, 60)
        values = relay.refused(relay.post(signed), 403, "TargetNotAllowed")
        assert values == {"contract": call.contract, "function": call.function}
    paying = identities.add_delegate(people["clinic"].address, validity=60).sign(patient)
    paying["typedData"]["message"]["value"] = 1
    assert relay.refused(relay.post(paying), 422, "DocumentMalformed") == {"value": 1}


# ------------------------------------------------------------------------------------- limits


def test_an_address_has_a_budget(relaying, sign):
    patient = Account.create()
    with relaying(Limits(per_address=120_000, per_day=10**9, queue=10)) as relay:
        used = relay.end(relay.take(sign(patient)))["gas"]
        second = relay.post(sign(patient))
        values = relay.refused(second, 429, "BudgetExhausted")
        assert (values["limit"], values["spent"]) == (120_000, used)
        assert used + values["needed"] > 120_000
        assert int(second.headers["retry-after"]) > 0
        relay.end(relay.take(sign()))


def test_a_day_has_a_budget(relaying, sign):
    with relaying(Limits(per_address=10**9, per_day=250_000, queue=10)) as relay:
        used = sum(relay.end(relay.take(sign()))["gas"] for _ in range(2))
        values = relay.refused(relay.post(sign()), 429, "BudgetExhausted")
        assert values["spent"] == used


def test_what_is_refused_costs_no_budget(relaying, sign, people, consents, submit):
    patient = Account.create()
    first, second = sign(patient), sign(patient, Terms(("GRU",)))
    with relaying(Limits(per_address=150_000, per_day=10**9, queue=10), working=False) as relay:
        ticket = relay.take(first)
        submit(second, people["stranger"])
    with relaying(Limits(per_address=150_000, per_day=10**9, queue=10)) as relay:
        assert relay.end(ticket)["error"] == "ConsentSuperseded"
        assert relay.end(relay.take(sign(patient)))["state"] == "confirmed"


def test_a_call_that_alone_is_too_expensive(relaying, sign, identities, ledger, people):
    with relaying(Limits(per_address=50_000, per_day=10**9, queue=10)) as relay:
        values = relay.refused(relay.post(sign()), 422, "CallTooExpensive")
        assert values["needed"] > values["limit"] == 50_000
    # More gas than there is in a block, or in the world; the signer can ask for any.
    patient = Account.create()
    signed = identities.add_delegate(people["clinic"].address, validity=60).sign(patient)
    for gas in (40_000_000, 2**255):
        message = {**signed["typedData"]["message"], "gas": gas}
        typed = forward_typed_data(ledger, message)
        asking = documents.sign(patient, signed["kind"], signed["summary"], typed)
        with relaying(Limits(per_address=10**7, per_day=10**9, queue=10)) as relay:
            values = relay.refused(relay.post(asking), 422, "CallTooExpensive")
            assert values == {"needed": gas, "limit": 10**7}


def test_a_queue_is_full(relaying, sign):
    with relaying(Limits(10**9, 10**9, queue=2), working=False) as relay:
        taken = sign()
        ticket = relay.take(taken)
        relay.take(sign())
        full = relay.post(sign())
        assert relay.refused(full, 503, "QueueFull") == {"waiting": 2}
        assert int(full.headers["retry-after"]) > 0
        assert relay.take(taken) == ticket


def test_a_drained_account(relaying, sign, ledger):
    poor = Account.create()
    with relaying(payer=poor, working=False) as relay:
        values = relay.refused(relay.post(sign()), 503, "PayerDrained")
        assert (values["account"], values["balance"]) == (poor.address, 0)
        relay.refused(relay.client.get("/health"), 503, "PayerDrained")
    request(ledger.web3, "anvil_setBalance", [poor.address, hex(10**16)])
    with relaying(payer=poor) as relay:
        assert relay.client.get("/health").json()["balance"] == 10**16
        assert relay.end(relay.take(sign()))["state"] == "confirmed"

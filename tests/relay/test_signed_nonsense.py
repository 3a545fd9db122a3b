"""Documents that are signed well and say anything: taken on or refused, and never a fault."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils.abi import function_abi_to_4byte_selector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radledger.areas import CONTRACTS
from radledger.chain import documents, forward
from radledger.chain.typed_data import parsed, typed_data
from radledger.consent import duo, messages
from radledger.consent.bindings import TYPED_DATA
from radledger.errors import RadLedgerError

SIGNER = Account.create()
WORDS = [term.label for term in (*duo.PURPOSES, *duo.CONDITIONS)]
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def number(bits):
    """Numbers of so many bits, the small and the largest ones more often."""
    return st.one_of(
        st.integers(0, 3), st.integers(2**bits - 2, 2**bits - 1), st.integers(0, 2**bits - 1)
    )


def digits(size):
    return st.binary(min_size=size, max_size=size).map(lambda value: "0x" + value.hex())


def values(type_):
    """Values of a type, as JSON has them."""
    if type_ == "bool":
        return st.booleans()
    if type_.startswith("uint"):
        return number(int(type_[4:]))
    if type_ == "string[]":
        return st.lists(st.one_of(st.sampled_from(WORDS), st.text()), max_size=3)
    if type_ == "address":
        return st.one_of(st.just(SIGNER.address), digits(20))
    return digits(int(type_.removeprefix("bytes")))


def message(primary):
    return st.fixed_dictionaries({name: values(type_) for type_, name in TYPED_DATA[primary]}).map(
        lambda fields: (primary, fields)
    )


@pytest.fixture
def relay(relaying):
    with relaying(working=False) as relay:
        yield relay


def is_answered(relay, document):
    response = relay.post(document)
    if response.status_code != 202:
        assert response.status_code in (403, 409, 422, 429), response.text
        relay.refused(response, response.status_code, response.json()["error"])


@EXAMPLES
@given(said=st.sampled_from(sorted(TYPED_DATA)).flatmap(message))
def test_consents(relay, ledger, said):
    primary, fields = said
    fields["deadline"] |= 2**39  # not over for long
    data = typed_data(messages.domain(ledger), primary, TYPED_DATA[primary], fields)
    try:
        summary = messages.summarise(*parsed(data, TYPED_DATA))
    except RadLedgerError as error:
        summary = str(error)  # what cannot be said in words is refused too
    is_answered(relay, documents.sign(SIGNER, messages.KIND, summary, data))


@EXAMPLES
@given(data=st.data())
def test_forward_requests(relay, ledger, data):
    draw = data.draw
    contract = draw(
        st.sampled_from([*(name for name, each in CONTRACTS.items() if each.relayed), "Forwarder"])
    )
    functions = [item for item in ledger.contract(contract).abi if item["type"] == "function"]
    name = draw(st.sampled_from(sorted({item["name"] for item in functions})))
    abi = next(item for item in functions if item["name"] == name)
    call = function_abi_to_4byte_selector(abi) + draw(st.binary(max_size=200))
    fields = {
        "from": SIGNER.address,
        "to": ledger.address(contract),
        "value": draw(st.sampled_from((0, 0, 0, 1, 2**256 - 1))),
        "gas": draw(st.one_of(st.sampled_from((0, 60_000, 10**6, 10**8)), number(256))),
        "nonce": draw(st.sampled_from((0, 0, 1, 2**256 - 1))),
        "deadline": draw(number(48)) | 2**47,
        "data": "0x" + call.hex(),
    }
    typed = forward.forward_typed_data(ledger, fields)
    try:
        summary = forward.summarise(ledger, "ForwardRequest", fields)
    except RadLedgerError as error:
        summary = str(error)
    is_answered(relay, documents.sign(SIGNER, forward.KIND, summary, typed))

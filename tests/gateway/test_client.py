"""A key service behind a gateway, and what may stand in a gateway's place."""

from __future__ import annotations

import json

import pytest

from radledger.access import Reading, ReceiptBook
from radledger.chain.refusals import ConsentNotPermittedNeverGranted
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.errors import Refusal
from radledger.gateway import Gateway, GatewayKeyService, create_application
from radledger.gateway.errors import (
    GATEWAY,
    GatewayUnreachable,
    InvalidGatewayUrl,
    SignInForAnother,
    ViewerNotServed,
)
from radledger.httpapi.server import serving
from tests.access.holding import PRIVATE_KEY
from tests.chain.answering import AnsweringNode

pytestmark = pytest.mark.usefixtures("patient_with_ether")

CHALLENGE = {
    "nonce": "0" * 74,
    "domain": "bank.example",
    "uri": "https://bank.example",
    "chain_id": 1,
    "issued_at": "2026-11-30T16:00:00Z",
    "expiration_time": "2026-11-30T16:05:00Z",
}
SECRET = {
    "image_id": "0x" + "ab" * 32,
    "grant_id": "0x" + "cd" * 32,
    "kem": "X25519",
    "data": "0x00",
    "block_age": 0,
    "acknowledgement": None,
}
ACKNOWLEDGED = {
    "receipt": "0x" + "ab" * 32,
    "institution": "0x" + "11" * 20,
    "day": "2026-11-30",
    "signature": "0x" + "ee" * 65,
}


@pytest.fixture
def url(home, who):
    """Address of a gateway on a socket."""

    def create(address):
        return create_application(Gateway(home, who.hospital, address))

    with serving(GATEWAY, create) as address:
        yield address


@pytest.fixture
def server():
    """Something that answers in a gateway's place."""
    server = AnsweringNode()
    yield server
    server.shutdown()
    server.server_close()


def test_a_reader_elsewhere_is_given_the_secret(
    url, consents, holding, image_set, ledger, receipts, reader, tmp_path, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    service = GatewayKeyService(url, reader, ledger.chain_id)
    released = Reading(ledger, holding, receipts).secret(
        image_set.image_id,
        reader=reader,
        private_key=PRIVATE_KEY,
        key_service=service,
        use=Use.of(["CC"]),
    )
    assert released.secret == holding.secret(image_set.image_id)
    assert [release.signer for release in receipts.releases()] == [reader.address]


def test_a_reader_elsewhere_keeps_the_acknowledgement(
    home, recorder, consents, holding, image_set, ledger, reader, tmp_path, who
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    elsewhere = ReceiptBook(tmp_path / "elsewhere.sqlite3")

    def create(address):
        return create_application(Gateway(home, who.hospital, address, recorder))

    with serving(GATEWAY, create) as address:
        Reading(ledger, holding, elsewhere).secret(
            image_set.image_id,
            reader=reader,
            private_key=PRIVATE_KEY,
            key_service=GatewayKeyService(address, reader, ledger.chain_id),
            use=Use.of(["CC"]),
        )
    (kept,) = elsewhere.acknowledged()
    assert kept.acknowledgement.receipt == "0x" + kept.signed.receipt.digest.hex()
    assert kept.acknowledgement.institution == who.hospital.address
    assert kept.acknowledgement.signer(ledger) == recorder.address


@pytest.fixture
def viewer_files(tmp_path):
    folder = tmp_path / "viewer"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html>")
    return folder


def test_a_reader_elsewhere_is_given_a_link_and_acknowledgements(
    home,
    recorder,
    consents,
    holding,
    image_set,
    other_image_set,
    ledger,
    reader,
    tmp_path,
    viewer_files,
    who,
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    elsewhere = ReceiptBook(tmp_path / "elsewhere.sqlite3")

    def create(address):
        return create_application(Gateway(home, who.hospital, address, recorder), viewer_files)

    with serving(GATEWAY, create) as address:
        opened = Reading(ledger, holding, elsewhere).view(
            [image_set.image_id, other_image_set.image_id],
            reader=reader,
            viewers=GatewayKeyService(address, reader, ledger.chain_id),
            use=Use.of(["CC"]),
        )
    assert opened.link.startswith(f"{address}/open?ticket=")
    assert 0 < opened.expires_at - ledger.now() <= 60
    assert opened.viewing_until - ledger.now() > 11 * 3600
    assert opened.link not in repr(opened)
    images = [each.signed.receipt.image_id for each in elsewhere.acknowledged()]
    assert sorted(images) == sorted([image_set.image_id, other_image_set.image_id])


def test_nothing_is_signed_for_image_sets_of_which_one_is_not_permitted(
    url, consents, holding, image_set, other_image_set, ledger, receipts, reader, who
):
    scope = image_set.image_id
    consents.grant(reader.address, Terms(("CC",)), scope=scope).send(who.patient)
    with pytest.raises(ConsentNotPermittedNeverGranted):
        Reading(ledger, holding, receipts).view(
            [image_set.image_id, other_image_set.image_id],
            reader=reader,
            viewers=GatewayKeyService(url, reader, ledger.chain_id),
            use=Use.of(["CC"]),
        )
    assert receipts.releases() == ()


def test_a_gateway_without_a_viewer_says_so(url, consents, ledger, reader, ask, who):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    with pytest.raises(ViewerNotServed):
        GatewayKeyService(url, reader, ledger.chain_id).open([ask(reader)])


@pytest.mark.parametrize(
    "link",
    [
        *("file:///etc/passwd", "https://evil.example/open?ticket=a", "{url}/open?ticket=a&b=c"),
        *("{url}@evil.example/open?ticket=a", "{url}/open?ticket=", "{url}/docs", None, 1),
    ],
)
def test_a_gateway_cannot_have_another_page_opened(server, reader, ask, link):
    named = link.format(url=server.endpoint) if isinstance(link, str) else link
    answers = iter(
        [
            *((201, CHALLENGE), (201, {"session": "s"})),
            (201, {"token": "t", "expires_at": 1, "acknowledgements": []}),
            (201, {"link": named, "expires_at": 1}),
        ]
    )

    def answer(asked):
        code, body = next(answers)
        return code, {}, json.dumps(body).encode()

    server.answer = answer
    with pytest.raises(GatewayUnreachable):
        GatewayKeyService(server.endpoint, reader, 1337).open([ask(reader)])


def test_a_refusal_has_its_own_type(url, ledger, reader, ask, who):
    service = GatewayKeyService(url, reader, ledger.chain_id)
    with pytest.raises(ConsentNotPermittedNeverGranted) as refusal:
        service.release(ask(reader))
    assert refusal.value.values == {"subject": who.patient.address, "reader": reader.address}
    assert isinstance(refusal.value, Refusal)


def test_a_gateway_of_another_chain_is_not_signed_in_to(url, reader, ask):
    with pytest.raises(SignInForAnother):
        GatewayKeyService(url, reader, 1).release(ask(reader))


def test_a_gateway_cannot_have_a_message_for_another_signed(server, reader, ask):
    """The reader signs for the address that was asked, whatever the challenge says."""
    answers = iter([(201, CHALLENGE), (403, {"detail": "no"})])

    def answer(asked):
        code, body = next(answers)
        return code, {}, json.dumps(body).encode()

    server.answer = answer
    with pytest.raises(Exception, match="no"):
        GatewayKeyService(server.endpoint, reader, 1337).release(ask(reader))
    message = server.asked[1]["message"]
    assert message.startswith(f"{server.endpoint.removeprefix('http://')} wants you to sign in")
    assert f"\nURI: {server.endpoint}\n" in message
    assert "\nChain ID: 1337\n" in message
    assert "bank.example" not in message


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "0123456789\nIssued At: 2026-11-30T16:00:00Z"},
        {"issued_at": "2026-11-30T16:00:00Z\nExpiration Time: 2126-11-30T16:05:00Z"},
        {"expiration_time": "2026-11-30T16:05:00Z\nResources:\n- https://bank.example"},
        {"nonce": ""},
        {"nonce": None},
        {"issued_at": 7},
    ],
    ids=str,
)
def test_a_challenge_that_holds_more_is_not_signed(server, reader, ask, changes):
    server.always(201, CHALLENGE | changes)
    with pytest.raises(GatewayUnreachable):
        GatewayKeyService(server.endpoint, reader, 1337).release(ask(reader))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        *({"kem": "RSA"}, {"kem": None}, {"image_id": "0x"}, {"grant_id": 7}),
        *({"data": "0xzz"}, {"data": None}, {"data": 7}, {"block_age": "1"}, {"block_age": True}),
        *({"acknowledgement": {}}, {"acknowledgement": "0x"}),
        {"acknowledgement": ACKNOWLEDGED | {"day": "2026-02-30"}},
        {"acknowledgement": ACKNOWLEDGED | {"day": 20422}},
        {"acknowledgement": ACKNOWLEDGED | {"institution": "0x"}},
        {"acknowledgement": ACKNOWLEDGED | {"signature": "0x" + "ee" * 64}},
    ],
    ids=str,
)
def test_a_secret_of_another_form_is_refused(server, reader, ask, changes):
    answer = CHALLENGE | {"session": "s"} | SECRET
    server.always(201, answer)
    released = GatewayKeyService(server.endpoint, reader, 1337).release(ask(reader))
    assert (released.image_id, released.wrapped.data) == (SECRET["image_id"], b"\0")
    assert released.acknowledgement is None
    server.always(201, answer | {"acknowledgement": ACKNOWLEDGED})
    released = GatewayKeyService(server.endpoint, reader, 1337).release(ask(reader))
    assert released.acknowledgement.to_json() == ACKNOWLEDGED
    server.always(201, answer | changes)
    with pytest.raises(GatewayUnreachable):
        GatewayKeyService(server.endpoint, reader, 1337).release(ask(reader))


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "ftp://gateway.example", "gateway.example", "https://", "http://["),
        *("http://gateway.example", "https://user:SECRET@gateway.example"),
        *("https://gateway.example?SECRET", "https://gateway.example/#SECRET", "https://a b"),
        *("https://gateway.example:port", "https://gateway.example\x1b[8m", "https://gätewäy"),
    ],
)
def test_addresses_that_are_not_a_gateways(reader, url):
    """Without TLS, anyone who listens on the way would have the session."""
    with pytest.raises(InvalidGatewayUrl) as error:
        GatewayKeyService(url, reader, 1337)
    assert "SECRET" not in str(error.value)

"""Erasure over gateways: a custodian has holders delete their copies, and collects certificates."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from functools import partial

import pytest
from fastapi.testclient import TestClient

from radledger import RadLedger
from radledger.access import Receipt
from radledger.chain.refusals import ConsentNotPermittedErased
from radledger.consent import Terms
from radledger.consent.permission import Use
from radledger.crypto.keys import public_key
from radledger.gateway import Gateway, GatewayHolders, GatewayKeyService, create_application
from radledger.gateway.errors import GATEWAY, ErasureNotRequestable, ReaderNotControlled
from radledger.httpapi.server import serving
from radledger.imaging.certificates import BY_HOLDER, ErasureCertificate
from radledger.imaging.errors import (
    CertificateInvalid,
    ImageNotErased,
    ImageUnknown,
    SecretRemains,
)
from radledger.storage import LocalStore
from radledger.storage.errors import StorageUnavailable
from tests.access.holding import PRIVATE_KEY
from tests.gateway.conftest import Http, refused
from tests.gateway.dicomweb.conftest import add, series

__all__ = ["add", "series"]

CARE = Use.of(["CC"])
URL = "https://gateway.example"


@pytest.fixture
def home(ledger, tmp_path):
    """The hospital's home."""
    return RadLedger(ledger, LocalStore(tmp_path / "store"), tmp_path / "home")


@pytest.fixture
def clinic(ledger, tmp_path, identities, consents, patient_with_ether, who):
    """The clinic's home: a reader with a grant, and a store of its own."""
    identities.set_key(public_key(PRIVATE_KEY)).send(who.clinic)
    consents.grant(who.clinic.address, Terms(("CC",))).send(who.patient)
    return RadLedger(ledger, LocalStore(tmp_path / "clinic" / "store"), tmp_path / "clinic")


@pytest.fixture
def serve():
    """Serve the gateway of a home for an account; gives its address."""
    with ExitStack() as stack:

        def serve(home, account):
            def create(address):
                return create_application(Gateway(home, account, address))

            return stack.enter_context(serving(GATEWAY, create))

        yield serve


@pytest.fixture
def asks(ledger, identities, who):
    # On the machine of the tests, as the gateways that it asks.
    identities.set_gateway("http://127.0.0.1:2").send(who.hospital)
    return GatewayHolders(who.hospital, ledger.chain_id).ask


@pytest.fixture
def image_id(add, series):
    return add(*series)[0].image_id


@pytest.fixture
def read(home, ledger, who):
    """Release the set to a reader, who keeps a copy in its home."""

    def read(reader, account, image_id, private_key=PRIVATE_KEY):
        secret = reader.reading.secret(
            image_id,
            reader=account,
            private_key=private_key,
            key_service=home.key_service(),
            use=CARE,
        ).secret
        for path in (home.home.parent / "store" / "pinned").glob("*/*"):
            with path.open("rb") as content:
                reader.storage.put(content)
            reader.storage.unpin(path.name)
        return reader.copies.pin(image_id, secret=secret)

    return read


def kept(home):
    return sorted(path.name for path in home.home.rglob("store/pinned/*/*"))


def test_a_partner_is_asked_by_its_gateway_deletes_and_certifies(
    home, clinic, serve, asks, read, image_id, identities, who, ledger
):
    assert read(clinic, who.clinic, image_id).pinned == 4
    identities.set_gateway(serve(clinic, who.clinic)).send(who.clinic)
    assert len(kept(clinic)) == 4
    done, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    assert kept(clinic) == []
    assert erasure.complete
    assert erasure.certificate == done.digest
    (holder,) = erasure.holders
    assert (holder.account, holder.certified_by) == (who.clinic.address,) * 2
    certificate = home.erasures._erasing.certificates.of(image_id)[who.clinic.address]
    assert (certificate.contents, certificate.digest) == (4, holder.certificate)
    certificate.require_valid(ledger, image_id)
    # Those that have certified are not asked again.
    (again,) = home.erasures.resume(custodian=who.hospital, ask=None)
    assert again == erasure == home.erasures.status(image_id)


def test_who_does_not_answer_is_named_and_asked_again(
    home, clinic, serve, asks, read, image_id, identities, who
):
    read(clinic, who.clinic, image_id)
    identities.set_gateway("http://127.0.0.1:1").send(who.clinic)
    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    (holder,) = erasure.holders
    assert (erasure.complete, holder.certified_by, holder.certificate) == (False, None, None)
    assert holder.reason.startswith("no gateway answers at http://127.0.0.1:1")
    assert len(kept(clinic)) == 4

    identities.set_gateway(serve(clinic, who.clinic)).send(who.clinic)
    assert home.erasures.status(image_id).holders[0].reason == "not asked yet"
    (erasure,) = home.erasures.resume(image_id, custodian=who.hospital, ask=asks)
    assert erasure.complete
    assert kept(clinic) == []


def test_no_reader_has_the_custodian_s_own_machine_asked(
    home, clinic, read, image_id, identities, who
):
    read(clinic, who.clinic, image_id)
    identities.set_gateway("https://gateway.hospital.example").send(who.hospital)
    asked = []

    def ask(url, image_id):
        asked.append(url)
        raise StorageUnavailable("not now", address=url)

    identities.set_gateway("http://127.0.0.1:5001/api/v0/shutdown").send(who.clinic)
    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=ask)
    assert "publishes no gateway that can be asked" in erasure.holders[0].reason
    assert asked == []
    identities.set_gateway("https://gateway.clinic.example").send(who.clinic)
    (erasure,) = home.erasures.resume(image_id, custodian=who.hospital, ask=ask)
    assert erasure.holders[0].reason == "not now"
    assert asked == ["https://gateway.clinic.example"]


def test_a_holder_without_a_gateway_brings_its_certificate(
    home, clinic, serve, asks, read, image_id, who, ledger
):
    read(clinic, who.clinic, image_id)
    assert clinic.erasures.learned() == []
    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    assert not erasure.complete
    assert f"`radledger image forget {image_id}`" in erasure.holders[0].reason
    assert clinic.erasures.learned() == [image_id]
    certificate = clinic.erasures.forget(image_id, holder=who.clinic)
    assert kept(clinic) == []
    url = serve(home, who.hospital)
    stolen = GatewayHolders(who.stranger, ledger.chain_id)
    with pytest.raises(ReaderNotControlled):
        stolen.deliver(url, certificate)
    assert not home.erasures.status(image_id).complete
    GatewayHolders(who.clinic, ledger.chain_id).deliver(url, certificate)
    assert home.erasures.status(image_id).complete


def test_a_reader_s_home_keeps_no_secret_and_after_the_erasure_no_name_of_a_content(
    home, clinic, read, image_id, who, ledger, tmp_path
):
    read(clinic, who.clinic, image_id)
    clinic.reading.fetch(
        image_id,
        tmp_path / "fetched",
        reader=who.clinic,
        private_key=PRIVATE_KEY,
        key_service=home.key_service(),
        use=CARE,
    )
    cids = {each.cid.encode() for each in home.images.contents(image_id).instances}

    def left(*needles):
        files = [path for path in clinic.home.rglob("*") if path.is_file()]
        content = b"".join([path.read_bytes() + path.name.encode() for path in files])
        return {needle for needle in needles if needle in content}

    secret = home.images.secret(image_id).encode()
    assert left(secret) == set()
    assert left(*cids) == cids
    home.images.erase(image_id, custodian=who.hospital)
    clinic.erasures.forget(image_id, holder=who.clinic)
    assert left(secret, *cids) == set()


def test_an_institution_certifies_for_its_members_but_the_custodian_does_not(
    home, clinic, serve, asks, read, image_id, identities, participants, consents, who, ledger
):
    radiologist, member = who.radiologist, who.relatives[1]
    participants.admit(member.address, ["radiologist"]).send(who.clinic)
    for account in (radiologist, member):
        identities.set_key(public_key(PRIVATE_KEY)).send(account)
        consents.grant(account.address, Terms(("CC",))).send(who.patient)
        read(clinic, account, image_id)
    # The radiologist is the hospital's own.
    identities.set_gateway(serve(home, who.hospital)).send(who.hospital)
    identities.set_gateway(serve(clinic, who.clinic)).send(who.clinic)
    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    own, others = erasure.holders
    assert (own.account, own.certified_by) == (radiologist.address, None)
    assert (others.account, others.certified_by) == (member.address, who.clinic.address)
    by_custodian = home.erasures.forget(image_id, holder=who.hospital)
    with pytest.raises(CertificateInvalid, match="not known here as a holder"):
        home.erasures.accept(by_custodian)
    assert not home.erasures.status(image_id).complete


def test_what_is_not_erased_is_not_deleted_and_not_called_erased(
    home, clinic, serve, asks, read, image_id, who
):
    read(clinic, who.clinic, image_id)
    url = serve(clinic, who.clinic)
    with pytest.raises(ImageNotErased):
        asks(url, image_id)
    with pytest.raises(ImageUnknown):
        asks(url, "0x" + "ab" * 32)
    for use_case in (
        lambda: home.erasures.status(image_id),
        lambda: home.erasures.resume(image_id, custodian=who.hospital, ask=asks),
    ):
        with pytest.raises(ImageNotErased):
            use_case()
    assert home.erasures.resume(custodian=who.hospital, ask=asks) == []
    assert len(kept(clinic)) == 4


def test_only_custodian_and_patient_have_copies_deleted(
    home, clinic, serve, asks, read, image_id, who, ledger
):
    read(clinic, who.clinic, image_id)
    url = serve(clinic, who.clinic)
    home.images.erase(image_id, custodian=who.hospital)
    with pytest.raises(ErasureNotRequestable) as refusal:
        GatewayHolders(who.stranger, ledger.chain_id).ask(url, image_id)
    assert refusal.value.values == {"account": who.stranger.address, "image": image_id}
    assert len(kept(clinic)) == 4
    certificate = GatewayHolders(who.patient, ledger.chain_id).ask(url, image_id)
    assert certificate.holder == who.clinic.address
    assert kept(clinic) == []


def test_certificates_of_others_are_not_taken(home, image_id, asks, who, ledger):
    home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    record = home.images.show(image_id)

    def certified(account, holder=None):
        return ErasureCertificate.of(
            ledger, record, BY_HOLDER, (holder or account).address, 0, account
        )

    with pytest.raises(CertificateInvalid, match="not known here as a holder"):
        home.erasures.accept(certified(who.clinic))
    with pytest.raises(CertificateInvalid, match="not signed by its holder"):
        home.erasures.accept(certified(who.stranger, who.patient))
    # The patient had a copy as well, perhaps.
    home.erasures.accept(certified(who.patient))
    assert home.erasures._erasing.certificates.of(image_id).keys() == {who.patient.address}


def test_an_answer_with_another_s_certificate_is_not_counted(
    home, clinic, serve, read, image_id, identities, who, ledger
):
    read(clinic, who.clinic, image_id)
    identities.set_gateway("https://gateway.clinic.example").send(who.clinic)

    def lies(url, image):
        assert (url, image) == ("https://gateway.clinic.example", image_id)
        record = home.images.show(image)
        return ErasureCertificate.of(ledger, record, BY_HOLDER, who.clinic.address, 4, who.stranger)

    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=lies)
    assert not erasure.complete
    assert "is not signed by its holder" in erasure.holders[0].reason


def test_viewers_patient_and_custodian_are_not_holders(
    home, image_id, asks, identities, consents, patient_with_ether, reader, who, ledger
):
    consents.grant(reader.address, Terms(("CC",))).send(who.patient)
    grant = consents.check(reader.address, home.images.show(image_id).image_set, ["CC"]).grant_id
    receipt = Receipt.of(ledger, reader.address, image_id, CARE, grant)
    home.key_service().admit([receipt.sign(reader)])
    assert len(home.receipts.releases(image_id)) == 1
    _, erasure = home.erasures.erase(image_id, custodian=who.hospital, ask=asks)
    assert (erasure.complete, erasure.holders) == (True, ())


def test_the_refusals_over_http(home, image_id, who, tmp_path, monkeypatch):
    gateway = Gateway(home, who.hospital, URL)
    http = Http(TestClient(create_application(gateway), URL, raise_server_exceptions=False))
    hospital, ask = http.sign_in(who.hospital), {"image_id": image_id}
    post = partial(http.client.post, "/erasures", json=ask)
    refused(post(), 401, "SignInRequired")
    refused(post(headers=http.sign_in(who.stranger)), 403, "ErasureNotRequestable")
    refused(post(headers=hospital), 409, "ImageNotErased")
    unknown = {"image_id": "0x" + "ab" * 32}
    refused(http.client.post("/erasures", json=unknown, headers=hospital), 404, "ImageUnknown")
    refused(http.client.post("/erasures", json={"image_id": ".."}, headers=hospital), 422)
    certificate = ErasureCertificate.of(
        *(home.ledger, home.images.show(image_id), BY_HOLDER, who.clinic.address, 0, who.clinic)
    )
    take = partial(http.client.post, "/certificates", headers=http.sign_in(who.clinic))
    refused(take(json=certificate.to_json()), 409, "ImageNotErased")
    home.images.erase(image_id, custodian=who.hospital)
    refused(take(json=certificate.to_json()), 422, "CertificateInvalid")
    refused(take(json=certificate.to_json() | {"contents": -1}), 422)

    # Where a store is, is not for others.
    def unavailable(*_):
        raise StorageUnavailable("no node at /ip4/10.0.0.7/tcp/5001", address="/ip4/10.0.0.7")

    monkeypatch.setattr(home.erasures._erasing._copies, "unpin", unavailable)
    answer = post(headers=hospital)
    assert "10.0.0.7" not in answer.text
    refused(answer, 503, "StorageUnavailable")
    gateway.close()


def test_a_gateway_does_not_certify_what_its_journal_still_has(
    home, image_id, serve, asks, who, ledger
):
    url = serve(home, who.hospital)
    record = home.images.show(image_id)
    # Erased by another home of the hospital.
    ledger.send(who.hospital, "ImageRegistry", "erase", record.image_set.struct, bytes(32))
    with pytest.raises(SecretRemains) as error:
        asks(url, image_id)
    assert error.value.values == {"image": image_id}


def test_a_restored_home_releases_no_secret_of_an_erased_set(
    home, image_id, serve, clinic, who, ledger, tmp_path, consents
):
    home.images._home.journal.close()
    shutil.copytree(home.home, tmp_path / "backup")
    RadLedger(ledger, home.storage, home.home).images.erase(image_id, custodian=who.hospital)
    restored = RadLedger(ledger, LocalStore(tmp_path / "store"), tmp_path / "backup")
    url = serve(restored, who.hospital)
    grant = consents.list(subject=who.patient.address)[0].grant_id
    receipt = Receipt.of(ledger, who.clinic.address, image_id, CARE, grant).sign(who.clinic)
    with pytest.raises(ConsentNotPermittedErased):
        GatewayKeyService(url, who.clinic, ledger.chain_id).release(receipt)
    (erasure,) = restored.erasures.resume(custodian=who.hospital, ask=None)
    assert erasure.complete
    assert restored.images._home.journal.find(image_id).secret is None

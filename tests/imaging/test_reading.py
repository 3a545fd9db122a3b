"""A reader fetches through a key service, and only for as long as a grant permits."""

from __future__ import annotations

import pytest

from radledger.chain.refusals import (
    ConsentNeverGranted,
    ConsentPurposeNotPermitted,
    ConsentRevoked,
)
from radledger.consent import Consents, Terms
from radledger.consent.permission import Use
from radledger.consent.receipts import Receipts
from radledger.consent.release import CustodianKeyService
from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.keys import new_private_key
from radledger.errors import UsageError
from radledger.imaging.errors import ReceiptInvalid, SecretUnknown
from radledger.imaging.keys import Receipt, SignedReceipt

CARE = Use.of(["CC"])


@pytest.fixture
def consents(ledger):
    return Consents(ledger)


@pytest.fixture
def grant(consents, who):
    """Let the radiologist use everything of the patient for clinical care; the patient signs."""

    def give(terms=Terms(("CC",))):  # noqa: B008
        document = consents.sign_grant(who.patient, who.radiologist.address, terms)
        return consents.submit(document, who.hospital)

    return give


@pytest.fixture
def key_service(ledger, images, who, tmp_path):
    return CustodianKeyService(
        ledger,
        Receipts(tmp_path / "receipts.sqlite3"),
        show=images.show,
        secret=images.secret,
        rekey=lambda image_id: images.rekey(image_id, custodian=who.hospital),
    )


@pytest.fixture
def fetch(images, who, key_service, encryption_keys, tmp_path):
    def fetch_as(reader, image_id, name, use=CARE, private_key=None):
        return images.fetch(
            image_id,
            tmp_path / name,
            reader=getattr(who, reader),
            private_key=private_key or encryption_keys.get(reader, new_private_key()),
            key_service=key_service,
            use=use,
        )

    return fetch_as


def test_a_grant_opens_and_its_end_closes(
    add, images, who, series, grant, consents, fetch, tmp_path
):
    image_id = add(series, keep_identity=True)[0].image_id
    with pytest.raises(ConsentNeverGranted) as refusal:
        fetch("radiologist", image_id, "before")
    assert refusal.value.values["reader"] == who.radiologist.address
    grant()
    assert len(fetch("radiologist", image_id, "granted").files) == 5
    assert len(fetch("radiologist", image_id, "twice").files) == 5
    with pytest.raises(ConsentPurposeNotPermitted):
        fetch("radiologist", image_id, "research", Use.of(["GRU"]))
    with pytest.raises(ConsentNeverGranted):
        fetch("stranger", image_id, "stranger")
    document = consents.sign_revoke(who.patient, who.radiologist.address)
    consents.submit(document, who.hospital)
    with pytest.raises(ConsentRevoked):
        fetch("radiologist", image_id, "revoked")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"granted", "twice"} <= names
    assert names.isdisjoint({"before", "research", "stranger", "revoked"})


def test_after_a_revocation_the_next_release_is_under_a_new_secret(
    add, images, who, series, grant, consents, fetch, key_service
):
    image_id = add(series, keep_identity=True)[0].image_id
    grant()
    fetch("radiologist", image_id, "first")
    old = images.secret(image_id)
    consents.submit(consents.sign_revoke(who.patient, who.radiologist.address), who.hospital)
    assert images.secret(image_id) == old
    document = consents.sign_grant(who.patient, who.researcher.address, Terms(("CC",)))
    consents.submit(document, who.hospital)
    assert len(fetch("researcher", image_id, "second").files) == 5
    assert images.secret(image_id) != old


def test_the_secret_opens_for_the_reader_alone(add, series, grant, fetch, tmp_path):
    image_id = add(series)[0].image_id
    grant()
    with pytest.raises(UnwrapFailed):
        fetch("radiologist", image_id, "other", private_key=new_private_key())
    assert not (tmp_path / "other").exists()


def test_a_released_secret_verifies_files(
    add, images, who, series, grant, key_service, encryption_keys, ledger, tmp_path
):
    from radledger.imaging.service import Images
    from radledger.storage import LocalStore

    image_id = add(series, keep_identity=True)[0].image_id
    grant()
    elsewhere = Images(ledger, LocalStore(tmp_path / "store"), tmp_path / "workstation")
    with pytest.raises(SecretUnknown):
        elsewhere.verify(image_id, [series])
    secret = elsewhere.release(
        image_id,
        reader=who.radiologist,
        private_key=encryption_keys["radiologist"],
        key_service=key_service,
        use=CARE,
    )
    found = elsewhere.verify(image_id, [series], secret=secret)
    assert [each.verdict for each in found] == ["identical"] * 5


def test_a_key_service_is_asked_for_a_use(add, series, fetch):
    image_id = add(series)[0].image_id
    with pytest.raises(UsageError):
        fetch("radiologist", image_id, "none", use=None)


def test_a_receipt_tells_who_signed_it(who, ledger):
    receipt = Receipt(
        reader=who.radiologist.address,
        image_id="0x" + "ab" * 32,
        purposes=32,
        fulfilled=0,
        disease="0x" + "00" * 13,
        grant_id="0x" + "cd" * 32,
        time=ledger.now(),
        chain_id=ledger.chain_id,
        contract=ledger.address("ConsentRegistry"),
    )
    signed = receipt.sign(who.radiologist)
    assert signed.signer == who.radiologist.address
    assert receipt.sign(who.stranger).signer == who.stranger.address
    assert SignedReceipt.from_json(signed.to_json()) == signed
    for nothing in ("0x" + "00" * 65, "none", ""):
        assert SignedReceipt(receipt, nothing).signer is None
    for change in ({"purposes": 33}, {"nonce": "0x" + "00" * 16}):
        changed = SignedReceipt.from_json({**signed.to_json(), **change})
        assert changed.signer != who.radiologist.address
    with pytest.raises(ReceiptInvalid):
        SignedReceipt.from_json({"signature": "0x"})

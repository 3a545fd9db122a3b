"""A reader fetches through a key service, and only for as long as a grant permits."""

from __future__ import annotations

from functools import partial

import pytest

from radledger.chain.refusals import (
    ConsentNotPermittedNeverGranted,
    ConsentNotPermittedPurpose,
    ConsentNotPermittedRevoked,
)
from radledger.consent import Consents, Terms
from radledger.consent.permission import Use
from radledger.crypto.errors import UnwrapFailed
from radledger.crypto.keys import new_private_key
from radledger.errors import UsageError
from radledger.facade import RadLedger
from radledger.imaging.errors import SecretUnknown
from tests.imaging.conftest import add, home, images, journal, series, store

__all__ = ["add", "home", "images", "journal", "series", "store"]

CARE = Use.of(["CC"])


@pytest.fixture
def consents(ledger):
    return Consents(ledger)


@pytest.fixture
def grant(consents, who, submit):
    """Let the radiologist use everything of the patient for clinical care; the patient signs."""

    def give(terms=Terms(("CC",))):  # noqa: B008
        document = consents.grant(who.radiologist.address, terms).sign(who.patient)
        return submit(document, who.hospital)

    return give


@pytest.fixture
def radledger(ledger, images, store, home):
    return RadLedger(ledger, store, home)


@pytest.fixture
def key_service(radledger, who):
    return radledger.key_service(partial(radledger.images.rekey, custodian=who.hospital))


@pytest.fixture
def fetch(radledger, who, key_service, encryption_keys, tmp_path):
    def fetch_as(reader, image_id, name, use=CARE, private_key=None):
        return radledger.reading.fetch(
            image_id,
            tmp_path / name,
            reader=getattr(who, reader),
            private_key=private_key or encryption_keys.get(reader, new_private_key()),
            key_service=key_service,
            use=use,
        )

    return fetch_as


def test_a_grant_opens_and_its_end_closes(
    add, images, who, series, grant, consents, fetch, tmp_path, submit
):
    image_id = add(series, keep_identity=True)[0].image_id
    with pytest.raises(ConsentNotPermittedNeverGranted) as refusal:
        fetch("radiologist", image_id, "before")
    assert refusal.value.values["reader"] == who.radiologist.address
    grant()
    assert len(fetch("radiologist", image_id, "granted").files) == 5
    assert len(fetch("radiologist", image_id, "twice").files) == 5
    with pytest.raises(ConsentNotPermittedPurpose):
        fetch("radiologist", image_id, "research", Use.of(["GRU"]))
    with pytest.raises(ConsentNotPermittedNeverGranted):
        fetch("stranger", image_id, "stranger")
    document = consents.revoke(who.radiologist.address).sign(who.patient)
    submit(document, who.hospital)
    with pytest.raises(ConsentNotPermittedRevoked):
        fetch("radiologist", image_id, "revoked")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"granted", "twice"} <= names
    assert names.isdisjoint({"before", "research", "stranger", "revoked"})


def test_after_a_revocation_the_next_release_is_under_a_new_secret(
    add, images, who, series, grant, consents, fetch, key_service, submit
):
    image_id = add(series, keep_identity=True)[0].image_id
    grant()
    fetch("radiologist", image_id, "first")
    old = images.secret(image_id)
    submit(consents.revoke(who.radiologist.address).sign(who.patient), who.hospital)
    assert images.secret(image_id) == old
    document = consents.grant(who.researcher.address, Terms(("CC",))).sign(who.patient)
    submit(document, who.hospital)
    assert len(fetch("researcher", image_id, "second").files) == 5
    assert images.secret(image_id) != old


def test_the_secret_opens_for_the_reader_alone(add, series, grant, fetch, tmp_path):
    image_id = add(series)[0].image_id
    grant()
    with pytest.raises(UnwrapFailed):
        fetch("radiologist", image_id, "other", private_key=new_private_key())
    assert not (tmp_path / "other").exists()


def test_a_released_secret_verifies_files(
    add, who, series, grant, key_service, encryption_keys, ledger, store, tmp_path
):
    image_id = add(series, keep_identity=True)[0].image_id
    grant()
    elsewhere = RadLedger(ledger, store, tmp_path / "workstation")
    with pytest.raises(SecretUnknown):
        elsewhere.images.verify(image_id, [series])
    released = elsewhere.reading.secret(
        image_id,
        reader=who.radiologist,
        private_key=encryption_keys["radiologist"],
        key_service=key_service,
        use=CARE,
    )
    found = elsewhere.images.verify(image_id, [series], secret=released.secret)
    assert [each.verdict for each in found] == ["identical"] * 5


def test_a_key_service_is_asked_for_a_use(add, series, fetch):
    image_id = add(series)[0].image_id
    with pytest.raises(UsageError):
        fetch("radiologist", image_id, "none", use=None)

"""Journals of earlier releases, which had no key: they open, and are converted once."""

from __future__ import annotations

import pytest

from radledger.imaging.ingest import anchoring
from radledger.imaging.journal.journal import Journal
from radledger.imaging.journal.rows import context_of
from radledger.imaging.journal.statements import columns_of
from radledger.imaging.service import Images
from tests.imaging.test_resume import Killed, anchored


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request):
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else None


@pytest.fixture
def of_an_earlier_release(images, worker, key_path):
    """Make the journal one as earlier releases left it, without a key."""

    def downgraded(state="confirmed"):
        journal = images._home.journal
        for row in journal.sets(i for (i,) in worker("SELECT set_id FROM sets")):
            secret = journal.secret_of(row)
            worker(
                "UPDATE sets SET secret = :secret, state = :state WHERE set_id = :set_id",
                secret=secret,
                state=state,
                set_id=row.set_id,
            )
            key = journal.pseudonym_key(row)
            worker("UPDATE patients SET pseudonym_key = :key", key=key)
        for set_id, kept in worker("SELECT set_id, secret FROM rekeys"):
            (row,) = journal.sets([set_id])
            plain = journal.key.secret(kept, context_of(columns_of(row)))
            worker("UPDATE rekeys SET secret = :plain", plain=plain)
        for table in ("seals", "bindings", "alembic_version"):
            worker(f"DROP TABLE {table}")
        journal.close()
        key_path.unlink()

    return downgraded


def test_a_journal_of_an_earlier_release_opens_as_it_was(
    add, images, ledger, store, home, journal, who, series, of_an_earlier_release, journal_holds
):
    image_id = add(series)[0].image_id
    secret = images.secret(image_id)
    of_an_earlier_release()
    assert journal_holds(secret.encode())
    now = Images(ledger, store, home, journal)
    assert now.secret(image_id) == secret
    (again,) = now.add([series], who.patient.address, custodian=who.hospital)
    assert (again.image_id, again.added) == (image_id, False)
    now.rekey(image_id, custodian=who.hospital)
    assert now.secret(image_id) != secret


def test_a_rekeying_of_an_earlier_release_is_finished(
    add, images, ledger, store, home, journal, who, series, of_an_earlier_release, monkeypatch
):
    image_id = add(series)[0].image_id

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish_rekey", killed)  # the chain has it already
        with pytest.raises(Killed):
            images.rekey(image_id, custodian=who.hospital)
    of_an_earlier_release()
    now = Images(ledger, store, home, journal)
    now.rekey(image_id, custodian=who.hospital)
    assert len(now.contents(image_id).instances) == 5
    assert len(ledger.events("ImageRegistry", "ImageRekeyed")) == 1


@pytest.mark.parametrize("on_chain", [True, False])
def test_what_an_earlier_release_had_sealed(
    add,
    images,
    ledger,
    store,
    home,
    journal,
    who,
    series,
    sample,
    of_an_earlier_release,
    monkeypatch,
    on_chain,
):
    """It is noted where the chain has it, and sealed again from the files where it has not."""

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        if not on_chain:
            patch.setattr(anchoring, "anchor", killed)
            with pytest.raises(Killed):
                add(series)
        else:
            add(series)
    of_an_earlier_release("sealed")
    now = Images(ledger, store, home, journal)

    def again(path):
        return now.add([path], who.patient.address, custodian=who.hospital)[0]

    again(sample("CT_small.dcm"))
    assert len(anchored(ledger, who)) == 1 + on_chain
    result = again(series)
    assert (result.instances, result.added) == (5, not on_chain)
    assert len(anchored(ledger, who)) == 2
    assert len(now.contents(result.image_id).instances) == 5

"""The log of receipts on the chain: what it did before is seen by those who see it first."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from radledger.access import Receipt, ReceiptBook, ReceiptLog, Release, watching
from radledger.access.anchoring import LogAnchoring, block_proof, origin_hash
from radledger.access.errors import ReceiptsNotLogged
from radledger.access.receipt_log import check_log_proof
from radledger.access.watching import anchored_proof, prove_from, watch
from radledger.chain.refusals import AccessLogNotGrown, AccessRecorderNotAppointed
from radledger.chain.rpc import request
from radledger.consent.permission import Use
from radledger.identity.errors import InvalidAddress
from radledger.imaging.model import NONE
from radledger.tlog import FolderSource
from radledger.tlog.errors import EntryPending, LogDiffers, LogForked, LogShrunk, LogUnanchored
from radledger.verify.anchored.block import anchored, trust
from radledger.verify.logged.notes import read_proof

pytestmark = pytest.mark.usefixtures("patient_with_ether")

ORIGIN = "gateway.hospital.example/log"
UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def log(ledger, receipts, tmp_path):
    log = ReceiptLog(ledger, receipts, tmp_path / "log")
    log.create(ORIGIN)
    return log


@pytest.fixture
def anchoring(ledger, log):
    return LogAnchoring(ledger, log)


@pytest.fixture
def keep(ledger, receipts, who):
    """Keep a receipt as released, in a book; returns its digest."""

    def keep(book=receipts):
        receipt = Receipt.of(ledger, who.radiologist.address, UNKNOWN, Use.of(["CC"]), NONE)
        signed = receipt.sign(who.radiologist)
        book.keep(Release(signed, NONE, receipt.time))
        return "0x" + signed.receipt.digest.hex()

    return keep


@pytest.fixture
def publish(log, keep, anchoring, recorder, who):
    """Keep so many receipts, publish and anchor the log; returns their digests."""

    def publish(receipts, *, anchored=True):
        digests = [keep() for _ in range(receipts)]
        log.publish()
        if anchored:
            anchoring.anchor(who.hospital.address).send(recorder)
        return digests

    return publish


@pytest.fixture
def another(ledger, log, tmp_path):
    """A log of the same key and origin with another book, as an institution can make one."""

    def another(name):
        folder = tmp_path / name
        folder.mkdir()
        for each in ("key", "policy"):
            shutil.copy(log.public.parent / each, folder / each)
        book = ReceiptBook(tmp_path / f"{name}.sqlite3")
        return book, ReceiptLog(ledger, book, folder)

    return another


@pytest.fixture
def clock(monkeypatch, ledger):
    """The clock of this machine goes with the chain's."""
    monkeypatch.setattr(watching, "time", SimpleNamespace(time=ledger.now))


@pytest.fixture
def see(ledger, receipts, log, tmp_path, who, clock):
    """Watch a log, as someone who never saw it unless a memory is named."""
    looks = iter(range(100))

    def see(source=log, memory=None, delay=3600):
        folder = tmp_path / (memory or f"look {next(looks)}")
        files, institution = FolderSource(source.public), who.hospital.address
        return watch(ledger, receipts, files, log.policy, folder, institution, delay=delay)

    return see


# --- the institution ----------------------------------------------------------------------------


def test_a_log_is_anchored_as_far_as_it_is_published(anchoring, log, keep, access, recorder, who):
    hospital = who.hospital.address
    assert not anchoring.is_behind(hospital)
    with pytest.raises(EntryPending):
        anchoring.anchor(hospital)
    log.publish()
    assert not anchoring.is_behind(hospital)  # it is empty
    for size in (1, 2):
        keep()
        assert not anchoring.is_behind(hospital)
        published = log.publish()
        assert anchoring.is_behind(hospital)
        anchor = anchoring.anchor(hospital).send(recorder)
        assert (anchor.institution, anchor.size, anchor.root) == (hospital, size, published.root)
        assert anchor.log == "0x" + origin_hash(ORIGIN).hex()
        assert access.logs(hospital) == access.logs() == (anchor,)
        assert not anchoring.is_behind(hospital)
        kept = (log.public / f"anchored/{size}").read_bytes()
        assert kept == (log.public / "checkpoint").read_bytes()
    with pytest.raises(AccessLogNotGrown) as refusal:
        anchoring.anchor(hospital).send(recorder)
    assert refusal.value.values == {"log": anchor.log, "size": 2, "anchored": 2}
    assert access.logs(who.clinic.address) == ()


def test_only_a_recorder_of_the_institution_anchors(anchoring, publish, access, who, recorder):
    publish(1, anchored=False)
    for institution, signer in ((who.hospital, who.patient), (who.clinic, recorder)):
        with pytest.raises(AccessRecorderNotAppointed):
            anchoring.anchor(institution.address).send(signer)
    with pytest.raises(InvalidAddress):
        anchoring.is_behind("0x12")
    assert access.logs() == ()


def test_a_log_that_was_set_back_or_written_again_is_not_anchored(
    anchoring, publish, another, keep, ledger, who, recorder
):
    """It would prove a fork against its institution."""
    publish(3)
    for name, size in (("set back", 2), ("written again", 4)):
        book, other = another(name)
        for _ in range(size):
            keep(book)
        other.publish()
        wrong = LogAnchoring(ledger, other)
        for refused in (wrong.is_behind, wrong.anchor):
            with pytest.raises(LogDiffers) as refusal:
                refused(who.hospital.address)
            assert refusal.value.values == {"log": ORIGIN, "anchored": 3, "published": size}
    publish(1)


# --- a proof ------------------------------------------------------------------------------------


def test_a_proof_says_by_which_block_a_receipt_was_logged(
    publish, log, ledger, receipts, access, reading
):
    first = publish(2)
    second = publish(300)
    third = publish(1, anchored=False)
    earlier, later = ledger.events("AccessLedger", "AccessLogAnchored")
    for digests, size, block in (
        (first, 2, earlier.block),
        (second, 302, later.block),
        (third, 303, None),
    ):
        for digest in {digests[0], digests[-1]}:
            shown = check_log_proof(log.prove(digest).encode(), log.policy)
            assert (shown.receipt, shown.size, shown.anchored) == (digest, size, None)
            found = anchored_proof(ledger, shown)
            assert (found.anchored and found.anchored.block) == block


def test_a_block_is_proven_offline(publish, log, ledger, who):
    (digest,) = publish(1)
    shown = anchored_proof(ledger, check_log_proof(log.prove(digest).encode(), log.policy))
    text = block_proof(ledger, shown.anchored)
    block = request(ledger.web3, "eth_getBlockByNumber", [hex(shown.anchored.block), False])
    believed = trust("", [block["hash"]], ledger.address("AccessLedger"), all_=False)
    found = anchored(text.encode(), read_proof(log.prove(digest).encode()).checkpoint, believed)
    assert found == {
        "institution": who.hospital.address.lower(),
        "block": shown.anchored.block,
        "hash": block["hash"],
        "timestamp": shown.anchored.anchored_at,
        "vouched": f"the given hash of block {shown.anchored.block}",
    }


def test_a_reader_proves_by_the_chain_what_was_acknowledged(
    consents, ledger, log, acknowledged, receipts, publish
):
    publish(1)
    digest = acknowledged()
    publish(2)
    publish(1)
    text = prove_from(ledger, receipts, FolderSource(log.public), log.policy, digest)
    shown = anchored_proof(ledger, check_log_proof(text.encode(), log.policy))
    assert (shown.index, shown.size, shown.anchored.size) == (1, 4, 4)
    assert text == log.prove(digest)


def test_a_lost_or_damaged_note_of_a_checkpoint_is_passed_over(publish, log, ledger):
    (digest,) = publish(1)
    publish(1), publish(1)
    (log.public / "anchored/1").unlink()
    (log.public / "anchored/2").write_text("cut")
    shown = anchored_proof(ledger, check_log_proof(log.prove(digest).encode(), log.policy))
    assert (shown.size, shown.anchored.size) == (3, 3)


def test_what_another_institution_anchors_of_this_origin_is_of_no_account(
    publish, log, ledger, access, anchoring, who, recorder, see
):
    access.appoint(recorder.address).send(who.clinic)
    told = (who.clinic.address, origin_hash(ORIGIN))
    ledger.send(recorder, "AccessLedger", "anchorLog", *told, 5, bytes(32))
    digests = publish(5)
    assert see().anchored == 5
    shown = anchored_proof(ledger, check_log_proof(log.prove(digests[0]).encode(), log.policy))
    assert (shown.anchored.institution, shown.anchored.size) == (who.hospital.address, 5)


def test_a_checkpoint_that_was_not_anchored_after_all_is_passed_over(
    publish, log, ledger, access, anchoring, who, recorder
):
    """Its note is here, and the size is on the chain with a root that another institution made."""
    (digest,) = publish(1, anchored=False)
    with pytest.raises(AccessRecorderNotAppointed):
        anchoring.anchor(who.hospital.address).send(who.patient)
    assert (log.public / "anchored/1").exists()
    access.appoint(recorder.address).send(who.clinic)
    told = (who.clinic.address, origin_hash(ORIGIN))
    ledger.send(recorder, "AccessLedger", "anchorLog", *told, 1, bytes(32))
    assert check_log_proof(log.prove(digest).encode(), log.policy).size == 1
    publish(1)
    shown = anchored_proof(ledger, check_log_proof(log.prove(digest).encode(), log.policy))
    assert (shown.size, shown.anchored.institution) == (2, who.hospital.address)


# --- attacks, seen by those who never saw the log ------------------------------------------------


def test_a_log_that_is_on_the_chain_is_accepted(see, publish, acknowledged, ledger):
    digest = acknowledged()
    publish(2)
    block = ledger.block_number()
    publish(3)
    seen = see()
    assert (seen.size, seen.anchored, seen.receipts, seen.blocks) == (
        6,
        6,
        {digest: 0},
        {digest: block},
    )
    publish(1, anchored=False)
    assert (see().size, see().anchored) == (7, 6)


@pytest.mark.parametrize("dropped", [0, 2, 4])
def test_a_receipt_that_is_dropped_after_it_was_anchored_is_seen(
    see, publish, another, receipts, dropped
):
    publish(5)
    book, without = another("without")
    for number, release in enumerate(receipts.releases()):
        if number != dropped:
            book.keep(release)
    publish_more(book, without, receipts, 2)
    with pytest.raises(LogForked) as refusal:
        see(without)
    assert (refusal.value.values["log"], refusal.value.values["size"]) == (ORIGIN, 5)
    assert see().size == 5


def publish_more(book, log, receipts, number):
    """Fill a log that has fewer receipts with more than it should have."""
    release = receipts.releases()[0]
    for each in range(number):
        changed = replace(release.signed.receipt, nonce="0x" + f"{each + 1:02x}" * 16)
        book.keep(replace(release, signed=replace(release.signed, receipt=changed)))
    log.publish()


def test_who_is_shown_another_log_than_the_chain_sees_it(see, publish, another, keep):
    """Split view: without a witness and without memory, the chain is what all have in common."""
    publish(2)
    book, shown_to_some = another("shown to some")
    for _ in range(4):
        keep(book)
    shown_to_some.publish()
    with pytest.raises(LogForked):
        see(shown_to_some)
    # It also shows who follows a fork that the institution anchors instead.
    assert see(memory="kept").anchored == 2


def test_a_log_that_is_set_back_is_seen(see, publish, another, receipts):
    publish(1), publish(2)
    book, earlier = another("earlier")
    for release in receipts.releases()[:2]:
        book.keep(release)
    earlier.publish()
    with pytest.raises(LogShrunk, match="shows 2 entries, and had 3 in block") as refusal:
        see(earlier)
    assert refusal.value.values["size"] == 3


def test_a_receipt_that_is_dated_back_is_seen(
    see, acknowledged, keep, travel, who, another, receipts, ledger, recorder
):
    """It was left out, and is added when its reader asks: the chain had a later tree without it."""
    hospital, digest = who.hospital.address, acknowledged()
    book, lying = another("lying")
    anchoring = LogAnchoring(ledger, lying)
    keep(book)
    travel(3601)
    lying.publish()
    anchoring.anchor(hospital).send(recorder)
    book.keep(receipts.release(bytes.fromhex(digest[2:])))
    lying.publish()
    anchoring.anchor(hospital).send(recorder)
    with pytest.raises(ReceiptsNotLogged) as refusal:
        see(lying)
    assert refusal.value.values == {
        "log": ORIGIN,
        "institution": hospital,
        "missing": [],
        "late": [digest],
    }
    assert see(lying, delay=7200).receipts == {digest: 1}


def test_a_log_that_is_kept_from_the_chain_is_seen(
    see, publish, travel, log, anchoring, who, recorder
):
    publish(1)
    publish(1, anchored=False)
    assert see(memory="kept").anchored == 1
    travel(3590)
    assert see(memory="kept").anchored == 1
    travel(60)
    with pytest.raises(LogUnanchored) as refusal:
        see(memory="kept")
    values = refusal.value.values
    assert (values["log"], values["institution"]) == (ORIGIN, who.hospital.address)
    assert values["lag"] > 3600
    assert values["now"] == log.published().note
    # Anchored afterwards, it is seen to have come late, once.
    anchoring.anchor(who.hospital.address).send(recorder)
    with pytest.raises(LogUnanchored):
        see(memory="kept")
    assert see(memory="kept").anchored == 2

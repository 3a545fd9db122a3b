"""The log of a home's receipts: all are in it, each is proven, and its reader sees an omission."""

from __future__ import annotations

import shutil
import stat
import time
from dataclasses import replace

import pytest

from radledger.access import ReceiptBook, ReceiptLog, Release
from radledger.access.errors import (
    InvalidReceiptId,
    LogProofInvalid,
    PolicyInvalid,
    ReceiptLogExists,
    ReceiptLogMissing,
    ReceiptsNotLogged,
    UnknownReceipt,
)
from radledger.access.receipt_log import check_log_proof, entry_of, policy_from
from radledger.access.receipts import Receipt
from radledger.access.watching import prove_from, watch
from radledger.consent.permission import Use
from radledger.imaging.model import NONE
from radledger.tlog import FolderSource, LogSigner
from radledger.tlog.errors import EntryPending, EntryUnknown, InvalidOrigin, LogForked
from radledger.verify.logged.notes import read_proof
from radledger.verify.logged.receipt import receipt_salt

pytestmark = pytest.mark.usefixtures("patient_with_ether")

ORIGIN = "gateway.hospital.example/log"
UNKNOWN = "0x" + "07" * 32


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def log(ledger, receipts, folder):
    log = ReceiptLog(ledger, receipts, folder)
    log.create(ORIGIN)
    return log


@pytest.fixture
def keep(ledger, receipts, who):
    """Keep a receipt as released; returns its digest."""

    def keep(**changes):
        receipt = Receipt.of(ledger, who.radiologist.address, UNKNOWN, Use.of(["CC"]), NONE)
        signed = replace(receipt, **changes).sign(who.radiologist)
        receipts.keep(Release(signed, NONE, receipt.time))
        return "0x" + signed.receipt.digest.hex()

    return keep


@pytest.fixture
def clock(monkeypatch, ledger):
    """The clock of this machine, which the tests' chain is ahead of."""
    now = [ledger.now()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_every_receipt_is_logged_and_proven(log, keep):
    digests = [keep() for _ in range(3)]
    done = log.publish()
    assert (done.log, done.size, done.added, done.witnesses) == (ORIGIN, 3, 3, {})
    digests.append(keep())
    assert (log.publish().size, log.publish().added) == (4, 0)
    for index, digest in enumerate(digests):
        shown = check_log_proof(log.prove(digest).encode(), log.policy)
        assert (shown.receipt, shown.log, shown.index, shown.size) == (digest, ORIGIN, index, 4)


def test_every_receipt_that_a_key_service_answers_is_logged(log, acknowledged, receipts):
    digest = acknowledged()
    assert log.publish().added == len(receipts.releases()) == 1
    assert check_log_proof(log.prove(digest).encode(), log.policy).receipt == digest


def test_the_log_shows_neither_digest_nor_content(log, keep, folder, who):
    digest = keep()
    log.publish()
    for path in (folder / "public").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (digest[2:], UNKNOWN[2:], who.radiologist.address[2:]):
                assert bytes.fromhex(secret) not in content
                assert secret.lower().encode() not in content.lower()
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert not (folder / "public/key").exists()


def test_an_entry_is_salted_and_a_proof_does_not_show_the_nonce(log, keep, ledger, who, receipts):
    digest = keep()
    log.publish()
    nonce = bytes.fromhex(receipts.releases()[0].signed.receipt.nonce[2:])
    extra = read_proof(log.prove(digest).encode()).extra
    assert extra == bytes.fromhex(digest[2:]) + receipt_salt(nonce)
    assert nonce not in extra

    receipt = Receipt.of(ledger, who.radiologist.address, UNKNOWN, Use.of(["CC"]), NONE)
    entry = entry_of(receipt, receipt.digest)
    assert len(entry) == 32
    other = replace(receipt, nonce="0x" + "11" * 16)
    assert entry_of(other, receipt.digest) != entry != entry_of(receipt, other.digest)


def test_receipts_of_other_chains_are_not_logged(log, keep):
    other = keep(chain_id=1)
    digest = keep()
    assert (log.publish().size, log.publish().added) == (1, 0)
    assert read_proof(log.prove(digest).encode()).index == 0
    with pytest.raises(UnknownReceipt):
        log.prove(other)


def test_a_book_of_an_older_backup_loses_no_receipt(log, keep, receipts, tmp_path):
    path = tmp_path / "receipts.sqlite3"
    keep()
    shutil.copy(path, tmp_path / "backup")
    keep(), keep()
    assert log.publish().size == 3
    path.unlink()
    (tmp_path / "backup").rename(path)
    assert log.publish().added == 0
    for size in (4, 5, 6):
        digest = keep()
        assert (log.publish().size, log.publish().added) == (size, 0)
        assert read_proof(log.prove(digest).encode()).index == size - 1


def test_books_of_many_receipts_are_followed_in_batches(log, keep, monkeypatch):
    monkeypatch.setattr("radledger.access.receipt_log._BATCH", 2)
    for _ in range(5):
        keep()
    assert log.publish().added == 5


def test_what_was_not_released_here_or_not_published_is_not_proven(log, keep):
    with pytest.raises(UnknownReceipt):
        log.prove(UNKNOWN)
    with pytest.raises(InvalidReceiptId):
        log.prove("0x12")
    digest = keep()
    with pytest.raises(EntryUnknown):
        log.prove(digest)
    log._follow(opened := log._log())
    opened.close()
    with pytest.raises(EntryPending):
        log.prove(digest)


def test_a_home_without_a_log_says_how_to_begin_one(ledger, receipts, folder):
    log = ReceiptLog(ledger, receipts, folder)
    assert not log.exists
    for refused in (log.publish, lambda: log.prove(UNKNOWN), lambda: log.policy):
        with pytest.raises((ReceiptLogMissing, UnknownReceipt)):
            refused()
    with pytest.raises(InvalidOrigin):
        log.create("two words")
    vkey = log.create(ORIGIN)
    assert (log.exists, log.vkey, log.policy.logs[0].vkey) == (True, vkey, vkey)
    with pytest.raises(ReceiptLogExists) as refusal:
        log.create("another.example/log")
    assert refusal.value.values == {"log": ORIGIN}


def test_a_proof_that_shows_something_else_is_refused(log, keep, tmp_path):
    digest, other = keep(), keep()
    log.publish()
    text, second = log.prove(digest), log.prove(other)
    extra = read_proof(second.encode()).extra
    wrong = (
        text.replace("index 0", "index 1"),
        text.replace(text.split("\n")[1], second.split("\n")[1]),
        text.replace("tlog-proof@v1", "tlog-proof@v2"),
        "",
    )
    assert len(extra) == 48
    for each in wrong:
        with pytest.raises(LogProofInvalid):
            check_log_proof(each.encode(), log.policy)
    (tmp_path / "policy").write_text("quorum none\n")
    with pytest.raises(LogProofInvalid, match="is of no log of the policy"):
        check_log_proof(text.encode(), policy_from(tmp_path / "policy"))
    (tmp_path / "policy").write_text("nothing")
    for path in (tmp_path / "policy", tmp_path / "missing"):
        with pytest.raises(PolicyInvalid) as refusal:
            policy_from(path)
        assert refusal.value.values == {"path": str(path)}


# --- the reader's view --------------------------------------------------------------------------


@pytest.fixture
def see(ledger, receipts, log, tmp_path, who):
    """Watch the log as the reader who got acknowledgements."""

    def see(source=log, delay=3600, institution=who.hospital.address):
        files = FolderSource(source.public)
        folder = tmp_path / "watched"
        return watch(ledger, receipts, files, log.policy, folder, institution, delay=delay)

    return see


def test_a_reader_finds_its_receipts_in_the_log(log, see, acknowledged, clock):
    first = acknowledged()
    log.publish()
    seen = see()
    assert (seen.log, seen.size, seen.added) == (ORIGIN, 1, 1)
    assert (seen.receipts, seen.pending) == ({first: 0}, ())
    second = acknowledged()
    seen = see()
    assert (seen.receipts, seen.pending) == ({first: 0}, (second,))
    log.publish()
    assert see().receipts == {first: 0, second: 1}
    assert see(institution=None).receipts == {}


def test_a_receipt_that_was_left_out_is_seen(
    log, see, acknowledged, keep, clock, ledger, receipts, folder, tmp_path, who
):
    digest = acknowledged()
    # The institution's log has all receipts but this one.
    book = ReceiptBook(tmp_path / "without.sqlite3")
    lying = ReceiptLog(ledger, book, folder)
    other = keep()
    book.keep(receipts.release(bytes.fromhex(other[2:])))
    assert lying.publish().size == 1
    assert see().pending == (digest,)
    clock[0] += 3601
    with pytest.raises(ReceiptsNotLogged, match="lacks 1 receipts") as refusal:
        see()
    assert refusal.value.values == {
        "log": ORIGIN,
        "institution": who.hospital.address,
        "missing": [digest],
        "late": [],
    }
    # Added afterwards, it is there, and seen to have come late.
    log.publish()
    clock[0] += 60
    with pytest.raises(ReceiptsNotLogged) as refusal:
        see(delay=3600)
    assert (refusal.value.values["missing"], refusal.value.values["late"]) == ([], [digest])
    assert see(delay=7200).receipts == {digest: 1}


def test_a_log_that_was_written_again_is_seen(
    log, see, acknowledged, keep, clock, ledger, receipts, folder, tmp_path
):
    acknowledged()
    log.publish()
    see()
    again = tmp_path / "again"
    again.mkdir()
    for name in ("key", "policy"):
        shutil.copy(folder / name, again / name)
    fork = ReceiptLog(ledger, ReceiptBook(tmp_path / "fork.sqlite3"), again)
    other = receipts.release(bytes.fromhex(keep()[2:]))
    fork._receipts.keep(other)
    fork.publish()
    with pytest.raises(LogForked):
        see(fork)


def test_a_reader_proves_its_receipt_by_the_public_files(ledger, receipts, log, acknowledged, keep):
    keep()
    digest = acknowledged()
    source = FolderSource(log.public)

    def prove(receipt=digest):
        return prove_from(ledger, receipts, source, log.policy, receipt)

    log.publish()
    assert check_log_proof(prove().encode(), log.policy).index == 1
    assert prove() == log.prove(digest)
    with pytest.raises(EntryUnknown) as refusal:
        prove(acknowledged())
    assert refusal.value.values["log"] == ORIGIN
    with pytest.raises(UnknownReceipt):
        prove(UNKNOWN)
    (log.public / "tile/0/000.p/2").write_bytes(bytes(64))
    with pytest.raises(LogProofInvalid, match="does not lead to the root"):
        prove()
    (log.public / "checkpoint").write_text("cut")
    with pytest.raises(LogProofInvalid, match="is not one"):
        prove()


@pytest.mark.parametrize("logs", [0, 2])
def test_one_log_is_watched_at_a_time(ledger, receipts, log, tmp_path, logs):
    keys = [LogSigner.new(f"log{n}.example").key.vkey for n in range(logs)]
    path = tmp_path / "policy"
    path.write_text("".join(f"log {key}\n" for key in keys) + "quorum none\n")
    with pytest.raises(PolicyInvalid, match=f"names {logs} logs") as refusal:
        watch(ledger, receipts, FolderSource(log.public), policy_from(path), tmp_path / "watched")
    assert refusal.value.values == {"logs": [f"log{n}.example" for n in range(logs)]}

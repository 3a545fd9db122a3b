"""The inbox keeps what was acknowledged, once, over crashes and restarts."""

from __future__ import annotations

import sqlite3
import stat

import pytest

from radledger.errors import DatabaseUnavailable
from radledger.pacs.errors import StudyNotHeld
from radledger.pacs.inbox import DuplicateInstance, Held, HeldStudy, Inbox

ANN, BOB = "0xA", "0xB"


@pytest.fixture
def hold(inbox, under_way):
    """Hold an instance with some content."""

    def hold(instance, content=b"content", *, patient=ANN, study="1.2", received=100.0):
        file = under_way / "file"
        file.write_bytes(content)
        return inbox.hold(file, Held(patient, study, instance, received))

    return hold


def contents(inbox, patient=ANN, study="1.2"):
    return [path.read_bytes() for path in inbox.files(patient, study)]


def test_what_is_held_is_there_after_a_restart(hold, inbox, tmp_path, under_way):
    assert hold("1.2.2", b"second")
    assert hold("1.2.1", b"first")
    assert not (under_way / "file").exists()
    inbox.close()
    inbox = Inbox(tmp_path / "inbox")
    inbox.remove_unacknowledged()
    assert contents(inbox) == [b"first", b"second"]
    assert inbox.studies() == [HeldStudy(ANN, "1.2", 2, 11, 100.0, {})]
    for path in inbox.files(ANN, "1.2"):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    inbox.close()


def test_same_instance_again_is_held_once(hold, inbox):
    assert hold("1.2.1", received=100.0)
    assert not hold("1.2.1", received=200.0)
    assert contents(inbox) == [b"content"]


def test_another_instance_of_the_same_uid_is_refused(hold, inbox):
    hold("1.2.1")
    with pytest.raises(DuplicateInstance):
        hold("1.2.1", b"other")
    assert contents(inbox) == [b"content"]
    assert hold("1.2.1", b"other", patient=BOB)
    assert hold("1.2.1", b"other", study="1.3")


def test_file_of_which_no_row_was_written_is_removed_at_the_next_start(
    hold, inbox, tmp_path, monkeypatch
):
    hold("1.2.1", b"acknowledged")

    def unavailable(*arguments, **options):
        raise DatabaseUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(inbox._database, "writing", unavailable)
        with pytest.raises(DatabaseUnavailable):
            hold("1.2.2", b"refused")
    held = tmp_path / "inbox" / "held"
    assert [path.read_bytes() for path in held.iterdir()] == [b"acknowledged"]
    # A crash leaves the file.
    (held / "no-row.dcm").write_bytes(b"not acknowledged")
    inbox.remove_unacknowledged()
    assert [path.read_bytes() for path in held.iterdir()] == [b"acknowledged"]


def test_files_without_a_row_may_be_of_another_process_that_receives(hold, inbox, tmp_path):
    hold("1.2.1", b"acknowledged")
    arrives = tmp_path / "inbox" / "held" / "no-row-yet.dcm"
    arrives.write_bytes(b"of a gateway")
    other = Inbox(tmp_path / "inbox")
    with inbox.receiving():
        assert not arrives.exists()  # no other one was there
        arrives.write_bytes(b"of a gateway")
        with other.receiving():
            assert arrives.exists()
    with other.receiving():
        assert not arrives.exists()
    assert contents(inbox) == [b"acknowledged"]
    other.close()


def test_association_that_was_slower_with_the_same_instance(hold, inbox, monkeypatch, tmp_path):
    hold("1.2.1")
    answers = iter([[], [(inbox._database.rows("SELECT digest FROM instances")[0][0],)]])
    monkeypatch.setattr(inbox._database, "rows", lambda *query: next(answers))
    assert not hold("1.2.1")
    assert len(list((tmp_path / "inbox" / "held").iterdir())) == 1


def test_instance_that_was_anchored_while_another_one_arrived(hold, inbox, monkeypatch, tmp_path):
    hold("1.2.1")
    monkeypatch.setattr(inbox._database, "rows", lambda *query: [])
    with pytest.raises(DuplicateInstance):
        hold("1.2.1", b"other")
    assert len(list((tmp_path / "inbox" / "held").iterdir())) == 1


def test_studies_are_due_after_a_quiet_time(hold, inbox):
    hold("1.2.1", received=100.0)
    hold("1.2.2", received=160.0)
    hold("1.3.1", study="1.3", received=130.0)
    hold("1.2.1", patient=BOB, received=110.0)
    assert inbox.due(before=129.9) == [(BOB, "1.2")]
    assert inbox.due(before=130.0) == [(BOB, "1.2"), (ANN, "1.3")]
    assert inbox.due(before=160.0) == [(BOB, "1.2"), (ANN, "1.3"), (ANN, "1.2")]


def test_what_was_left_out_waits_until_it_is_closed_again_or_discarded(hold, inbox, tmp_path):
    for number in (1, 2, 3):
        hold(f"1.2.{number}", bytes([number]))
    first, second, third = inbox.files(ANN, "1.2")
    inbox.leave_out({first: "burned in", second: "burned in"})
    inbox.release([third])
    assert not third.exists()
    assert inbox.due(before=1000.0) == []
    assert inbox.studies() == [HeldStudy(ANN, "1.2", 2, 2, 100.0, {"burned in": 2})]

    inbox.close_study("1.2")
    assert inbox.due(before=0.0) == [(ANN, "1.2")]
    assert inbox.files(ANN, "1.2") == [first, second]

    inbox.leave_out({first: "burned in"})
    assert inbox.discard("1.2") == 1
    assert [path.exists() for path in (first, second)] == [False, True]


def test_studies_that_are_not_held(hold, inbox):
    hold("1.2.1")
    with pytest.raises(StudyNotHeld) as refused:
        inbox.close_study("1.3")
    assert refused.value.values == {"study": "1.3"}
    with pytest.raises(StudyNotHeld, match="left out"):
        inbox.discard("1.2")
    assert contents(inbox) == [b"content"]


def test_row_is_on_the_disk_before_hold_returns(hold, inbox, tmp_path):
    statements = []
    inbox._database._connection.set_trace_callback(statements.append)
    hold("1.2.1")
    begun = statements.index("BEGIN IMMEDIATE")
    assert statements[begun - 1] == "PRAGMA synchronous = FULL"
    with sqlite3.connect(tmp_path / "inbox" / "inbox.sqlite3") as other:
        assert other.execute("SELECT COUNT(*) FROM instances").fetchone() == (1,)
    other.close()

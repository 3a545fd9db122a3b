"""Studies leave the inbox when their image sets are anchored, and not before."""

from __future__ import annotations

import logging

import pytest

from radledger.imaging.model import Added, AddResult, SkippedFile
from radledger.pacs.closing import ClosedStudy, LeftOut, StudyCloser
from radledger.pacs.inbox import Held
from radledger.storage.errors import StorageUnavailable
from tests.pacs.conftest import PATIENT


class Adding:
    """Stands for `Images.add_all`."""

    def __init__(self):
        self.additions = []
        self.error = None
        self.skips = {}

    def __call__(self, addition):
        self.additions.append(addition)
        if self.error is not None:
            raise self.error
        skipped = tuple(
            SkippedFile(str(path), self.skips[content])
            for path in addition.paths
            if (content := path.read_bytes()) in self.skips
        )
        result = AddResult("0x1", "0x2", "cid", 1, (), "0x3", 0, added=True)
        lost = SkippedFile("1.2.9", "lost by the store")
        return Added((result,) if len(skipped) < len(addition.paths) else (), (*skipped, lost))


@pytest.fixture
def add():
    return Adding()


@pytest.fixture
def hold(inbox, under_way, now):
    def hold(*contents, study="1.2"):
        for number, content in enumerate(contents):
            (under_way / "file").write_bytes(content)
            held = Held(PATIENT, study, f"{study}.{number}", now.time)
            assert inbox.hold(under_way / "file", held)

    return hold


@pytest.fixture
def close_due(inbox, add, now):
    closer = StudyCloser(inbox, add, 60, lambda: now.time)
    return lambda: list(closer.close_due())


def test_study_is_added_after_a_quiet_time_and_leaves_the_inbox(hold, close_due, add, now, inbox):
    hold(b"1", b"2")
    now.time += 59.9
    assert close_due() == []
    now.time += 0.1
    (closed,) = close_due()
    assert (closed.patient, closed.study, closed.left_out) == (PATIENT, "1.2", [])
    assert [each.image_id for each in closed.image_sets] == ["0x1"]
    (addition,) = add.additions
    assert (addition.patient, len(addition.paths)) == (PATIENT, 2)
    assert not any(path.exists() for path in addition.paths)
    assert inbox.studies() == []
    assert close_due() == []


def test_what_cannot_be_added_stays_with_its_reason(hold, close_due, add, now, inbox):
    hold(b"1", b"2", b"3")
    add.skips = {b"1": "burned in", b"3": "burned in"}
    now.time += 60
    (closed,) = close_due()
    assert closed.left_out == [LeftOut(2, "burned in")]
    (study,) = inbox.studies()
    assert (study.instances, study.left_out) == (2, {"burned in": 2})
    assert close_due() == []

    add.skips = {}
    inbox.close_study("1.2")
    (closed,) = close_due()
    assert isinstance(closed, ClosedStudy)
    assert inbox.studies() == []


@pytest.mark.parametrize("error", [StorageUnavailable("no\nstore"), OSError(28, "disk full")])
def test_study_that_cannot_be_added_now_is_tried_again_and_holds_up_no_other(
    hold, close_due, add, now, inbox, caplog, error
):
    hold(b"1")
    hold(b"2", study="1.3")
    now.time += 60
    add.error = error
    with caplog.at_level(logging.WARNING):
        assert close_due() == []
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == [
        "study 1.2",
        "study 1.3",
    ]
    assert not any("\n" in record.getMessage() for record in caplog.records)
    assert len(inbox.studies()) == 2

    add.error = None
    now.time += 59
    assert close_due() == []
    now.time += 1
    assert {closed.study for closed in close_due()} == {"1.2", "1.3"}


def test_crash_between_anchoring_and_the_inbox(hold, close_due, add, now, inbox, monkeypatch):
    hold(b"1")
    now.time += 60

    def crash(files):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "release", crash)
        with pytest.raises(KeyboardInterrupt):
            close_due()
    (closed,) = close_due()
    assert len(add.additions) == 2
    assert add.additions[0] == add.additions[1]
    assert closed.study == "1.2"
    assert inbox.studies() == []

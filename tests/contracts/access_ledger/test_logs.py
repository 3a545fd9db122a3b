"""Checkpoints of logs: they only grow, each log and each institution by itself."""

from __future__ import annotations

import pytest

from tests.contracts.access_ledger.conftest import ROOT
from tests.contracts.conftest import digest, error, plain

LOG, OTHER_LOG = digest("gateway.hospital.example/log"), digest("other.hospital.example/log")
KEPT = ROOT[: 2 + 2 * 27]
NONE = "0x" + "00" * 27
MOST = 2**40 - 1


@pytest.fixture
def anchor(appointed, hospital, recorder):
    """Anchor a checkpoint of a log as the hospital's recorder."""
    return lambda size, root=ROOT, log=LOG: appointed.anchorLog(
        hospital, log, size, root, {"from": recorder}
    )


@pytest.fixture
def known(appointed, hospital):
    """The last checkpoint of a log of the hospital."""
    return lambda log=LOG: plain(appointed.logOf(hospital, log))


def test_log_grows(anchor, known, hospital):
    assert known() == (0, NONE)
    for size, name in ((1, "one"), (2, "two"), (1_000, "many"), (MOST, "most")):
        transaction = anchor(size, digest(name))
        assert transaction.events["AccessLogAnchored"] == {
            "institution": hospital,
            "log": LOG,
            "size": size,
            "root": digest(name),
        }
        assert known() == (size, digest(name)[: len(KEPT)])


@pytest.mark.parametrize("size", [0, 1, 999, 1_000])
def test_size_that_was_anchored_or_a_smaller_one_is_refused(anchor, known, size):
    """Whether with the same root or another: a size has one root for good."""
    anchor(1_000)
    for root in (ROOT, digest("fork")):
        with error("AccessLogNotGrown", LOG, size, 1_000):
            anchor(size, root)
    assert known() == (1_000, KEPT)
    anchor(1_001)


def test_empty_log_is_refused(anchor, known):
    with error("AccessLogNotGrown", LOG, 0, 0):
        anchor(0)
    assert known() == (0, NONE)


def test_root_that_differs_at_the_end_is_kept_alike(anchor, known):
    """27 bytes are kept, none of them by the size; the event has all of them."""
    root = ROOT[:-10] + "ffffffffff"
    assert anchor(7, root).events["AccessLogAnchored"]["root"] == root
    assert known() == (7, KEPT)
    anchor(8, "0x" + "00" * 32)
    assert known() == (8, NONE)


def test_logs_and_institutions_do_not_disturb_one_another(
    appointed, anchor, known, clinic, other_recorder
):
    anchor(9)
    anchor(5, digest("other"), OTHER_LOG)
    appointed.anchorLog(clinic, LOG, 3, digest("clinic"), {"from": other_recorder})
    assert known() == (9, KEPT)
    assert known(OTHER_LOG) == (5, digest("other")[: len(KEPT)])
    assert plain(appointed.logOf(clinic, LOG)) == (3, digest("clinic")[: len(KEPT)])


def test_recorder_anchors_for_its_institution_alone(
    appointed, known, hospital, other_recorder, stranger
):
    for sender in (other_recorder, hospital, stranger):
        with error("AccessRecorderNotAppointed", hospital, sender):
            appointed.anchorLog(hospital, LOG, 1, ROOT, {"from": sender})
    assert known() == (0, NONE)


def test_what_a_dismissed_recorder_anchored_stays(
    appointed, anchor, known, hospital, recorder, stranger
):
    anchor(4)
    appointed.dismiss(recorder, {"from": hospital})
    with error("AccessRecorderNotAppointed", hospital, recorder):
        anchor(5)
    appointed.appoint(stranger, {"from": hospital})
    with error("AccessLogNotGrown", LOG, 4, 4):
        appointed.anchorLog(hospital, LOG, 4, digest("fork"), {"from": stranger})
    appointed.anchorLog(hospital, LOG, 5, ROOT, {"from": stranger})
    assert known() == (5, KEPT)


def test_suspended_institution_still_anchors(anchor, known, participants, governor, hospital):
    participants.suspend(hospital, {"from": governor})
    anchor(1)
    assert known() == (1, KEPT)

"""Who asks for storage commitment learns what is kept, once that is known."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from queue import Queue

import pytest
from pydicom.dataset import Dataset

from radledger.pacs.commitment import PUSH_INSTANCE, PUSH_MODEL, Committer, Instance, Outcome
from radledger.pacs.errors import PeerRefused, PeerUnreachable
from radledger.pacs.inbox import Held, Inbox
from radledger.pacs.peer import Peer
from tests.pacs.conftest import PATIENT, TITLE

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
MODALITY = Peer("PYNETDICOM", "127.0.0.1", 104)


class Reports:
    """What was answered, to whom."""

    def __init__(self):
        self.sent = []
        self.error = None

    def __call__(self, outcome, peer):
        if self.error is not None:
            raise self.error
        self.sent.append((peer, outcome))


@pytest.fixture
def reports():
    return Reports()


@pytest.fixture
def kept():
    """Classes of the instances that are kept."""
    return {}


@pytest.fixture
def committer(inbox, kept, reports, now):
    classes = lambda sop_instance: kept.get(sop_instance, set())  # noqa: E731
    return Committer(inbox, [MODALITY], classes, reports, lambda: now.time)


@pytest.fixture
def hold(inbox, under_way, now):
    def hold(sop_instance, study="1.2"):
        (under_way / "file").write_bytes(sop_instance.encode())
        inbox.hold(under_way / "file", Held(PATIENT, study, sop_instance, now.time))

    return hold


def asked(*instances):
    return [Instance(CT, each) for each in instances]


def test_answer_waits_until_nothing_is_under_way(committer, hold, inbox, kept, reports, now):
    hold("1.2.1")
    assert committer.accept("PYNETDICOM", "1.9", asked("1.2.1"))
    committer.report_due()
    assert reports.sent == []
    # Its study is closed at once.
    assert inbox.due(before=0.0) == [(PATIENT, "1.2")]

    inbox.release(inbox.files(PATIENT, "1.2"))
    kept["1.2.1"] = {CT}
    committer.report_due()
    assert reports.sent == [(MODALITY, Outcome("1.9", asked("1.2.1"), {}))]
    committer.report_due()
    assert len(reports.sent) == 1


def test_what_is_not_kept_is_said_with_its_reason(committer, hold, inbox, kept, reports):
    hold("1.2.3")
    inbox.leave_out(dict.fromkeys(inbox.files(PATIENT, "1.2"), "burned in"))
    # Another file of the third instance was anchored before.
    kept["1.2.1"], kept["1.2.2"], kept["1.2.3"] = {CT}, {MR}, {CT}
    committer.accept("PYNETDICOM", "1.9", asked("1.2.1", "1.2.2", "1.2.3", "1.2.4"))
    committer.report_due()
    second, third, fourth = asked("1.2.2", "1.2.3", "1.2.4")
    failed = {second: 0x0119, third: 0x0110, fourth: 0x0112}
    assert reports.sent == [(MODALITY, Outcome("1.9", asked("1.2.1"), failed))]


def test_peers_that_may_not_ask(committer, hold, inbox, reports):
    hold("1.2.1")
    assert not committer.accept("STRANGER", "1.9", asked("1.2.1"))
    assert inbox.due(before=0.0) == []
    committer.report_due()
    assert reports.sent == []


def test_request_outlives_a_restart(committer, inbox, kept, reports, tmp_path, now):
    kept["1.2.1"] = {CT}
    committer.accept("PYNETDICOM", "1.9", asked("1.2.1"))
    committer.accept("PYNETDICOM", "1.9", asked("1.2.1"))  # sent twice
    inbox.close()
    inbox = Inbox(tmp_path / "inbox")
    Committer(inbox, [MODALITY], kept.__getitem__, reports, lambda: now.time).report_due()
    assert [outcome.transaction for _, outcome in reports.sent] == ["1.9"]
    assert inbox.asked() == []
    inbox.close()


def test_peer_that_does_not_take_its_answer_is_tried_for_a_week(
    committer, inbox, reports, now, caplog
):
    committer.accept("PYNETDICOM", "1.9", asked("1.2.1"))
    reports.error = PeerUnreachable("not\nthere")
    with caplog.at_level(logging.WARNING):
        committer.report_due()
        now.time += 59
        committer.report_due()
    (record,) = caplog.records
    assert "PYNETDICOM" in record.getMessage()
    assert "\n" not in record.getMessage()
    now.time += 1
    reports.error = None
    committer.report_due()
    assert len(reports.sent) == 1

    committer.accept("PYNETDICOM", "1.10", asked("1.2.1"))
    now.time += 7 * 86_400 + 1
    committer.report_due()
    assert (len(reports.sent), inbox.asked()) == (1, [])


@pytest.fixture
def modality():
    """A modality that waits for answers; gives it as a peer, and its answers."""
    pytest.importorskip("pynetdicom", reason="needs pynetdicom")
    from pynetdicom import AE, evt

    @contextmanager
    def modality(status=0x0000):
        told = Queue()

        def report(event):
            told.put((event.event_type, event.event_information))
            return status, None

        entity = AE("PYNETDICOM")
        entity.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
        handlers = [(evt.EVT_N_EVENT_REPORT, report)]
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        try:
            yield Peer("PYNETDICOM", "127.0.0.1", server.server_address[1]), told
        finally:
            server.shutdown()

    return modality


@pytest.fixture
def request_commitment(association):
    """Ask a receiver by N-ACTION; gives the status."""

    def ask(port, *references, transaction="1.9", action=1):
        information = Dataset()
        if transaction is not None:
            information.TransactionUID = transaction
        information.ReferencedSOPSequence = []
        for sop_class, sop_instance in references:
            reference = Dataset()
            reference.ReferencedSOPClassUID = sop_class
            reference.ReferencedSOPInstanceUID = sop_instance
            information.ReferencedSOPSequence.append(reference)
        with association(port, (PUSH_MODEL,)) as found:
            if not found.is_established:
                return None
            status, _ = found.send_n_action(information, action, PUSH_MODEL, PUSH_INSTANCE)
            return status.get("Status")

    return ask


def test_request_over_the_network(listening, committer, request_commitment, inbox):
    with listening(committer=committer) as port:
        assert request_commitment(port, (CT, "1.2.1"), (MR, "1.2.2")) == 0x0000
        assert request_commitment(port, (CT, "1.2.1"), transaction=None) == 0x0115
        assert request_commitment(port, (CT, "1.2.1"), action=2) == 0x0123
    ((title, transaction, instances, _),) = inbox.asked()
    assert (title, transaction) == ("PYNETDICOM", "1.9")
    assert instances == f'[["{CT}", "1.2.1"], ["{MR}", "1.2.2"]]'


def test_request_that_is_too_long(listening, committer, request_commitment, inbox):
    with listening(committer=committer, memory_bytes=100_000) as port:
        long = [(CT, f"1.2.{number}") for number in range(5_000)]
        assert request_commitment(port, *long) is None
        assert request_commitment(port, (CT, "1.2.1")) == 0x0000
    ((_, _, instances, _),) = inbox.asked()
    assert instances == f'[["{CT}", "1.2.1"]]'


def test_request_of_a_peer_that_may_not_ask(listening, inbox, request_commitment, reports):
    committer = Committer(inbox, [], dict, reports)
    with listening(committer=committer) as port:
        assert request_commitment(port, (CT, "1.2.1")) == 0x0124
    assert inbox.asked() == []


def test_receiver_that_does_not_commit(listening, request_commitment):
    with listening() as port:
        assert request_commitment(port, (CT, "1.2.1")) is None


def test_answer_over_the_network(modality):
    from radledger.pacs.sender import report_outcome

    first, second = asked("1.2.1", "1.2.2")
    with modality() as (peer, told):
        report_outcome(Outcome("1.9", [first], {}), peer, TITLE)
        report_outcome(Outcome("1.10", [first], {second: 0x0112}), peer, TITLE)
    kind, event = told.get_nowait()
    assert (kind, event.TransactionUID) == (1, "1.9")
    assert [each.ReferencedSOPInstanceUID for each in event.ReferencedSOPSequence] == ["1.2.1"]
    assert "FailedSOPSequence" not in event
    kind, event = told.get_nowait()
    assert (kind, event.TransactionUID) == (2, "1.10")
    (failed,) = event.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("1.2.2", 0x0112)


def test_answer_that_is_not_taken(modality, listening):
    from radledger.pacs.sender import report_outcome

    outcome = Outcome("1.9", asked("1.2.1"), {})
    with modality(status=0x0110) as (peer, _), pytest.raises(PeerRefused):
        report_outcome(outcome, peer, TITLE)
    with listening() as port, pytest.raises(PeerRefused):
        report_outcome(outcome, Peer(TITLE, "127.0.0.1", port), "STORESCU")

"""Killed at any system call that leaves a trace, a second run finishes what the first began.

strace kills a forked child at its n-th call among those that write, flush, rename or delete, and
among those that ask the node or hear from it.  The second run must find every file in exactly one
image set, no set on the chain twice, no transaction open, and in the store nothing pinned that
the journal does not name.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from eth_account import Account

from radledger import signed as signed_documents
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.refusals import ConsentSuperseded
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.consent import Consents, Terms
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.home import imaging_folder
from radledger.imaging.ingest.workers import WorkerPool
from radledger.imaging.service import Images
from radledger.storage import LocalStore

FILES = 2
# Names that some architecture lacks have a question mark.
CALLS = (
    "write,pwrite64,ftruncate,fsync,fdatasync,?fchmod,?rename,?renameat,?renameat2,"
    "?unlink,?unlinkat,?mkdir,?mkdirat,sendto,recvfrom"
)
_PR_SET_PTRACER, _ANYBODY = 0x59616D61, -1


@pytest.fixture
def strace():
    """The program, for these tests alone; without it they skip."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("needs strace, which kills a process at a system call of one's choice")
    return found


@pytest.fixture
def traced(strace, tmp_path):
    """Run something in a forked child; its exit code, and each call with its turn.

    With one of these it is killed there: strace counts the calls of each name.
    """

    def run(work, kill_at=None):
        child = get_context("fork").Process(target=_halted, args=(work,))
        child.start()
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        log = tmp_path / "calls"
        command = [strace, "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log)]
        if kill_at is not None:
            name, turn = kill_at
            command += ["-e", f"inject={name}:signal=SIGKILL:when={turn}"]
        tracer = subprocess.Popen([*command, "-p", str(child.pid)], stderr=subprocess.PIPE)
        try:
            while "TracerPid:\t0\n" in Path(f"/proc/{child.pid}/status").read_text():
                assert tracer.poll() is None, tracer.communicate()[1].decode()
            os.kill(child.pid, signal.SIGCONT)
            child.join(timeout=60)
        finally:
            child.kill()
            tracer.communicate(timeout=60)
        return child.exitcode, _turns(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))

    return run


def _turns(names):
    turns = Counter()
    for name in names:
        turns[name] += 1
        yield name, turns[name]


def _halted(work):
    # Where only ancestors may trace, anyone may trace this one.
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    work()


@pytest.fixture
def opened(ledger):
    """Open the contracts with a home's journal of transactions, as a run of its own does."""

    def open_ledger(home):
        web3 = connect(Network("anvil", ledger.web3.provider.endpoint_uri))
        intents = Intents.at(home, ledger.deployment)
        return Ledger(web3, ledger.deployment, sender=Sender(web3, intents=intents))

    return open_ledger


def spread(calls, wanted):
    """So many of some calls, evenly spread, the first and the last among them."""
    calls = list(calls)
    places = {round(step * (len(calls) - 1) / (wanted - 1)) for step in range(wanted)}
    return [calls[place] for place in sorted(places)]


def kill_additions(traced, opened, people, folder, wanted, count):
    """Kill an addition of image sets at many points; what the second run finds is counted."""
    study = folder / "study"
    make_ct_series(study, FILES, size=16)

    def add(home, patient):
        ledger = opened(home)
        images = Images(ledger, LocalStore(home / "store"), home)
        added = images.add([study], patient, custodian=people["hospital"], keep_identity=True)
        return ledger, images, added

    _, calls = traced(lambda: add(folder / "whole", Account.create().address))
    for point in spread(calls, wanted):
        home, patient = folder / "killed-{}-{}".format(*point), Account.create().address
        code, _ = traced(lambda home=home, patient=patient: add(home, patient), kill_at=point)
        count["points"] += code == -signal.SIGKILL
        ledger, images, (result,) = add(home, patient)
        anchored = ledger.events("ImageRegistry", "ImageAnchored", patient=patient)
        held = images.contents(result.image_id).instances
        count["lost"] += len({each.sop_instance for each in held}) != FILES
        count["lost"] += not anchored
        count["twice"] += len(anchored) > 1
        count["orphaned"] += len(_pinned(home) - _named(home, ledger))
        count["open"] += len(ledger.sender.intents.open())
        shutil.rmtree(home)


def _pinned(home):
    return {path.name for path in (home / "store" / "pinned").glob("*/*")}


def _named(home, ledger):
    path = imaging_folder(home, ledger) / "journal.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        return {
            row[0]
            for row in database.execute(
                "SELECT cid FROM files UNION SELECT manifest_cid FROM sets "
                "WHERE manifest_cid IS NOT NULL"
            )
        }


def kill_submissions(traced, opened, people, folder, wanted, count):
    """Kill a submission of a consent at many points; what the second run finds is counted."""
    reader, payer = people["radiologist"].address, people["hospital"]

    def signed(ledger):
        patient = Account.create()
        return patient.address, Consents(ledger).grant(reader, Terms(("CC",))).sign(patient)

    def submit(home, document):
        ledger = opened(home)
        signed_documents.submit(ledger, document, payer)
        return ledger

    _, whole = signed(opened(folder / "whole"))
    _, calls = traced(lambda: submit(folder / "whole", whole))
    for point in spread(calls, wanted):
        home = folder / "submitted-{}-{}".format(*point)
        patient, document = signed(opened(home))
        code, _ = traced(lambda home=home, document=document: submit(home, document), point)
        count["points"] += code == -signal.SIGKILL
        try:
            ledger = submit(home, document)
        except ConsentSuperseded:  # the first run had finished without reporting it
            ledger = opened(home)
        granted = ledger.events("ConsentRegistry", "ConsentGranted", subject=patient)
        count["lost"] += not granted
        count["twice"] += len(granted) > 1
        count["open"] += len(ledger.sender.intents.open())
        shutil.rmtree(home)


@pytest.fixture
def killed(traced, opened, people, tmp_path, monkeypatch, capsys):
    """Kill additions and submissions at so many points, and print what became of them."""

    def run(additions, submissions):
        # Small native files need no worker processes; a forked child cannot use its parent's.
        monkeypatch.setattr(WorkerPool, "prepare", lambda: None)
        count = Counter(dict.fromkeys(("points", "lost", "twice", "orphaned", "open"), 0))
        kill_additions(traced, opened, people, tmp_path, additions, count)
        kill_submissions(traced, opened, people, tmp_path, submissions, count)
        with capsys.disabled():
            print(f"\nkilled: {', '.join(f'{number} {name}' for name, number in count.items())}")
        return count

    return run


def test_killed_at_a_few_points(killed):
    count = killed(6, 4)
    assert count.pop("points") >= 8
    assert not any(count.values()), count


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_at_hundreds_of_points(killed):
    count = killed(150, 75)
    assert count.pop("points") >= 200
    assert not any(count.values()), count

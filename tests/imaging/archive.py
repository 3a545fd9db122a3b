"""An archive for tests, runs that add it, and what is left of them when they are killed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
from collections import Counter
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eth_account import Account

from radledger.chain import deployments
from radledger.chain.ledger import Ledger
from radledger.chain.nodes.connect import connect
from radledger.chain.nodes.networks import Network
from radledger.chain.sending.journal import Intents
from radledger.chain.sending.sender import Sender
from radledger.dicom.synthetic import make_ct_series
from radledger.imaging.model import Addition
from radledger.imaging.service import Images
from radledger.storage import LocalStore
from radledger.storage.errors import StorageUnavailable


class FlickeringStore(LocalStore):
    """A store that can be made unavailable for a number of calls, in all processes."""

    def __init__(self, folder, failures):
        super().__init__(folder)
        self._arguments = folder, failures
        self._calls = folder / "calls"
        self._failures = failures

    def __reduce__(self):
        return FlickeringStore, self._arguments

    def go(self):
        self._calls.touch()

    @property
    def failed(self):
        return self._calls.stat().st_size if self._calls.exists() else 0

    def put(self, source, cid=None):
        self._answer()
        return super().put(source, cid)

    def put_all(self, contents):
        self._answer()
        super().put_all(contents)

    def _answer(self):
        if not self._calls.exists():
            return
        with self._calls.open("ab") as calls:
            fcntl.flock(calls, fcntl.LOCK_EX)
            if self.failed < self._failures:
                calls.write(b".")
                raise StorageUnavailable("the store is away")


def make_archive(folder, studies, files):
    """Studies of one series each."""
    return [
        write_series(folder / f"{number:04}", files, size=16, seed=100 + number)
        for number in range(studies)
    ]


def write_series(folder, files, *, size, seed=1):
    """Write a CT series, and give its folder; what it consists of is made once in a process."""
    folder.mkdir(parents=True)
    for name, content in _series(files, size, seed).items():
        (folder / name).write_bytes(content)
    return folder


@cache
def _series(files, size, seed):
    with TemporaryDirectory() as folder:
        paths = make_ct_series(Path(folder), files, size=size, seed=seed)
        return {path.name: path.read_bytes() for path in paths}


def additions(studies, patients):
    """Each study as an addition of its own, the patients by turns."""
    return [
        Addition((study,), patients[number % len(patients)]) for number, study in enumerate(studies)
    ]


def counted(ledger, images, studies, patients, pinned):
    """What is wrong in the end: what was lost, what is there twice, what nothing names."""
    count = Counter(lost=0, twice=0, orphaned=0)
    events = [
        event
        for patient in patients
        for event in ledger.events("ImageRegistry", "ImageAnchored", patient=patient)
    ]
    found, named = Counter(), set()
    for event in events:
        image_id = event.args["image"]
        manifest = images.contents(image_id)  # its leaves add up to the root on the chain
        found.update(each.file_digest for each in manifest.instances)
        named.update(each.cid for each in manifest.instances)
    files = [path for study in studies for path in study.iterdir()]
    originals = {"0x" + hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    count["lost"] = len(originals - found.keys())
    count["twice"] = sum(found.values()) - len(found) + len(events) - len(studies)
    count["orphaned"] = len(pinned) - len(named) - len(events)  # and a manifest for each
    return count


@dataclass(frozen=True)
class Run:
    """All that a process needs to add an archive."""

    endpoint: str
    deployments: Path
    chain_id: int
    home: Path
    store: LocalStore
    journal: str | None
    key: bytes
    additions: list[Addition]
    options: dict[str, Any]

    def add(self, progress=None):
        """Add the archive in this process; the service, and what became of the additions."""
        web3 = connect(Network("anvil", self.endpoint))
        deployment = deployments.load(self.deployments, self.chain_id)
        intents = Intents.at(self.home, deployment)
        ledger = Ledger(web3, deployment, sender=Sender(web3, intents=intents))
        images = Images(ledger, self.store, self.home, self.journal)
        custodian = Account.from_key(self.key)
        done = images.add_all(
            self.additions,
            custodian=custodian,
            keep_identity=True,
            progress=progress,
            **self.options,
        )
        return images, list(done)

    def killed_when(self, files):
        """Add it in a process that kills itself when so many files are stored."""
        child = get_context("spawn").Process(target=_add_until, args=(self, files))
        child.start()
        child.join()
        return child.exitcode == -signal.SIGKILL


def _add_until(run, files):
    def kill(progress):
        if progress.files >= files:
            os.kill(os.getpid(), signal.SIGKILL)

    run.add(kill)

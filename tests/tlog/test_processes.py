"""Processes and threads that share a log, and one that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from radledger.tlog import Log, TiledTree
from radledger.verify.logged.tree import consistent, included, leaf_hash
from tests.tlog.cast import entry, publish

SOURCE = Path(__file__).parents[2] / "src"
# Appends and publishes for as long as it lives, and prints what is published.
WORKER = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from radledger.tlog import Log, LogSigner
from tests.tlog.cast import fill, publish
folder = Path(sys.argv[1])
log = Log(folder, LogSigner.read(folder / "key"))
while True:
    print(publish(log, log.size + 37).size, flush=True)
"""


def test_a_killed_process_leaves_a_log_that_is_continued(folder, signer):
    signer.write(folder / "key")
    script = WORKER.format(paths=[str(SOURCE), str(SOURCE.parent)])
    before = None
    for lines in (1, 2, 4, 7):
        worker = subprocess.Popen(
            [sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True
        )
        printed = [int(worker.stdout.readline()) for _ in range(lines)]
        worker.send_signal(signal.SIGKILL)
        worker.stdout.close()
        worker.wait()
        log = Log(folder, signer)
        found = log.published()
        assert found.size >= printed[-1]
        assert TiledTree(log.source, found.size).root() == found.root
        last = publish(log)
        assert last.size == log.size >= found.size
        for index in (0, last.size - 1):
            proof = log.prove(entry(index))
            included(index, last.size, leaf_hash(entry(index)), last.root, proof.hashes)
        for old in filter(None, (before, found)):
            hashes = TiledTree(log.source, last.size).consistency(old.size)
            consistent(old.size, last.size, old.root, last.root, hashes)
        before = last
        log.close()


def test_threads_append_and_publish_at_once(folder, signer):
    def work(number):
        log = Log(folder, signer)
        sizes = []
        for batch in range(4):
            first = 40 * number + 10 * batch
            log.append((n, entry(n)) for n in range(first, first + 10))
            sizes.append(publish(log).size)
        log.close()
        return sizes

    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(work, range(4)))
    log = Log(folder, signer)
    last = log.published()
    assert (log.size, last.size) == (160, 160)
    assert all(each == sorted(each) for each in sizes)
    for number in range(160):
        proof = log.prove(entry(number))
        included(proof.index, 160, leaf_hash(entry(number)), last.root, proof.hashes)
    log.close()
